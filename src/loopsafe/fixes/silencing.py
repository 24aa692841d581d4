"""Stage fix, `--add-noqa`: findings that stay get a suppression comment, where ruff would put it.

Decides nothing about which findings stay; pure text.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from loopsafe.model import Diagnostic
from loopsafe.source.directives import Directive, Kind, read_directives
from loopsafe.source.text import Source, rows

_BLANKS: Final = " \t\f"


class Silenced(NamedTuple):
    """A text in which findings are suppressed."""

    text: str
    added: int
    """How many rows have got a comment, or a longer one."""


def silence(source: Source, diagnostics: Iterable[Diagnostic], reason: str = "") -> Silenced:
    """Suppress the findings of one file by `# noqa: CODE`, with `reason` behind the codes.

    Codes join those of a comment that is there. Unlike with ruff, what follows them stays: it may be for another tool.
    """
    codes: dict[int, set[str]] = {}
    for one in diagnostics:
        if one.noqa_row is not None:
            codes.setdefault(one.noqa_row, set()).add(one.code)
    known = {one.span.row: one for one in read_directives(source).items if one.kind is Kind.NOQA and one.codes}
    text = rows(source.text)
    for row, new in codes.items():
        text[row - 1] = _write(text[row - 1], new, known.get(row), reason, source.newline)
    return Silenced("".join(text), len(codes))


def _write(row: str, new: set[str], known: Directive | None, reason: str, newline: str) -> str:
    code = row.rstrip("\r\n")
    ending, rest = row[len(code) :] or newline, reason
    if known is not None:
        new = new | set(known.codes or ())
        rest = f"{code[known.span.end_column - 1 :].strip(_BLANKS)} {reason}"
        code = code[: known.span.column - 1]
    comment = f"# noqa: {', '.join(sorted(new))} {rest}".rstrip(_BLANKS)
    return f"{code.rstrip(_BLANKS)}  {comment}{ending}"
