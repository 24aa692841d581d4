"""Stage report: the path of a finding, from the reported call down to what blocks, as aligned rows.

Nothing here decides what the path is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from loopsafe.model import Diagnostic, Step
from loopsafe.report.parts.frame import width
from loopsafe.report.parts.style import Style

_HEAD: Final = "path: "
_ALIGN: Final = 40
"""Longest name that others are aligned with; a longer one must not push them off the screen."""


def draw(diagnostic: Diagnostic, style: Style) -> Iterator[str]:
    """Yield the rows of the path; none if it says no more than the frame above it."""
    steps = diagnostic.chain
    if not steps or (len(steps) == 1 and _is_here(steps[0], diagnostic)):
        return
    places = [f"{step.path}:{step.row}:{step.column}" for step in steps]
    place_width = _common_width(places)
    name_width = _common_width([step.function for step in steps])
    for index, (step, place) in enumerate(zip(steps, places, strict=True)):
        head = style("help", "path") + _HEAD[len("path") :] if index == 0 else " " * len(_HEAD)
        yield (
            f"{head}{_pad(place, place_width)} {style('dim', 'in')} {_pad(step.function, name_width)}"
            f" {style('dim', 'calls')} {style('bold', f'`{step.call}`')}"
        )


def _is_here(step: Step, diagnostic: Diagnostic) -> bool:
    return (step.path, step.row) == (diagnostic.path, diagnostic.span.row)


def _common_width(texts: list[str]) -> int:
    return max((width(text) for text in texts if width(text) <= _ALIGN), default=0)


def _pad(text: str, cells: int) -> str:
    return text + " " * (cells - width(text))
