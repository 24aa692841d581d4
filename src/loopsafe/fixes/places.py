"""Stage fix, first step: find the expression of each remedy in the tree, with all that stands around it.

Reads with `ast` only; judges nothing. Spans are the model's: code points, 1-based.
"""

from __future__ import annotations

import ast
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from loopsafe.model import Position, Span
from loopsafe.source.text import columns

Function = ast.FunctionDef | ast.AsyncFunctionDef
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
if sys.version_info >= (3, 11):
    Try = ast.Try | ast.TryStar
else:
    Try = ast.Try


class Refusal(Exception):
    """This finding is not fixed; the text says why, as the end of the sentence "not fixed: …"."""


class Around(NamedTuple):
    """One step outwards from an expression: a node, and by which of its fields the expression hangs on it."""

    node: ast.AST
    field: str
    nth: int
    """Position in the field's list; 0 where it holds one node."""


class Place(NamedTuple):
    """An expression and everything around it, innermost first, up to the module."""

    node: ast.expr
    around: tuple[Around, ...]
    statement: int
    """Index of the top-level statement that holds it."""

    @property
    def parent(self) -> Around:
        return self.around[0]

    def inside_coroutine(self) -> tuple[Around, ...]:
        """Return the steps out to, and without, the function whose body holds the expression."""
        for count, step in enumerate(self.around):
            if isinstance(step.node, Function) and step.field == "body":
                return self.around[:count]
        return self.around

    def at(self, step: Around) -> Place:
        """Return the place of a statement that holds the expression; `step` leads to it."""
        outwards = next(
            count for count, one in enumerate(self.around) if one.node is step.node and one.field == step.field
        )
        return self._replace(around=(step, *self.around[outwards + 1 :]))

    @property
    def outermost_function(self) -> Function | None:
        """The function that holds the expression and is itself in no other."""
        return next((step.node for step in reversed(self.around) if isinstance(step.node, Function)), None)

    def functions(self) -> Iterator[tuple[Function, int]]:
        """Yield the functions whose local names the expression sees, innermost first.

        With each comes the index of the statement in its body that the expression belongs to.
        """
        for step in self.around:
            if isinstance(step.node, Function) and step.field == "body":
                yield step.node, step.nth


class Tree:
    """A parsed file that answers where a span is."""

    def __init__(self, module: ast.Module, rows: list[str]) -> None:
        self.module = module
        self.rows = rows
        self._starts = [first_row(statement) for statement in module.body]
        self.imported = {
            alias.asname or alias.name.partition(".")[0]: _imported_from(statement, alias)
            for statement in module.body
            if isinstance(statement, ast.Import | ast.ImportFrom)
            for alias in statement.names
        }
        """Names that the module's plain imports bind, with the qualified names that they stand for."""

    def find(self, spans: Iterable[Span]) -> dict[Span, Place]:
        """Return the place of each span that is exactly one expression of the file."""
        wanted: dict[int, set[Span]] = {}
        for span in spans:
            statement = bisect_right(self._starts, span.row) - 1
            # statements joined by semicolons share a row
            while statement >= 0:
                wanted.setdefault(statement, set()).add(span)
                if not statement or self._starts[statement - 1] < self._starts[statement]:
                    break
                statement -= 1
        found: dict[Span, Place] = {}
        for statement, here in sorted(wanted.items()):
            self._search(statement, here, found)
        return found

    def _search(self, statement: int, wanted: set[Span], found: dict[Span, Place]) -> None:
        by_rows = {(span.row, span.end_row) for span in wanted}
        starts = sorted(row for row, _ in by_rows)
        parents: dict[ast.AST, Around] = {}
        root = self.module.body[statement]
        pending: list[ast.AST] = [root]
        hits: list[tuple[Span, ast.expr]] = []
        while pending:
            node = pending.pop()
            if isinstance(node, ast.expr) and (node.lineno, node.end_lineno) in by_rows:
                span = self.span(node)
                if span in wanted:
                    hits.append((span, node))
            for field, index, child in children(node):
                if isinstance(child, ast.stmt) and not _holds_any(child, starts):
                    continue
                parents[child] = Around(node, field, index)
                pending.append(child)
        hits.sort(key=lambda hit: isinstance(hit[1], ast.Call))  # a call wins where older Pythons blur f-strings
        top = Around(self.module, "body", statement)
        for span, node in hits:
            found[span] = Place(node, (*_outwards(node, root, parents), top), statement)

    def span(self, node: ast.expr | ast.stmt | ast.keyword | ast.alias) -> Span:
        """Return the span of `node` in code points."""
        end_row, end_offset = node.end_lineno or node.lineno, node.end_col_offset or 0
        return Span(
            node.lineno,
            columns(self._row(node.lineno), node.col_offset),
            end_row,
            columns(self._row(end_row), end_offset),
        )

    def before(self, position: Position) -> str:
        """Return the character in front of `position` in its row, or nothing at the row's start."""
        return self._row(position.row)[position.column - 2 : position.column - 1] if position.column > 1 else ""

    def next_token(self, position: Position) -> str:
        """Return the first character at or after `position` that is no blank, row end, joiner or comment."""
        column = position.column - 1
        for row in range(position.row, len(self.rows) + 1):
            rest = self._row(row)[column:].lstrip(" \t\f\r\n")
            column = 0
            if rest and not rest.startswith("#") and rest.rstrip("\r\n") != "\\":
                return rest[0]
        return ""

    def _row(self, row: int) -> str:
        return self.rows[row - 1] if 0 < row <= len(self.rows) else ""


def children(node: ast.AST) -> Iterator[tuple[str, int, ast.AST]]:
    """Yield the child nodes with the field and index that lead to them."""
    for field in node._fields:
        value = getattr(node, field, None)
        if isinstance(value, ast.AST):
            yield field, 0, value
        elif isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, ast.AST):
                    yield field, index, item


def first_row(statement: ast.stmt) -> int:
    """Return the row where a statement begins, its decorators included."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])


def walk_scope(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Yield the nodes that run with `body`: no bodies of functions, classes and lambdas."""
    pending = list(body)
    while pending:
        node = pending.pop()
        yield node
        for field, _, child in children(node):
            if field == "body" and isinstance(node, Function | ast.ClassDef | ast.Lambda):
                continue
            pending.append(child)


def last_name(node: ast.AST) -> str:
    """Return the last identifier of a dotted name, or of a call's callee; nothing for other expressions."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call(func=func):
            return last_name(func)
    return ""


def _imported_from(statement: ast.Import | ast.ImportFrom, alias: ast.alias) -> str:
    if isinstance(statement, ast.ImportFrom):
        return "." * statement.level + f"{statement.module or ''}.{alias.name}"
    return alias.name if alias.asname else alias.name.partition(".")[0]


def _holds_any(statement: ast.stmt, sorted_rows: list[int]) -> bool:
    after = bisect_left(sorted_rows, first_row(statement))
    return after < len(sorted_rows) and sorted_rows[after] <= (statement.end_lineno or statement.lineno)


def _outwards(node: ast.AST, root: ast.AST, parents: dict[ast.AST, Around]) -> Iterator[Around]:
    while node is not root:
        step = parents[node]
        yield step
        node = step.node
