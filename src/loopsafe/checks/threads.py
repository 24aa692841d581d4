"""Functions that would notice in which thread they run: thread-locals, context variables, frames of callers.

For remedies only: such a function does something else in another thread, though it need not fail there.
"""

from __future__ import annotations

from typing import Final

from loopsafe.catalog import Role, RoleKind
from loopsafe.project import Project
from loopsafe.project.entities import Frame
from loopsafe.project.reach import reached
from loopsafe.project.roles import callable_name
from loopsafe.project.values import ClassKey, ClassObject, Instance, Value
from loopsafe.summary import ir

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
        inference = self._project.inference
        match node:
            case ir.Attr(value=owner) | ir.StoreAttr(object=owner):
                values = inference.value(frame, owner)
                return any(self._is_local(value.cls) for value in values if isinstance(value, Instance))
            case ir.Call(func=func, keywords=keywords):
                given = {name for name, _ in keywords}
                callees = [callee for callee in inference.value(frame, func) if not isinstance(callee, ClassObject)]
                roles = map(self._role, callees)
                return any(role is not None and (role.keyword is None or role.keyword in given) for role in roles)
        return False

    def _is_local(self, cls: ClassKey) -> bool:
        """Whether the objects of a class hold other values in each thread."""
        classes = self._project.inference.hierarchy.order(cls)
        return any(isinstance(one, str) and self._role(ClassObject(one)) is not None for one in classes)

    def _role(self, callee: Value) -> Role | None:
        """Of what is aware of its thread, its role."""
        name = callable_name(callee)
        role = None if name is None else self._project.catalog.role(name)
        return role if role is not None and role.role is RoleKind.THREAD_AWARE else None
