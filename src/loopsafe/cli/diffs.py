"""`--diff`: what fixing would change, as a unified diff with the rows' own ends.

Nothing here prints.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import unified_diff
from typing import Final

from loopsafe.report.parts.style import Style
from loopsafe.source.text import Source, decode, rows

_ROLES: Final = {"-": "removed", "+": "added"}
_NO_NEWLINE: Final = "\n\\ No newline at end of file\n"


def render_diff(source: Source, data: bytes, style: Style) -> str:
    """Return the diff from `source` to the new contents `data`; standard input has no header."""
    old, new = _rows(source), _rows(decode(source.path, data))
    lines = unified_diff(old, new, source.path, source.path)
    return "".join(_paint(lines, style, skip=2 if source.path == "-" else 0))


def _rows(source: Source) -> list[str]:
    return rows(("\ufeff" if source.has_bom else "") + source.text)


def _paint(lines: Iterator[str], style: Style, skip: int) -> Iterator[str]:
    for index, line in enumerate(lines):
        if index < skip:
            continue
        if index < 2:
            yield f"{line[:4]}{style(_ROLES[line[0]], line[4:-1])}\n"
            continue
        text = line.rstrip("\r\n")
        end = line[len(text) :] or _NO_NEWLINE
        yield (style(_ROLES[line[0]], text) if line[0] in _ROLES else text) + end
