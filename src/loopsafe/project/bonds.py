"""What ties calls together: objects that belong to one thread, or to one at a time, and where they come from.

Stage: propagate. Reads one frame and the functions that make its objects; how to move code is for the fixes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from loopsafe.catalog import Affinity
from loopsafe.model import LOOP_EFFECTS, Bond, Span
from loopsafe.project.belongings import TYING, Belongings, receiver_at, subjects_at
from loopsafe.project.effects import Effects
from loopsafe.project.entities import Frame
from loopsafe.project.needs import LoopNeeds
from loopsafe.project.values import Awaitable, Constant, Coroutine
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference


class _Origin(NamedTuple):
    """Where an object comes from."""

    makers: tuple[Span, ...]
    is_own: bool


_ELSEWHERE: Final = _Origin((), False)


class Bonds:
    """Answers `of(frame, ref)`."""

    def __init__(self, inference: Inference, effects: Effects, needs: LoopNeeds, belongings: Belongings) -> None:
        self._inference: Final = inference
        self._effects: Final = effects
        self._needs: Final = needs
        self._belongings: Final = belongings
        self._stays: Final[dict[Frame, tuple[Span, ...]]] = {}

    def of(self, frame: Frame, ref: ir.Ref) -> Bond | None:
        """The bond of what happens at a node, if it works on, or gives, an object that ties."""
        receiver = receiver_at(frame, ref)
        tied = [
            (affinity, self._origin(frame, one))
            for one in dict.fromkeys((*subjects_at(frame, ref), ref))
            if (affinity := self._belongings.affinity(frame, one)) in TYING
        ]
        if not tied:
            return None
        return Bond(
            makers=tuple(dict.fromkeys(span for _, origin in tied for span in origin.makers)),
            is_own=all(origin.is_own for _, origin in tied),
            is_thread_bound=any(affinity is Affinity.THREAD for affinity, _ in tied),
            is_receiver=receiver is not None and self._belongings.affinity(frame, receiver) in TYING,
            stays=self._find_stays(frame),
        )

    def _origin(self, frame: Frame, ref: ir.Ref) -> _Origin:
        """Where the object of a node comes from, as far as the frame itself says."""
        node = frame.code.scope.nodes[ref] if ref >= 0 else None
        match node:
            case ir.Call():
                return self._origin_of_call(frame, ref, node)
            case ir.With(value=value, is_async=True):
                return _Origin((), not self._belongings.sources(frame, value))
            case ir.With(value=value) | ir.Narrow(value=value) | ir.Declared(value=value):
                return self._origin(frame, value)
            case ir.Phi(options=options):
                return _join(
                    self._origin(frame, one) for one in options if one < 0 or not self._is_constant(frame, one)
                )
            case ir.Attr(value=value) if self._belongings.affinity(frame, value) in TYING:
                return self._origin(frame, value)
        return _ELSEWHERE

    def _origin_of_call(self, frame: Frame, ref: ir.Ref, node: ir.Call) -> _Origin:
        here = (Span(*frame.code.scope.span_at(node.place)),)
        subjects = [one for one in subjects_at(frame, ref) if self._belongings.affinity(frame, one) in TYING]
        tied = [self._origin(frame, one) for one in subjects]
        if tied:  # `conn.cursor()`: no newer than what it is made from
            origin = _join(tied)
            return _Origin((*here, *origin.makers), origin.is_own)
        return _Origin(here, not self._belongings.sources(frame, ref))

    def _is_constant(self, frame: Frame, ref: ir.Ref) -> bool:
        values = self._inference.value(frame, ref)
        return bool(values) and all(isinstance(value, Constant) for value in values)

    def _find_stays(self, frame: Frame) -> tuple[Span, ...]:
        """The expressions of a frame that must stay where they are."""
        known = self._stays.get(frame)
        if known is None:
            scope = frame.code.scope
            places = [getattr(scope.nodes[ref], "place", ir.NOWHERE) for ref in self._staying(frame)]
            spans = (Span(*scope.span_at(place)) for place in places if place != ir.NOWHERE)
            known = self._stays[frame] = tuple(dict.fromkeys(spans))
        return known

    def _staying(self, frame: Frame) -> Iterator[ir.Ref]:
        for ref in frame.code.events:
            node = frame.code.scope.nodes[ref]
            is_for_the_loop = isinstance(node, ir.Call) and self._is_for_the_loop(frame, ref, node)
            if is_for_the_loop or self._is_of_another_thread(frame, ref):
                yield ref
        for site in self._effects.sites(frame):
            is_needing = any(self._needs.of(run.frame) for run in site.runs)
            if is_needing or any(one.fact.effect in LOOP_EFFECTS for one in site.primitives):
                yield site.ref

    def _is_for_the_loop(self, frame: Frame, ref: ir.Ref, node: ir.Call) -> bool:
        values = self._inference.value(frame, ref)
        is_awaitable = any(isinstance(value, Awaitable | Coroutine) for value in values)
        return is_awaitable or self._needs.call_needs(frame, ref, node)

    def _is_of_another_thread(self, frame: Frame, ref: ir.Ref) -> bool:
        for one in subjects_at(frame, ref):
            affinity = self._belongings.affinity(frame, one)
            if affinity is Affinity.MAIN or affinity is Affinity.LOOP:
                return True
            if affinity is Affinity.THREAD and not self._origin(frame, one).is_own:
                return True
        return False


def _join(origins: Iterable[_Origin]) -> _Origin:
    found = list(origins)
    makers = tuple(dict.fromkeys(span for origin in found for span in origin.makers))
    return _Origin(makers, bool(found) and all(origin.is_own for origin in found))
