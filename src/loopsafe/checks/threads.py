"""Functions that would notice in which thread they run: thread-locals, context variables, frames of callers.

For remedies only: such a function does something else in another thread, though it need not fail there.
"""

from __future__ import annotations

from typing import Final

from loopsafe.project import Project
from loopsafe.project.entities import Frame
from loopsafe.project.reach import reached
from loopsafe.project.roles import callable_name
from loopsafe.project.values import Instance
from loopsafe.summary import ir

_LOCAL: Final = "threading.local"
_NOTICING: Final = frozenset(
    {"contextvars.ContextVar.set", "contextvars.ContextVar.reset", "inspect.stack", "inspect.currentframe",
     "sys._getframe", "sys.settrace", "sys.setprofile"}
)  # fmt: skip
_WARN: Final = "warnings.warn"
_LEVEL: Final = "stacklevel"
_MOST_FRAMES: Final = 200
"""A function that leads to more others than this is taken to notice nothing: most do not."""


class ThreadTraces:
    """Answers `of(frame)`."""

    def __init__(self, project: Project) -> None:
        self._project: Final = project
        self._own: Final[dict[Frame, bool]] = {}

    def of(self, frame: Frame) -> bool:
        """Whether a frame, or a synchronous function that it leads to, would notice that its thread is another."""
        frames = reached(self._project.effects, frame, _MOST_FRAMES, lambda _: True)
        return any(map(self._is_noticing, frames))

    def _is_noticing(self, frame: Frame) -> bool:
        known = self._own.get(frame)
        if known is None:
            known = self._own[frame] = any(self._notices(frame, node) for node in frame.code.scope.nodes)
        return known

    def _notices(self, frame: Frame, node: ir.Node) -> bool:
        match node:
            case ir.Attr(value=owner) | ir.StoreAttr(object=owner):
                inference = self._project.inference
                return any(
                    isinstance(value, Instance) and inference.hierarchy.is_subclass(value.cls, _LOCAL)
                    for value in inference.value(frame, owner)
                )
            case ir.Call(func=func, keywords=keywords):
                names = [callable_name(callee) for callee in self._project.inference.value(frame, func)]
                has_level = any(name == _LEVEL for name, _ in keywords)
                return any(name in _NOTICING or (name == _WARN and has_level) for name in names)
        return False
