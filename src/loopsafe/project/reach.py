"""Which synchronous functions run when one does.

Stage: propagate. For questions that have no path to show; effects have `propagate`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from loopsafe.project.effects import Effects
from loopsafe.project.entities import Frame


def reached(effects: Effects, frame: Frame, most: int, leads_on: Callable[[Frame], bool]) -> Iterator[Frame]:
    """A frame and those that it leads to, until `most` are known; what does not lead on is not looked behind."""
    seen = {frame: None}
    pending = [frame]
    while pending and len(seen) < most:
        current = pending.pop()
        yield current
        if leads_on(current):
            for site in effects.sites(current):
                for run in site.runs:
                    if run.frame not in seen:
                        seen[run.frame] = None
                        pending.append(run.frame)
