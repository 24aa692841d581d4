"""Stage suppress: take out the findings that a comment silences, and tell which comments silenced nothing.

Nothing here reads files or decides which codes exist: `unused` has every listed code that silenced nothing,
those of other tools too, and never a blanket directive, which may be meant for another tool. LSA900 speaks of those
that were looked for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

import msgspec

from loopsafe.model import Applicability, Diagnostic, Edit, Fix, Position
from loopsafe.source import noqa_row, rows
from loopsafe.source.directives import Directive, Directives, read_directives
from loopsafe.source.text import Source

UNUSED: Final = "LSA900"
"""Code of the finding that a suppression suppresses nothing."""


class Unused(msgspec.Struct, frozen=True):
    """A directive of which some codes silence nothing."""

    directive: Directive
    codes: tuple[str, ...]
    """The ones that silence nothing, in the order written."""


class Suppression(NamedTuple):
    """The result of the stage for one file."""

    kept: tuple[Diagnostic, ...]
    unused: tuple[Unused, ...]


def silence(
    source: Source, diagnostics: Iterable[Diagnostic], looked_for: Collection[str], name: str | None
) -> list[Diagnostic]:
    """The diagnostics of a file that its comments leave, and those of comments that silence nothing.

    `looked_for` are the codes of which it is known where they are found. The latter need the rule's `name`.
    """
    directives = read_directives(source)
    kept, unused = suppress(diagnostics, directives)
    if name is None:
        return list(kept)
    found = [one for each in unused if (one := _report(source, each, looked_for, name)) is not None]
    return [*kept, *suppress(found, directives).kept]


def suppress(diagnostics: Iterable[Diagnostic], directives: Directives) -> Suppression:
    """Apply the `directives` of one file to its `diagnostics`, whose order is kept.

    A finding without a `noqa_row`, such as a syntax error, cannot be silenced.
    """
    by_row: dict[int, list[int]] = {}
    for_file: list[int] = []
    for index, directive in enumerate(directives.items):
        if directive.rows is None:
            for_file.append(index)
            continue
        first, last = directive.rows
        for covered in range(first, last + 1):
            by_row.setdefault(covered, []).append(index)
    used: set[tuple[int, str]] = set()
    kept: list[Diagnostic] = []
    for diagnostic in diagnostics:
        row = diagnostic.noqa_row
        candidates = [] if row is None else [*for_file, *by_row.get(row, [])]
        matching = [index for index in candidates if _names(directives.items[index], diagnostic.code)]
        used.update((index, diagnostic.code) for index in matching)
        if not matching:
            kept.append(diagnostic)
    return Suppression(tuple(kept), tuple(_unused(directives, used)))


def _names(directive: Directive, code: str) -> bool:
    return directive.codes is None or code in directive.codes


def _unused(directives: Directives, used: set[tuple[int, str]]) -> Iterable[Unused]:
    for index, directive in enumerate(directives.items):
        if directive.codes is None:
            continue
        codes = tuple(code for code in directive.codes if (index, code) not in used)
        if codes:
            yield Unused(directive, codes)


def _report(source: Source, unused: Unused, looked_for: Collection[str], name: str) -> Diagnostic | None:
    directive = unused.directive
    codes = [code for code in dict.fromkeys(unused.codes) if code in looked_for and code != UNUSED]
    if not codes:
        return None
    listed = ", ".join(f"`{code}`" for code in codes)
    message = f"{listed} {'suppresses' if len(codes) == 1 else 'suppress'} nothing here: remove it from the comment"
    assert directive.codes is not None, "a blanket directive is never unused"
    rest = [code for code in directive.codes if code not in codes]
    edit = _shorten(source, directive, rest) if rest else _delete(source, directive)
    fix = Fix("Remove unused suppression", Applicability.SAFE, (edit,))
    row = noqa_row(source, directive.span)
    return Diagnostic(source.path, UNUSED, name, message, directive.span, row, fix=fix)


def _shorten(source: Source, directive: Directive, rest: list[str]) -> Edit:
    """The directive with fewer codes."""
    assert directive.codes is not None, "a blanket directive has none"
    row, start, _, end = directive.span
    text = rows(source.text)[row - 1][start - 1 : end - 1]
    head = text[: text.index(directive.codes[0])]
    tail = "]" if text.endswith("]") else ""
    return Edit(Position(row, start), Position(row, end), f"{head}{', '.join(rest)}{tail}")


def _delete(source: Source, directive: Directive) -> Edit:
    """The directive with the blanks before it, or the row if nothing else stands there; other comments stay."""
    row, start, _, end = directive.span
    lines = rows(source.text)
    line = lines[row - 1]
    before, after = line[: start - 1].rstrip(), line[end - 1 :]
    if not after.strip():
        if before:
            return Edit(Position(row, len(before) + 1), Position(row, end), "")
        is_last = row == len(lines) and line == line.rstrip("\r\n")
        return Edit(Position(row, 1), Position(row, len(line) + 1) if is_last else Position(row + 1, 1), "")
    blanks = len(after) - len(after.lstrip())
    is_comment = after.lstrip().startswith("#")
    return Edit(Position(row, start), Position(row, end + blanks), "" if is_comment else "# ")
