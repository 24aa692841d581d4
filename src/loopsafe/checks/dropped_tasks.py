"""LSA403: a task is started and nobody keeps it, so the garbage collector may take it before it is done.

The event loop itself holds tasks only weakly. A group or nursery holds those that it starts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from loopsafe.catalog import Role, RoleKind
from loopsafe.checks.check import Check, Context
from loopsafe.model import Applicability, Confidence, Diagnostic, Remedy, RemedyKind
from loopsafe.project.coroutines import Coroutines, is_awaited
from loopsafe.project.entities import Frame
from loopsafe.project.project import node_span, node_text, value_text
from loopsafe.project.roles import callable_name
from loopsafe.project.uses import Fate, Use
from loopsafe.project.values import Awaitable
from loopsafe.summary import ir

_LOCAL: Final = "a variable that is not read for it holds the task until the function ends"
_NAMED: Final = "the object is called a loop, its type is not known"
_LOOP: Final = "loop"
_CREATE: Final = "create_task"
"""Names are evidence only together: this one, called on something named like a loop, given a coroutine."""


def _run(context: Context) -> Iterator[Diagnostic]:
    coroutines = context.project.coroutine_calls
    for code, calls in coroutines.calls(coroutines.names_of(_may_start)):
        frame = context.project.inference.generic_frame(code)
        for ref in calls:
            if is_awaited(code.scope, ref):
                continue
            fate = _find_fate(coroutines, frame, ref)
            doubt = None if fate.is_used else _find_doubt(context, frame, ref)
            if doubt is not None and not coroutines.is_off(frame, ref):
                yield _describe(context, frame, ref, fate, doubt)


def _may_start(role: Role) -> bool:
    return role.role in (RoleKind.TASK_SPAWNER, RoleKind.COROUTINE_SINK) and role.callable is None and not role.owned


def _find_fate(coroutines: Coroutines, frame: Frame, ref: ir.Ref) -> Fate:
    """What becomes of a task; callbacks do not keep it."""
    uses = coroutines.uses(frame.code)
    nodes = frame.code.scope.nodes

    def judge(user: ir.Ref) -> Use:
        node = nodes[user]
        if not isinstance(node, ir.Attr):
            return Use.HANDED_ON
        calls = [nodes[each] for each in uses.users(user)]
        schedules = all(isinstance(call, ir.Call) and _schedules(coroutines, frame, call) for call in calls)
        return Use.NOTHING if calls and schedules else Use.HANDED_ON

    return uses.fate(ref, judge)


def _schedules(coroutines: Coroutines, frame: Frame, call: ir.Call) -> bool:
    roles = coroutines.roles(frame, call)
    return bool(roles) and all(role.role is RoleKind.SCHEDULER for role in roles)


def _find_doubt(context: Context, frame: Frame, ref: ir.Ref) -> str | None:
    """Why a call may not start a task that somebody has to keep; empty if it certainly does, None if it does not."""
    coroutines, nodes = context.project.coroutine_calls, frame.code.scope.nodes
    node = nodes[ref]
    assert isinstance(node, ir.Call)
    roles = coroutines.roles(frame, node)
    if roles:
        return "" if all(_starts(context, frame, ref, role) for role in roles) else None
    func = nodes[node.func]
    is_loop = isinstance(func, ir.Attr) and func.name == _CREATE and value_text(frame, func.value).endswith(_LOOP)
    is_loop = is_loop and not context.project.inference.value(frame, node.func)
    return _NAMED if is_loop and node.args and coroutines.is_made_at(frame, node.args[0]) else None


def _starts(context: Context, frame: Frame, ref: ir.Ref, role: Role) -> bool:
    """Whether a call of something with this role starts a task, or several, that the caller has to keep."""
    node = frame.code.scope.nodes[ref]
    assert isinstance(node, ir.Call)
    if not _may_start(role):
        return False
    if role.role is RoleKind.COROUTINE_SINK:
        return _gives_future(context, frame, ref, node)
    given = context.project.inference.value(frame, node.args[0]) if node.args else ()
    return not any(isinstance(value, Awaitable) and not value.is_coroutine for value in given)  # a task stays itself


def _gives_future(context: Context, frame: Frame, ref: ir.Ref, node: ir.Call) -> bool:
    """Whether a call starts what it is given, and gives a future of it: `asyncio.gather(…)`."""
    inference = context.project.inference
    names = [callable_name(callee) for callee in inference.value(frame, node.func)]
    is_declared = all(name is not None and inference.catalog.returns(name) is not None for name in names)
    values = inference.value(frame, ref)
    is_started = bool(values) and all(isinstance(value, Awaitable) and not value.is_coroutine for value in values)
    return is_declared and is_started


def _describe(context: Context, frame: Frame, ref: ir.Ref, fate: Fate, doubt: str) -> Diagnostic:
    message = (
        f"nothing keeps the task of `{node_text(frame, ref)}`, so it may vanish before it is done, and its errors "
        "with it: keep it until it is done, or start it in a task group"
    )
    span = node_span(frame, ref)
    remedy = Remedy(RemedyKind.KEEP_TASK, span, Applicability.UNSAFE)
    found = context.diagnostic(frame.code.module.path, "LSA403", span, message, remedy)
    if not doubt and not fate.is_discarded and not _is_chained(context, frame, ref):
        doubt = _LOCAL
    return msgspec.structs.replace(found, confidence=Confidence.LIKELY, reason=doubt) if doubt else found


def _is_chained(context: Context, frame: Frame, ref: ir.Ref) -> bool:
    """Whether a method is called on what a call gives, with no variable between."""
    uses, start = context.project.coroutine_calls.uses(frame.code), node_span(frame, ref).start
    methods = [call for user in uses.users(ref) for call in uses.users(user)]
    return any(node_span(frame, call).start == start for call in methods)


CHECK: Final = Check(("LSA403",), _run)
