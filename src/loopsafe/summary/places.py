"""Where the nodes of a syntax tree stand in the text, in the positions of `model`, and what their text is.

Stage: summarise. `ast` counts columns in UTF-8 bytes, users count characters.
"""

from __future__ import annotations

import ast
from typing import Final

from loopsafe.source import rows
from loopsafe.summary import ir

_LONGEST_CALLEE: Final = 60
_LONGEST_TEXT: Final = 80


class Places:
    """Spans and texts of the nodes of one module."""

    def __init__(self, text: str) -> None:
        self._rows: Final = rows(text) if "\r" in text else text.split("\n")  # how they end plays no part here
        self._is_ascii: Final = text.isascii()

    def span(self, node: ast.expr | ast.stmt) -> ir.RawSpan:
        row, end_row = node.lineno, node.end_lineno or node.lineno
        if self._is_ascii:
            return (row, node.col_offset + 1, end_row, (node.end_col_offset or 0) + 1)
        return (row, self._column(row, node.col_offset), end_row, self._column(end_row, node.end_col_offset or 0))

    def _column(self, row: int, offset: int) -> int:
        """1-based column in code points of an offset in UTF-8 bytes."""
        text = self._rows[row - 1] if row <= len(self._rows) else ""
        if text.isascii():
            return offset + 1
        return len(text.encode()[:offset].decode(errors="replace")) + 1

    def name_span(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> ir.RawSpan:
        """The span of the name in the head of a definition; the keyword's place if the head is spread over rows."""
        row, column, _, _ = self.span(node)
        text = self._rows[row - 1]
        start = text.find(
            node.name, column - 1 + len("def" if not isinstance(node, ast.AsyncFunctionDef) else "async def")
        )
        if start < 0:
            return (row, column, row, column + len("class" if isinstance(node, ast.ClassDef) else "def"))
        return (row, start + 1, row, start + 1 + len(node.name))

    def segment(self, span: ir.RawSpan) -> str:
        """The text of a span, its rows joined without their line breaks and indentation."""
        row, column, end_row, end_column = span
        if row == end_row:
            return self._rows[row - 1][column - 1 : end_column - 1] if row <= len(self._rows) else ""
        lines = self._rows[row - 1 : end_row]
        lines[-1] = lines[-1][: end_column - 1]
        lines[0] = lines[0][column - 1 :]
        return "".join(line.strip() for line in lines)

    def text(self, node: ast.expr) -> str:
        """An expression's text on one line, for messages."""
        text = self.segment(self.span(node))
        return text if len(text) <= _LONGEST_TEXT and node.lineno == node.end_lineno else sketch(node)

    def callee_text(self, node: ast.expr) -> str:
        """The text of what is called; long chains without their arguments."""
        if node.lineno == node.end_lineno and (node.end_col_offset or 0) - node.col_offset <= _LONGEST_CALLEE:
            return self.segment(self.span(node))
        return sketch(node)

    def holds(self, node: ast.expr | ast.stmt) -> bool:
        """Whether the text at a node's place is that node: before 3.12, places inside f-strings may be wrong."""
        text = self.segment(self.span(node))
        try:
            found = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError):
            return False
        return _is_alike(found, node)


def _is_alike(one: object, other: object) -> bool:
    """Whether two trees differ in nothing but places. `ast.dump` would leave a cycle of objects behind each time."""
    if one.__class__ is not other.__class__:
        return False
    if isinstance(one, ast.AST):
        return all(_is_alike(getattr(one, name, None), getattr(other, name, None)) for name in one._fields)
    if isinstance(one, list):
        assert isinstance(other, list)
        return len(one) == len(other) and all(map(_is_alike, one, other))
    return one == other


def sketch(node: ast.expr) -> str:
    """An expression with its arguments left out: `client.table(…).select(…).execute`."""
    suffix = ""
    while True:
        match node:
            case ast.Attribute(value=value, attr=attr):
                suffix = f".{attr}{suffix}"
            case ast.Call(func=value, args=args, keywords=keywords):
                suffix = ("(…)" if args or keywords else "()") + suffix
            case ast.Subscript(value=value):
                suffix = f"[…]{suffix}"
            case ast.Await(value=value):
                return f"(await {sketch(value)}){suffix}"
            case ast.Name(id=name):
                return name + suffix
            case _:
                return "(…)" + suffix
        node = value
