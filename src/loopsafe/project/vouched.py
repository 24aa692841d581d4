"""Whether a type was written down or follows from the text, rather than from what some of a function's callers pass.

Stage: infer. A synchronous function that calls an asynchronous method may well be right: its object may be of another
class than the one that a caller is known to pass. Where the type is vouched for, it is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from loopsafe.project.entities import Class, Frame
from loopsafe.project.sureness import Sureness
from loopsafe.project.values import Instance
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference

_DEEPEST: Final = 6


class Vouched:
    """Answers `is_vouched(frame, ref)`."""

    def __init__(self, inference: Inference) -> None:
        self._inference: Final = inference
        self._sureness: Final = Sureness(inference)

    def is_vouched(self, frame: Frame, ref: ir.Ref, depth: int = 0) -> bool:
        """Whether the type of a node is told by the text, as far as it matters for calling its methods."""
        node = frame.code.scope.nodes[ref] if ref >= 0 else None
        if depth > _DEEPEST:
            return False
        match node:
            case ir.Param(index=index):
                return self._is_annotated(frame, index)
            case ir.Attr(value=value, name=name):
                return self.is_vouched(frame, value, depth + 1) and self._is_attribute_vouched(
                    frame, value, name, depth
                )
            case ir.Narrow(value=value):
                return self.is_vouched(frame, value, depth + 1)
            case ir.Phi(options=options):
                return all(self.is_vouched(frame, option, depth + 1) for option in options)
            case ir.Name() | ir.Declared() | ir.Import() | ir.Const():
                return True
        return self._sureness.is_sure(frame, ref)

    def _is_annotated(self, frame: Frame, index: int) -> bool:
        maker = frame.code.maker
        is_self = index == 0 and frame.code.parent.scope.kind == ir.ScopeKind.CLASS
        return is_self or any(position == index for position, _ in getattr(maker, "annotations", ()))

    def _is_attribute_vouched(self, frame: Frame, ref: ir.Ref, name: str, depth: int) -> bool:
        """Whether all that an object's own methods assign to an attribute is vouched for."""
        for owner in self._inference.value(frame, ref):
            if not isinstance(owner, Instance) or not isinstance(owner.cls, Class):
                continue
            for cls in self._inference.hierarchy.order(owner.cls):
                for code, store in cls.stores.get(name, ()) if isinstance(cls, Class) else ():
                    if not self.is_vouched(self._inference.generic_frame(code), store.value, depth + 1):
                        return False
        return True
