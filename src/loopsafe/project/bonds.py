"""What ties calls together: objects that belong to one thread, or to one at a time, and where they come from.

Stage: propagate. Reads one frame and the functions that make its objects; how to move code is for the fixes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from loopsafe.catalog import Affinity
from loopsafe.model import LOOP_EFFECTS, Bond, Span
from loopsafe.project.effects import Effects
from loopsafe.project.entities import Frame
from loopsafe.project.needs import LoopNeeds
from loopsafe.project.values import Awaitable, ClassObject, Constant, Coroutine, External, Function, Instance, Method
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference

_TYING: Final = frozenset({Affinity.SHARED, Affinity.THREAD})
_DEEPEST_FACTORY: Final = 4
"""A factory that calls a factory that calls a factory: no one writes more."""


class _Origin(NamedTuple):
    """Where an object comes from."""

    makers: tuple[Span, ...]
    is_own: bool


_ELSEWHERE: Final = _Origin((), False)


class Bonds:
    """Answers `of(frame, ref)`."""

    def __init__(self, inference: Inference, effects: Effects, needs: LoopNeeds) -> None:
        self._inference: Final = inference
        self._effects: Final = effects
        self._needs: Final = needs
        self._stays: Final[dict[Frame, tuple[Span, ...]]] = {}

    def of(self, frame: Frame, ref: ir.Ref) -> Bond | None:
        """The bond of what happens at a node, if it works on, or gives, an object that ties."""
        receiver = _receiver(frame, ref)
        tied = [
            (affinity, self._origin(frame, one))
            for one in dict.fromkeys((*_subjects(frame, ref), ref))
            if (affinity := self._affinity(frame, one)) in _TYING
        ]
        if not tied:
            return None
        return Bond(
            makers=tuple(dict.fromkeys(span for _, origin in tied for span in origin.makers)),
            is_own=all(origin.is_own for _, origin in tied),
            is_thread_bound=any(affinity is Affinity.THREAD for affinity, _ in tied),
            is_receiver=receiver is not None and self._affinity(frame, receiver) in _TYING,
            stays=self._find_stays(frame),
        )

    def _affinity(self, frame: Frame, ref: ir.Ref) -> Affinity | None:
        for value in self._inference.value(frame, ref):
            if isinstance(value, Instance):
                classes = self._inference.hierarchy.order(value.cls)
                found = (self._inference.catalog.affinity(cls) for cls in classes if isinstance(cls, str))
                affinity = next((each for each in found if each is not None), None)
                if affinity is not None:
                    return affinity
        return None

    def _origin(self, frame: Frame, ref: ir.Ref) -> _Origin:
        """Where the object of a node comes from, as far as the frame itself says."""
        node = frame.code.scope.nodes[ref] if ref >= 0 else None
        match node:
            case ir.Call():
                return self._origin_of_call(frame, node)
            case ir.With(value=value, is_async=True):
                return _Origin((), self._is_new(frame, value, 0))
            case ir.With(value=value) | ir.Narrow(value=value) | ir.Declared(value=value):
                return self._origin(frame, value)
            case ir.Phi(options=options):
                return _join(
                    self._origin(frame, one) for one in options if one < 0 or not self._is_constant(frame, one)
                )
            case ir.Attr(value=value) if self._affinity(frame, value) in _TYING:
                return self._origin(frame, value)
        return _ELSEWHERE

    def _origin_of_call(self, frame: Frame, node: ir.Call) -> _Origin:
        here = (Span(*frame.code.scope.span_at(node.place)),)
        func = frame.code.scope.nodes[node.func] if node.func >= 0 else None
        sources = [*node.args, *(ref for _, ref in node.keywords)]
        if isinstance(func, ir.Attr):
            sources.append(func.value)
        tied = [self._origin(frame, ref) for ref in sources if self._affinity(frame, ref) in _TYING]
        if tied:  # `conn.cursor()`: no newer than what it is made from
            origin = _join(tied)
            return _Origin((*here, *origin.makers), origin.is_own)
        return _Origin(here, self._is_made_by(frame, node, 0))

    def _is_constant(self, frame: Frame, ref: ir.Ref) -> bool:
        values = self._inference.value(frame, ref)
        return bool(values) and all(isinstance(value, Constant) for value in values)

    def _is_made_by(self, frame: Frame, node: ir.Call, depth: int) -> bool:
        """Whether a call gives an object that nobody else has."""
        callees = self._inference.value(frame, node.func)
        return bool(callees) and all(
            self._is_factory(callee, depth)
            if isinstance(callee, Function)
            else isinstance(callee, External | ClassObject | Method)
            for callee in callees
        )

    def _is_factory(self, function: Function, depth: int) -> bool:
        """Whether a function of the project makes what it gives, and keeps no hold of it."""
        is_manager = "manager" in function.kind
        if depth >= _DEEPEST_FACTORY or (function.code.maker.decorators and not is_manager):
            return False
        frame = self._inference.generic_frame(function.code)
        scope = function.code.scope
        given = scope.yields if is_manager else scope.returns
        return bool(given) and all(self._is_new(frame, ref, depth + 1) for ref in given)

    def _is_new(self, frame: Frame, ref: ir.Ref, depth: int) -> bool:
        node = frame.code.scope.nodes[ref] if ref >= 0 else None
        match node:
            case ir.Call():
                func = frame.code.scope.nodes[node.func] if node.func >= 0 else None
                if isinstance(func, ir.Attr) and self._affinity(frame, func.value) in _TYING:
                    return self._is_new(frame, func.value, depth)
                return self._is_made_by(frame, node, depth)
            case ir.With() | ir.Narrow() | ir.Declared() | ir.Return() | ir.Yield():
                return self._is_new(frame, node.value, depth)
            case ir.Phi(options=options):
                return all(self._is_new(frame, one, depth) for one in options)
            case ir.Const(value=None):
                return True
        return False

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
        for one in _subjects(frame, ref):
            affinity = self._affinity(frame, one)
            if affinity is Affinity.MAIN or affinity is Affinity.LOOP:
                return True
            if affinity is Affinity.THREAD and not self._origin(frame, one).is_own:
                return True
        return False


def _subjects(frame: Frame, ref: ir.Ref) -> Iterator[ir.Ref]:
    """The nodes of the objects that something at a node works on."""
    receiver = _receiver(frame, ref)
    if receiver is not None:
        yield receiver
    node = frame.code.scope.nodes[ref]
    if isinstance(node, ir.Call):
        yield from node.args
        yield from (one for _, one in node.keywords)


def _receiver(frame: Frame, ref: ir.Ref) -> ir.Ref | None:
    nodes = frame.code.scope.nodes
    match nodes[ref]:
        case ir.Call(func=func):
            callee = nodes[func] if func >= 0 else None
            return callee.value if isinstance(callee, ir.Attr) else None
        case ir.Attr(value=value) | ir.Next(value=value) | ir.With(value=value):
            return value
    return None


def _join(origins: Iterable[_Origin]) -> _Origin:
    found = list(origins)
    makers = tuple(dict.fromkeys(span for origin in found for span in origin.makers))
    return _Origin(makers, bool(found) and all(origin.is_own for origin in found))
