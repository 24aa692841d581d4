"""What functions change that their caller may have looked at before it called them: lazily made clients, flags, caches.

For remedies only: while such a call is awaited, another task may look as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from loopsafe.project import Project
from loopsafe.project.entities import Class, Frame
from loopsafe.project.happenings import Site
from loopsafe.project.reach import reached
from loopsafe.summary import ir

_MOST_FRAMES: Final = 200
"""What a function changes farther away is not looked at by those who call it."""


class Changes:
    """Answers `at(site)`."""

    def __init__(self, project: Project) -> None:
        self._project: Final = project
        self._known: Final[dict[Frame, tuple[str, ...]]] = {}

    def at(self, site: Site) -> tuple[str, ...]:
        """Names of attributes and variables that are changed by what runs at a site."""
        return tuple(dict.fromkeys(name for run in site.runs for name in self._of(run.frame)))

    def _of(self, frame: Frame) -> tuple[str, ...]:
        known = self._known.get(frame)
        if known is None:
            frames = reached(self._project.effects, frame, _MOST_FRAMES, lambda _: True)
            names = (name for one in frames if self._is_near(frame, one) for name in _changed(one))
            known = self._known[frame] = tuple(dict.fromkeys(names))
        return known

    def _is_near(self, frame: Frame, other: Frame) -> bool:
        """Whether two functions may be methods of one object, or are of one module."""
        first, second = _owner(frame), _owner(other)
        if first is None or second is None:
            return first is second and frame.code.module is other.code.module
        order = self._project.inference.hierarchy.order
        return first in order(second) or second in order(first)


def _owner(frame: Frame) -> Class | None:
    return frame.closure.owner if frame.closure is not None else None


def _changed(frame: Frame) -> Iterator[str]:
    scope = frame.code.scope
    if _owner(frame) is not None:
        changed = [node.object for node in scope.nodes if isinstance(node, ir.StoreItem)]
        for ref in (*changed, *(container for container, _ in scope.additions)):
            node = scope.nodes[ref] if ref >= 0 else None
            if isinstance(node, ir.Attr) and node.value >= 0 and scope.nodes[node.value] == ir.Param(0):
                yield node.name
        for ref in scope.stores:
            node = scope.nodes[ref]
            if isinstance(node, ir.StoreAttr) and node.object >= 0 and scope.nodes[node.object] == ir.Param(0):
                yield node.name
    yield from (name for name, _ in scope.globals)
