"""LSA404: a coroutine is tested, printed, compared or taken apart as if it were the result."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from loopsafe.checks.check import Check, Context
from loopsafe.model import Applicability, Diagnostic, Remedy, RemedyKind
from loopsafe.project.project import node_span, node_text
from loopsafe.project.uses import Use

_WHAT_HAPPENS: Final = {
    Use.TRUTH: "is tested, which is always true",
    Use.TEXT: "becomes text, which is not its result's",
    Use.COMPARISON: "is compared, which its result is not",
    Use.ATTRIBUTE: "is asked for an attribute, which raises AttributeError",
    Use.ITEM: "is subscripted, which raises TypeError",
    Use.PARTS: "is unpacked, which raises TypeError",
    Use.OPERATOR: "is an operand, which raises TypeError",
    Use.ARGUMENT: "is printed or converted, and not its result",
}


def _run(context: Context) -> Iterator[Diagnostic]:
    for frame, ref, fate in context.project.coroutine_calls.unawaited:
        look = fate.look
        if look is not None:
            message = (
                f"the coroutine of `{node_text(frame, ref)}` {_WHAT_HAPPENS[look]}, and nothing of it runs: "
                "put `await` before the call"
            )
            span = node_span(frame, ref)
            remedy = Remedy(RemedyKind.AWAIT, span, Applicability.UNSAFE)
            yield context.diagnostic(frame.code.module.path, "LSA404", span, message, remedy)


CHECK: Final = Check(("LSA404",), _run)
