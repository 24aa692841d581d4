"""LSA401: a coroutine is made by a call that stands as a statement, so nothing ever awaits it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from loopsafe.checks.check import Check, Context
from loopsafe.model import Applicability, Diagnostic, Remedy, RemedyKind
from loopsafe.project.project import node_span, node_text


def _run(context: Context) -> Iterator[Diagnostic]:
    for frame, ref, fate in context.project.coroutine_calls.unawaited:
        if fate.is_discarded and not fate.is_used:
            text = node_text(frame, ref)
            message = f"the coroutine of `{text}` is never awaited, so nothing of it runs: put `await` before the call"
            span = node_span(frame, ref)
            remedy = Remedy(RemedyKind.AWAIT, span, Applicability.UNSAFE)
            yield context.diagnostic(frame.code.module.path, "LSA401", span, message, remedy)


CHECK: Final = Check(("LSA401",), _run)
