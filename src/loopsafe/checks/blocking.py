"""LSA100 to LSA118, LSA301 to LSA312: what blocks the event loop, or runs another one on it, itself or further down.

A finding stands at the call in the coroutine where the synchronous path begins, once per call, with the path as proof.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from loopsafe.catalog import Fact
from loopsafe.checks.check import Check, Context
from loopsafe.checks.messages import describe_direct, describe_indirect
from loopsafe.checks.remedies import Blocking, Remedies, Starts
from loopsafe.model import CODES, LOOP_EFFECTS, Confidence, Diagnostic, Effect, Span, Step
from loopsafe.project.entities import Frame
from loopsafe.project.project import node_span, node_text
from loopsafe.project.propagate import Witness

_EFFECTS: Final = tuple(Effect)
_NESTED: Final = "the project imports a package that makes running loops accept another run"


def _run(context: Context) -> Iterator[Diagnostic]:
    remedies = Remedies(context.project, context.offload)
    for coroutine in context.project.coroutines:
        best: dict[Span, Blocking] = {}
        for finding in _find(context, coroutine):
            known = best.get(finding.span)
            if known is None or _rank(finding) < _rank(known):
                best[finding.span] = finding
        if best:
            starts = Starts(best)
            for finding in best.values():
                yield _describe(context, finding, starts, remedies)


def _find(context: Context, coroutine: Frame) -> Iterator[Blocking]:
    propagation = context.project.propagation
    for frame, site in context.project.loop_sites(coroutine):
        for effect, witness in propagation.at(frame, site):
            codes = CODES[effect]
            code = codes.direct if witness.hops == 0 else codes.transitive
            if code is not None and code in context.enabled:
                yield Blocking(coroutine, frame, effect, witness, node_span(frame, site.ref), code)


def _rank(finding: Blocking) -> tuple[bool, int, int]:
    """Of several findings at one call, the surest, then the one with the shortest path, then the gravest."""
    witness = finding.witness
    return (witness.is_likely, witness.length, _EFFECTS.index(finding.effect))


def _describe(context: Context, finding: Blocking, starts: Starts, remedies: Remedies) -> Diagnostic:
    coroutine, frame, effect, witness, span, code = finding
    steps = [(frame, witness), *context.project.propagation.path(effect, witness)]
    fact = steps[-1][1].cause
    assert isinstance(fact, Fact)
    text = node_text(frame, witness.site.ref)
    message = describe_direct(text, fact) if witness.hops == 0 else describe_indirect(text, fact, witness.hops)
    doubt = witness.doubt
    if effect in LOOP_EFFECTS and context.project.has_nested_loops:
        doubt = doubt or _NESTED
    return Diagnostic(
        path=frame.code.module.path,
        code=code,
        name=context.rules[code].name,
        message=message,
        span=span,
        chain=tuple(_step(frame, witness, coroutine if frame is finding.frame else frame) for frame, witness in steps),
        confidence=Confidence.LIKELY if doubt is not None else Confidence.CERTAIN,
        reason=doubt,
        remedy=remedies.find(finding, fact, starts),
    )


def _step(frame: Frame, witness: Witness, function: Frame) -> Step:
    span = node_span(frame, witness.site.ref)
    called = witness.cause.name if isinstance(witness.cause, Fact) else witness.cause.code.qualname
    return Step(frame.code.module.path, span.row, span.column, function.code.qualname, called)


CHECK: Final = Check(tuple(sorted({code for codes in CODES.values() for code in codes if code})), _run)
