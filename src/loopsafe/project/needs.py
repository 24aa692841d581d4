"""Functions that work only in the thread of a running loop: they ask for it, or make tasks on it.

Stage: propagate. They must not be moved to another thread, and a coroutine function that calls them is one for a
reason.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from loopsafe.catalog import Affinity, RoleKind
from loopsafe.project.effects import Effects
from loopsafe.project.entities import Frame
from loopsafe.project.guards import asks_helper, off_loop_ranges
from loopsafe.project.reach import reached
from loopsafe.project.roles import callable_name
from loopsafe.project.values import Awaitable, ClassObject, External, Instance, Method
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference

_NEEDING: Final = frozenset({RoleKind.RUNNING_LOOP, RoleKind.TASK_SPAWNER, RoleKind.SCHEDULER})
_OF_THREADS: Final = "concurrent."
"""Futures that belong to threads, not to a loop."""
_MOST_FRAMES: Final = 400
"""A function that leads to more others than this is taken to need no loop: most do not."""


class LoopNeeds:
    """Answers `of(frame)` and `adapts(frame)`."""

    def __init__(self, inference: Inference, effects: Effects, target_version: tuple[int, int]) -> None:
        self._inference: Final = inference
        self._target_version: Final = target_version
        self._effects: Final = effects
        self._own: Final[dict[Frame, bool]] = {}
        self._adapting: Final[dict[Frame, bool]] = {}

    def of(self, frame: Frame) -> bool:
        """Whether a frame, or a synchronous function that it leads to, needs the running loop of its thread."""
        return self._leads_to(frame, self._is_needing)

    def adapts(self, frame: Frame) -> bool:
        """Whether a frame, or a synchronous function that it leads to, does something else where no loop is running."""
        return self._leads_to(frame, self._is_adapting)

    def _leads_to(self, frame: Frame, is_meant: Callable[[Frame], bool]) -> bool:
        # what a frame that adapts leads to with a loop is not what it leads to in another thread
        frames = reached(self._effects, frame, _MOST_FRAMES, lambda one: not self._is_adapting(one))
        return any(map(is_meant, frames))

    def _is_adapting(self, frame: Frame) -> bool:
        known = self._adapting.get(frame)
        if known is None:
            is_guarded = bool(off_loop_ranges(self._inference, frame))
            known = self._adapting[frame] = is_guarded or asks_helper(self._inference, frame)
        return known

    def _is_needing(self, frame: Frame) -> bool:
        known = self._own.get(frame)
        if known is None:
            calls = frame.code.scope.each_call()
            known = not self._is_adapting(frame) and any(self.call_needs(frame, ref, node) for ref, node in calls)
            self._own[frame] = known
        return known

    def _is_bound(self, callee: Method | ClassObject) -> bool:
        """Whether a method works on an object that belongs to the loop, or a class makes one that already does."""
        cls = callee.receiver.cls if isinstance(callee, Method) else callee.cls
        if not isinstance(cls, str) or self._inference.catalog.affinity(cls) is not Affinity.LOOP:
            return False
        since = self._inference.catalog.binds_late(cls) if isinstance(callee, ClassObject) else None
        return since is None or since > self._target_version

    def call_needs(self, frame: Frame, ref: ir.Ref, node: ir.Call) -> bool:
        """Whether a call itself needs the running loop of its thread, whatever it leads to."""
        catalog = self._inference.catalog
        for callee in self._inference.value(frame, node.func):
            name = callable_name(callee) if isinstance(callee, External | Method | ClassObject) else None
            role = catalog.role(name) if name is not None else None
            if role is not None and role.threadsafe:
                return False
            if role is not None and role.role in _NEEDING:
                return True
            if isinstance(callee, Method | ClassObject) and self._is_bound(callee):
                return True
        return any(
            (isinstance(value, Awaitable) and not value.is_coroutine and not value.cls.startswith(_OF_THREADS))
            or (isinstance(value, Instance) and value.cls == "asyncio.Future")
            for value in self._inference.value(frame, ref)
        )
