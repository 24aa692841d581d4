"""ACM001: the name of a public coroutine function ends in `_async`."""

from __future__ import annotations

from collections.abc import Iterator

from loopsafe.checks import Check
from loopsafe.checks.check import Context
from loopsafe.model import Diagnostic, Span


def _run(context: Context) -> Iterator[Diagnostic]:
    for frame in context.project.coroutines:
        scope = frame.code.scope
        if not scope.name.startswith("_") and not scope.name.endswith("_async"):
            message = f"the name of coroutine function `{scope.name}` does not end in `_async`"
            yield context.diagnostic(frame.code.module.path, "ACM001", Span(*scope.span), message)


CHECK = Check(("ACM001",), _run)
