"""How effects travel from the primitives that have them to the coroutines that suffer them.

Stage: propagate. The call graph is explored forwards from the coroutines, so that nothing is looked at that no
coroutine can reach; then effects are spread backwards, breadth first, so that the first path found to a function is
a shortest one. That reaches the same fixpoint as iterating over strongly connected components, in one pass, and
gives the witness with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from loopsafe.catalog import Fact, When
from loopsafe.model import LOOP_EFFECTS, Effect
from loopsafe.project.effects import Effects, Primitive, Run, Site
from loopsafe.project.entities import Frame

FARTHEST: Final[dict[Effect, int]] = {Effect.FILE: 3, Effect.METADATA: 0}
"""Through how many synchronous calls an effect travels; without limit where it is not named (design.md, Effects).
An effect with a limit does not leave the installed package that has it either."""


class Witness(NamedTuple):
    """Why a frame has an effect: what happens at one of its sites."""

    site: Site
    cause: Fact | Frame
    """The primitive itself, or the frame that runs there and has the effect."""
    hops: int
    """Calls between this frame and the primitive; 0 if the site is the primitive."""
    doubt: str | None = None
    """Why the path may not be taken; without a doubt the finding is certain."""

    @property
    def is_likely(self) -> bool:
        return self.doubt is not None


class Propagation:
    """The effects of all frames that the given coroutines reach."""

    def __init__(self, effects: Effects, roots: Iterable[Frame]) -> None:
        self._effects: Final = effects
        self._witnesses: Final[dict[tuple[Frame, Effect], Witness]] = {}
        self._callers: Final[dict[Frame, list[tuple[Frame, Site, Run]]]] = {}
        self._order: Final[dict[Frame, int]] = {}
        self._levels: Final[dict[Effect, list[list[Frame]]]] = {}
        """For each effect, the frames at each distance from its primitives."""
        self._explore(roots)
        for accepts_doubt in (False, True):
            for effect in Effect:
                self._spread(effect, accepts_doubt)

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
            frame.forget()

    def _spread(self, effect: Effect, accepts_doubt: bool) -> None:
        """One breadth-first search from the primitives with this effect; certain paths are looked for first."""
        levels = self._levels.setdefault(effect, [])
        levels[:1] = [[*(levels[0] if levels else ()), *self._sources(effect, accepts_doubt)]]
        limit = FARTHEST.get(effect, len(self._order))
        for hops in range(1, limit + 1):
            if len(levels) < hops or not levels[hops - 1]:
                break
            found: dict[Frame, Witness] = {}
            for callee in levels[hops - 1]:
                for caller, site, run in self._callers.get(callee, ()):
                    if _ends_at(effect, run, caller):
                        continue
                    if (accepts_doubt or run.doubt is None) and (caller, effect) not in self._witnesses:
                        witness = Witness(site, callee, hops, run.doubt or self._witnesses[callee, effect].doubt)
                        found[caller] = self._earlier(found.get(caller), witness)
            self._witnesses.update(((frame, effect), witness) for frame, witness in found.items())
            if len(levels) == hops:
                levels.append([])
            levels[hops] = sorted([*levels[hops], *found], key=self._order.__getitem__)

    def _sources(self, effect: Effect, accepts_doubt: bool) -> list[Frame]:
        """The frames in which a primitive with this effect is called."""
        found = []
        for frame in self._order:
            if (frame, effect) in self._witnesses:
                continue
            sites = [(site, _find(site, effect, accepts_doubt)) for site in self._effects.sites(frame)]
            primitives = [(site, primitive) for site, primitive in sites if primitive is not None]
            if primitives:  # leaving a `with` may have nothing to commit: what was done in it says more
                site, (fact, doubt) = min(primitives, key=lambda each: each[1].fact.when is When.EXIT)
                self._witnesses[frame, effect] = Witness(site, fact, 0, doubt)
                found.append(frame)
        return found

    def _earlier(self, known: Witness | None, other: Witness) -> Witness:
        """Of two equally long paths the one that starts earlier in the text, then the one found earlier."""
        if known is None or other.site.ref < known.site.ref:
            return other
        return known

    def at(self, frame: Frame, site: Site) -> Iterator[tuple[Effect, Witness]]:
        """The effects of one site of a frame, each with its witness; of several for one effect the shortest."""
        best: dict[Effect, Witness] = {}
        for fact, doubt in site.primitives:
            best.setdefault(fact.effect, Witness(site, fact, 0, doubt))
        for run in site.runs:
            for effect in Effect:
                inner = self._witnesses.get((run.frame, effect))
                limit = FARTHEST.get(effect)
                if inner is None or (limit is not None and inner.hops >= limit):
                    continue
                if _ends_at(effect, run, frame):
                    continue
                witness = Witness(site, run.frame, inner.hops + 1, run.doubt or inner.doubt)
                known = best.get(effect)
                if known is None or (witness.is_likely, witness.hops) < (known.is_likely, known.hops):
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


def _find(site: Site, effect: Effect, accepts_doubt: bool) -> Primitive | None:
    """The first primitive of a site with an effect."""
    for primitive in site.primitives:
        if primitive.fact.effect is effect and (accepts_doubt or primitive.doubt is None):
            return primitive
    return None


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
