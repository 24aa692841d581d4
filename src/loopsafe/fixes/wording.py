"""Stage fix: pieces of source text as they stand in messages, and in the rows that fixes write.

Judges nothing.
"""

from __future__ import annotations

import ast
from typing import Final

STEP: Final = "    "
"""By how much formatters indent what stands in brackets, unless with tabs."""
_LONGEST_NAME: Final = 50


def shorten(node: ast.expr) -> str:
    """Return an expression on one row, its end if it is long."""
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= _LONGEST_NAME else "…" + text[-_LONGEST_NAME:]


def indent_of(row: str) -> str:
    """Return the blanks that a row begins with."""
    return row[: len(row) - len(row.lstrip(" \t"))]
