"""LSA406: a coroutine function stands where its coroutine is wanted: the call is missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from loopsafe.catalog import Role, RoleKind
from loopsafe.checks.check import Check, Context
from loopsafe.checks.remedies import can_be_called_with_nothing
from loopsafe.model import Applicability, Diagnostic, Remedy, RemedyKind, Span
from loopsafe.project.entities import Code, Frame
from loopsafe.project.project import node_span, node_text, value_text
from loopsafe.summary import ir


def _run(context: Context) -> Iterator[Diagnostic]:
    coroutines = context.project.coroutine_calls
    for code, calls in coroutines.calls(coroutines.names_of(_takes_coroutines)):
        frame = context.project.inference.generic_frame(code)
        for ref in calls:
            yield from _find_given(context, frame, ref)
    for module in context.project.asynchronous_modules:
        for index, scope in enumerate(module.scopes):
            if scope.has_await:
                yield from _find_awaited(context, module.code(index))


def _find_given(context: Context, frame: Frame, ref: ir.Ref) -> Iterator[Diagnostic]:
    """Coroutine functions among the arguments of a call that takes coroutines."""
    coroutines = context.project.coroutine_calls
    node = frame.code.scope.nodes[ref]
    assert isinstance(node, ir.Call)
    given = [arg for arg in _arguments(frame, node) if coroutines.may_be_function(frame, arg)]
    roles = coroutines.roles(frame, node) if given else []
    if not roles or not all(map(_takes_coroutines, roles)):
        return
    for arg in given:
        if coroutines.is_function_at(frame, arg) and not coroutines.is_off(frame, ref):
            message = _describe(node_text(frame, ref), value_text(frame, arg))
            span = node_span(frame, ref)
            remedy = _find_remedy(context, frame, arg, span)
            yield context.diagnostic(frame.code.module.path, "LSA406", span, message, remedy)
            return


def _describe(text: str, name: str) -> str:
    return f"`{text}` fails, for `{name}` is a function and no coroutine: call it, `{name}()`"


def _takes_coroutines(role: Role) -> bool:
    return role.role in (RoleKind.COROUTINE_SINK, RoleKind.TASK_SPAWNER) and role.callable is None


def _arguments(frame: Frame, node: ir.Call) -> Iterator[ir.Ref]:
    """What a call is given to run: positional arguments, and what lies in lists among them."""
    for arg in node.args:
        inner = frame.code.scope.nodes[arg] if arg >= 0 else None
        yield from inner.elements if isinstance(inner, ir.Display) else (arg,)
    yield from (arg for _, arg in node.keywords)


def _find_awaited(context: Context, code: Code) -> Iterator[Diagnostic]:
    coroutines = context.project.coroutine_calls
    for node in code.scope.nodes:
        if isinstance(node, ir.Await) and node.value >= 0 and not isinstance(code.scope.nodes[node.value], ir.Call):
            frame = context.project.inference.generic_frame(code)
            if coroutines.may_be_function(frame, node.value) and coroutines.is_function_at(frame, node.value):
                name = code.scope.text_at(node.place)
                message = _describe(f"await {name}", name)
                span = Span(*code.scope.span_at(node.place))
                remedy = _find_remedy(context, frame, node.value, span)
                yield context.diagnostic(code.module.path, "LSA406", span, message, remedy)


def _find_remedy(context: Context, frame: Frame, ref: ir.Ref, span: Span) -> Remedy | None:
    """The call, where it is sure that it needs no arguments."""
    if not can_be_called_with_nothing(context.project, frame, ref):
        return None
    return Remedy(RemedyKind.CALL, span, Applicability.UNSAFE, subject=value_text(frame, ref))


CHECK: Final = Check(("LSA406",), _run)
