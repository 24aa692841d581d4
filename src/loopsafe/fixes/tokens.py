"""Stage fix: a piece of source text as tokens, for those who lay rows out anew.

The piece may be anything whose brackets are balanced; what is not gives no tokens. Changes nothing.
"""

from __future__ import annotations

import io
import tokenize
from collections.abc import Iterator
from itertools import accumulate
from typing import Final, NamedTuple

_OPENING: Final = "([{"
_CLOSING: Final = ")]}"
_LAYOUT: Final = frozenset(
    {tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER, tokenize.ENCODING}
)
_STRINGS: Final = {"FSTRING_START": 1, "TSTRING_START": 1, "FSTRING_END": -1, "TSTRING_END": -1}
"""How far a token leads into a string that newer Pythons read in parts."""


class Token(NamedTuple):
    """A word, number, whole string, comment or sign."""

    text: str
    start: int
    """Offset in the piece."""
    row: int
    """Number of the row, from 0."""
    end_row: int
    is_comment: bool = False

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @property
    def opens(self) -> bool:
        return self.text in _OPENING

    @property
    def closes(self) -> bool:
        return self.text in _CLOSING


class Bracket(NamedTuple):
    """A pair of brackets and what stands directly in it, as indexes of tokens."""

    first: int
    last: int
    inner: tuple[int, ...]
    """The tokens between that are in no further brackets, which themselves count."""


def tokenize_piece(text: str) -> list[Token] | None:
    """Return the tokens of a piece whose rows are joined by `\\n`; None where it makes no sense alone."""
    # in parentheses, since rows inside it may be joined by brackets that stand around it
    whole = f"({text})"
    try:
        found = list(_read(whole))
    except (tokenize.TokenError, SyntaxError):
        return None
    inner = [token._replace(start=token.start - 1) for token in found[1:-1]]
    return inner if _is_balanced(inner) else None


def _read(whole: str) -> Iterator[Token]:
    starts = [0, *accumulate(len(row) + 1 for row in whole.split("\n"))]
    depth, begin = 0, (0, 0)
    for one in tokenize.generate_tokens(io.StringIO(whole).readline):
        change = _STRINGS.get(tokenize.tok_name[one.type], 0)
        if change > 0 and not depth:
            begin = one.start
        depth += change
        if depth or one.type in _LAYOUT:
            continue
        first, last = begin if change else one.start, one.end
        start, end = starts[first[0] - 1] + first[1], starts[last[0] - 1] + last[1]
        yield Token(whole[start:end], start, first[0] - 1, last[0] - 1, one.type == tokenize.COMMENT)


def _is_balanced(found: list[Token]) -> bool:
    awaited: list[str] = []
    for token in found:
        if token.opens:
            awaited.append(_CLOSING[_OPENING.index(token.text)])
        elif token.closes and (not awaited or awaited.pop() != token.text):
            return False
    return not awaited


def find_brackets(found: list[Token]) -> list[Bracket]:
    """Return all pairs of brackets, those that open first in front."""
    opened: list[tuple[int, list[int]]] = []
    pairs: list[Bracket] = []
    for index, token in enumerate(found):
        if token.closes:
            first, inner = opened.pop()
            pairs.append(Bracket(first, index, tuple(inner)))
        if opened:
            opened[-1][1].append(index)
        if token.opens:
            opened.append((index, []))
    return sorted(pairs)
