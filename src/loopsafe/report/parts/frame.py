"""Stage report: the rows around a finding, with the finding underlined, laid out as in ruff's `full`.

Nothing here knows what the finding is about.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

from loopsafe.model import Span
from loopsafe.report.parts.style import Style

_CONTEXT: Final = 2
_SHOWN: Final[dict[int, str]] = {
    **{code: chr(0x2400 + code) for code in range(32)},
    0x7F: "␡",
    0x200D: "",
    0xFEFF: "�",
    **dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)], "�"),
}
"""What a terminal would obey instead of show, or what would let text pass for other text."""


def split(text: str) -> list[str]:
    """Return the rows of `text` with their ends; only `\\n`, `\\r\\n` and `\\r` end one."""
    return list(io.StringIO(text, newline=""))


def show(text: str, tab: str = "    ") -> str:
    """Return a row as it is printed: without its end, control characters made visible."""
    text = text.rstrip("\r\n")
    if text.isascii() and text.isprintable():
        return text
    return tab.join(part.translate(_SHOWN) for part in text.split("\t"))


def width(text: str) -> int:
    """Return how many terminal cells `text`, as shown, takes."""
    if text.isascii():
        return len(text)
    return sum(map(_cells, text))


def _cells(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


class Frame:
    """The rows to show for one span, and how to underline it."""

    def __init__(self, rows: Sequence[str], span: Span) -> None:
        self._rows = rows
        self._first = max(1, min(span.row, len(rows)))
        last, end_column = span.end_row, span.end_column
        if end_column == 1 and last > span.row:  # the end is exclusive: the last character is a newline
            last -= 1
            end_column = len(rows[last - 1].rstrip("\r\n")) + 1 if last <= len(rows) else 1
        self._last = max(self._first, min(last, len(rows)))
        self._start_cell = self._cell(self._first, span.column)
        self._end_cell = self._cell(self._last, end_column)
        self.top = self._trim(range(max(1, self._first - _CONTEXT), self._first), self._first)
        self.bottom = self._trim(range(min(len(rows), self._last + _CONTEXT), self._last, -1), self._last)

    @property
    def gutter(self) -> int:
        """How many cells the row numbers take."""
        return len(str(self.bottom))

    def draw(self, style: Style) -> Iterator[str]:
        """Yield the rows of the frame."""
        bar = style("frame", "|")
        blank = " " * self.gutter
        is_long = self._last > self._first
        yield f"{blank} {bar}"
        for row in range(self.top, self.bottom + 1):
            number = style("frame", str(row).rjust(self.gutter))
            text = show(self._rows[row - 1])
            line = f"{number} {bar} {self._edge(row, style) if is_long else ''}{text}"
            yield line if text.strip() else line.rstrip()
            mark = self._mark_long(row) if is_long else self._mark(row)
            if mark:
                yield f"{blank} {bar} {mark[0]}{style('error', mark[1])}"
        if self.bottom > self._last:
            yield f"{blank} {bar}"

    def _mark(self, row: int) -> tuple[str, str] | None:
        if row != self._first:
            return None
        return " " * self._start_cell, "^" * max(1, self._end_cell - self._start_cell)

    def _mark_long(self, row: int) -> tuple[str, str] | None:
        if row == self._first and not self._starts_row():
            return " ", "_" * (self._start_cell + 1) + "^"
        if row == self._last:
            return "", "|" + "_" * max(1, self._end_cell) + "^"
        return None

    def _edge(self, row: int, style: Style) -> str:
        """Return what stands left of a row of a finding that spans several."""
        if row == self._first and self._starts_row():
            return style("error", "/") + " "
        return style("error", "|") + " " if self._first < row <= self._last else "  "

    def _starts_row(self) -> bool:
        text = show(self._rows[self._first - 1])
        return self._start_cell <= width(text) - width(text.lstrip())

    def _cell(self, row: int, column: int) -> int:
        """Return how many cells stand left of a column, which may lie behind the row's end."""
        text = self._rows[row - 1].rstrip("\r\n")
        return width(show(text[: column - 1])) + max(0, column - 1 - len(text))

    def _trim(self, candidates: range, default: int) -> int:
        """Return the outermost of the context rows that is not blank."""
        return next((row for row in candidates if self._rows[row - 1].strip()), default)
