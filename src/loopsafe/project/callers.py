"""What callers pass for a parameter without annotation.

Stage: infer. Callers are found by name among the calls of all modules, then each is checked to mean the function. A
name that is called in very many places is left unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final

from loopsafe.project.arguments import evaluated, is_telling
from loopsafe.project.entities import Class, Code, Module
from loopsafe.project.index import Place
from loopsafe.project.values import NOTHING, ClassObject, Function, Instance, Partial, Value, Values, unite
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference

_MOST_CALLERS: Final = 60
"""Names called in more places (`get`, `run`) are not looked at: it costs much, and smears types over the project."""
_DEEPEST: Final = 4
"""Callers of callers of callers: design.md measured little gain after three rounds."""

_CONSTRUCTORS: Final = frozenset({"__init__", "__new__", "__post_init__"})


class Callers:
    """Answers `passed(code, index)`."""

    def __init__(self, inference: Inference) -> None:
        self._inference: Final = inference
        self._made: Final[dict[Class, bool]] = {}
        self._known_places: Final[dict[Code, Sequence[Place]]] = {}
        self._named: Final[dict[str, Sequence[Place]]] = {}
        self._passed: Final[dict[tuple[Code, int], Values]] = {}
        self._pending: Final[list[int]] = []
        """How deep in pending values each question about callers was asked that is not answered yet."""

    def passed(self, code: Code, index: int) -> Values:
        """The values that calls anywhere in the project give a function's parameter."""
        if code.scope.kind != ir.ScopeKind.FUNCTION:
            return NOTHING
        known = self._passed.get((code, index))
        if known is None:
            known = self._find_passed(code, index)
            if self._inference.is_settled:
                self._passed[code, index] = known
        return known

    def _find_passed(self, code: Code, index: int) -> Values:
        if len(self._pending) >= _DEEPEST:
            self._inference.leave_open(self._pending[0])
            return NOTHING
        self._pending.append(self._inference.depth)
        try:
            found = [self._argument(code, index, *place) for place in self._places(code)]
        finally:
            self._pending.pop()
        return unite(*[values for values in found if is_telling(values)])

    def _places(self, code: Code) -> Sequence[Place]:
        """Calls that, by name, may be calls of the function; none if there are very many."""
        known = self._known_places.get(code)
        if known is None:
            owner = self._inference.generic_frame(code.parent).owner if code.scope.name in _CONSTRUCTORS else None
            known = self._of_name(code.scope.name) if owner is None else _unless_many(self._constructing(owner))
            self._known_places[code] = known
        return known

    def _of_name(self, name: str) -> Sequence[Place]:
        """The same, for all functions of one name."""
        known = self._named.get(name)
        if known is None:
            known = self._named[name] = _unless_many(self._inference.index.calls(name))
        return known

    def _constructing(self, owner: Class) -> Iterator[Place]:
        """Calls that, by name, may make an object of a class."""
        classes = [owner, *self._inference.hierarchy.subclasses(owner)]
        for name in dict.fromkeys(cls.name for cls in classes):
            yield from self._inference.index.calls(name)
        for cls in classes:
            yield from _own_calls(cls, "__init__")
        bases = [base for base in self._inference.hierarchy.order(owner)[1:] if isinstance(base, Class)]
        for cls in (*classes, *bases):
            yield from _own_calls(cls, "cls")

    def of_field(self, cls: Class, index: int, name: str) -> Values:
        """What the calls of a dataclass give one of its fields; unknown if it is of one of them."""
        if len(self._pending) >= _DEEPEST:
            self._inference.leave_open(self._pending[0])
            return NOTHING
        self._pending.append(self._inference.depth)
        try:
            places = list(islice(self._constructing(cls), _MOST_CALLERS + 1))
            found = [self._given_to_field(cls, index, name, *place) for place in places]
        finally:
            self._pending.pop()
        given = [values for values in found if values is not None]
        telling = [values for values in given if is_telling(values)]
        return unite(*telling) if len(places) <= _MOST_CALLERS and all(given) else NOTHING

    def _given_to_field(
        self, cls: Class, index: int, name: str, module: Module, scope: int, ref: ir.Ref
    ) -> Values | None:
        """None if the call makes something else, or leaves the field at its default."""
        caller = self._inference.generic_frame(module.code(scope))
        node = caller.code.scope.nodes[ref]
        assert isinstance(node, ir.Call)
        is_subclass = self._inference.hierarchy.is_subclass
        callees = [callee.cls for callee in self._inference.value(caller, node.func) if isinstance(callee, ClassObject)]
        if not any(is_subclass(callee, cls) for callee in callees):
            return None
        arguments = self._inference.calls.arguments(caller, node)
        given = arguments.get(index, name)
        return NOTHING if given is None and arguments.is_open else given

    def is_made(self, instance: Value) -> bool:
        """Whether the project makes objects of the very class of an object, not only of those derived from it."""
        cls = instance.cls if isinstance(instance, Instance) else None
        if not isinstance(cls, Class):
            return False
        known = self._made.get(cls)
        if known is None:
            known = self._made[cls] = any(self._makes(cls, *place) for place in self._inference.index.calls(cls.name))
        return known

    def _makes(self, cls: Class, module: Module, scope: int, ref: ir.Ref) -> bool:
        caller = self._inference.generic_frame(module.code(scope))
        node = caller.code.scope.nodes[ref]
        return isinstance(node, ir.Call) and ClassObject(cls) in self._inference.value(caller, node.func)

    def calls_of(self, code: Code) -> list[Place]:
        """The calls in the project that are known to mean a function; none for very common names."""
        found = []
        for module, scope, ref in self._places(code):
            caller = self._inference.generic_frame(module.code(scope))
            node = caller.code.scope.nodes[ref]
            assert isinstance(node, ir.Call)
            if any(self._function(code, callee)[0] for callee in self._inference.value(caller, node.func)):
                found.append((module, scope, ref))
        return found

    def _argument(self, code: Code, index: int, module: Module, scope: int, ref: ir.Ref) -> Values:
        inference = self._inference
        caller = inference.generic_frame(module.code(scope))
        node = caller.code.scope.nodes[ref]
        assert isinstance(node, ir.Call)
        if not (node.args or node.keywords):
            return NOTHING
        found = []
        for callee in inference.value(caller, node.func):
            function, skipped = self._function(code, callee)
            if function is None:
                continue
            arguments = inference.calls.arguments(caller, node)
            if skipped:
                arguments = arguments.before(NOTHING)
            given = arguments.bind(function.scope.params)[index]
            found.append(NOTHING if given is None else evaluated(given))
        return unite(*found)

    def _function(self, code: Code, callee: Value) -> tuple[Code | None, bool]:
        """The function itself if `callee` means it, and whether its first parameter is already taken."""
        match callee:
            case Function(code=called, receiver=receiver, kind=kind) if called is code:
                return code, receiver is not None and kind != "static"
            case ClassObject(cls) if isinstance(cls, Class) and code.scope.name in _CONSTRUCTORS:
                members = self._inference.members.find(Instance(cls), code.scope.name)
                if any(isinstance(member, Function) and member.code is code for member in members):
                    return code, True
            case Partial(inner):
                return self._function(code, inner)
        return None, False


def _unless_many(places: Iterator[Place]) -> Sequence[Place]:
    found = list(islice(places, _MOST_CALLERS + 1))
    return found if len(found) <= _MOST_CALLERS else ()


def _own_calls(cls: Class, name: str) -> Iterator[Place]:
    """Calls of something of that name in the methods of a class."""
    module = cls.code.module
    for scope, ref in module.calls.get(name, ()):
        if module.code(scope).parent is cls.code:
            yield module, scope, ref
