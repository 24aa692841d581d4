"""What runs at each place of a function: primitives that block, and other functions.

Stage: propagate. A callable that is handed to another thread is not run here; what is evaluated on the way to it is. A
coroutine or generator that is made does not run either: the one runs where it is awaited, and answers for itself, the
other where it is iterated.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING, Any, Final

from loopsafe.catalog import Affinity, Fact, Role, RoleKind, When
from loopsafe.project.arguments import Arguments
from loopsafe.project.conditions import Obstacle, first_time, joined, obstacles
from loopsafe.project.decorators import has_role, has_unknown_decorator
from loopsafe.project.entities import EVENTS, Class, Code, Frame
from loopsafe.project.evidence import is_only_said, means_another
from loopsafe.project.guards import off_loop_ranges
from loopsafe.project.happenings import Happening, Primitive, Run, Site
from loopsafe.project.roles import callable_name, given_callable, met_name
from loopsafe.project.shapes import Shapes
from loopsafe.project.switches import cancels, is_switched_off
from loopsafe.project.values import (
    NOTHING,
    ClassObject,
    External,
    Function,
    Generator,
    Instance,
    Lazy,
    Manager,
    Method,
    Partial,
    Value,
    Values,
)
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference

_FEW: Final = 3
"""Of more implementations of one method, hardly any does something that would fail on the loop."""
_ENTRIES: Final = {ir.Item: "__getitem__", ir.StoreItem: "__setitem__"}
_DEEPEST_NESTING: Final = 8
"""Partials of partials, callables handed to callables: no one writes more."""
_OVERRIDE: Final = "an override in a subclass blocks, the method itself does not"
_STRUCTURE: Final = "the protocol is met, without being named, by a class whose method blocks"
_ALTERNATIVE: Final = "of several things that may be called here, only some block"
_SHAPE: Final = "the object's type is not known, but the chain of calls is the package's, and the module imports it"
_UNKNOWN_DECORATOR: Final = "a decorator of unknown origin may change the function"


class Effects:
    """Answers `sites(frame)`, and `obstacle(frame, site)`."""

    def __init__(self, inference: Inference) -> None:
        self._inference: Final = inference
        self._sites: Final[dict[Frame, tuple[Site, ...]]] = {}
        self._obstacles: Final[dict[Frame, tuple[Obstacle, ...]]] = {}
        self._facts: Final[dict[tuple[Code, When], tuple[Fact, ...]]] = {}
        self._harmless: Final[dict[str, bool]] = {}
        self._shapes: Final = Shapes(inference)
        self._implicit: Final = inference.index.implicit
        watched: dict[type[Any], Collection[str] | None] = dict.fromkeys(EVENTS)
        watched[ir.Attr] = self._implicit | inference.catalog.property_names
        watched[ir.StoreAttr] = watched[ir.Binary] = self._implicit
        watched.update((kind, ()) for kind, method in _ENTRIES.items() if method not in self._implicit)
        self._watched: Final = watched
        """The kinds of nodes at which something may run, if need be only those with certain names."""

    def sites(self, frame: Frame) -> tuple[Site, ...]:
        """The sites of a frame's own scope, in order of evaluation."""
        known = self._sites.get(frame)
        if known is None:
            known = self._sites[frame] = tuple(self._find_sites(frame))
        return known

    def _find_sites(self, frame: Frame) -> Iterator[Site]:
        nodes = frame.code.scope.nodes
        skipped = [*off_loop_ranges(self._inference, frame), *self._inference.branches.dead_ranges(frame)]
        watched = self._watched
        for ref, node in enumerate(nodes):
            names = watched.get(node.__class__, ())
            if names is not None and not (names and _name(node) in names):
                continue
            if skipped and any(start <= ref < end for start, end in skipped):
                continue
            happenings = dict.fromkeys(self._happenings(frame, ref, node))
            if happenings:
                primitives = [each for each in happenings if isinstance(each, Primitive)]
                runs = [each for each in happenings if isinstance(each, Run)]
                yield Site(ref, tuple(primitives), tuple(runs))

    def obstacle(self, frame: Frame, site: Site) -> Obstacle:
        """What stands between the beginning of a frame and a site of it, all in one."""
        known = self._obstacles.get(frame)
        if known is None:
            known = self._obstacles[frame] = tuple(self._find_obstacles(frame))
        return joined(site.ref, known)

    def _find_obstacles(self, frame: Frame) -> Iterator[Obstacle]:
        yield from obstacles(frame.code, self._inference.branches.open(frame))
        if not frame.code.scope.params and has_role(self._inference, frame.code, RoleKind.CACHES):
            yield first_time(frame.code.scope)

    def _happenings(self, frame: Frame, ref: ir.Ref, node: ir.Node) -> Iterator[Happening]:
        match node:
            case ir.Call():
                yield from self._called(frame, ref, node)
            case ir.Next(is_async=False):
                yield from self._facts_of_result(frame, node.value, When.ITER)
                yield from self._unless_switched_off(frame, ref, node, self.iterated)
            case ir.With(is_async=False):
                yield from self._facts_of_result(frame, node.value, When.ENTER)
                yield from self._facts_of_result(frame, node.value, When.EXIT)
                yield from self._unless_switched_off(frame, ref, node, self.entered)
            case ir.Attr(name=name):
                for value in self._inference.value(frame, node.value):
                    yield from self.read(value, name)
            case ir.Binary(method=method):
                yield from self.special(self._inference.value(frame, node.left), method)
            case ir.Item():
                yield from self.special(self._inference.value(frame, node.value), "__getitem__")
            case ir.StoreAttr(object=target, name=name):
                for value in self._inference.value(frame, target):
                    yield from self._written(value, name)
            case ir.StoreItem(object=target):
                yield from self.special(self._inference.value(frame, target), "__setitem__")
            case ir.MakeClass(scope=scope):
                cls = self._inference.class_in(frame.code.module.code(scope), frame)
                yield Run(cls.frame)

    def _unless_switched_off(
        self, frame: Frame, ref: ir.Ref, node: ir.Next | ir.With, happen: Callable[[Values], Iterator[Happening]]
    ) -> Iterator[Happening]:
        for happening in happen(self._inference.value(frame, node.value)):
            if isinstance(happening, Run) or not is_switched_off(
                self._inference, frame, ref, node.value, happening.fact
            ):
                yield happening

    # Calls

    def _called(self, frame: Frame, ref: ir.Ref, node: ir.Call) -> Iterator[Happening]:
        callees = self._inference.value(frame, node.func)
        if not callees:
            yield from (Primitive(fact, _SHAPE) for fact in self._shapes.facts(frame, ref, node))
            return
        if all(map(self._is_harmless, callees)):
            return
        arguments = self._inference.calls.arguments(frame, node)
        if ref in frame.code.awaited and len(callees) > 1:
            callees = self._awaitable(callees, arguments)
        outcomes = [
            [*self._kept(frame, ref, node, self.call(callee, arguments)), *self._consumed(frame, node, callee)]
            for callee in callees
        ]
        is_clear = all(outcomes)
        if not is_clear and (ref in frame.code.awaited or any(self._is_for_loop(each, arguments) for each in callees)):
            return  # awaited by its author, or at hand for the loop as well: of several things, that one is meant
        for happening in (each for outcome in outcomes for each in outcome):
            yield happening if is_clear or happening.doubt else happening._replace(doubt=_ALTERNATIVE)

    def _is_harmless(self, callee: Value) -> bool:
        """Whether the catalogue knows of nothing that calling something from outside the project would do."""
        name = callable_name(callee)
        if name is None:
            return False
        met = met_name(callee, name)
        known = self._harmless.get(met)
        if known is None:
            catalog = self._inference.catalog
            known = self._harmless[met] = catalog.role(name) is None and not catalog.facts(met)
        return known

    def _is_for_loop(self, callee: Value, arguments: Arguments) -> bool:
        """Whether a method is one that an object which belongs to an event loop has for calls without `await`."""
        owner = callee.receiver if isinstance(callee, Method) else None
        if owner is None or not isinstance(owner.cls, str):
            return False
        protocols, calls = self._inference.protocols, self._inference.calls
        is_of_loop = self._inference.catalog.affinity(owner.cls) is Affinity.LOOP or protocols.is_awaitable(owner)
        return is_of_loop and not any(map(protocols.is_awaitable, calls.result(callee, arguments)))

    def _awaitable(self, callees: Values, arguments: Arguments) -> Values:
        """Of several things that may be called and then awaited, those that can be awaited; all if none is known to."""
        protocols, calls = self._inference.protocols, self._inference.calls
        kept = [each for each in callees if any(map(protocols.is_awaitable, calls.result(each, arguments)))]
        return tuple(kept) or callees

    def _kept(self, frame: Frame, ref: ir.Ref, node: ir.Call, happenings: Iterator[Happening]) -> Iterator[Happening]:
        """What is left when other calls on the same object, or an `await`, have spoken against it."""
        func = frame.code.scope.nodes[node.func] if node.func >= 0 else None
        for happening in happenings:
            if isinstance(happening, Run) and means_another(self._inference, frame, ref, func, happening.frame):
                continue
            if isinstance(happening, Primitive):
                fact = happening.fact
                if ref in frame.code.awaited and (fact.is_general or is_only_said(frame, func)):
                    continue  # awaited by its author: better evidence than an annotation, or a rule for all methods
                if isinstance(func, ir.Attr) and is_switched_off(self._inference, frame, ref, func.value, fact):
                    continue
            yield happening

    def _consumed(self, frame: Frame, node: ir.Call, callee: Value) -> Iterator[Primitive]:
        """Effects of iterating what another call gave: `list(client.scan_iter())`."""
        name = callable_name(callee)
        role = self._inference.catalog.role(name) if name is not None else None
        if role is not None and role.iterable is not None and not role.lazy and role.iterable < len(node.args):
            yield from self._facts_of_result(frame, node.args[role.iterable], When.ITER)

    def call(self, callee: Value, arguments: Arguments, depth: int = 0) -> Iterator[Happening]:
        """What happens when a value is called."""
        if depth > _DEEPEST_NESTING:
            return
        match callee:
            case Function():
                yield from self._function(callee, arguments)
            case ClassObject(cls) if isinstance(cls, Class):
                instance = self._inference.calls.make(cls, arguments)
                for name in ("__new__", "__init__", "__post_init__"):
                    for member in self._inference.members.find(instance, name):
                        if isinstance(member, Function):
                            yield from self._function(member, arguments)
            case External() | Method() | ClassObject():
                yield from self._external(callee, arguments, depth)
            case Partial(inner, positional, keywords):
                yield from self.call(inner, arguments.after(positional, keywords), depth + 1)
            case Instance():
                for member in self._inference.members.find(callee, "__call__"):
                    yield from self.call(member, arguments, depth + 1)

    def _described(self, function: Function, when: When = When.CALL) -> tuple[Fact, ...]:
        """What the catalogue says of a function that is itself part of the project: a library is being checked."""
        code = function.code
        known = self._facts.get((code, when))
        if known is None:
            catalog = self._inference.catalog
            name = code.module.name
            is_library = "." in name and catalog.describes(name)  # a project's own `requests.py` is not the library
            known = catalog.facts(catalog.canonical(code.full_name), when) if is_library else ()
            self._facts[code, when] = known
        return known

    def _function(self, function: Function, arguments: Arguments) -> Iterator[Happening]:
        scope = function.code.scope
        if scope.is_async or scope.is_generator:
            return
        calls, members = self._inference.calls, self._inference.members
        described = self._described(function)
        if described:
            yield from map(Primitive, described)
            return
        is_clear = not has_unknown_decorator(self._inference, function.code)
        yield Run(calls.frame(function, arguments), None if is_clear else _UNKNOWN_DECORATOR)
        if function.receiver is None:
            return
        others = list(members.implementations(function))
        is_either = any(other.code.scope.is_async for other in others)
        doubt = _OVERRIDE if not members.is_abstract(function.code) else _ALTERNATIVE if is_either else None
        if others and doubt is _OVERRIDE and self._inference.callers.is_made(function.receiver):
            others = []  # an object of the very class is more likely than one of a class that overrides the method
        for other in others:
            if not (other.code.scope.is_async or other.code.scope.is_generator):
                yield Run(calls.frame(other, arguments), doubt, len(others) > _FEW)
        structural = list(members.structural_implementations(function))
        if structural and not any(map(self._inference.protocols.is_awaitable, calls.result(function, arguments))):
            plain = (each for each in structural if not (each.code.scope.is_async or each.code.scope.is_generator))
            yield from (Run(calls.frame(each, arguments), _STRUCTURE) for each in plain)

    def _external(
        self, callee: External | Method | ClassObject, arguments: Arguments, depth: int
    ) -> Iterator[Happening]:
        name = callable_name(callee)
        assert name is not None
        catalog = self._inference.catalog
        for fact in catalog.facts(met_name(callee, name), When.CALL):
            if not any(guard.method is None and cancels(guard, arguments) for guard in fact.unless):
                yield Primitive(fact)
        role = catalog.role(name)
        if role is not None and not role.lazy:
            yield from self._by_role(role, arguments, depth)

    def _by_role(self, role: Role, arguments: Arguments, depth: int) -> Iterator[Happening]:
        """Callables that are run, and iterables that are iterated, by what they are handed to."""
        match role.role:
            case RoleKind.SCHEDULER | RoleKind.CALLER:
                rest = arguments.without(role.callable)
                for callee in given_callable(role, arguments):
                    yield from self.call(callee, rest, depth + 1)
            case RoleKind.CONSUMER:
                iterable = arguments.get(role.iterable, None) or NOTHING
                yield from self.iterated(iterable, depth + 1)
                for callee in given_callable(role, arguments):
                    yield from self.call(callee, Arguments((), (), True), depth + 1)
            case RoleKind.SPECIAL if isinstance(role.callable, str):
                yield from self.special(arguments.get(0, None) or NOTHING, role.callable)

    # Protocols

    def iterated(self, values: Values, depth: int = 0) -> Iterator[Happening]:
        if depth > _DEEPEST_NESTING:
            return
        for value in values:
            match value:
                case Generator(frame):
                    if not frame.code.scope.is_async:
                        yield Run(frame)
                case Lazy(callees, iterables):
                    yield from self.iterated(iterables, depth + 1)
                    for callee in callees:
                        yield from self.call(callee, Arguments((), (), True), depth + 1)
                case Instance(cls) if isinstance(cls, Class):
                    yield from self.special((value,), "__iter__")
                    yield from self.special((value,), "__next__")
                    made = self._inference.protocols.special(value, "__iter__")
                    yield from self.iterated(tuple(each for each in made if isinstance(each, Generator)), depth + 1)
                case Instance(cls) if isinstance(cls, str):
                    yield from self._member_facts(cls, "__iter__", When.ITER)

    def entered(self, values: Values) -> Iterator[Happening]:
        for value in values:
            match value:
                case Manager(frame):
                    if not frame.code.scope.is_async:
                        yield Run(frame)
                case Instance(cls) if isinstance(cls, Class):
                    yield from self.special((value,), "__enter__")
                    yield from self.special((value,), "__exit__")
                case Instance(cls) if isinstance(cls, str):
                    yield from self._member_facts(cls, "__enter__", When.ENTER)
                    yield from self._member_facts(cls, "__exit__", When.EXIT)

    def _member_facts(self, cls: str, name: str, when: When) -> Iterator[Primitive]:
        full = self._inference.catalog.find(cls, name)
        if full is not None:
            yield from map(Primitive, self._inference.catalog.facts(f"{cls}.{name}", when))

    def _facts_of_result(self, frame: Frame, ref: ir.Ref, when: When) -> Iterator[Primitive]:
        """Effects that a function's result has when it is used: `os.walk(…)` reads while it is iterated."""
        node = frame.code.scope.nodes[ref] if ref >= 0 else None
        if isinstance(node, ir.Param) and frame.code.scope.kind == ir.ScopeKind.GENERATOR and frame.closure is not None:
            maker = frame.code.maker
            assert isinstance(maker, ir.MakeFunction), "generator expressions are made like functions"
            frame, ref = frame.closure, maker.defaults[0][1]
            node = frame.code.scope.nodes[ref] if ref >= 0 else None
        if not isinstance(node, ir.Call):
            return
        for callee in self._inference.value(frame, node.func):
            name = callable_name(callee)
            if isinstance(callee, Function):
                facts = self._described(callee, when)
            else:
                facts = self._inference.catalog.facts(name, when) if name is not None else ()
            func = frame.code.scope.nodes[node.func]
            for fact in facts:
                arguments = self._inference.calls.arguments(frame, node)
                if any(guard.method is None and cancels(guard, arguments) for guard in fact.unless):
                    continue
                if not (isinstance(func, ir.Attr) and is_switched_off(self._inference, frame, ref, func.value, fact)):
                    yield Primitive(fact)

    def read(self, value: Value, name: str) -> Iterator[Happening]:
        if isinstance(value, Instance):
            if isinstance(value.cls, str):
                yield from self._member_facts(value.cls, name, When.PROPERTY)
            for member in self._inference.members.properties(value, name):
                yield from self._function(member, Arguments.of())

    def _written(self, value: Value, name: str) -> Iterator[Happening]:
        if isinstance(value, Instance):
            for member in self._inference.members.properties(value, name):
                if member.setter is not None:
                    yield from self._function(member.setter, Arguments.of((value,)))

    def special(self, values: Values, name: str) -> Iterator[Happening]:
        for value in values:
            if isinstance(value, Instance) and isinstance(value.cls, Class):
                for member in self._inference.members.find(value, name):
                    yield from self.call(member, Arguments((), (), True), 1)


def _name(node: ir.Node) -> str | None:
    return node.method if isinstance(node, ir.Binary) else getattr(node, "name", None)
