"""Objects that belong to one event loop and are used on several: each with where it is made and what runs the loops.

Stage: propagate. From the call that makes a run's coroutine, all that its loop runs is gone through, with the objects
that it is given from outside.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from loopsafe.project.entities import Frame
from loopsafe.project.origins import Life, Origins, Scene, Thing
from loopsafe.project.repetition import Repetition
from loopsafe.project.runs import LoopRun, LoopRuns
from loopsafe.project.values import Awaitable
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference

_MOST_SCENES: Final = 1000
"""A run that leads to more functions than this is a whole program: what is beyond is not looked at."""


class Use(NamedTuple):
    """Within a run, something is awaited of an object that was made outside of it."""

    frame: Frame
    ref: ir.Ref
    thing: Thing


class Stale(NamedTuple):
    """An object that is used on more than one loop."""

    thing: Thing
    use: Use
    """The first in the text."""
    runs: tuple[LoopRun, ...]
    """The run that comes more than once, or several."""
    doubt: str | None


class Lifetimes:
    """Answers which objects are used on more than one loop."""

    def __init__(self, inference: Inference) -> None:
        self._inference: Final = inference
        self._runs: Final = LoopRuns(inference)
        self._origins: Final = Origins(inference)
        self._repetition: Final = Repetition(inference, self._origins)
        self._looked_at: Final[dict[Scene, tuple[tuple[Use, ...], tuple[Scene, ...]]]] = {}

    def stale(self) -> Iterator[Stale]:
        """The objects that outlive their loop, in the order of the runs that use them first."""
        users: dict[Thing, dict[LoopRun, list[Use]]] = {}
        for run in self._runs.all:
            for use in self._uses(run):
                thing = use.thing._replace(given=())
                users.setdefault(thing, {}).setdefault(run, []).append(use)
        for thing, by_run in users.items():
            again = self._repetition.again(thing, by_run)
            if again is not None:
                uses = (use for found in by_run.values() for use in found)
                first = min(uses, key=_position)
                yield Stale(thing, first, again.runs, again.doubt)

    def _uses(self, run: LoopRun) -> Iterator[Use]:
        """What a run does with objects that are bound to loops and that it did not make."""
        outside = Scene(run.frame, Life.CALL if run.frame.closure is not None else Life.PROCESS)
        yield from self._use_at(outside, run.coroutine)
        made = (scene for ref in self._runs.calls_in(run) for scene in self._origins.called(outside, ref))
        found = dict.fromkeys(scene._replace(life=Life.RUN) for scene in made)
        pending = list(found)
        while pending and len(found) < _MOST_SCENES:
            uses, inner = self._look(pending.pop(0))
            yield from uses
            for scene in inner:
                if scene not in found:
                    found[scene] = None
                    pending.append(scene)

    def _look(self, scene: Scene) -> tuple[tuple[Use, ...], tuple[Scene, ...]]:
        """The uses in a function, and the functions that it leads to."""
        known = self._looked_at.get(scene)
        if known is None:
            uses: list[Use] = []
            inner: list[Scene] = []
            for ref, node in enumerate(scene.frame.code.scope.nodes):
                match node:
                    case ir.Call():
                        uses += self._use_at(scene, ref)
                        inner += self._origins.called(scene, ref)
                    case ir.With(value=value, is_async=True) | ir.Next(value=value, is_async=True):
                        uses += self._use_of(scene, ref, value)
                    case ir.MakeFunction(scope=index):
                        code = scene.frame.code.module.code(index)
                        if code.scope.kind == ir.ScopeKind.GENERATOR:
                            frame = self._inference.frame(code, scene.frame, ())
                            inner.append(Scene(frame, scene.life, (), scene))
            known = self._looked_at[scene] = (tuple(uses), tuple(inner))
        return known

    def _use_at(self, scene: Scene, ref: ir.Ref) -> Iterator[Use]:
        """The use that a call is, if what it gives is awaited or can be."""
        nodes = scene.frame.code.scope.nodes
        node = nodes[ref] if ref >= 0 else None
        func = nodes[node.func] if isinstance(node, ir.Call) and node.func >= 0 else None
        if isinstance(func, ir.Attr) and (
            ref in scene.frame.code.awaited
            or any(isinstance(value, Awaitable) for value in self._inference.value(scene.frame, ref))
        ):
            yield from self._use_of(scene, ref, func.value)

    def _use_of(self, scene: Scene, ref: ir.Ref, subject: ir.Ref) -> Iterator[Use]:
        nodes = scene.frame.code.scope.nodes
        node = nodes[subject] if subject >= 0 else None
        thing = self._origins.thing(scene, subject)
        if thing is not None and isinstance(thing.cls, str) and thing.life != Life.RUN:
            yield Use(scene.frame, ref, thing)
        elif isinstance(node, ir.Call) and not isinstance(nodes[ref], ir.Call):
            func = nodes[node.func] if node.func >= 0 else None  # `async with pool.acquire()`
            if isinstance(func, ir.Attr):
                yield from self._use_of(scene, ref, func.value)


def _position(use: Use) -> tuple[str, ir.RawSpan]:
    scope = use.frame.code.scope
    node = scope.nodes[use.ref]
    assert isinstance(node, ir.Call | ir.With | ir.Next)
    return (use.frame.code.module.path, scope.span_at(node.place))
