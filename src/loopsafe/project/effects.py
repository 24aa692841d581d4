"""What runs at each place of a function: primitives that block, and other functions.

Stage: propagate. A callable that is handed to another thread is not run here; what is evaluated on the way to it is. A
coroutine or generator that is made does not run either: the one runs where it is awaited, and answers for itself, the
other where it is iterated.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from loopsafe.catalog import Fact, Guard, Role, RoleKind, When
from loopsafe.model import Confidence
from loopsafe.project.arguments import Arguments
from loopsafe.project.entities import Class, Frame
from loopsafe.project.guards import off_loop_ranges
from loopsafe.project.roles import callable_name, given_callable
from loopsafe.project.values import (
    NOTHING,
    ClassObject,
    Constant,
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

_DEEPEST_NESTING: Final = 8
"""Partials of partials, callables handed to callables: no one writes more."""


class Run(NamedTuple):
    """Another function's frame runs."""

    frame: Frame
    confidence: Confidence


Happening: TypeAlias = Fact | Run


class Site(NamedTuple):
    """A node at which something of interest happens."""

    ref: ir.Ref
    facts: tuple[Fact, ...]
    runs: tuple[Run, ...]


class Effects:
    """Answers `sites(frame)`."""

    def __init__(self, inference: Inference) -> None:
        self._inference: Final = inference
        self._sites: Final[dict[Frame, tuple[Site, ...]]] = {}
        summaries = [module.summary for module in inference.modules.by_path.values()]
        self._implicit: Final = frozenset(
            name for summary in summaries if summary is not None for name in summary.implicit
        )
        self._watched: Final = self._implicit | inference.catalog.property_names

    def sites(self, frame: Frame) -> tuple[Site, ...]:
        """The sites of a frame's own scope, in order of evaluation."""
        known = self._sites.get(frame)
        if known is None:
            known = self._sites[frame] = tuple(self._find_sites(frame))
        return known

    def _find_sites(self, frame: Frame) -> Iterator[Site]:
        nodes = frame.code.scope.nodes
        skipped = off_loop_ranges(self._inference, frame)
        for ref in frame.code.events:
            happenings = list(dict.fromkeys(self._happenings(frame, nodes[ref])))
            if happenings and not any(start <= ref < end for start, end in skipped):
                facts = tuple(each for each in happenings if isinstance(each, Fact))
                yield Site(ref, facts, tuple(each for each in happenings if isinstance(each, Run)))

    def _happenings(self, frame: Frame, node: ir.Node) -> Iterator[Happening]:
        match node:
            case ir.Call():
                yield from self._called(frame, node)
            case ir.Next(is_async=False):
                yield from self._facts_of_result(frame, node.value, When.ITER)
                yield from self._iterated(self._inference.value(frame, node.value))
            case ir.With(is_async=False):
                yield from self._facts_of_result(frame, node.value, When.ENTER)
                yield from self._facts_of_result(frame, node.value, When.EXIT)
                yield from self._entered(self._inference.value(frame, node.value))
            case ir.Attr(name=name) if name in self._watched:
                for value in self._inference.value(frame, node.value):
                    yield from self._read(value, name)
            case ir.Binary(method=method) if method in self._implicit:
                yield from self._special(self._inference.value(frame, node.left), method)
            case ir.Item() if "__getitem__" in self._implicit:
                yield from self._special(self._inference.value(frame, node.value), "__getitem__")
            case ir.MakeClass(scope=scope):
                cls = self._inference.class_in(frame.code.module.code(scope), frame)
                yield Run(cls.frame, Confidence.CERTAIN)

    # Calls

    def _called(self, frame: Frame, node: ir.Call) -> Iterator[Happening]:
        callees = self._inference.value(frame, node.func)
        if callees:
            arguments = self._inference.calls.arguments(frame, node)
            for callee in callees:
                yield from self.call(callee, arguments)

    def call(self, callee: Value, arguments: Arguments, depth: int = 0) -> Iterator[Happening]:
        """What happens when a value is called."""
        if depth > _DEEPEST_NESTING:
            return
        match callee:
            case Function():
                yield from self._function(callee, arguments)
            case ClassObject(cls) if isinstance(cls, Class):
                instance = Instance(cls, (), True)
                for name in ("__new__", "__init__", "__post_init__"):
                    for member in self._inference.members.find(instance, name):
                        if isinstance(member, Function):
                            yield from self._function(member, arguments)
            case External() | Method() | ClassObject():
                yield from self._external(callee, arguments, depth)
            case Partial(inner, positional, keywords):
                merged = Arguments((*positional, *arguments.positional), (*keywords, *arguments.keywords), arguments.is_open)
                yield from self.call(inner, merged, depth + 1)
            case Instance(cls) if isinstance(cls, Class):
                for member in self._inference.members.find(callee, "__call__"):
                    yield from self.call(member, arguments, depth + 1)

    def _function(self, function: Function, arguments: Arguments) -> Iterator[Run]:
        scope = function.code.scope
        if scope.is_async or scope.is_generator:
            return
        calls, members = self._inference.calls, self._inference.members
        yield Run(calls.frame(function, arguments), Confidence.CERTAIN)
        if function.receiver is None:
            return
        is_abstract = members.is_abstract(function.code)
        for other in members.implementations(function):
            if not (other.code.scope.is_async or other.code.scope.is_generator):
                yield Run(calls.frame(other, arguments), Confidence.CERTAIN if is_abstract else Confidence.LIKELY)

    def _external(self, callee: External | Method | ClassObject, arguments: Arguments, depth: int) -> Iterator[Happening]:
        name = callable_name(callee)
        assert name is not None
        catalog = self._inference.catalog
        for fact in catalog.facts(name, When.CALL):
            if not any(_cancels(guard, arguments) for guard in fact.unless):
                yield fact
        role = catalog.role(name)
        if role is not None and not role.lazy:
            yield from self._by_role(role, arguments, depth)

    def _by_role(self, role: Role, arguments: Arguments, depth: int) -> Iterator[Happening]:
        """Callables that are run, and iterables that are iterated, by what they are handed to."""
        match role.role:
            case RoleKind.SCHEDULER:
                rest = arguments.without(role.callable)
                for callee in given_callable(role, arguments):
                    yield from self.call(callee, rest, depth + 1)
            case RoleKind.CONSUMER:
                iterable = arguments.get(role.iterable, None) or NOTHING
                yield from self._iterated(iterable, depth + 1)
                for callee in given_callable(role, arguments):
                    yield from self.call(callee, Arguments((), (), True), depth + 1)

    # Protocols

    def _iterated(self, values: Values, depth: int = 0) -> Iterator[Happening]:
        if depth > _DEEPEST_NESTING:
            return
        for value in values:
            match value:
                case Generator(frame):
                    if not frame.code.scope.is_async:
                        yield Run(frame, Confidence.CERTAIN)
                case Lazy(callees, iterables):
                    yield from self._iterated(iterables, depth + 1)
                    for callee in callees:
                        yield from self.call(callee, Arguments((), (), True), depth + 1)
                case Instance(cls) if isinstance(cls, Class):
                    yield from self._special((value,), "__iter__")
                    yield from self._special((value,), "__next__")
                case Instance(cls) if isinstance(cls, str):
                    yield from self._member_facts(cls, "__iter__", When.ITER)

    def _entered(self, values: Values) -> Iterator[Happening]:
        for value in values:
            match value:
                case Manager(frame):
                    if not frame.code.scope.is_async:
                        yield Run(frame, Confidence.CERTAIN)
                case Instance(cls) if isinstance(cls, Class):
                    yield from self._special((value,), "__enter__")
                    yield from self._special((value,), "__exit__")
                case Instance(cls) if isinstance(cls, str):
                    yield from self._member_facts(cls, "__enter__", When.ENTER)
                    yield from self._member_facts(cls, "__exit__", When.EXIT)

    def _member_facts(self, cls: str, name: str, when: When) -> Iterator[Fact]:
        full = self._inference.catalog.find(cls, name)
        if full is not None:
            yield from self._inference.catalog.facts(full, when)

    def _facts_of_result(self, frame: Frame, ref: ir.Ref, when: When) -> Iterator[Fact]:
        """Effects that a function's result has when it is used: `os.walk(…)` reads while it is iterated."""
        node = frame.code.scope.nodes[ref] if ref >= 0 else None
        if not isinstance(node, ir.Call):
            return
        for callee in self._inference.value(frame, node.func):
            name = callable_name(callee)
            if name is not None:
                yield from self._inference.catalog.facts(name, when)

    def _read(self, value: Value, name: str) -> Iterator[Happening]:
        if isinstance(value, Instance):
            if isinstance(value.cls, str):
                yield from self._member_facts(value.cls, name, When.PROPERTY)
            for member in self._inference.members.find(value, name):
                if isinstance(member, Function) and member.kind == "property":
                    yield from self._function(member, Arguments.of())

    def _special(self, values: Values, name: str) -> Iterator[Happening]:
        for value in values:
            if isinstance(value, Instance) and isinstance(value.cls, Class):
                for member in self._inference.members.find(value, name):
                    yield from self.call(member, Arguments((), (), True), 1)


def _cancels(guard: Guard, arguments: Arguments) -> bool:
    """Whether an argument switches an effect off."""
    given = arguments.get(guard.position, guard.name)
    if given is None:
        return guard.absent and not arguments.is_open
    if guard.refers is not None:
        return any(isinstance(value, External) and value.name == guard.refers for value in given)
    if guard.equals is None:
        return False
    return any(
        isinstance(value, Constant) and value.value == guard.equals and isinstance(value.value, bool) is isinstance(guard.equals, bool)
        for value in given
    )
