"""LSA100 to LSA118, LSA301 to LSA312: what blocks the event loop, or runs another one on it, itself or further down.

A finding stands at the call in the coroutine where the synchronous path begins, once per call, with the path as proof.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from loopsafe.catalog import Affinity, Fact
from loopsafe.checks.check import Check, Context
from loopsafe.checks.messages import describe_direct, describe_indirect
from loopsafe.model import (
    CODES,
    Applicability,
    Bond,
    Confidence,
    Diagnostic,
    Effect,
    Remedy,
    RemedyKind,
    Span,
    Step,
)
from loopsafe.project import Project
from loopsafe.project.entities import Frame, Module
from loopsafe.project.project import node_span, node_text
from loopsafe.project.propagate import Witness
from loopsafe.summary import ir

_EFFECTS: Final = tuple(Effect)
_LOOP_EFFECTS: Final = frozenset({Effect.RUN_LOOP, Effect.DRIVE_LOOP})


class _Finding(NamedTuple):
    coroutine: Frame
    frame: Frame
    """The coroutine's own, or that of a class body or generator expression within it."""
    effect: Effect
    witness: Witness
    span: Span
    code: str


def _run(context: Context) -> Iterator[Diagnostic]:
    for coroutine in context.project.coroutines:
        best: dict[Span, _Finding] = {}
        for finding in _find(context, coroutine):
            known = best.get(finding.span)
            if known is None or _rank(finding) < _rank(known):
                best[finding.span] = finding
        for finding in best.values():
            yield _describe(context, finding, best)


def _find(context: Context, coroutine: Frame) -> Iterator[_Finding]:
    propagation = context.project.propagation
    for frame, site in context.project.loop_sites(coroutine):
        for effect, witness in propagation.at(frame, site):
            codes = CODES[effect]
            code = codes.direct if witness.hops == 0 else codes.transitive
            if code is not None and code in context.enabled:
                yield _Finding(coroutine, frame, effect, witness, node_span(frame, site.ref), code)


def _rank(finding: _Finding) -> tuple[bool, int, int]:
    """Of several findings at one call, the surest, then the one with the shortest path, then the gravest."""
    witness = finding.witness
    return (witness.is_likely, witness.hops, _EFFECTS.index(finding.effect))


def _describe(context: Context, finding: _Finding, others: dict[Span, _Finding]) -> Diagnostic:
    coroutine, frame, effect, witness, span, code = finding
    steps = [(frame, witness), *context.project.propagation.path(effect, witness)]
    fact = steps[-1][1].cause
    assert isinstance(fact, Fact)
    text = node_text(frame, witness.site.ref)
    message = describe_direct(text, fact) if witness.hops == 0 else describe_indirect(text, fact, witness.hops)
    return Diagnostic(
        path=frame.code.module.path,
        code=code,
        name=context.rules[code].name,
        message=message,
        span=span,
        chain=tuple(_step(frame, witness, coroutine if frame is finding.frame else frame) for frame, witness in steps),
        confidence=Confidence.LIKELY if witness.is_likely else Confidence.CERTAIN,
        reason=witness.doubt,
        remedy=None if effect in _LOOP_EFFECTS else _remedy(context.project, finding, fact, others),
    )


def _step(frame: Frame, witness: Witness, function: Frame) -> Step:
    span = node_span(frame, witness.site.ref)
    called = witness.cause.name if isinstance(witness.cause, Fact) else witness.cause.code.qualname
    return Step(frame.code.module.path, span.row, span.column, function.code.qualname, called)


def _remedy(project: Project, finding: _Finding, fact: Fact, others: dict[Span, _Finding]) -> Remedy | None:
    _, frame, _, witness, span, _ = finding
    node = frame.code.scope.nodes[witness.site.ref]
    is_direct = witness.hops == 0
    if any(_is_prefix(span, other) for other in others if other != span):
        return None
    bond = project.bonds.of(frame, witness.site.ref) if frame is finding.coroutine else None
    if not isinstance(node, ir.Call | ir.Attr):
        can_move = bond is not None and isinstance(node, ir.With | ir.Next)
        return Remedy(RemedyKind.MOVE, span, offloader=_offloader(frame.code.module), bond=bond) if can_move else None
    if isinstance(node, ir.Call) and project.is_scheduling(frame, node):
        return None  # what it schedules blocks, later; the call itself does not
    if any(project.loop_needs.of(run.frame) for run in witness.site.runs):
        return None  # it would not find its loop in another thread
    offloader = _offloader(frame.code.module)
    if is_direct and fact.replacement is not None and project.is_call_of(frame, node, fact.name):
        library = offloader.partition(".")[0]
        replacement = f"{library}.{fact.replacement.rpartition('.')[2]}"
        return Remedy(RemedyKind.REPLACE_AWAITED, span, replacement=replacement, offloader=offloader)
    is_made_within = _is_made_within(span, bond)
    if bond is not None and bond.is_thread_bound and not is_made_within:
        return Remedy(RemedyKind.MOVE, span, offloader=offloader, bond=bond)
    affinity = None if is_made_within else project.affinity(frame, node) or fact.affinity
    applicability = _applicability(affinity, is_direct)
    if applicability is None:
        return None
    prefix_blocks = any(_is_prefix(other, span) for other in others if other != span)
    return Remedy(RemedyKind.OFFLOAD, span, applicability, prefix_blocks, offloader=offloader, bond=bond)


def _is_made_within(span: Span, bond: Bond | None) -> bool:
    """Whether the object that a call works on is made by the call's own beginning: no other thread can have it."""
    return (
        bond is not None and bond.is_own and bool(bond.makers) and all(_is_prefix(maker, span) for maker in bond.makers)
    )


def _is_prefix(inner: Span, outer: Span) -> bool:
    """Whether one call is the beginning of another's callee: `open(p)` of `open(p).read()`."""
    return inner.start == outer.start and inner.end < outer.end


def _applicability(affinity: Affinity | None, is_direct: bool) -> Applicability | None:
    """How far a call on such an object may be moved to another thread; not at all if None."""
    if affinity is None:
        return Applicability.SAFE
    if affinity is Affinity.SHARED or (affinity is Affinity.THREAD and not is_direct):
        return Applicability.UNSAFE
    return None


def _offloader(module: Module) -> str:
    """The way to a thread in the async library that the module uses."""
    imports = {name.partition(".")[0] for name in module.summary.imports} if module.summary is not None else set()
    for library in ("trio", "anyio"):
        if library in imports and "asyncio" not in imports:
            return f"{library}.to_thread.run_sync"
    return "asyncio.to_thread"


CHECK: Final = Check(tuple(sorted({code for codes in CODES.values() for code in codes if code})), _run)
