"""Stage fix: one file, and one finding in it, as everything that writes a fix sees them.

Judges nothing, writes nothing.
"""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from loopsafe.fixes.fitting import find_width
from loopsafe.fixes.imports import Imports
from loopsafe.fixes.layout import is_directive
from loopsafe.fixes.names import Names
from loopsafe.fixes.places import Function, Place, Refusal, Tree
from loopsafe.fixes.proof import parse
from loopsafe.fixes.races import History
from loopsafe.fixes.recipes import Group, Rewriting, Setting
from loopsafe.fixes.wording import indent_of
from loopsafe.model import Diagnostic, Position, Remedy, Span
from loopsafe.source.text import Source, rows

Sources: TypeAlias = Callable[[str], "Source | None"]
"""The text of a file of the project, by path as shown to users."""


class File(NamedTuple):
    """One file, as all proposals for it see it."""

    source: Source
    tree: Tree
    names: Names
    imports: Imports
    target: tuple[int, int]
    """The oldest Python that it has to run on."""
    histories: dict[Function, History]
    diagnostics: Sequence[Diagnostic]
    places: Mapping[int, Place]
    """Of the diagnostics, by number, that stand at an expression and have a remedy."""
    others: Sources
    starts: frozenset[Position]
    """Where its diagnostics start."""
    width: int
    """How wide its rows may be."""

    def slice(self, span: Span) -> str:
        """Return the text of a span, its rows joined by `\\n`."""
        lines = [row.rstrip("\r\n") for row in self.tree.rows[span.row - 1 : span.end_row]]
        lines[-1] = lines[-1][: span.end_column - 1]
        lines[0] = lines[0][span.column - 1 :]
        return "\n".join(lines)

    def holder_of(self, place: Place) -> ast.stmt:
        """Return the outermost function around a place, or the module's statement outside any."""
        return place.outermost_function or self.tree.module.body[place.statement]


class Finding(NamedTuple):
    """One diagnostic with a remedy, at its place."""

    file: File
    diagnostic: Diagnostic
    remedy: Remedy
    found: Place | None
    is_loose: bool = False
    """It was looked at together with its neighbours, and found to be better off-loaded alone."""

    @property
    def place(self) -> Place:
        """Where its expression stands."""
        if self.found is None:
            raise Refusal("no expression stands at the place")
        return self.found

    @property
    def setting(self) -> Setting:
        """What stands around the expression."""
        return setting_of(self.file, self.place)

    @property
    def holder(self) -> ast.stmt:
        """The statement that a proof has to look at."""
        return self.file.holder_of(self.place)


Writer: TypeAlias = Callable[[Finding], Rewriting]
"""How one kind of remedy is written, or refused; the proof comes after it."""


def find_nothing(path: str) -> Source | None:
    """Stand for the project where there is none."""
    return None


def open_file(
    source: Source, diagnostics: Sequence[Diagnostic], target: tuple[int, int], others: Sources = find_nothing
) -> File:
    """Parse a file, or refuse."""
    try:
        module = parse(source.text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise Refusal("the file does not parse") from None
    tree = Tree(module, rows(source.text))
    spans = {number: one.remedy.span for number, one in enumerate(diagnostics) if one.remedy is not None}
    found = tree.find(spans.values())
    return File(
        source,
        tree,
        Names(module, source.text, source.path),
        Imports(module, tree.rows, source.newline),
        target,
        {},
        diagnostics,
        {number: found[span] for number, span in spans.items() if span in found},
        others,
        frozenset(one.span.start for one in diagnostics),
        find_width(tree.rows),
    )


def setting_of(file: File, place: Place) -> Setting:
    """Return what stands around an expression."""
    span = file.tree.span(place.node)
    before = file.tree.before(span.start)
    parent, field, _ = place.parent
    is_used_on = (isinstance(parent, ast.Attribute | ast.Subscript) and field == "value") or (
        isinstance(parent, ast.Call) and field == "func"
    )
    is_spread = span.row != span.end_row
    lines = file.tree.rows
    is_alone = file.slice(span) == lines[span.row - 1].strip()
    return Setting(
        span.start,
        file.slice(span),
        needs_space=before.isalnum() or before == "_",
        needs_parentheses=is_used_on and file.tree.next_token(span.end) != ")",
        is_awaited=isinstance(parent, ast.Await),
        newline=file.source.newline,
        margin=indent_of(lines[span.row - 1]),
        is_pinned=is_spread and (is_directive(lines[span.row - 1]) or is_directive(lines[span.end_row - 1])),
        group=_find_group(lines, span) if is_spread or is_alone else None,
    )


def _find_group(lines: Sequence[str], span: Span) -> Group | None:
    """Return the parentheses in which an expression stands first, if there are any that call nothing."""
    row, column = span.row, span.column - 1
    while row > 1 and not lines[row - 1][:column].strip():
        row, column = row - 1, len(lines[row - 2].rstrip("\r\n"))
    head = lines[row - 1][:column].rstrip()
    word = _WORD.search(head[:-1])
    if not head.endswith("(") or (word and not keyword.iskeyword(word[1])):
        return None
    rest = lines[span.end_row - 1][span.end_column - 1 :] + "".join(lines[span.end_row : span.end_row + _LONGEST_TAIL])
    tail = _TAIL.match(rest)
    if tail is None:
        return None
    above = rows(rest[: tail.end()])
    end = Position(span.end_row + len(above) - 1, len(above[-1]) + (span.end_column if len(above) == 1 else 1))
    is_needed = rest[tail.end() :].lstrip(" \t")[:1] in _USES or head[-2:-1].isalnum()
    start = Position(row, len(head))
    return Group(start, end, "".join(tail[1].split()), indent_of(head), row < span.row, is_needed)


_LONGEST_TAIL: Final = 6
_TAIL: Final = re.compile(r"((?:\s*\.\s*\w+|\(\)|\[\w+\]|\[\"\w+\"\]|\['\w+'\])*)\s*\)")
"""Attributes, indexes and empty calls, up to a closing parenthesis."""
_WORD: Final = re.compile(r"(\w+|[])'\"])[ \t]*$")
_USES: Final = (".", "(", "[")
