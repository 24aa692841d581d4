"""LSA405: a coroutine function is handed to something that calls it like a plain function, and drops the coroutine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from loopsafe.catalog import Role, RoleKind, RoleResult
from loopsafe.checks.check import Check, Context
from loopsafe.model import Applicability, Diagnostic, Remedy, RemedyKind
from loopsafe.project.entities import Frame
from loopsafe.project.project import node_span, node_text, value_text
from loopsafe.summary import ir

_RUNNERS: Final = frozenset({RoleKind.OFFLOADER, RoleKind.SCHEDULER, RoleKind.CONSUMER, RoleKind.KEEPS})


def _run(context: Context) -> Iterator[Diagnostic]:
    coroutines = context.project.coroutine_calls
    for code, calls in coroutines.calls(coroutines.names_of(_calls_plainly)):
        frame = context.project.inference.generic_frame(code)
        for ref in calls:
            given = _find_given(context, frame, ref)
            if given is not None and not coroutines.is_off(frame, ref):
                name = value_text(frame, given)
                message = (
                    f"`{node_text(frame, ref)}` calls `{name}` like a plain function, and nothing awaits the coroutine "
                    f"that it gives: await `{name}` itself, or hand over a plain function"
                )
                span, remedy = node_span(frame, ref), _find_remedy(context, frame, ref, given)
                yield context.diagnostic(code.module.path, "LSA405", span, message, remedy)


def _find_given(context: Context, frame: Frame, ref: ir.Ref) -> ir.Ref | None:
    """The coroutine function that a call hands to something that does not await it."""
    coroutines = context.project.coroutine_calls
    node = frame.code.scope.nodes[ref]
    assert isinstance(node, ir.Call)
    mentioned = [
        arg for arg in (*node.args, *(arg for _, arg in node.keywords)) if coroutines.may_be_function(frame, arg)
    ]
    if not mentioned:
        return None
    roles = coroutines.roles(frame, node)
    if not roles or not all(map(_calls_plainly, roles)):
        return None
    given = {_argument(node, role) for role in roles}
    arg = given.pop() if len(given) == 1 else None
    return arg if arg is not None and arg in mentioned and coroutines.gives_coroutine(frame, arg) else None


def _find_remedy(context: Context, frame: Frame, ref: ir.Ref, given: ir.Ref) -> Remedy | None:
    """Awaiting the function itself, where that takes the place of awaiting a thread, and nobody uses the coroutine."""
    scope = frame.code.scope
    node = scope.nodes[ref]
    assert isinstance(node, ir.Call)
    discarded = [scope.nodes[one] for one in scope.discards if one >= 0]
    is_awaited = any(isinstance(one, ir.Await) and one.value == ref for one in discarded)
    (role, *others) = context.project.coroutine_calls.roles(frame, node)
    is_thread = role.role is RoleKind.OFFLOADER and role.result is RoleResult.AWAITABLE and not others
    position = role.callable if isinstance(role.callable, int) else len(node.args)
    is_named = position < len(node.args) and isinstance(
        scope.nodes[given], ir.Name | ir.Attr | ir.Import | ir.MakeFunction
    )
    if not (is_awaited and is_thread and is_named and node.args[position] == given):
        return None
    leading = ("None",) * position
    return Remedy(RemedyKind.APPLY, node_span(frame, ref), Applicability.UNSAFE, leading=leading)


def _calls_plainly(role: Role) -> bool:
    """Whether a function with this role calls its argument and does not await what it gets."""
    return role.role in _RUNNERS and role.callable is not None and not role.takes_coroutine_functions


def _argument(node: ir.Call, role: Role) -> ir.Ref | None:
    """The node of the callable that a call hands to a function with this role."""
    position = role.callable if isinstance(role.callable, int) else None
    is_spread = 0 <= node.starred <= (position or 0)
    if position is not None and position < len(node.args) and not is_spread:
        return node.args[position]
    name = role.keyword or role.callable
    return next((arg for keyword, arg in node.keywords if keyword == name), None)


CHECK: Final = Check(("LSA405",), _run)
