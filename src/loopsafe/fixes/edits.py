"""Stage fix, last step: choose fixes that do not disturb each other and put their edits into a text.

Pure text: nothing here parses Python. Rows are those of `source.text.rows`, columns count code points.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Final, NamedTuple

import msgspec

from loopsafe.model import Applicability, Edit, Fix, Position
from loopsafe.source.text import rows

TRUST: Final[dict[Applicability, int]] = {
    Applicability.DISPLAY: 0,
    Applicability.UNSAFE: 1,
    Applicability.SAFE: 2,
}
"""The order of `Applicability`, least trusted first."""


class Applied(msgspec.Struct, frozen=True):
    """A text after one pass."""

    text: str
    applied: tuple[int, ...]
    """Indexes, in the order of the input, of the fixes that are in `text`."""


class _Cut(NamedTuple):
    """An edit in offsets."""

    start: int
    end: int
    content: str


class _Candidate(NamedTuple):
    number: int
    start: int
    end: int
    body: tuple[_Cut, ...]
    inserted_rows: tuple[_Cut, ...]


def lowest(*degrees: Applicability) -> Applicability:
    """Return the least trusted of `degrees`."""
    return min(degrees, key=TRUST.__getitem__)


def apply(text: str, fixes: Sequence[Fix | None], wanted: Applicability = Applicability.SAFE) -> Applied:
    """Return `text` with those fixes applied that are trusted at least as much as `wanted` and do not clash.

    As in ruff: in the order of the text, all edits of a fix or none, equal edits shared (two fixes that add
    the same import), and a fix that touches the stretch of one already taken waits for the next pass. Of two
    that begin at the same place the longer wins. A display-only fix is never applied.
    """
    least = max(TRUST[wanted], TRUST[Applicability.UNSAFE])
    trusted = [(index, fix) for index, fix in enumerate(fixes) if fix is not None and TRUST[fix.applicability] >= least]
    if not trusted:
        return Applied(text, ())
    starts = [0, *accumulate(map(len, rows(text)))]
    candidates = [_candidate(index, fix, starts, len(text)) for index, fix in trusted]
    candidates.sort(key=lambda one: (one.start, -one.end, one.number))
    taken, cuts = _select(candidates)
    return Applied(_splice(text, sorted(cuts)), tuple(sorted(taken)))


def _candidate(index: int, fix: Fix, starts: list[int], length: int) -> _Candidate:
    inserted = [_cut(edit, starts, length) for edit in fix.edits if _is_row_insertion(edit)]
    body = [_cut(edit, starts, length) for edit in fix.edits if not _is_row_insertion(edit)]
    if not body:
        body, inserted = inserted, []
    start, end = (body[0].start, max(cut.end for cut in body)) if body else (0, -1)
    return _Candidate(index, start, end, tuple(body), tuple(inserted))


def _is_row_insertion(edit: Edit) -> bool:
    return edit.start == edit.end and edit.start.column == 1 and edit.content.endswith(("\n", "\r"))


def _cut(edit: Edit, starts: list[int], length: int) -> _Cut:
    return _Cut(_offset(edit.start, starts, length), _offset(edit.end, starts, length), edit.content)


def _offset(position: Position, starts: list[int], length: int) -> int:
    if position.row > len(starts):
        return length
    return min(starts[position.row - 1] + position.column - 1, length)


def _select(candidates: list[_Candidate]) -> tuple[list[int], set[_Cut]]:
    taken: list[int] = []
    bodies: list[_Candidate] = []
    inserted: set[_Cut] = set()
    known: set[tuple[_Cut, ...]] = set()
    for one in candidates:
        new = [cut for cut in one.inserted_rows if cut not in inserted]
        if one.body and not new and one.body in known:
            taken.append(one.number)  # one fix for several findings
            continue
        if not one.body or (bodies and one.start <= bodies[-1].end):
            continue
        if any(one.start <= cut.start <= one.end for cut in inserted):
            continue
        if any(cut.start == other.start for cut in new for other in inserted):
            continue
        if any(other.start <= cut.start <= other.end for cut in new for other in bodies):
            continue
        taken.append(one.number)
        bodies.append(one)
        known.add(one.body)
        inserted.update(new)
    return taken, inserted.union(*(one.body for one in bodies))


def _splice(text: str, cuts: list[_Cut]) -> str:
    pieces: list[str] = []
    done = 0
    for cut in cuts:
        pieces += (text[done : cut.start], cut.content)
        done = max(done, cut.end)
    return "".join([*pieces, text[done:]])
