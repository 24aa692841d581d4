"""Functions that work only in the thread of a running loop: they ask for it, or make tasks on it.

Stage: propagate. They must not be moved to another thread, and a coroutine function that calls them is one for a
reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from loopsafe.catalog import Affinity, RoleKind
from loopsafe.project.decorators import role_of
from loopsafe.project.effects import Effects
from loopsafe.project.entities import Frame
from loopsafe.project.values import Awaitable, ClassObject, Instance, Method
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference

_NEEDING: Final = frozenset({RoleKind.RUNNING_LOOP, RoleKind.TASK_SPAWNER, RoleKind.SCHEDULER})
_MOST_FRAMES: Final = 400
"""A function that leads to more others than this is taken to need no loop: most do not."""


class LoopNeeds:
    """Answers `of(frame)`."""

    def __init__(self, inference: Inference, effects: Effects) -> None:
        self._inference: Final = inference
        self._effects: Final = effects
        self._own: Final[dict[Frame, bool]] = {}

    def of(self, frame: Frame) -> bool:
        """Whether a frame, or a synchronous function that it leads to, needs the running loop of its thread."""
        seen = {frame: None}
        pending = [frame]
        while pending and len(seen) < _MOST_FRAMES:
            current = pending.pop()
            if self._is_needing(current):
                return True
            for site in self._effects.sites(current):
                for run in site.runs:
                    if run.frame not in seen:
                        seen[run.frame] = None
                        pending.append(run.frame)
        return False

    def _is_needing(self, frame: Frame) -> bool:
        known = self._own.get(frame)
        if known is None:
            nodes = frame.code.scope.nodes
            calls = ((ref, nodes[ref]) for ref in frame.code.events)
            known = any(isinstance(node, ir.Call) and self.call_needs(frame, ref, node) for ref, node in calls)
            self._own[frame] = known
        return known

    def call_needs(self, frame: Frame, ref: ir.Ref, node: ir.Call) -> bool:
        """Whether a call itself needs the running loop of its thread, whatever it leads to."""
        for callee in self._inference.value(frame, node.func):
            if role_of(self._inference, callee) in _NEEDING:
                return True
            owner = callee.receiver.cls if isinstance(callee, Method) else None
            owner = callee.cls if isinstance(callee, ClassObject) else owner
            if isinstance(owner, str) and self._inference.catalog.affinity(owner) is Affinity.LOOP:
                return True
        return any(
            (isinstance(value, Awaitable) and not value.is_coroutine)
            or (isinstance(value, Instance) and value.cls == "asyncio.Future")
            for value in self._inference.value(frame, ref)
        )
