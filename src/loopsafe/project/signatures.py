"""Which parameters of a function tell its frames apart.

Stage: infer. What a call gives for them, and whether that is worth a frame of its own, is for `calls`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from loopsafe.project.entities import Code, Frame
from loopsafe.project.values import Function, Values, constant
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference


class Slot(NamedTuple):
    """A parameter whose argument may make a difference."""

    param: int
    """Its index."""
    is_decisive: bool
    """A test looks at its plain value."""
    has_keys: bool
    """A test looks at it, or at what it holds under some key."""
    is_free: bool
    """Its annotation leaves it to the argument what it is."""
    is_kept: bool
    """It is a constructor's: the object keeps it."""
    default: Values | None
    """What it is where a call does not give it, if that is a constant."""


_NONE: Final[frozenset[int]] = frozenset()
Signature: TypeAlias = tuple[Slot, ...]


class Signatures:
    """Answers `of(function)`."""

    def __init__(self, inference: Inference) -> None:
        self._inference: Final = inference
        self._known: Final[dict[tuple[Code, Frame], Signature]] = {}

    def of(self, function: Function) -> Signature:
        """The parameters that matter to what a function does; of a constructor all, for its object keeps them."""
        key = (function.code, function.closure)
        known = self._known.get(key)
        if known is None:
            known = tuple(self._find(function))
            if self._inference.is_settled and self._inference.deciders.is_settled:
                self._known[key] = known
        return known

    def _find(self, function: Function) -> Iterator[Slot]:
        code, deciders = function.code, self._inference.deciders
        is_method = function.closure.owner is not None and function.kind != "static"
        is_kept = is_method and code.scope.name == "__init__"
        decisive = keyed = _NONE
        if not is_method or len(code.scope.params) > 1:  # the object makes a difference whatever a test looks at
            decisive, keyed = deciders.parameters(code), deciders.dictionaries(code)
        for index in range(len(code.scope.params)):
            is_decisive, has_keys = index in decisive, index in keyed
            is_free = index == 0 or self._is_free(function, index)
            if is_decisive or has_keys or is_free or is_kept:
                yield Slot(index, is_decisive, has_keys, is_free, is_kept, _default(function, index))

    def _is_free(self, function: Function, index: int) -> bool:
        calls = self._inference.calls
        annotation = calls.annotation(function.closure, function.code.maker, index)
        return not annotation or calls.is_interface(annotation)


def _default(function: Function, index: int) -> Values | None:
    maker = function.code.maker
    if isinstance(maker, ir.MakeFunction):
        for position, ref in maker.defaults:
            node = function.closure.code.scope.nodes[ref] if position == index and ref >= 0 else None
            if isinstance(node, ir.Const):
                return (constant(node.value),)
    return None
