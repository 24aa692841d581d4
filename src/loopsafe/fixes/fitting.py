"""Stage fix: a row that a fix has made too long is broken where formatters break it.

Knows nothing of what the text means. What stood in rows that were too long before stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from loopsafe.fixes.edits import apply
from loopsafe.fixes.layout import find_rows_in_strings, is_directive
from loopsafe.fixes.tokens import Bracket, Token, find_brackets, tokenize_piece
from loopsafe.fixes.wording import STEP, indent_of
from loopsafe.model import Applicability, Edit, Fix, Position
from loopsafe.source.text import rows

_WIDTHS: Final = (88, 100, 120)
"""The widest rows that formatters are usually told to write, narrowest first; the first is their default."""
_BREAKABLE: Final = re.compile(r"[^'\"#]*\w\((|[^#]*[](){}[,])\s*$")
"""A row with a call in it that a formatter would have broken if it had found it too long."""
_NARROW: Final = 80
_MANY: Final = 5
"""So many rows of nearly the narrow width, and none beyond it, mean that it is the limit."""
_EXCEPTIONS: Final = 100
"""One row of so many may be longer than the limit."""


def find_width(lines: Sequence[str]) -> int:
    """Return how wide the rows of a file may be, as far as it shows: rows that could have been broken tell."""
    widths = [measure(line) for line in lines if _BREAKABLE.match(line)]
    if max(widths, default=0) <= _NARROW and sum(width > _NARROW - 8 for width in widths) >= _MANY:
        return _NARROW
    allowed = len(widths) // _EXCEPTIONS
    return next((limit for limit in _WIDTHS if sum(width > limit for width in widths) <= allowed), _WIDTHS[-1])


def measure(line: str) -> int:
    """Return how wide a row is."""
    return len(line.rstrip("\r\n").expandtabs(len(STEP)))


def fit(
    edits: tuple[Edit, ...], lines: Sequence[str], newline: str, width: int, *, is_inside: bool
) -> tuple[Edit, ...]:
    """Return `edits`, or one that breaks the row which they make too long; `is_inside` as for `break_row`.

    The edits are sorted, and stand in rows of one expression.
    """
    first, last = edits[0].start.row, edits[-1].end.row
    old = lines[first - 1 : last]
    moved = [Edit(_up(edit.start, first), _up(edit.end, first), edit.content) for edit in edits]
    new = rows(apply("".join(old), [Fix("", Applicability.UNSAFE, tuple(moved))], Applicability.UNSAFE).text)
    text = new[0].rstrip("\r\n")
    broken = break_row(text, width, is_inside=is_inside) if measure(text) > find_limit(old, width) else [text]
    if len(broken) == 1:
        return edits
    content = newline.join([*broken, *(row.rstrip("\r\n") for row in new[1:])])
    return (Edit(Position(first, 1), Position(last, len(old[-1].rstrip("\r\n")) + 1), content),)


def fit_rows(lines: Sequence[str], old: Sequence[str], width: int) -> list[str]:
    """Return rows, of which some stood further to the left among `old`, with those broken that are too long now."""
    kept = find_rows_in_strings("\n".join(lines))
    known = {row.strip(): row for row in old}
    return [
        part
        for row, line in enumerate(lines)
        for part in (
            break_row(line, find_limit([known.get(line.strip(), "")], width), is_inside=False)
            if not kept.intersection((row, row + 1))
            else [line]
        )
    ]


def _up(position: Position, first: int) -> Position:
    return Position(position.row - first + 1, position.column)


def find_limit(lines: Sequence[str], width: int) -> int:
    """Return the limit for what comes of rows, of which some may have been wider than the file's."""
    widest = max(map(measure, lines))
    return width if widest <= width else next((limit for limit in _WIDTHS if widest <= limit), widest)


def break_row(text: str, width: int, *, is_inside: bool) -> list[str]:
    """Return the rows that a row becomes if it is too long; one if it is not, or if there is no good way.

    `is_inside` tells that brackets are around it. A comment stays at its end; one that speaks to a tool keeps it whole.
    """
    found = tokenize_piece(text) if measure(text) > width else None
    if not found or any(token.is_comment or token.text == ";" for token in found[:-1]):
        return [text]
    last = found[-1]
    code, comment = (text[: last.start].rstrip(), f"  {last.text}") if last.is_comment else (text, "")
    if is_directive(comment):
        return [text]
    indent = indent_of(code)
    step = "\t" if "\t" in indent else STEP
    breaker = _Breaker(step, min(width, measure(code) - 1))
    laid = list(breaker.lay(code[len(indent) :], indent, is_inside=is_inside))
    return [*laid[:-1], laid[-1] + comment]


class _Line(NamedTuple):
    """What has to be written in one row, or several."""

    text: str
    found: list[Token]
    brackets: list[Bracket]

    @property
    def whole(self) -> Bracket:
        """All of it, as if it stood in brackets."""
        inner = {index for one in self.brackets for index in range(one.first + 1, one.last)}
        return Bracket(-1, len(self.found), tuple(index for index in range(len(self.found)) if index not in inner))

    def start(self, index: int) -> int:
        return self.found[index].start if index < len(self.found) else len(self.text)

    def slice(self, first: int, last: int) -> str:
        """Return the text from one token up to another, without it."""
        return self.text[self.start(first) : self.start(last)].strip()

    def texts(self, around: Bracket) -> list[str]:
        return [self.found[index].text for index in around.inner]


class _Breaker:
    """Breaks one row."""

    def __init__(self, step: str, width: int) -> None:
        self._step: Final = step
        self._width: Final = width

    def lay(self, text: str, indent: str, *, is_inside: bool = True) -> Iterator[str]:
        """Yield `text` in as many rows as it takes."""
        line = None if self._fits(indent + text) else _read(text)
        if line is None:
            yield indent + text
            return
        operators = list(_find_operators(line, line.whole)) if is_inside and "," not in line.texts(line.whole) else []
        around = None if operators else _find_value(line) or self._find_bracket(line, indent)
        if operators:
            for part in _cut(line, line.whole, operators):
                yield from self.lay(part, indent)
        elif around is None:
            yield indent + text
        else:
            yield from self._open(line, around, indent)

    def _open(self, line: _Line, around: Bracket, indent: str) -> Iterator[str]:
        """Yield what stands before some brackets, what is in them, and the rest, on rows of their own."""
        head, tail = line.text[: line.found[around.first].end], line.text[line.start(around.last) :]
        if not line.found[around.first].opens:  # a value without brackets gets some
            head, tail = head + " (", f"){tail}"
        inner = indent + self._step
        body = line.slice(around.first + 1, around.last)
        yield indent + head
        for part in [body] if self._fits(inner + body) else _split(line, around):
            yield from self.lay(part, inner)
        yield indent + tail

    def _fits(self, text: str) -> bool:
        return measure(text) <= self._width

    def _find_bracket(self, line: _Line, indent: str) -> Bracket | None:
        """Return the last brackets in front of which the row fits, or else the first ones."""
        top = [one for one in line.brackets if one.first in line.whole.inner and one.inner]
        fitting = (one for one in reversed(top) if self._fits(indent + line.text[: line.found[one.first].end]))
        return next(fitting, next(iter(top), None))


def _read(text: str) -> _Line | None:
    found = tokenize_piece(text)
    return None if found is None else _Line(text, found, find_brackets(found))


def _find_value(line: _Line) -> Bracket | None:
    """Return the value of a statement, or its condition, if operators in it call for parentheses around it."""
    inner, texts = line.whole.inner, line.texts(line.whole)
    is_header = texts[-1] == ":"
    first = max(_find_all(texts, "="), default=-1)
    if texts[0] == "return" or (is_header and texts[0] in _CONDITIONS):
        first = 0
    elif is_header and texts[0] == "for":
        first = texts.index("in")
    last = len(texts) - is_header
    if first < 0 or "," in texts[first:last]:
        return None
    value = Bracket(inner[first], inner[last] if is_header else len(line.found), inner[first + 1 : last])
    operators = list(_find_operators(line, value))
    ends_open = not value.inner or not line.found[value.inner[-1]].closes
    return value if len(operators) > 1 or (operators and ends_open) else None


_CONDITIONS: Final = ("if", "elif", "while")


def _find_all(texts: list[str], wanted: str) -> list[int]:
    return [number for number, text in enumerate(texts) if text == wanted]


def _split(line: _Line, around: Bracket) -> list[str]:
    """Return the parts of a bracket that get rows of their own."""
    commas = list(_find_commas(line, around))
    bounds = [index + 1 for index in commas]
    for find in (_find_clauses, _find_operators, _find_steps):
        bounds = bounds or list(find(line, around))
    parts = _cut(line, around, bounds)
    return [part + "," * (not part.endswith(",")) for part in parts] if commas else parts


def _cut(line: _Line, around: Bracket, bounds: Sequence[int]) -> list[str]:
    starts = [around.first + 1, *(index for index in bounds if around.first + 1 < index < around.last)]
    return [line.slice(first, last) for first, last in pairwise([*starts, around.last])]


def _find_commas(line: _Line, around: Bracket) -> Iterator[int]:
    is_parameter = False
    for index in around.inner if "for" not in line.texts(around) else ():
        text = line.found[index].text
        is_parameter = text == "lambda" or (is_parameter and text != ":")
        if text == "," and not is_parameter:
            yield index


def _find_clauses(line: _Line, around: Bracket) -> Iterator[int]:
    """Yield where the clauses of a comprehension begin."""
    texts = line.texts(around)
    for number, index in enumerate(around.inner):
        is_loop = texts[number] == "async" or (texts[number] == "for" and line.found[index - 1].text != "async")
        if is_loop or (texts[number] == "if" and "for" in texts[:number]):
            yield index


def _find_operators(line: _Line, around: Bracket) -> Iterator[int]:
    """Yield the operators that bind least; one in front of everything joins it to what stands before."""
    inner, texts = around.inner[1:], line.texts(around)[1:]
    if line.texts(around)[:1] != ["lambda"] and "lambda" not in texts and "for" not in texts:
        signs = next((signs for signs in _OPERATORS if not signs.isdisjoint(texts)), set[str]())
        yield from (index for index, text in zip(inner, texts, strict=True) if text in signs)


_OPERATORS: Final = (
    {"if", "else"}, {"or"}, {"and"}, {"==", "!=", "<", "<=", ">", ">=", "is"}, {"+", "-"}, {"*", "/"},
)  # fmt: skip
"""Signs at which a row may be broken, those that bind least first."""


def _find_steps(line: _Line, around: Bracket) -> Iterator[int]:
    """Yield where the steps of a chain of calls begin, if it has several."""
    found = [index for index in around.inner if line.found[index].text == "." and line.found[index - 1].closes]
    if len(found) > 1 and "await" not in line.texts(around):
        yield from found
