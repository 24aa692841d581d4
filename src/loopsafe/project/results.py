"""Results: what functions return and generators yield, by their text and by their annotations.

Stage: infer. An annotation is believed, unless what the text makes is known to be narrower.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from loopsafe.project.containers import additions_behind
from loopsafe.project.entities import Class, Frame
from loopsafe.project.values import (
    NONE,
    NOTHING,
    ClassObject,
    External,
    Instance,
    Values,
    is_informative,
    unite,
)
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference


class Results:
    """Answers `returned(frame)` and `yielded(frame)`."""

    def __init__(self, inference: Inference) -> None:
        self._inference: Final = inference

    def returned(self, frame: Frame) -> Values:
        """What a function returns, after awaiting if it is a coroutine function."""
        declared = self._declared_result(frame)
        is_telling = any(is_informative(value) for value in declared) and not self._inference.calls.is_interface(
            declared
        )
        if is_telling and not self._inference.branches.dead_ranges(frame) and not self._has_heirs(declared):
            return declared
        dead = self._inference.branches.is_dead
        results = [self._given_back(frame, ref) for ref in frame.code.scope.returns if not dead(frame, ref)]
        found = unite(*results)
        if is_telling:
            if all(map(self._is_narrower, results, [declared] * len(results))):
                return found
            return unite(declared, self._heirs(found, declared))
        return found if any(is_informative(value) for value in found) else declared or found

    def _given_back(self, frame: Frame, ref: ir.Ref) -> Values:
        """What a `return` gives; an item of a container that it fills is what such a call put there."""
        dead = self._inference.branches.is_dead
        kept = [one for one in additions_behind(frame.code.scope, ref) if frame.arguments and not dead(frame, one)]
        return self._inference.values(frame, tuple(kept) or (ref,))

    def _has_heirs(self, declared: Values) -> bool:
        """Whether the project may derive a class from a declared one of others, whose overrides nobody else knows."""
        names = [name.rpartition(".")[2] for name in _outside(declared)]
        return any(map(self._inference.index.deriving, names))

    def _heirs(self, values: Values, declared: Values) -> Values:
        """Those values that are of such classes."""
        own = [value for value in values if isinstance(value, Instance) and isinstance(value.cls, Class)]
        return tuple(
            value for value in own if not set(_outside(declared)).isdisjoint(self._inference.hierarchy.order(value.cls))
        )

    def _is_narrower(self, values: Values, declared: Values) -> bool:
        """Whether all that is returned somewhere is known, and is what was declared or of a class derived from it."""
        is_subclass = self._inference.hierarchy.is_subclass
        bases = [value.cls for value in declared if isinstance(value, Instance)]
        return bool(values) and all(
            value in declared or (isinstance(value, Instance) and any(is_subclass(value.cls, base) for base in bases))
            for value in values
        )

    def yielded(self, frame: Frame) -> Values:
        """What a generator yields."""
        dead = self._inference.branches.is_dead
        inferred = unite(
            *[self._inference.value(frame, ref) for ref in frame.code.scope.yields if not dead(frame, ref)]
        )
        if any(value != NONE for value in inferred):
            return inferred
        protocols = self._inference.protocols
        declared = self._declared_result(frame)
        return unite(*[protocols.element(value, False) or protocols.element(value, True) for value in declared])

    def _declared_result(self, frame: Frame) -> Values:
        maker = frame.code.maker
        if frame.closure is None or not isinstance(maker, ir.MakeFunction):
            return NOTHING
        for position, ref in maker.annotations:
            if position == -1:
                declared = self._inference.declared(frame.closure, ref)
                if not declared and self._is_self_type(frame.closure, ref):
                    receivers = self._inference.calls.parameter(frame, 0)
                    return tuple(Instance(each.cls) if isinstance(each, ClassObject) else each for each in receivers)
                return declared
        return NOTHING

    def _is_self_type(self, closure: Frame, ref: ir.Ref) -> bool:
        return any(
            isinstance(value, External) and value.name in ("typing.Self", "typing_extensions.Self")
            for value in self._inference.value(closure, ref)
        )


def _outside(values: Values) -> list[str]:
    """The classes of values that are not the project's, builtins left out."""
    names = [value.cls for value in values if isinstance(value, Instance) and isinstance(value.cls, str)]
    return [name for name in names if not name.startswith("builtins.")]
