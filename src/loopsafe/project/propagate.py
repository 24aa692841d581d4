"""How effects travel from the primitives that have them to the coroutines that suffer them.

Stage: propagate. The call graph is explored forwards from the coroutines, so that nothing is looked at that no
coroutine can reach; then effects are spread backwards, first what reaches furthest, then what is nearest, so that the
first path found to a function is the best one. That reaches the same fixpoint as iterating over strongly connected
components, in one pass, and gives the witness with it.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple, TypeAlias

from loopsafe.catalog import Fact, When
from loopsafe.model import LOOP_EFFECTS, Effect
from loopsafe.project.conditions import Obstacle
from loopsafe.project.effects import Effects
from loopsafe.project.entities import Frame
from loopsafe.project.happenings import Primitive, Run, Site

FARTHEST: Final[dict[Effect, int]] = {Effect.FILE: 3, Effect.METADATA: 0}
"""Through how many synchronous calls an effect travels; without limit where it is not named (design.md, Effects).
An effect with a limit does not leave the installed package that has it either."""
_FARTHEST_LIKELY: Final = 3
"""The same for a path that may not be taken: of longer ones hardly any was right (decision 18)."""
_FARTHEST_RARE: Final = 2
"""The same from where a caller must be the first, or pass one particular string (decision 21).

The further away, the likelier another came before, or means another string.
"""


class Witness(NamedTuple):
    """Why a frame has an effect: what happens at one of its sites."""

    site: Site
    cause: Fact | Frame
    """The primitive itself, or the frame that runs there and has the effect."""
    hops: int
    """Calls between this frame and the primitive; 0 if the site is the primitive."""
    length: int
    """The calls, and what the tests on the way weigh; of several paths the shortest is shown."""
    reach: float
    """Through how many calls more the path is followed; infinitely many if nothing limits it."""
    doubt: str | None = None
    """Why the path may not be taken; without a doubt the finding is certain."""

    @property
    def is_likely(self) -> bool:
        return self.doubt is not None

    @staticmethod
    def of(site: Site, obstacle: Obstacle, primitive: Primitive) -> Witness:
        """What is called at a site itself, with what stands before it."""
        effect, doubt = primitive.fact.effect, primitive.doubt
        limit = _FARTHEST_LIKELY if doubt else math.inf
        reach = min(FARTHEST.get(effect, math.inf), limit, _reach(effect, obstacle))
        return Witness(site, primitive.fact, 0, obstacle.weight, reach, doubt)

    def called(self, effect: Effect, site: Site, obstacle: Obstacle, run: Run) -> Witness:
        """The same, one call further up."""
        hops, length = self.hops + 1, self.length + 1 + obstacle.weight
        limit = _FARTHEST_LIKELY - hops if run.doubt else math.inf
        reach = min(self.reach - 1, limit, _reach(effect, obstacle))
        return Witness(site, run.frame, hops, length, reach, run.doubt or self.doubt)


_Found: TypeAlias = tuple[bool, float, int, tuple[int, int, int], Frame, Witness]
"""A witness of a frame, behind what it is sorted by."""


class Propagation:
    """The effects of all frames that the given coroutines reach."""

    def __init__(self, effects: Effects, roots: Iterable[Frame]) -> None:
        self._effects: Final = effects
        self._witnesses: Final[dict[tuple[Frame, Effect], Witness]] = {}
        self._suffering: Final[set[Frame]] = set()
        """The frames with a witness."""
        self._callers: Final[dict[Frame, list[tuple[Frame, Site, Run]]]] = {}
        self._order: Final[dict[Frame, int]] = {}
        self._ticks: Final = itertools.count()
        self._explore(roots)
        for effect, sources in self._find_sources().items():
            self._spread(effect, sources)
        self._callers.clear()  # the witnesses say all; in a large project this is memory for what comes after
        self._order.clear()

    def _explore(self, roots: Iterable[Frame]) -> None:
        pending = list(roots)
        self._order.update((frame, number) for number, frame in enumerate(dict.fromkeys(pending)))
        while pending:
            frame = pending.pop()
            for site in self._effects.sites(frame):
                for run in site.runs:
                    self._callers.setdefault(run.frame, []).append((frame, site, run))
                    if run.frame not in self._order:
                        self._order[run.frame] = len(self._order)
                        pending.append(run.frame)

    def _find_sources(self) -> dict[Effect, list[_Found]]:
        """The places where primitives are called, of each frame and effect the one that says most."""
        best: dict[tuple[Effect, Frame], Witness] = {}
        for frame in self._order:
            for site in self._effects.sites(frame):
                for primitive in site.primitives:
                    key = (primitive.fact.effect, frame)
                    witness = Witness.of(site, self._effects.obstacle(frame, site), primitive)
                    if key not in best or _rank(witness) < _rank(best[key]):
                        best[key] = witness
        sources: dict[Effect, list[_Found]] = {}
        for (effect, frame), witness in best.items():
            sources.setdefault(effect, []).append(self._found(frame, witness))
        return sources

    def _spread(self, effect: Effect, found: list[_Found]) -> None:
        """Dijkstra's search, backwards from the primitives.

        It takes all certain paths before the first likely one, and what reaches further before what comes to an end.
        """
        heapq.heapify(found)
        while found:
            *_, frame, witness = heapq.heappop(found)
            if self._witnesses.setdefault((frame, effect), witness) is not witness:
                continue
            self._suffering.add(frame)
            for caller, site, run in self._callers.get(frame, ()):
                if (caller, effect) not in self._witnesses and not _ends_at(effect, run, caller):
                    further = witness.called(effect, site, self._effects.obstacle(caller, site), run)
                    if further.reach >= 0:
                        heapq.heappush(found, self._found(caller, further))

    def _found(self, frame: Frame, witness: Witness) -> _Found:
        """Of equally good paths to a frame, the one that starts earlier in the text comes first."""
        place = (self._order[frame], witness.site.ref, next(self._ticks))
        return (witness.is_likely, -witness.reach, witness.length, place, frame, witness)

    def at(self, frame: Frame, site: Site) -> Iterator[tuple[Effect, Witness]]:
        """The effects of one site of a frame, each with its witness; of several for one effect the shortest."""
        best: dict[Effect, Witness] = {}
        for primitive in site.primitives:
            best.setdefault(primitive.fact.effect, Witness.of(site, self._effects.obstacle(frame, site), primitive))
        for run in site.runs:
            for effect in Effect if run.frame in self._suffering else ():
                inner = self._witnesses.get((run.frame, effect))
                if inner is None or _ends_at(effect, run, frame):
                    continue
                witness = inner.called(effect, site, self._effects.obstacle(frame, site), run)
                if witness.reach < 0:
                    continue
                known = best.get(effect)
                if known is None or (witness.is_likely, witness.length) < (known.is_likely, known.length):
                    best[effect] = witness
        yield from best.items()

    def of_frame(self, frame: Frame) -> Iterator[tuple[Effect, Witness]]:
        """The effects of calling what runs in a frame."""
        for effect in Effect:
            witness = self._witnesses.get((frame, effect))
            if witness is not None:
                yield effect, witness

    def path(self, effect: Effect, witness: Witness) -> Iterator[tuple[Frame, Witness]]:
        """The steps below a witness: each frame on the way with its own witness, the last with the primitive."""
        while isinstance(witness.cause, Frame):
            frame = witness.cause
            witness = self._witnesses[frame, effect]
            yield frame, witness


def _rank(source: Witness) -> tuple[bool, float, bool, int]:
    """Leaving a `with` may have nothing to commit: what was done in it says more."""
    assert isinstance(source.cause, Fact)
    return (source.is_likely, -source.reach, source.cause.when is When.EXIT, source.length)


def _reach(effect: Effect, obstacle: Obstacle) -> float:
    """Through how many calls a path from a site is followed at most, going by what stands in its way."""
    if obstacle.is_once and effect in FARTHEST:
        return 0  # small files that are read once in the life of a process
    return _FARTHEST_RARE if obstacle.is_once or obstacle.is_rare else math.inf


def _ends_at(effect: Effect, run: Run, caller: Frame) -> bool:
    """Whether an effect does not travel on to the caller of what runs."""
    if effect is Effect.WAIT and _is_lock(run.frame):
        return True
    if effect in LOOP_EFFECTS and run.is_one_of_many:
        return True
    # files that an installed package reads for itself are its own affair
    return effect in FARTHEST and run.frame.code.module.is_library and not caller.code.module.is_library


def _is_lock(frame: Frame) -> bool:
    """A lock of the project's own making is a lock: held briefly, and no effect (design.md, Effects)."""
    return "acquire" in frame.code.scope.name
