"""LSA402: a coroutine is kept in a variable or a list, and nothing awaits it, at least not on every path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from loopsafe.checks.check import Check, Context
from loopsafe.model import Applicability, Confidence, Diagnostic, Remedy, RemedyKind
from loopsafe.project.project import node_span, node_text
from loopsafe.project.uses import Fate

_SOME_PATHS: Final = "it depends on a test whether the coroutine is awaited"


def _run(context: Context) -> Iterator[Diagnostic]:
    for frame, ref, fate in context.project.coroutine_calls.unawaited:
        if fate.look is None and (fate.is_used or not fate.is_discarded):
            message = _describe(node_text(frame, ref), fate)
            span = node_span(frame, ref)
            is_plain = not (fate.is_kept or fate.is_collected)
            remedy = Remedy(RemedyKind.AWAIT, span, Applicability.UNSAFE) if is_plain else None
            found = context.diagnostic(frame.code.module.path, "LSA402", span, message, remedy)
            yield (
                msgspec.structs.replace(found, confidence=Confidence.LIKELY, reason=_SOME_PATHS)
                if fate.is_kept
                else found
            )


def _describe(text: str, fate: Fate) -> str:
    if fate.is_kept:
        return (
            f"the coroutine of `{text}` is awaited on some paths only, and on the others nothing of it runs: "
            "call it where it is awaited"
        )
    if fate.is_collected:
        return (
            f"the coroutine of `{text}` is collected and never awaited, so nothing of it runs: "
            "await what is collected with `asyncio.gather`"
        )
    return f"the coroutine of `{text}` is stored and never awaited, so nothing of it runs: put `await` before the call"


CHECK: Final = Check(("LSA402",), _run)
