"""LSA401: a coroutine is made by a call that stands as a statement, so nothing ever awaits it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from loopsafe.checks.check import Check, Context
from loopsafe.model import Diagnostic
from loopsafe.project.decorators import has_unknown_decorator
from loopsafe.project.entities import Code
from loopsafe.project.infer import Inference
from loopsafe.project.project import node_span, node_text
from loopsafe.project.values import Awaitable, Coroutine, Value
from loopsafe.summary import ir


def _run(context: Context) -> Iterator[Diagnostic]:
    for module in context.project.modules.by_path.values():
        for index, scope in enumerate(module.scopes):
            if scope.discards:
                yield from _in_scope(context, module.code(index))


def _in_scope(context: Context, code: Code) -> Iterator[Diagnostic]:
    inference = context.project.inference
    frame = inference.generic_frame(code)
    for ref in code.scope.discards:
        if ref < 0 or not isinstance(code.scope.nodes[ref], ir.Call):
            continue
        values = inference.value(frame, ref)
        if values and all(_is_coroutine(inference, value) for value in values):
            text = node_text(frame, ref)
            message = f"the coroutine of `{text}` is never awaited, so nothing of it runs: put `await` before the call"
            yield context.diagnostic(code.module.path, "LSA401", node_span(frame, ref), message)


def _is_coroutine(inference: Inference, value: Value) -> bool:
    if isinstance(value, Coroutine):
        return not has_unknown_decorator(inference, value.frame.code)
    return isinstance(value, Awaitable) and value.is_coroutine


CHECK: Final = Check(("LSA401",), _run)
