"""Stage read: find the files to check and turn each into a `Source`, once, with every byte accounted for.

Nothing here parses Python or judges it. The parts: `discovery` (which files), `text` (bytes to text, rows,
columns), `layout` (joined rows), `directives` (suppression comments), `writing` (text back to disk).
"""

from __future__ import annotations

from loopsafe.source.discovery import Discovery, discover
from loopsafe.source.layout import noqa_row
from loopsafe.source.text import Source, UnreadableSource, columns, decode, read, rows
from loopsafe.source.writing import write

__all__ = [
    "Discovery",
    "Source",
    "UnreadableSource",
    "columns",
    "decode",
    "discover",
    "noqa_row",
    "read",
    "rows",
    "write",
]
