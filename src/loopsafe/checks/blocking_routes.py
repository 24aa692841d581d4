"""LSA202: the asynchronous handler of a route does nothing but block, where a plain function would run in a thread.

It stands beside the finding of the call that blocks: there are two ways to mend it, and this one is often shorter.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from loopsafe.catalog import RoleKind
from loopsafe.checks.check import Check, Context
from loopsafe.model import LOOP_EFFECTS, Applicability, Confidence, Diagnostic, Effect, Remedy, RemedyKind, Span
from loopsafe.project.decorators import has_role
from loopsafe.project.entities import Frame

_NOT_MEANT: Final = LOOP_EFFECTS | {Effect.METADATA}
"""What takes too little time, or has mistakes of its own."""


def _run(context: Context) -> Iterator[Diagnostic]:
    for coroutine in context.project.coroutines:
        scope = coroutine.code.scope
        if (
            scope.has_await
            or scope.is_generator
            or not has_role(context.project.inference, coroutine.code, RoleKind.ROUTE)
        ):
            continue
        doubts = list(_doubts(context, coroutine))
        if not doubts or not _is_free(context, coroutine):
            continue
        message = (
            f"`{scope.name}` is async and only blocks: as a plain `def` it would run in the thread pool, "
            "where it holds up no other request"
        )
        yield Diagnostic(
            path=coroutine.code.module.path,
            code="LSA202",
            name=context.rules["LSA202"].name,
            message=message,
            span=Span(*scope.span),
            confidence=Confidence.CERTAIN if None in doubts else Confidence.LIKELY,
            reason=None if None in doubts else doubts[0],
            remedy=Remedy(RemedyKind.MAKE_SYNCHRONOUS, Span(*scope.span), Applicability.UNSAFE),
        )


def _doubts(context: Context, coroutine: Frame) -> Iterator[str | None]:
    """For all that blocks in a handler, whether it is sure."""
    for frame, site in context.project.loop_sites(coroutine):
        for effect, witness in context.project.propagation.at(frame, site):
            if effect not in _NOT_MEANT:
                yield witness.doubt


def _is_free(context: Context, coroutine: Frame) -> bool:
    """Whether nothing needs the handler to be a coroutine function: nobody awaits it, and it needs no loop."""
    project = context.project
    return not (project.inference.callers.calls_of(coroutine.code) or project.loop_needs.of(coroutine))


CHECK: Final = Check(("LSA202",), _run)
