"""Stage fix: the rows of an expression that is spread over several of them, once it is handed to a thread.

Text in, text out: what is written is said by `rewriting`, whether a row is too long by `fitting`. Comments stay on the
rows that they stand on, strings are never touched.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final, NamedTuple

from loopsafe.fixes.tokens import find_brackets, tokenize_piece
from loopsafe.fixes.wording import indent_of

_DIRECTIVE: Final = re.compile(
    r"#\s*(noqa|type:|pyright|mypy|pylint|pragma|fmt|nosec|ruff|loopsafe|flake8|pyre)", re.IGNORECASE
)


class Margins(NamedTuple):
    """Where the rows of the new expression begin."""

    outer: str
    """The blanks in front of its first row, and of the one that closes it."""
    step: str
    steps: int
    """So many steps further to the right than the old expression stood."""

    @property
    def inner(self) -> str:
        return self.outer + self.step

    def move(self, text: str, steps: int) -> str:
        """Return a piece with all rows but the first moved to the right, as far as they do not begin in a string."""
        kept = find_rows_in_strings(text)
        lines = text.split("\n")
        free = [row > 0 and line.strip() != "" and row not in kept for row, line in enumerate(lines)]
        return "\n".join(
            self.step * steps + line if is_free else line for is_free, line in zip(free, lines, strict=True)
        )


def is_directive(row: str) -> bool:
    """Tell whether a row may have a comment that speaks to a tool about this very row."""
    return _DIRECTIVE.search(row) is not None


def flatten(text: str) -> str | None:
    """Return an expression in one row, if only its length or the steps of a chain put it on several.

    A formatter would join it if it fitted: it has no comment, no text over several rows, no comma before a closing
    bracket, and no list with an item per row.
    """
    found = tokenize_piece(text)
    if not found or "\\\n" in text or any(token.is_comment or token.row != token.end_row for token in found):
        return None
    pieces = [found[0].text]
    for one, other in pairwise(found):
        if one.row == other.row:
            pieces.append(text[one.end : other.start])
        elif (one.text == "," and other.closes) or not (one.text == "(" or other.text in (")", ".")):
            return None
        pieces.append(other.text)
    return "".join(pieces)


def is_chain(text: str) -> bool:
    """Tell whether rows begin with the next step of a chain."""
    return any(line.lstrip().startswith(".") for line in text.split("\n")[1:])


def is_hanging(arguments: str) -> bool:
    """Tell whether what stands between parentheses has rows of its own."""
    return "\n" in arguments and arguments.lstrip(" \t")[:1] in ("\n", "#")


def write_arguments(opening: str, items: list[str], margins: Margins) -> str:
    """Return a call with its arguments on rows of their own; one alone needs no comma."""
    comma = "," * (len(items) > 1)
    return f"{opening}(\n{margins.inner}" + f",\n{margins.inner}".join(items) + f"{comma}\n{margins.outer})"


def write_lambda(text: str, margins: Margins) -> str:
    """Return `lambda: …` for the row of an argument; a chain over rows gets parentheses."""
    if not is_chain(text):
        return f"lambda: {margins.move(text, margins.steps + 1)}"
    inner = margins.inner + margins.step
    chain = _split_steps(margins.move(text, margins.steps + 2), inner)
    return f"lambda: (\n{inner}{chain}\n{margins.inner})"


def hand_over(opening: str, leading: list[str], callee: str, arguments: str, margins: Margins) -> str | None:
    """Return the call of an off-loader that is given `callee` and its arguments, if they have rows of their own."""
    if "\n" in callee:
        if "\n" in arguments or "\\\n" in callee:
            return None
        moved = _split_steps(margins.move(callee, margins.steps + 1), margins.inner)
        given = arguments.strip().removesuffix(",")
        return write_arguments(opening, [*leading, moved, *([given] if given else [])], margins)
    if _is_one_text(arguments):
        return write_arguments(opening, [*leading, callee, arguments.strip().removesuffix(",")], margins)
    if not is_hanging(arguments):
        return None
    head, _, rest = arguments.partition("\n")
    while "\n" in rest and not rest.partition("\n")[0].strip():
        rest = rest.partition("\n")[2]
    margin = margins.step * margins.steps + indent_of(rest) if rest.strip() else margins.inner
    first = "".join(f"\n{margin}{one}," for one in [*leading, callee])
    return f"{opening}({head.rstrip()}{first}" + margins.move(f"\n{_end_with_comma(rest)})", margins.steps)


def _end_with_comma(arguments: str) -> str:
    """Return arguments with a comma behind them if there is but one, which needed none as long as it was alone."""
    found = tokenize_piece(arguments) or []
    top = set(range(len(found)))
    top -= {index for pair in find_brackets(found) for index in range(pair.first + 1, pair.last)}
    words = [index for index in top if not found[index].is_comment]
    if not words or any(found[index].text in (",", "for", "lambda") for index in words):
        return arguments
    end = found[max(words)].end
    return f"{arguments[:end]},{arguments[end:]}"


def align(text: str, column: int, new: int) -> str | None:
    """Return a piece whose further rows begin at `new` instead of `column`, if one of them does begin there."""
    kept = find_rows_in_strings(text)
    lines = text.split("\n")
    margins = {row: indent_of(line) for row, line in enumerate(lines) if row and line.strip() and row not in kept}
    widths = {row: len(margin) for row, margin in margins.items()}
    if (
        column not in widths.values()
        or min(widths.values()) + new < column
        or any("\t" in one for one in margins.values())
    ):
        return None
    for row, width in widths.items():
        lines[row] = " " * (width + new - column) + lines[row][width:]
    return "\n".join(lines)


def find_rows_in_strings(text: str) -> set[int]:
    """Return the rows that begin within a string; all of them where the text cannot be read."""
    found = tokenize_piece(text) or tokenize_piece(f"({text}")
    if found is None:
        return set(range(text.count("\n") + 1))
    return {row for token in found for row in range(token.row + 1, token.end_row + 1)}


def _is_one_text(arguments: str) -> bool:
    """Tell whether a call is given nothing but a text over several rows, right behind its parenthesis."""
    words = [token for token in tokenize_piece(arguments) or [] if token.text != ","]
    return len(words) == 1 and words[0].row == 0 and words[0].end_row > 0 and not words[0].is_comment


def _split_steps(text: str, margin: str) -> str:
    """Return a chain of several calls with each on a row of its own."""
    found = tokenize_piece(text) or []
    inner = {index for pair in find_brackets(found) for index in range(pair.first + 1, pair.last)}
    steps = [index for index, one in enumerate(found) if index and one.text == "." and index not in inner]
    steps = [index for index in steps if found[index - 1].closes]
    for index in reversed(steps if len(steps) > 1 else []):
        if found[index].row == found[index - 1].end_row:
            text = f"{text[: found[index].start]}\n{margin}{text[found[index].start :]}"
    return text
