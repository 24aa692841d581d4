"""Which variables a loop may assign, for they need a joint before its body is read; what f-strings begin with.

Stage: summarise.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Final

_SHORTEST_BEGINNING: Final = 3
"""Too many names begin like something shorter."""


def bound_names(statements: Sequence[ast.stmt], target: ast.expr | None) -> list[str]:
    """The names that the statements, or the loop's own target, bind in this scope, in order of first mention."""
    names: dict[str, None] = {}
    if target is not None:
        names.update(dict.fromkeys(_target_names(target)))
    for statement in statements:
        names.update(dict.fromkeys(_statement_names(statement)))
    return list(names)


def _statement_names(statement: ast.stmt) -> Iterator[str]:
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
            return
        case ast.Assign(targets=targets):
            for target in targets:
                yield from _target_names(target)
        case ast.AnnAssign(target=target) | ast.AugAssign(target=target):
            yield from _target_names(target)
        case ast.For(target=target) | ast.AsyncFor(target=target):
            yield from _target_names(target)
        case ast.With(items=items) | ast.AsyncWith(items=items):
            for item in items:
                if item.optional_vars is not None:
                    yield from _target_names(item.optional_vars)
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in aliases)
        case ast.Match():
            yield from (part.name for part in ast.walk(statement) if isinstance(part, ast.MatchAs) and part.name)
    for block in ("body", "orelse", "finalbody"):
        for child in getattr(statement, block, ()):
            yield from _statement_names(child)
    for handler in getattr(statement, "handlers", ()):
        if handler.name:
            yield handler.name
        for child in handler.body:
            yield from _statement_names(child)
    for case in getattr(statement, "cases", ()):
        for child in case.body:
            yield from _statement_names(child)


def _target_names(target: ast.expr) -> Iterator[str]:
    match target:
        case ast.Name(id=name):
            yield name
        case ast.Tuple(elts=elements) | ast.List(elts=elements):
            for element in elements:
                yield from _target_names(element)
        case ast.Starred(value=value):
            yield from _target_names(value)


def beginning_of_name(node: ast.JoinedStr) -> Iterator[str]:
    """What all names begin with that an f-string gives: `f"async_step_{step}"`; nothing if it gives no names."""
    match node.values:
        case [ast.Constant(value=str(text)), _, *_] if len(text) >= _SHORTEST_BEGINNING and text.isidentifier():
            yield text


def beginning_of_path(node: ast.JoinedStr) -> str:
    """What all absolute paths begin with that an f-string gives: `f"/proc/{pid}/stat"`; nothing if it gives none."""
    match node.values:
        case [ast.Constant(value=str(text)), _, *_] if text.startswith("/") and text.isascii():
            return text
    return ""
