"""What callers pass for a parameter without annotation.

Stage: infer. Callers are found by name among the calls of all modules, then each is checked to mean the function. A
name that is called in very many places is left unknown.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from loopsafe.project.arguments import bind, is_telling
from loopsafe.project.entities import Class, Code, Frame, Module
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
    """Answers `passed(frame, index)`."""

    def __init__(self, inference: Inference) -> None:
        self._inference: Final = inference
        self._depth = 0

    def passed(self, frame: Frame, index: int) -> Values:
        """The values that calls anywhere in the project give a function's parameter."""
        code = frame.code
        if code.scope.kind != ir.ScopeKind.FUNCTION or self._depth >= _DEEPEST:
            return NOTHING
        self._depth += 1
        try:
            found = [self._argument(frame, index, *place) for place in self._places(code)]
        finally:
            self._depth -= 1
        return unite(*[values for values in found if is_telling(values)])

    def _places(self, code: Code) -> list[Place]:
        """Calls that, by name, may be calls of the function."""
        names = [code.scope.name]
        if code.scope.name in _CONSTRUCTORS and code.parent.scope.kind == ir.ScopeKind.CLASS:
            owner = self._inference.generic_frame(code.parent).owner
            assert owner is not None
            names = [owner.name, "cls", "__init__", *[sub.name for sub in self._inference.hierarchy.subclasses(owner)]]
        places: list[Place] = []
        for name in dict.fromkeys(names):
            found = self._inference.index.calls(name)
            if name == "__init__":
                found = (place for place in found if self._is_in_subclass(place, code))
            places += islice(found, _MOST_CALLERS + 1)
            if len(places) > _MOST_CALLERS:
                return []
        return places

    def _is_in_subclass(self, place: Place, code: Code) -> bool:
        """Whether a call stands in a method of a class that derives from the one that a constructor belongs to."""
        module, scope, _ = place
        body = module.code(scope).parent
        if body.scope.kind != ir.ScopeKind.CLASS:
            return False
        owner = self._inference.generic_frame(code.parent).owner
        cls = self._inference.generic_frame(body).owner
        return owner is not None and cls is not None and self._inference.hierarchy.is_subclass(cls, owner)

    def calls_of(self, code: Code) -> list[Place]:
        """The calls in the project that are known to mean a function; none for very common names."""
        frame = self._inference.generic_frame(code)
        found = []
        for module, scope, ref in self._places(code):
            caller = self._inference.generic_frame(module.code(scope))
            node = caller.code.scope.nodes[ref]
            assert isinstance(node, ir.Call)
            if any(self._function(frame, callee)[0] for callee in self._inference.value(caller, node.func)):
                found.append((module, scope, ref))
        return found

    def _argument(self, frame: Frame, index: int, module: Module, scope: int, ref: ir.Ref) -> Values:
        inference = self._inference
        caller = inference.generic_frame(module.code(scope))
        node = caller.code.scope.nodes[ref]
        assert isinstance(node, ir.Call)
        if not (node.args or node.keywords):
            return NOTHING
        found = []
        for callee in inference.value(caller, node.func):
            function, skipped = self._function(frame, callee)
            if function is None:
                continue
            arguments = inference.calls.arguments(caller, node)
            if skipped:
                arguments = arguments.before(NOTHING)
            found.append(bind(function.scope.params, arguments)[index] or NOTHING)
        return unite(*found)

    def _function(self, frame: Frame, callee: Value) -> tuple[Code | None, bool]:
        """The function itself if `callee` means it, and whether its first parameter is already taken."""
        code = frame.code
        match callee:
            case Function(code=called, receiver=receiver, kind=kind) if called is code:
                return code, receiver is not None and kind != "static"
            case ClassObject(cls) if isinstance(cls, Class) and code.scope.name in _CONSTRUCTORS:
                members = self._inference.members.find(Instance(cls), code.scope.name)
                if any(isinstance(member, Function) and member.code is code for member in members):
                    return code, True
            case Partial(inner):
                return self._function(frame, inner)
        return None, False
