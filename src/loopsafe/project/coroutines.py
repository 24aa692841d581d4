"""Calls that make coroutines, and what becomes of those.

Stage: infer. Only what is certain counts: of several functions that a call may mean, all must be coroutine functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property, partial
from types import CoroutineType
from typing import Final, NamedTuple, TypeAlias

from loopsafe.catalog import CatalogFile, Role, RoleKind
from loopsafe.project.conditions import is_in, outcome_of, side
from loopsafe.project.decorators import has_unknown_decorator
from loopsafe.project.entities import Code, Frame
from loopsafe.project.infer import Inference
from loopsafe.project.roles import callable_name
from loopsafe.project.uses import Fate, Use, Uses
from loopsafe.project.values import ClassObject, Constant, External, Function, Method, Offloaded, Partial, Value
from loopsafe.project.vouched import Vouched
from loopsafe.summary import ir

_NAMED: Final = (ir.Name, ir.Attr, ir.Import, ir.MakeFunction)
"""What a certain callee is mentioned by: a parameter may be anything, whatever some caller passes."""
_ALIASES: Final = (ir.Import, ir.Attr, ir.Name)
_MAKING: Final = (ir.Call, ir.MakeFunction)
_OF_COROUTINES: Final = frozenset(dir(CoroutineType))
_LITERALS: Final = {"True": True, "False": False}
_NEVER: Final = (0, 0)
_Side: TypeAlias = tuple[ir.NodeRange, ir.NodeRange]
"""The nodes that only one outcome of a test leads to: a block, and what follows the statement if nothing else does."""


class Made(NamedTuple):
    """A coroutine that is not awaited where it is made."""

    frame: Frame
    ref: ir.Ref
    """The call."""
    fate: Fate


class Coroutines:
    """Answers which calls make coroutines, which values are coroutine functions, and which roles callees have."""

    def __init__(self, inference: Inference) -> None:
        self._inference: Final = inference
        self._vouched: Final = Vouched(inference)
        self._last: tuple[Code, Uses] | None = None

    # What is certain

    def is_function(self, value: Value) -> bool:
        """Whether calling a value certainly gives a coroutine.

        A plain function that returns a coroutine does not count: what it returns may depend on where it is called.
        """
        match value:
            case Function(code):
                if not self._is_plain(code):
                    return False
                overrides = self._inference.members.implementations(value)
                return all(self._is_plain(override.code) for override in overrides)
            case External() | Method() | ClassObject():
                name = callable_name(value)
                return name is not None and self._inference.catalog.is_async(name)
            case Partial(callee):
                return self.is_function(callee)
            case Offloaded():
                return True
        return False

    def _is_plain(self, code: Code) -> bool:
        return code.is_coroutine and not has_unknown_decorator(self._inference, code)

    def is_function_at(self, frame: Frame, ref: ir.Ref) -> bool:
        """Whether a node certainly mentions a coroutine function, or a partial of one."""
        nodes = frame.code.scope.nodes
        node = nodes[ref] if ref >= 0 else None
        if not isinstance(node, _NAMED) and not self._is_partial(frame, node):
            return False
        values = self._inference.value(frame, ref)
        if not values or not all(map(self.is_function, values)):
            return False
        if not isinstance(node, ir.Attr):
            return True
        owners = self._inference.value(frame, node.value)
        return all(self._inference.members.get(owner, node.name) for owner in owners)

    def _is_partial(self, frame: Frame, node: ir.Node | None) -> bool:
        return (
            isinstance(node, ir.Call)
            and bool(node.args)
            and any(role.role is RoleKind.PARTIAL for role in self.roles(frame, node))
            and self.is_function_at(frame, node.args[0])
        )

    def may_be_function(self, frame: Frame, ref: ir.Ref) -> bool:
        """Whether a node may mention a coroutine function, or something that gives a coroutine, going by its text."""
        code = frame.code
        match code.scope.nodes[ref] if ref >= 0 else None:
            case ir.Name(name=name) | ir.Attr(name=name) | ir.Import(name=name):
                return name in self.names
            case ir.MakeFunction(scope=index):
                inner = code.module.scopes[index]
                return inner.is_async or inner.kind == ir.ScopeKind.LAMBDA
            case ir.Call(args=args):
                return bool(args) and self.may_be_function(frame, args[0])
        return False

    def gives_coroutine(self, frame: Frame, ref: ir.Ref) -> bool:
        """Whether calling the value of a node certainly gives a coroutine."""
        return self.is_function_at(frame, ref) or self._is_giving_lambda(frame, ref)

    def _is_giving_lambda(self, frame: Frame, ref: ir.Ref) -> bool:
        node = frame.code.scope.nodes[ref]
        inner = frame.code.module.code(node.scope) if isinstance(node, ir.MakeFunction) else None
        if inner is None or inner.scope.kind != ir.ScopeKind.LAMBDA:
            return False
        results = [inner.scope.nodes[each] for each in inner.scope.returns]
        made = self._inference.generic_frame(inner)
        return all(isinstance(result, ir.Return) and self.is_made_at(made, result.value) for result in results)

    def is_made_at(self, frame: Frame, ref: ir.Ref) -> bool:
        """Whether a node certainly makes a coroutine."""
        node = frame.code.scope.nodes[ref] if ref >= 0 else None
        return isinstance(node, ir.Call) and self.is_function_at(frame, node.func)

    def roles(self, frame: Frame, node: ir.Call) -> list[Role]:
        """What the catalogue says of the functions that a call may mean; nothing unless it says it of each."""
        names = [callable_name(callee) for callee in self._inference.value(frame, node.func)]
        roles = [self._inference.catalog.role(name) for name in names if name is not None]
        known = [role for role in roles if role is not None]
        return known if len(known) == len(names) else []

    # Where to look

    @cached_property
    def names(self) -> frozenset[str]:
        """Names by which coroutine functions may be called, anywhere in the project."""
        modules = self._inference.modules.by_path.values()
        own = {scope.name for module in modules for scope in module.scopes if scope.is_async}
        known = {
            name.rpartition(".")[2] for file in self._inference.catalog.imported_files() for name in _coroutines(file)
        }
        return self._with_aliases(own | known, self._names_of(_is_offload_decorator))

    def names_of(self, is_meant: Callable[[Role], bool]) -> frozenset[str]:
        """Names by which functions with such a role may be called, anywhere in the project."""
        return self._with_aliases(self._names_of(is_meant), set())

    def _names_of(self, is_meant: Callable[[Role], bool]) -> set[str]:
        files = self._inference.catalog.imported_files()
        named = {name for file in files for name, role in file.roles.items() if is_meant(role)}
        return {name.rpartition(".")[2] for name in named}

    def _with_aliases(self, names: set[str], makers: set[str]) -> frozenset[str]:
        """The names, and those that modules and classes give to what has them, or to what makers with a name make."""
        aliases, made = self._given
        return frozenset(
            names
            | {alias for alias, name in aliases if name in names}
            | {name for name, each in made if each in makers}
        )

    @cached_property
    def _given(self) -> tuple[set[tuple[str, str | None]], set[tuple[str, str | None]]]:
        """Names that modules and classes give, each with that of what has it too, or with that of what has made it."""
        aliases: set[tuple[str, str | None]] = set()
        made: set[tuple[str, str | None]] = set()
        for module in self._inference.modules.by_path.values():
            for scope in module.scopes:
                if scope.kind in (ir.ScopeKind.MODULE, ir.ScopeKind.CLASS):
                    for name, (*_, ref) in scope.bindings.items():
                        node = scope.nodes[ref] if ref >= 0 else None
                        if isinstance(node, _ALIASES) and node.name != name:
                            aliases.add((name, node.name))
                        elif isinstance(node, _MAKING):
                            made.update([(name, maker) for maker in _makers(scope, node)])
        return aliases, made

    def calls(self, names: frozenset[str]) -> Iterator[tuple[Code, list[ir.Ref]]]:
        """The calls of anything with one of these names, by scope, in the order of files and text."""
        for module in self._inference.modules.by_path.values():
            if module.summary is None or names.isdisjoint(module.summary.called):
                continue
            found: dict[int, list[ir.Ref]] = {}
            for name in names.intersection(module.summary.called):
                for index, ref in module.calls.get(name, ()):
                    found.setdefault(index, []).append(ref)
            for index in sorted(found):
                yield module.code(index), sorted(found[index])

    # What becomes of them

    @cached_property
    def unawaited(self) -> tuple[Made, ...]:
        """The coroutines that are not awaited where they are made, and not handed on either, at least not always."""
        return tuple(self._find_unawaited())

    def _find_unawaited(self) -> Iterator[Made]:
        for code, calls in self.calls(self.names):
            frame = self._inference.generic_frame(code)
            for ref in calls:
                if is_awaited(code.scope, ref) or not self.is_made_at(frame, ref):
                    continue
                fate = self.uses(code).fate(ref, partial(self._judge, frame))
                is_lost = not fate.is_kept or fate.look is not None or is_partial(code.scope, ref, fate)
                if is_lost and not self._is_excused(frame, ref):
                    yield Made(frame, ref, fate)

    def _is_excused(self, frame: Frame, ref: ir.Ref) -> bool:
        return self.is_off(frame, ref) or self._is_told_apart(frame, ref) or not self._is_meant(frame, ref)

    def _is_meant(self, frame: Frame, ref: ir.Ref) -> bool:
        """Whether the object of a method is what it seems: in a synchronous function, a type must be vouched for."""
        nodes = frame.code.scope.nodes
        node = nodes[ref]
        func = nodes[node.func] if isinstance(node, ir.Call) else None
        if frame.code.scope.is_async or not isinstance(func, ir.Attr):
            return True
        return self._vouched.is_vouched(frame, func.value)

    def uses(self, code: Code) -> Uses:
        """What becomes of the values of a scope."""
        if self._last is None or self._last[0] is not code:
            self._last = (code, Uses(code))
        return self._last[1]

    def _judge(self, frame: Frame, user: ir.Ref) -> Use:
        node = frame.code.scope.nodes[user]
        if isinstance(node, ir.Attr):
            return Use.HANDED_ON if node.name in _OF_COROUTINES else Use.ATTRIBUTE
        assert isinstance(node, ir.Call)
        return Use.ARGUMENT if self.is_viewer(frame, node) else Use.HANDED_ON

    def is_off(self, frame: Frame, ref: ir.Ref) -> bool:
        """Whether a node stands where a constant keeps it from being evaluated: `if False`, `if not _IS_SYNC`."""
        for branch in frame.code.scope.branches:
            outcome = outcome_of(branch, partial(self._constant, frame))
            if outcome is not None and is_in(ref, side(branch, not outcome)):
                return True
        return False

    def _constant(self, frame: Frame, ref: ir.Ref) -> bool | None:
        """The truth value that a literal or a variable of a module is for good."""
        node = frame.code.scope.nodes[ref]
        if not isinstance(node, ir.Name):
            return None
        if node.name in _LITERALS:
            return _LITERALS[node.name]
        values = self._inference.value(frame, ref)
        is_certain = len(values) == 1 and self._inference.certainty.is_certain(frame, ref)
        truth = values[0].value if is_certain and isinstance(values[0], Constant) else None
        return truth if isinstance(truth, bool) else None

    def _is_told_apart(self, frame: Frame, ref: ir.Ref) -> bool:
        """Whether a test tells coroutine functions from others, and a call stands where it found the others.

        It may ask for just that. Of an abstract method it is enough that the same call stands on the other side: with
        one test for two kinds of implementations.
        """
        text = _text_at(frame.code.scope, ref) if self._is_abstract(frame, ref) else None
        for branch in frame.code.scope.branches:
            for here, other in _sides(branch):
                if is_in(ref, here) and (
                    any(self._asks_for_kind(frame, tested) for tested, _ in branch.tested)
                    or any(text and _text_at(frame.code.scope, call) == text for part in other for call in range(*part))
                ):
                    return True
        return False

    def _is_abstract(self, frame: Frame, ref: ir.Ref) -> bool:
        node = frame.code.scope.nodes[ref]
        callees = self._inference.value(frame, node.func) if isinstance(node, ir.Call) else ()
        is_abstract = self._inference.members.is_abstract
        return any(isinstance(callee, Function) and is_abstract(callee.code) for callee in callees)

    def _asks_for_kind(self, frame: Frame, ref: ir.Ref) -> bool:
        node = frame.code.scope.nodes[ref]
        roles = self.roles(frame, node) if isinstance(node, ir.Call) else []
        return any(role.role is RoleKind.IS_COROUTINE_FUNCTION for role in roles)

    def is_viewer(self, frame: Frame, node: ir.Call) -> bool:
        """Whether a call merely looks at its arguments."""
        roles = self.roles(frame, node)
        return bool(roles) and all(role.role in (RoleKind.VIEWER, RoleKind.SPECIAL) for role in roles)


def is_awaited(scope: ir.Scope, ref: ir.Ref) -> bool:
    """Whether a call stands behind `await`: then that is the next node."""
    following = scope.nodes[ref + 1] if ref + 1 < len(scope.nodes) else None
    return isinstance(following, ir.Await) and following.value == ref


def is_partial(scope: ir.Scope, ref: ir.Ref, fate: Fate) -> bool:
    """Whether a value is handed on only where a test came out one way, and the function ends well the other way too."""
    handed_on = fate.handed_on
    if not handed_on:
        return False
    return any(
        ref < min(branch.body[0], branch.orelse[0])
        and not any(_mentions(scope, tested, ref) for tested, _ in branch.tested)
        and any(
            all(is_in(at, here) for at in handed_on) and _ends_well(scope, branch, here, other)
            for here, other in _sides(branch)
        )
        for branch in scope.branches
    )


def _sides(branch: ir.Branch) -> Iterator[tuple[_Side, _Side]]:
    """What runs only after one outcome, and what runs only after the other: both ways round."""
    body, orelse = side(branch, True), side(branch, False)
    yield body, orelse
    yield orelse, body


def _ends_well(scope: ir.Scope, branch: ir.Branch, here: _Side, other: _Side) -> bool:
    """Whether the other side goes on or returns, rather than raise: what raises need not clean up."""
    returns = [any(isinstance(node, ir.Return) for node in scope.nodes[start:end]) for start, end in other]
    if any(returns):
        return True
    (start, end), after = other
    if branch.after == _NEVER:  # both sides go on, or neither does
        return not any(isinstance(node, ir.Return) for first, last in here for node in scope.nodes[first:last])
    return start == end and after[0] == after[1]


def _text_at(scope: ir.Scope, ref: ir.Ref) -> str | None:
    """What the text of a call's callee is; None for anything else."""
    node = scope.nodes[ref]
    return scope.text_at(node.place) if isinstance(node, ir.Call) else None


def _mentions(scope: ir.Scope, tested: ir.Ref, ref: ir.Ref) -> bool:
    """Whether a test looks at a value."""
    if tested == ref:
        return True
    match scope.nodes[tested]:
        case ir.Narrow(value) | ir.Attr(value):
            return value >= 0 and _mentions(scope, value, ref)
        case ir.Call(args=args):
            return ref in args
        case ir.Compare(_, left, right):
            return any(side >= 0 and _mentions(scope, side, ref) for side in (left, right))
    return False


def _makers(scope: ir.Scope, node: ir.Node | None) -> Iterator[str | None]:
    """The names of what makes a function of another: its decorators, or what is called with it."""
    match node:
        case ir.Call(func=func):
            yield from _makers_at(scope, func)
        case ir.MakeFunction(decorators=decorators):
            for ref in decorators:
                yield from _makers_at(scope, ref)


def _makers_at(scope: ir.Scope, ref: ir.Ref) -> Iterator[str | None]:
    node = scope.nodes[ref] if ref >= 0 else None
    if isinstance(node, _ALIASES):
        yield node.name
    elif isinstance(node, ir.Call):
        yield from _makers_at(scope, node.func)


def _is_offload_decorator(role: Role) -> bool:
    return role.role is RoleKind.OFFLOAD_DECORATOR


def _coroutines(file: CatalogFile) -> Iterator[str]:
    yield from file.asynchronous
    for record in file.classes:
        yield from record.asynchronous
