"""Code that runs only when no event loop is running: it cannot block one.

Stage: propagate. `try: get_running_loop() except RuntimeError: …`, `if loop.is_running(): … else: …`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from loopsafe.catalog import RoleKind
from loopsafe.project.conditions import side
from loopsafe.project.entities import Code, Frame
from loopsafe.project.leaves import tested_for_presence
from loopsafe.project.roles import callable_name
from loopsafe.project.values import ClassObject, External, Function, Method, Values
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference

_NOTHING: Final = (ir.Const(None), ir.Const(False))


def off_loop_ranges(inference: Inference, frame: Frame) -> list[ir.NodeRange]:
    """The nodes of a frame's scope that are evaluated only while no loop runs in this thread."""
    scope = frame.code.scope
    if not scope.handlers and not scope.branches:
        return []
    ranges: list[ir.NodeRange] = []
    for handler in scope.handlers:
        if _tries_for_loop(inference, frame, handler):
            ranges += [handler.body, handler.after]
    for branch in scope.branches:
        for tested, positive in branch.tested:
            ref = tested_for_presence(scope, tested)
            if ref < 0:
                continue
            if _tells_of_loop(inference, frame, ref):
                ranges += side(branch, not positive)
            elif positive and _is_made_off_loop(scope, ref, ranges):
                ranges.append(branch.body)
    return [(start, end) for start, end in ranges if start < end]


def asks_helper(inference: Inference, frame: Frame) -> bool:
    """Whether a frame has another function tell it whether a loop is running, or which one."""
    return any(_hands_on_probe(inference, frame, ref) for ref in frame.code.scope.calls)


def _is_made_off_loop(scope: ir.Scope, ref: ir.Ref, ranges: list[ir.NodeRange]) -> bool:
    """Whether a value is there only if code ran that runs off the loop: `None if running else find_loop()`."""
    node = scope.nodes[ref]
    if isinstance(node, ir.Narrow | ir.Declared) and node.value >= 0:
        return _is_made_off_loop(scope, node.value, ranges)
    options = node.options if isinstance(node, ir.Phi) else ()
    made = [one for one in options if one < 0 or scope.nodes[one] not in _NOTHING]
    return bool(made) and all(any(start <= one < end for start, end in ranges) for one in made)


def _tries_for_loop(inference: Inference, frame: Frame, handler: ir.Handler) -> bool:
    """Whether what a handler stands for asks for the running loop."""
    start, end = handler.tried
    calls = [ref for ref in frame.code.scope.calls if start <= ref < end]
    return any(_has_role(inference, frame, ref, RoleKind.RUNNING_LOOP) for ref in calls)


def _tells_of_loop(inference: Inference, frame: Frame, ref: ir.Ref) -> bool:
    """Whether a value is true or present just when a loop is running."""
    node = frame.code.scope.nodes[ref]
    if isinstance(node, ir.Phi):
        return any(_is_told_of_loop(inference, frame, option) for option in node.options if option >= 0)
    if isinstance(node, ir.Narrow | ir.Declared) and node.value >= 0:
        return _tells_of_loop(inference, frame, node.value)
    return _is_told_of_loop(inference, frame, ref)


def _is_told_of_loop(inference: Inference, frame: Frame, ref: ir.Ref) -> bool:
    """The same of what a call or a property gives."""
    if _has_role(inference, frame, ref, RoleKind.IS_RUNNING, RoleKind.RUNNING_LOOP):
        return True
    node = frame.code.scope.nodes[ref]
    callees: Values = ()
    if isinstance(node, ir.Call):
        callees = inference.value(frame, node.func)
    elif isinstance(node, ir.Attr) and node.name in inference.index.implicit:
        callees = inference.each(
            inference.value(frame, node.value), lambda value: inference.members.find(value, node.name)
        )
        callees = tuple(one for one in callees if isinstance(one, Function) and one.kind == "property")
    return any(isinstance(callee, Function) and _is_probe(inference, callee.code) for callee in callees)


def _is_probe(inference: Inference, code: Code) -> bool:
    """Whether a function gives something true only if a loop is running.

    What it gives where asking for one fails is nothing, or left to the caller; or it hands on what another such
    function gives, and nothing where that fails.
    """
    scope = code.scope
    if not scope.handlers or scope.is_async:
        return False
    frame = inference.generic_frame(code)
    ranges = [
        part
        for handler in scope.handlers
        if _tries_for_loop(inference, frame, handler)
        for part in (handler.body, handler.after)
    ]
    values = {ref: node.value for ref in scope.returns if isinstance(node := scope.nodes[ref], ir.Return)}
    if ranges:
        failed = [value for ref, value in values.items() if any(start <= ref < end for start, end in ranges)]
        return bool(failed) and all(value >= 0 and _is_open_or_nothing(scope.nodes[value]) for value in failed)
    others = [value for value in values.values() if value < 0 or scope.nodes[value] not in _NOTHING]
    return len(others) == 1 and others[0] >= 0 and _hands_on_probe(inference, frame, others[0])


def _is_open_or_nothing(node: ir.Node) -> bool:
    return node in _NOTHING or isinstance(node, ir.Param)


def _hands_on_probe(inference: Inference, frame: Frame, ref: ir.Ref) -> bool:
    node = frame.code.scope.nodes[ref]
    callees = inference.value(frame, node.func) if isinstance(node, ir.Call) else ()
    codes = [callee.code for callee in callees if isinstance(callee, Function) and callee.code is not frame.code]
    return any(_is_probe(inference, code) for code in codes)


def _has_role(inference: Inference, frame: Frame, ref: ir.Ref, *kinds: RoleKind) -> bool:
    """Whether a node calls something that has one of those roles."""
    node = frame.code.scope.nodes[ref]
    if not isinstance(node, ir.Call):
        return False
    for callee in inference.value(frame, node.func):
        if isinstance(callee, External | Method | ClassObject):
            name = callable_name(callee)
            role = inference.catalog.role(name) if name is not None else None
            if role is not None and role.role in kinds:
                return True
    return False
