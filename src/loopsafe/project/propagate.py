"""How effects travel from the primitives that have them to the coroutines that suffer them.

Stage: propagate. The call graph is explored forwards from the coroutines, so that nothing is looked at that no coroutine
can reach; then effects are spread backwards, breadth first, so that the first path found to a function is a shortest one.
That reaches the same fixpoint as iterating over strongly connected components, in one pass, and gives the witness with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from loopsafe.catalog import Fact
from loopsafe.model import Confidence, Effect
from loopsafe.project.effects import Effects, Site
from loopsafe.project.entities import Frame

FARTHEST: Final[dict[Effect, int]] = {Effect.FILE: 3, Effect.METADATA: 0}
"""Through how many synchronous calls an effect travels; without limit where it is not named (design.md, Effects)."""


class Witness(NamedTuple):
    """Why a frame has an effect: what happens at one of its sites."""

    site: Site
    cause: Fact | Frame
    """The primitive itself, or the frame that runs there and has the effect."""
    hops: int
    """Calls between this frame and the primitive; 0 if the site is the primitive."""
    confidence: Confidence


class Propagation:
    """The effects of all frames that the given coroutines reach."""

    def __init__(self, effects: Effects, roots: Iterable[Frame]) -> None:
        self._effects: Final = effects
        self._witnesses: Final[dict[tuple[Frame, Effect], Witness]] = {}
        self._callers: Final[dict[Frame, list[tuple[Frame, Site, Confidence]]]] = {}
        self._order: Final[dict[Frame, int]] = {}
        self._levels: Final[dict[Effect, list[list[Frame]]]] = {}
        """For each effect, the frames at each distance from its primitives."""
        self._explore(roots)
        for accepted in ((Confidence.CERTAIN,), (Confidence.CERTAIN, Confidence.LIKELY)):
            for effect in Effect:
                self._spread(effect, accepted)

    def _explore(self, roots: Iterable[Frame]) -> None:
        pending = list(roots)
        self._order.update((frame, number) for number, frame in enumerate(dict.fromkeys(pending)))
        while pending:
            frame = pending.pop()
            for site in self._effects.sites(frame):
                for run in site.runs:
                    self._callers.setdefault(run.frame, []).append((frame, site, run.confidence))
                    if run.frame not in self._order:
                        self._order[run.frame] = len(self._order)
                        pending.append(run.frame)

    def _spread(self, effect: Effect, accepted: tuple[Confidence, ...]) -> None:
        """One breadth-first search from the primitives with this effect, along calls of the accepted confidence."""
        levels = self._levels.setdefault(effect, [])
        if not levels:
            levels.append(self._sources(effect))
        limit = FARTHEST.get(effect, len(self._order))
        for hops in range(1, limit + 1):
            if len(levels) < hops or not levels[hops - 1]:
                break
            found: dict[Frame, Witness] = {}
            for callee in levels[hops - 1]:
                for caller, site, confidence in self._callers.get(callee, ()):
                    if confidence in accepted and (caller, effect) not in self._witnesses:
                        witness = Witness(site, callee, hops, self._weaker(callee, effect, confidence))
                        found[caller] = self._earlier(found.get(caller), witness)
            self._witnesses.update(((frame, effect), witness) for frame, witness in found.items())
            if len(levels) == hops:
                levels.append([])
            levels[hops] = sorted([*levels[hops], *found], key=self._order.__getitem__)

    def _sources(self, effect: Effect) -> list[Frame]:
        """The frames in which a primitive with this effect is called."""
        found = []
        for frame in self._order:
            for site in self._effects.sites(frame):
                fact = next((fact for fact in site.facts if fact.effect is effect), None)
                if fact is not None:
                    self._witnesses[frame, effect] = Witness(site, fact, 0, Confidence.CERTAIN)
                    found.append(frame)
                    break
        return found

    def _weaker(self, callee: Frame, effect: Effect, confidence: Confidence) -> Confidence:
        inner = self._witnesses[callee, effect].confidence
        return Confidence.LIKELY if Confidence.LIKELY in (inner, confidence) else Confidence.CERTAIN

    def _earlier(self, known: Witness | None, other: Witness) -> Witness:
        """Of two equally long paths the one that starts earlier in the text, then the one found earlier."""
        if known is None or other.site.ref < known.site.ref:
            return other
        return known

    def at(self, site: Site) -> Iterator[tuple[Effect, Witness]]:
        """The effects of one site, each with its witness; of several for one effect the shortest."""
        best: dict[Effect, Witness] = {}
        for fact in site.facts:
            best.setdefault(fact.effect, Witness(site, fact, 0, Confidence.CERTAIN))
        for run in site.runs:
            for effect in Effect:
                inner = self._witnesses.get((run.frame, effect))
                limit = FARTHEST.get(effect)
                if inner is None or (limit is not None and inner.hops >= limit):
                    continue
                confidence = self._weaker(run.frame, effect, run.confidence)
                witness = Witness(site, run.frame, inner.hops + 1, confidence)
                known = best.get(effect)
                if known is None or (witness.hops, confidence.value) < (known.hops, known.confidence.value):
                    best[effect] = witness
        yield from best.items()

    def path(self, effect: Effect, witness: Witness) -> Iterator[tuple[Frame, Witness]]:
        """The steps below a witness: each frame on the way with its own witness, the last with the primitive."""
        while isinstance(witness.cause, Frame):
            frame = witness.cause
            witness = self._witnesses[frame, effect]
            yield frame, witness
