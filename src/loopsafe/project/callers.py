"""What callers pass for a parameter without annotation.

Stage: infer. Callers are found by name among the calls of all modules, then each is checked to mean the function. A name
that is called in very many places is left unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from loopsafe.project.arguments import bind, is_telling
from loopsafe.project.entities import Class, Code, Frame, Module
from loopsafe.project.values import NOTHING, ClassObject, Function, Instance, Partial, Value, Values, unite
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference

_MOST_CALLERS: Final = 60
"""Names called in more places (`get`, `run`) are looked at in none: it would cost much and smear types over the project."""
_DEEPEST: Final = 4
"""Callers of callers of callers: design.md measured little gain after three rounds."""

_CONSTRUCTORS: Final = frozenset({"__init__", "__new__", "__post_init__"})


class Callers:
    """Answers `passed(frame, index)`."""

    def __init__(self, inference: Inference) -> None:
        self._inference: Final = inference
        self._by_name: Final[dict[str, list[tuple[Module, int, ir.Ref]]]] = {}
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

    def _places(self, code: Code) -> list[tuple[Module, int, ir.Ref]]:
        """Calls that, by name, may be calls of the function."""
        names = [code.scope.name]
        if code.scope.name in _CONSTRUCTORS and code.parent.scope.kind == ir.ScopeKind.CLASS:
            owner = self._inference.generic_frame(code.parent).owner
            assert owner is not None
            names = [owner.name, "cls", "__init__", *[sub.name for sub in self._inference.hierarchy.subclasses(owner)]]
        places = [place for name in dict.fromkeys(names) for place in self._called(name)]
        return places if len(places) <= _MOST_CALLERS else []

    def _called(self, name: str) -> list[tuple[Module, int, ir.Ref]]:
        places = self._by_name.get(name)
        if places is None:
            places = self._by_name[name] = list(self._find_calls(name))
        return places

    def _find_calls(self, name: str) -> Iterator[tuple[Module, int, ir.Ref]]:
        for module in self._inference.modules.by_path.values():
            if module.summary is not None and name in module.summary.called:
                for index, ref in module.calls.get(name, ()):
                    yield module, index, ref

    def _argument(self, frame: Frame, index: int, module: Module, scope: int, ref: ir.Ref) -> Values:
        inference = self._inference
        caller = inference.generic_frame(module.code(scope))
        node = caller.code.scope.nodes[ref]
        assert isinstance(node, ir.Call)
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


