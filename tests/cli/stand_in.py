"""A small engine for tests of the command line: it finds three words and fixes two of them.

`block()` has a safe fix, `risky()` an unsafe one, `stuck()` none; a file with `def f(:` does not parse.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from loopsafe.config import Settings, resolve
from loopsafe.model import INPUT_ERROR, INVALID_SYNTAX, Applicability, Diagnostic, Edit, Fix, Position, Span
from loopsafe.source import Source, UnreadableSource, decode, discover, noqa_row, read, rows
from loopsafe.source.directives import EMPTY, read_directives
from loopsafe.suppress import suppress

_WORDS: Final = {
    "block": ("LSA101", "blocking-network-call", Applicability.SAFE),
    "risky": ("LSA105", "blocking-sleep-call", Applicability.UNSAFE),
    "stuck": ("LSA106", "blocking-wait-call", None),
}
_KNOWN: Final = {code: True for code, _, _ in _WORDS.values()}


class Outcome(NamedTuple):
    diagnostics: tuple[Diagnostic, ...]
    sources: dict[str, Source]
    files: tuple[str, ...]
    warnings: tuple[str, ...]


class Fixed(NamedTuple):
    files: dict[str, bytes]
    fixed: int
    remaining: Outcome
    applied: tuple[Diagnostic, ...]


class StandIn:
    """Fits `loopsafe.cli.engine.Engine`."""

    def check(
        self, paths: Sequence[str], settings: Settings, *, overlays: Mapping[str, bytes] | None = None
    ) -> Outcome:
        overlays = overlays or {}
        enabled = resolve(*settings.selections, known=_KNOWN)
        found = discover([path for path in paths if path not in overlays], settings)
        diagnostics = [_input_error(path, "No such file or directory (os error 2)") for path in found.missing]
        sources: dict[str, Source] = {}
        warnings: list[str] = []
        for path in (*overlays, *found.files):
            try:
                sources[path] = decode(path, overlays[path]) if path in overlays else read(path)
            except UnreadableSource as error:
                diagnostics.append(_input_error(path, error.message))
                continue
            directives = EMPTY if settings.ignore_noqa else read_directives(sources[path])
            warnings += directives.warnings
            here = [d for d in _find(sources[path]) if d.code in enabled or d.code == INVALID_SYNTAX]
            diagnostics += suppress(here, directives).kept
        files = (*sources, *(d.path for d in diagnostics if d.code == INPUT_ERROR))
        return Outcome(tuple(sorted(diagnostics, key=lambda d: d.sort_key)), sources, files, tuple(warnings))

    def fix(self, outcome: Outcome, settings: Settings) -> Fixed:
        wanted = (Applicability.SAFE, Applicability.UNSAFE) if settings.unsafe_fixes else (Applicability.SAFE,)
        todo = [d for d in outcome.diagnostics if d.fix and d.fix.applicability in wanted]
        texts = {d.path: rows(outcome.sources[d.path].text) for d in todo}
        for diagnostic in reversed(todo):
            assert diagnostic.fix is not None
            for edit in diagnostic.fix.edits:
                row = texts[diagnostic.path][edit.start.row - 1]
                row = row[: edit.start.column - 1] + edit.content + row[edit.end.column - 1 :]
                texts[diagnostic.path][edit.start.row - 1] = row
        files = {path: outcome.sources[path].encode("".join(text)) for path, text in texts.items()}
        remaining = tuple(d for d in outcome.diagnostics if d not in todo)
        sources = outcome.sources | {path: decode(path, data) for path, data in files.items()}
        return Fixed(files, len(todo), outcome._replace(diagnostics=remaining, sources=sources), tuple(todo))


def _find(source: Source) -> list[Diagnostic]:
    found = []
    for number, row in enumerate(rows(source.text), 1):
        if "def f(:" in row:
            span = Span(number, 7, number, 8)
            return [Diagnostic(source.path, INVALID_SYNTAX, INVALID_SYNTAX, "Expected a parameter", span)]
        for match in re.finditer(r"\b(block|risky|stuck)\(\)", row):
            code, name, applicability = _WORDS[match[1]]
            span = Span(number, match.start() + 1, number, match.end() + 1)
            edit = Edit(Position(*span[:2]), Position(*span[2:]), "free()")
            fix = None if applicability is None else Fix("Replace with `free()`", applicability, (edit,))
            message = f"`{match[0]}` blocks the event loop"
            row_for_noqa = noqa_row(source, span)
            found.append(Diagnostic(source.path, code, name, message, span, row_for_noqa, fix=fix))
    return found


def _input_error(path: str, message: str) -> Diagnostic:
    return Diagnostic(path, INPUT_ERROR, "io-error", message, Span(1, 1, 1, 1))
