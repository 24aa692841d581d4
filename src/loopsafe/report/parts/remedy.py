"""Stage report: the fix of a finding as a small diff, laid out as in ruff's `full`.

Nothing here applies a fix to a file: only the rows around its edits are put together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final, NamedTuple

from loopsafe.model import Edit, Fix
from loopsafe.report.parts.frame import show, split
from loopsafe.report.parts.style import Style

_CONTEXT: Final = 1
_GAP: Final = "-" * 80
_NEAR: Final = 2 * _CONTEXT + 1
"""Most equal rows between two changes of one hunk: a gap that hides a single row would save nothing."""

_Code = tuple[str, int, int, int, int]


class _Line(NamedTuple):
    sign: str
    number: int | None
    """The row's number in the new text; none for a removed one."""
    text: str


def draw(fix: Fix, old: Sequence[str], style: Style) -> Iterator[str]:
    """Yield the rows of the diff that `fix` makes of a file whose rows are `old`."""
    hunks = list(_hunks(fix.edits, old))
    if not hunks:
        return
    gutter = len(str(max(line.number or 0 for line in hunks[-1])))
    blank, bar = " " * gutter, style("frame", "|")
    yield f"{blank} {bar}"
    for index, hunk in enumerate(hunks):
        if index:
            yield _GAP
        for line in hunk:
            number = blank if line.number is None else style("frame", str(line.number).ljust(gutter))
            text = show(line.text, tab="\t")
            if not text.strip():
                yield f"{number} {_sign(line.sign, style)}"
            else:
                yield f"{number} {_sign(line.sign, style)} {_paint(line.sign, text, style)}"
    yield f"{blank} {bar}"


def _sign(sign: str, style: Style) -> str:
    return style("frame", "|") if sign == " " else _paint(sign, sign, style)


def _paint(sign: str, text: str, style: Style) -> str:
    return text if sign == " " else style("removed" if sign == "-" else "added", text)


def _hunks(edits: Sequence[Edit], old: Sequence[str]) -> Iterator[list[_Line]]:
    shift = 0
    for group in _groups(edits):
        first = max(1, group[0].start.row - _CONTEXT)
        last = min(len(old), group[-1].end.row + _CONTEXT)
        before = old[first - 1 : last]
        after = split(_apply(before, group, first))
        matcher = SequenceMatcher(None, before, after, autojunk=False)
        for codes in _split(matcher.get_opcodes()):
            yield list(_lines(codes, before, after, first + shift))
        shift += len(after) - len(before)


def _groups(edits: Sequence[Edit]) -> Iterator[list[Edit]]:
    """Yield runs of edits so close together that one hunk shows them."""
    group: list[Edit] = []
    for edit in edits:
        if group and edit.start.row - group[-1].end.row > _NEAR + 1:
            yield group
            group = []
        group.append(edit)
    if group:
        yield group


def _split(codes: Sequence[_Code]) -> Iterator[list[_Code]]:
    """Yield the opcodes of each hunk, with the equal rows around and between changes cut to the context."""
    hunk: list[_Code] = []
    for index, (tag, old_start, old_end, new_start, new_end) in enumerate(codes):
        length = old_end - old_start
        if tag != "equal" or (0 < index < len(codes) - 1 and length <= _NEAR):
            hunk.append((tag, old_start, old_end, new_start, new_end))
            continue
        kept = min(length, _CONTEXT)
        if hunk:
            yield [*hunk, (tag, old_start, old_start + kept, new_start, new_start + kept)]
        hunk = [(tag, old_end - kept, old_end, new_end - kept, new_end)] if index < len(codes) - 1 else []
    if hunk:
        yield hunk


def _apply(before: Sequence[str], edits: Sequence[Edit], first: int) -> str:
    """Return the text of the rows `before`, whose first has the number `first`, after `edits`."""
    starts = [0]
    for row in before:
        starts.append(starts[-1] + len(row))
    text = "".join(before)
    for edit in reversed(edits):
        start, end = (
            starts[min(place.row - first, len(before))] + place.column - 1 for place in (edit.start, edit.end)
        )
        text = text[:start] + edit.content + text[end:]
    return text


def _lines(codes: Sequence[_Code], before: Sequence[str], after: Sequence[str], first: int) -> Iterator[_Line]:
    for tag, old_start, old_end, new_start, new_end in codes:
        if tag != "equal":
            for row in before[old_start:old_end]:
                yield _Line("-", None, row)
        for index, row in enumerate(after[new_start:new_end], new_start):
            yield _Line(" " if tag == "equal" else "+", first + index, row)
