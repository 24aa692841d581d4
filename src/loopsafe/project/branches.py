"""Branches that cannot be taken: what a call passes decides the test.

Stage: infer. Only what is known exactly decides: constants and objects that this very call hands over, or leaves at
their defaults. A value that merely was not found out to be anything else decides nothing.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING, Final

from loopsafe.catalog import RoleKind
from loopsafe.project.conditions import STRING_TESTS, outcome_of, side
from loopsafe.project.decorators import role_of
from loopsafe.project.entities import Class, Code, Frame
from loopsafe.project.fields import EMPTY, iterations
from loopsafe.project.leaves import Leaf, bare, looked_at, meant, name_of
from loopsafe.project.values import (
    ClassObject,
    Constant,
    Coroutine,
    Function,
    Instance,
    Method,
    ModuleObject,
    Partial,
    Value,
    Values,
)
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference

_DEEPEST: Final = 3
"""A parameter that is handed on decides through so many functions, a result that is returned through so many nodes."""


class Branches:
    """Answers `is_dead(frame, position)` and `decisive(code)`."""

    def __init__(self, inference: Inference) -> None:
        self._inference: Final = inference
        self._dead: Final[dict[Frame, tuple[ir.NodeRange, ...]]] = {}
        self._decisive: Final[dict[Code, frozenset[Leaf]]] = {}
        self._open: Final[dict[Frame, tuple[ir.Branch, ...]]] = {}
        self._certain: Final[dict[tuple[Frame, ir.Ref], bool]] = {}
        self._parameters: Final = lru_cache(maxsize=None)(_parameters)
        self._depth = 0

    def is_dead(self, frame: Frame, position: int) -> bool:
        """Whether the node at that index is never evaluated in this frame."""
        if not frame.arguments:
            return False
        return any(start <= position < end for start, end in self.dead_ranges(frame))

    def dead_ranges(self, frame: Frame) -> tuple[ir.NodeRange, ...]:
        """The blocks of a frame that its arguments rule out."""
        if not frame.arguments:
            return ()
        known = self._dead.get(frame)
        if known is None:
            self._dead[frame] = ()
            known = self._dead[frame] = tuple(self._find_dead(frame))
        return known

    def _find_dead(self, frame: Frame) -> list[ir.NodeRange]:
        dead: list[ir.NodeRange] = []
        undecided = []
        for branch in frame.code.scope.branches:
            outcome = outcome_of(branch, partial(self._truth, frame))
            if outcome is None:
                undecided.append(branch)
            else:
                dead += side(branch, not outcome)
                self._dead[frame] = tuple(dead)  # what is known so far decides which assignments reach later tests
        if len(undecided) < len(frame.code.scope.branches):
            self._open[frame] = tuple(undecided)
        dead += [body for body, iterated in iterations(frame.code.scope) if self._fixed(frame, iterated) == EMPTY]
        return [(start, end) for start, end in dead if start < end]

    def open(self, frame: Frame) -> tuple[ir.Branch, ...]:
        """The branches of a frame's scope whose outcome its arguments leave open."""
        self.dead_ranges(frame)
        return self._open.get(frame, frame.code.scope.branches)

    def _truth(self, frame: Frame, ref: ir.Ref) -> bool | None:
        node = frame.code.scope.nodes[ref]
        match node:
            case ir.Param() | ir.Narrow() | ir.Declared() | ir.Phi():
                told = _truth_of(self._argument(frame, ref))
                return told if told is not None else self._certain_truth(frame, ref)
            case ir.Attr():
                return _truth_of(self._fixed(frame, node))
            case ir.Compare(operator, left, right):
                return self._compared(frame, operator, left, right)
            case ir.Call():
                told = self._tested_by_call(frame, node, node.args[0]) if len(node.args) == 1 else None
                return told if told is not None else self._certain_truth(frame, ref)
        return None

    def _certain_truth(self, frame: Frame, ref: ir.Ref) -> bool | None:
        ref = bare(frame.code.scope, ref)
        return _truth_of(self._inference.value(frame, ref)) if self.is_certain(frame, ref) else None

    def _compared(self, frame: Frame, operator: str, left: ir.Ref, right: ir.Ref) -> bool | None:
        constant = self._constant(frame, left)
        node = frame.code.scope.nodes[right] if right >= 0 else None
        if isinstance(node, ir.Display) and not node.added and operator in ("in", "not in"):
            members = [self._constant(frame, element) for element in node.elements]
            if constant is None or None in members:
                return None
            return (constant in members) is (operator == "in")
        other = self._constant(frame, right)
        if constant is None and other is not None and isinstance(other.value, bool) and operator in ("is", "is not"):
            given = self._argument(frame, left)
            if given and all(isinstance(value, Instance) and _truth_of_value(value) for value in given):
                return operator == "is not"  # an object of another class is neither
        return _compared(operator, constant, other)

    def _argument(self, frame: Frame, ref: ir.Ref) -> Values:
        """What this very call passes for the parameter that a node reads; nothing for anything else."""
        node = self._origin(frame, ref)
        if isinstance(node, ir.Param) and node.index < len(frame.arguments):
            return frame.arguments[node.index] or ()
        return ()

    def _origin(self, frame: Frame, ref: ir.Ref) -> ir.Node | None:
        """The node that a name stands for: past narrowing, and past assignments in branches that cannot be taken."""
        nodes, dead = frame.code.scope.nodes, self._dead.get(frame, ())
        found: set[ir.Ref] = set()
        pending, seen = [ref], {ref}
        while pending:
            ref = pending.pop()
            node = nodes[ref] if ref >= 0 else None
            match node:
                case ir.Narrow(value) | ir.Declared(value=value):
                    ways = [value]
                case ir.Phi(options):
                    ways = [option for option in options if not any(start <= option < end for start, end in dead)]
                case _:
                    found.add(ref)
                    continue
            pending += [way for way in ways if way not in seen]
            seen.update(ways)
        return nodes[ref] if len(found) == 1 and (ref := found.pop()) >= 0 else None

    def _constant(self, frame: Frame, ref: ir.Ref) -> Constant | None:
        node = self._origin(frame, ref)
        if isinstance(node, ir.Attr):
            values = self._fixed(frame, node)
        elif isinstance(node, ir.Item):
            values = self._entry(frame, node)
        elif isinstance(node, ir.Const) or (isinstance(node, ir.Name) and not self._is_changed(frame, node.name)):
            values = self._inference.value(frame, ref)
        else:
            values = self._argument(frame, ref)
        return values[0] if len(values) == 1 and isinstance(values[0], Constant) else None

    def _is_changed(self, frame: Frame, name: str) -> bool:
        """Whether a name may mean a module's variable to which some function assigns, here or from another module."""
        return name in frame.code.module.global_stores or self._inference.attributes.is_set_outside(name)

    def _fixed(self, frame: Frame, node: ir.Attr) -> Values:
        """What an attribute holds for good: of a class or module, or of an object that this very call is about."""
        owners = self._inference.value(frame, node.value)
        for owner in owners:
            match owner:
                case Instance() if self._inference.attributes.is_fixed(owner, node.name):
                    continue
                case Instance():
                    return ()
                case ModuleObject() if self._inference.attributes.is_set_outside(node.name):
                    return ()
        return self._inference.each(owners, lambda owner: self._inference.members.get(owner, node.name))

    def _entry(self, frame: Frame, node: ir.Item) -> Values:
        """What an entry of a typed dictionary holds that this function, or one that it calls, has just made."""
        owners = self._inference.value(frame, node.value)
        fields = self._inference.fields
        is_known = all(
            isinstance(owner, Instance)
            and owner.made
            and isinstance(owner.cls, Class)
            and fields.is_dictionary(owner.cls)
            for owner in owners
        )
        is_changed = any(isinstance(one, ir.StoreItem) and one.object == node.value for one in frame.code.scope.nodes)
        if not is_known or is_changed:
            return ()
        key = self._inference.value(frame, node.index)
        return self._inference.each(owners, lambda owner: self._inference.protocols.item(owner, key))

    def _tested_by_call(self, frame: Frame, node: ir.Call, argument: ir.Ref) -> bool | None:
        func = frame.code.scope.nodes[node.func] if node.func >= 0 else None
        if isinstance(func, ir.Attr) and func.name in STRING_TESTS:
            text, part = self._constant(frame, func.value), self._constant(frame, argument)
            if text is not None and part is not None and isinstance(text.value, str) and isinstance(part.value, str):
                return bool(getattr(text.value, func.name)(part.value))
            return None
        if any(
            role_of(self._inference, callee) is RoleKind.IS_COROUTINE_FUNCTION
            for callee in self._inference.value(frame, node.func)
        ):
            given = self._argument(frame, argument) or self._closed_over(frame, argument)
            kinds = {_is_coroutine_function(value) for value in given}
            return kinds.pop() if len(kinds) == 1 else None
        return None

    def _closed_over(self, frame: Frame, ref: ir.Ref) -> Values:
        """The argument of an enclosing call, as decorator factories have it."""
        node = frame.code.scope.nodes[ref] if ref >= 0 else None
        return self._inference.value(frame, ref) if isinstance(node, ir.Name) else ()

    def is_certain(self, frame: Frame, ref: ir.Ref) -> bool:
        """Whether all that a node may be is known; in a union, what is unknown leaves no trace."""
        ref = bare(frame.code.scope, ref)
        known = self._certain.get((frame, ref))
        if known is None:
            if self._depth >= _DEEPEST:  # not kept: asked again from nearer, it may be found out
                return ref >= 0 and isinstance(frame.code.scope.nodes[ref], ir.Const)
            self._certain[frame, ref] = False  # functions that call one another prove nothing
            self._depth += 1
            try:
                known = self._certain[frame, ref] = self._find_certainty(frame, ref)
            finally:
                self._depth -= 1
        return known

    def _find_certainty(self, frame: Frame, ref: ir.Ref) -> bool:
        nodes, dead = frame.code.scope.nodes, self.dead_ranges(frame)
        node = nodes[ref] if ref >= 0 else None
        match node:
            case ir.Const():
                return True
            case ir.Name(name):
                return not self._is_changed(frame, name)
            case ir.Param(index):
                return index < len(frame.arguments) and frame.arguments[index] is not None
            case ir.Phi(options):
                live = [option for option in options if not any(start <= option < end for start, end in dead)]
                return all(self.is_certain(frame, option) for option in live)
            case ir.Attr():
                return bool(self._fixed(frame, node))
            case ir.Item():
                return bool(self._entry(frame, node))
            case ir.Call():
                return self._is_certain_result(frame, node)
        return False

    def _is_certain_result(self, frame: Frame, node: ir.Call) -> bool:
        calls = self._inference.calls
        callees = self._inference.value(frame, node.func)
        if len(callees) != 1 or not isinstance(callees[0], Function) or callees[0].code.scope.is_async:
            return False
        called = calls.frame(callees[0], calls.arguments(frame, node))
        results = [ref for ref in called.code.scope.returns if not self.is_dead(called, ref)]
        return bool(results) and all(self.is_certain(called, ref) for ref in results)

    # Which parameters matter

    def decisive(self, code: Code) -> frozenset[int]:
        """The parameters whose plain values decide a branch, here or in a function that they are handed on to."""
        return self._parameters(self._deciding(code, 0))

    def _deciding(self, code: Code, depth: int) -> frozenset[Leaf]:
        """Also the variables of enclosing functions that do."""
        known = self._decisive.get(code)
        if known is None:
            tested = frozenset(self._tested(code.scope))
            self._decisive[code] = tested  # ends the recursion of functions that call one another
            known = tested | self._stored(code)
            if depth < _DEEPEST:
                known |= self._handed_on(code, depth) | self._captured(code, depth)
            self._decisive[code] = known
        return known

    def _tested(self, scope: ir.Scope) -> set[Leaf]:
        found: set[Leaf] = set()
        for branch in scope.branches:
            for ref, _ in branch.tested:
                found |= looked_at(scope, ref, set())
        for _, iterated in iterations(scope):
            found |= looked_at(scope, iterated.value, set())
        return found

    def _handed_on(self, code: Code, depth: int) -> set[Leaf]:
        scope = code.scope
        found: set[Leaf] = set()
        for _, node in scope.each_call():
            if len(node.args) > 1 and name_of(scope, node.func) == "getattr":
                found |= looked_at(scope, node.args[1], set())
            if not any(meant(scope, ref, set()) for ref in (*node.args, *[ref for _, ref in node.keywords])):
                continue
            frame = self._inference.generic_frame(code)
            for callee in self._inference.calls.functions(self._inference.value(frame, node.func)):
                found |= self._matched(scope, node, callee, depth)
        return found

    def _captured(self, code: Code, depth: int) -> set[Leaf]:
        """What functions made in this one look at: parameters of this one, or variables further out."""
        found: set[Leaf] = set()
        names = {param.name: index for index, param in enumerate(code.scope.params)}
        for inner in code.inner:
            leaves = self._deciding(inner, depth + 1)
            found |= {names.get(leaf, leaf) for leaf in leaves if isinstance(leaf, str)}
        return found

    def _stored(self, code: Code) -> set[Leaf]:
        """The parameters of a constructor that become attributes which decide a branch in a method."""
        owner = self._inference.generic_frame(code.parent).owner if code.scope.name == "__init__" else None
        decisive = self._inference.attributes.decisive(owner) if owner is not None else ()
        found: set[Leaf] = set()
        for ref in code.scope.stores if decisive else ():
            node = code.scope.nodes[ref]
            if isinstance(node, ir.StoreAttr) and node.name in decisive:
                found |= looked_at(code.scope, node.value, set())
        return found

    def _matched(self, scope: ir.Scope, node: ir.Call, callee: Function, depth: int) -> set[Leaf]:
        decisive = [leaf for leaf in self._deciding(callee.code, depth + 1) if isinstance(leaf, int)]
        names = {callee.code.scope.params[index].name for index in decisive}
        skipped = 1 if callee.receiver is not None and callee.kind != "static" else 0
        found: set[Leaf] = set()
        for position, ref in enumerate(node.args):
            if position + skipped in decisive:
                found |= meant(scope, ref, set())
        for name, ref in node.keywords:
            if name in names:
                found |= meant(scope, ref, set())
        return found


def _parameters(leaves: frozenset[Leaf]) -> frozenset[int]:
    return frozenset(leaf for leaf in leaves if isinstance(leaf, int))


def is_deciding(values: Values) -> bool:
    """Whether a test of these values may have a known outcome."""
    return _truth_of(values) is not None or (bool(values) and all(isinstance(value, Constant) for value in values))


def _truth_of(values: Values) -> bool | None:
    """Whether values are true and not None, or false and None alike, however the test is spelled."""
    truths = {_truth_of_value(value) for value in values}
    return truths.pop() if len(truths) == 1 else None


def _truth_of_value(value: Value) -> bool | None:
    match value:
        case Constant(None | False):
            return False
        case Constant(inner):
            return True if inner else None  # `""` and `0` are false, but not None
        case Function() | Method() | ClassObject() | Coroutine() | Partial():
            return True
        case Instance(cls) if isinstance(cls, Class) or not cls.startswith("builtins."):
            return None if isinstance(cls, Class) and {"__bool__", "__len__"} & cls.methods.keys() else True
    return None


def _compared(operator: str, left: Constant | None, right: Constant | None) -> bool | None:
    if left is None or right is None:
        return None
    if operator == "in" and (right.value is None or isinstance(right.value, str) is isinstance(left.value, str)):
        return isinstance(right.value, str) and str(left.value) in right.value  # in None: it raises, nothing runs
    is_same = left.value == right.value and isinstance(left.value, bool) is isinstance(right.value, bool)
    match operator:
        case "is" | "==":
            return is_same
        case "is not" | "!=":
            return not is_same
    return None


def _is_coroutine_function(value: Value) -> bool | None:
    match value:
        case Function(code):
            return code.is_coroutine
        case Partial(callee):
            return _is_coroutine_function(callee)
    return None
