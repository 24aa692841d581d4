"""Stage suppress: take out the findings that a comment silences, and tell which comments silenced nothing.

Nothing here reads files or decides which codes exist: `unused` has every listed code that silenced nothing,
those of other tools too, and never a blanket directive, which may be meant for another tool.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from loopsafe.model import Diagnostic
from loopsafe.source.directives import Directive, Directives


class Unused(msgspec.Struct, frozen=True):
    """A directive of which some codes silence nothing."""

    directive: Directive
    codes: tuple[str, ...]
    """The ones that silence nothing, in the order written."""


class Suppression(NamedTuple):
    """The result of the stage for one file."""

    kept: tuple[Diagnostic, ...]
    unused: tuple[Unused, ...]


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
