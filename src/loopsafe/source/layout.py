"""Stage suppress: which physical rows belong together, and so on which row a suppressing comment must stand.

A scan with one regular expression, since every finding asks and `tokenize` takes many times as long. It finds
strings, comments and joined rows, and must not try to understand anything else.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import lru_cache
from itertools import accumulate
from typing import Final

from loopsafe.model import Span
from loopsafe.source.text import Source, rows

_PIECE: Final = re.compile(
    r"""
      \#[^\r\n]*                                                # a comment, so that its quotes open nothing
    | \"{3} [^"\\]* (?: (?: \\. | "(?!"") ) [^"\\]* )* \"{3}
    | '{3}  [^'\\]* (?: (?: \\. | '(?!'') ) [^'\\]* )* '{3}
    | "     [^"\\\r\n]* (?: \\ (?: \r\n | . ) [^"\\\r\n]* )* "
    | '     [^'\\\r\n]* (?: \\ (?: \r\n | . ) [^'\\\r\n]* )* '
    | \\ (?: \r\n | \r | \n )                                   # an explicitly joined row
    """,
    re.VERBOSE | re.DOTALL,
)
_CAN_JOIN: Final = re.compile(r'"""|\'\'\'|\\[\r\n]')


def noqa_row(source: Source, span: Span) -> int:
    """Return the row on which a comment that suppresses a finding at `span` must stand.

    That is the row where the finding starts; but the last row of a string over several rows, and the last of
    rows joined by backslashes, since no comment can stand in between.
    """
    return joined_rows(source.text).get(span.row, span.row)


@lru_cache(maxsize=32)
def joined_rows(text: str) -> dict[int, int]:
    """Map each row that a string or a backslash ties to later ones to the last of them."""
    if _CAN_JOIN.search(text) is None:
        return {}
    starts: list[int] = []
    last: dict[int, int] = {}
    for match in _PIECE.finditer(text):
        piece = match[0]
        if piece[0] == "#" or ("\n" not in piece and "\r" not in piece):
            continue
        if not starts:
            starts = [0, *accumulate(map(len, rows(text)))]
        first_row = bisect_right(starts, match.start())
        end = match.end() if piece[0] == "\\" else match.end() - 1  # a backslash ties its row to the next
        last_row = bisect_right(starts, end)
        for row in range(first_row, last_row):
            last[row] = last_row
    # from the end on, so that where a string ends on the row where another begins, one step is enough
    for row in sorted(last, reverse=True):
        last[row] = last.get(last[row], last[row])
    return last
