"""Stage suppress: the comments of a file and the logical lines between them, by `tokenize`.

Nothing here understands a comment. It is slow, so it is only for files in which a directive may stand.
"""

from __future__ import annotations

import io
import tokenize
from collections.abc import Iterator
from typing import Final, NamedTuple

from loopsafe.source.text import rows

_SILENT: Final = frozenset({tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER})


class Comment(NamedTuple):
    """One comment, from its `#` to the end of its row."""

    row: int
    column: int
    text: str
    is_own_line: bool
    """Nothing but blanks stands before it."""
    is_nested: bool
    """It stands inside brackets."""
    next_rows: tuple[int, int] | None
    """What follows: the rows of the next logical line, or inside brackets the next row with code, twice."""


def read_comments(text: str) -> list[Comment]:
    """Return the comments of `text` in order; of a text that cannot be tokenised, those before the error."""
    found: list[Comment] = []
    waiting: list[int] = []  # comments at the end of `found` that do not know yet what follows them
    nested_waiting: list[int] = []
    depth = 0
    first_row = 0  # of the logical line that is being read
    for token in _tokens(text):
        row = token.start[0]
        if token.type == tokenize.COMMENT:
            own_line = not token.line[: token.start[1]].strip()
            (nested_waiting if depth else waiting).append(len(found))
            found.append(Comment(row, token.start[1] + 1, token.string, own_line, depth > 0, None))
        elif token.type == tokenize.NEWLINE:
            if first_row:
                _follow(found, waiting, first_row, row)
            first_row = 0
        elif token.type not in _SILENT:
            first_row = first_row or row
            _follow(found, nested_waiting, row, row)
            depth += (token.string in "([{") - (token.string in ")]}") if token.type == tokenize.OP else 0
    return found


def _follow(found: list[Comment], waiting: list[int], first: int, last: int) -> None:
    """Tell the comments that `waiting` lists, and that stand before the row `first`, what follows them."""
    for index in waiting:
        if found[index].row < first or not found[index].is_own_line:
            found[index] = found[index]._replace(next_rows=(first, last))
    waiting.clear()


def _tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    """Yield tokens until the end or the first error; all row ends look alike to the tokenizer."""
    lines = (row.rstrip("\r\n") + "\n" for row in rows(text))
    try:
        yield from tokenize.generate_tokens(io.StringIO("".join(lines)).readline)
    except (tokenize.TokenError, SyntaxError):
        return
