"""LSA601, LSA602: an object that belongs to one event loop is used on another.

A finding stands at the object's first use in a coroutine, once per object; its path says where the object is made and
which runs of loops it meets.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from loopsafe.checks.check import Check, Context
from loopsafe.model import Confidence, Diagnostic, Step
from loopsafe.project.entities import Frame
from loopsafe.project.lifetimes import Stale
from loopsafe.project.project import node_span, node_text
from loopsafe.project.runs import LoopRun
from loopsafe.summary import ir

_PRIMITIVES: Final = "asyncio."
"""Where the classes of locks, queues and events are."""


def _run(context: Context) -> Iterator[Diagnostic]:
    for stale in context.project.lifetimes.stale():
        yield _describe(context, stale)


def _describe(context: Context, stale: Stale) -> Diagnostic:
    use = stale.use
    cls = stale.thing.cls
    assert isinstance(cls, str), "only clients from outside are bound to a loop"
    code = "LSA602" if cls.startswith(_PRIMITIVES) else "LSA601"
    text = _subject(node_text(use.frame, use.ref))
    return Diagnostic(
        path=use.frame.code.module.path,
        code=code,
        name=context.rules[code].name,
        message=_message(code, text, stale),
        span=node_span(use.frame, use.ref),
        chain=(
            _step(use.frame, use.ref, node_text(use.frame, use.ref)),
            _step(stale.thing.frame, stale.thing.ref, cls),
            *(_step(run.frame, run.ref, node_text(run.frame, run.ref)) for run in stale.runs),
        ),
        confidence=Confidence.CERTAIN if stale.doubt is None else Confidence.LIKELY,
        reason=stale.doubt,
    )


def _message(code: str, text: str, stale: Stale) -> str:
    if code == "LSA602":
        outcome = "having to wait for it raises `RuntimeError: … is bound to a different event loop`"
    else:
        outcome = "what it has left open raises `RuntimeError: Event loop is closed`"
    return (
        f"`{text}` outlives its event loop: {_runs(stale.runs)}, where {outcome}; make it in the coroutine that is run"
    )


def _subject(text: str) -> str:
    """The object, in the text of a call of its method: `self.client` of `self.client.table(…).insert`."""
    head = text.partition("(")[0]
    return head.rpartition(".")[0] or text.rpartition(").")[0] or head


def _runs(runs: tuple[LoopRun, ...]) -> str:
    first = runs[0]
    text = node_text(first.frame, first.ref)
    if len(runs) > 1:
        return f"`{text}` is called more than once with it, each time with a new one"
    return f"`{text}` in `{first.frame.code.qualname}` starts a new one each time"


def _step(frame: Frame, ref: ir.Ref, called: str) -> Step:
    span = node_span(frame, ref)
    return Step(frame.code.module.path, span.row, span.column, frame.code.qualname, called)


CHECK: Final = Check(("LSA601", "LSA602"), _run)
