"""Stage fix: how control leaves statements, as far as the syntax tells. Judges nothing."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from itertools import pairwise

from loopsafe.fixes.dataflow import is_swallowing
from loopsafe.fixes.places import Around, Function, Try, children, walk_scope


def has_return(statement: ast.stmt) -> bool:
    """Tell whether a `return` stands in `statement`, nested functions left out."""
    return any(isinstance(node, ast.Return) for node in walk_scope([statement]))


def leaves_loop(statement: ast.stmt) -> bool:
    """Tell whether a `break` or `continue` in `statement` belongs to a loop around it."""
    pending: list[ast.AST] = [statement]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Break | ast.Continue):
            return True
        if isinstance(node, ast.For | ast.AsyncFor | ast.While):
            pending += node.orelse
        elif not isinstance(node, Function | ast.ClassDef | ast.Lambda):
            pending += [child for _, _, child in children(node) if isinstance(child, ast.stmt | _HOLDERS)]
    return False


_HOLDERS = ast.ExceptHandler | ast.match_case


def always_leaves(body: Sequence[ast.stmt]) -> bool:
    """Tell whether control never reaches the end of `body`, but returns from the function or raises."""
    for statement in body:
        match statement:
            case ast.Return() | ast.Raise():
                return True
            case ast.If(body=one, orelse=other) if always_leaves(one) and always_leaves(other):
                return True
            case ast.With(items=items, body=inner) if always_leaves(inner) and not any(map(is_swallowing, items)):
                return True
        if isinstance(statement, Try) and _try_leaves(statement):
            return True
    return False


def _try_leaves(statement: Try) -> bool:
    if always_leaves(statement.finalbody):
        return True
    handled = all(always_leaves(handler.body) for handler in statement.handlers)
    return handled and (always_leaves(statement.body) or always_leaves(statement.orelse))


def is_reached_otherwise(path: Sequence[Around]) -> bool:
    """Tell whether control may reach what follows the suite that `path` leads to without going through that suite."""
    for outer, _ in reversed(list(pairwise(path))):
        suite: list[ast.stmt] = getattr(outer.node, outer.field)
        if not isinstance(suite[outer.nth], ast.With | ast.AsyncWith):
            return True
        if outer.nth < len(suite) - 1:
            return False
    return False


def what_follows(path: Sequence[Around]) -> list[ast.stmt] | None:
    """Return the statements that come next after the end of the suite that `path` leads to.

    None where that is not a plain sequence, as at the end of a loop; nothing is the end of the function.
    """
    for outer, inner in reversed(list(pairwise(path))):
        suite: list[ast.stmt] = getattr(outer.node, outer.field)
        statement = suite[outer.nth]
        if isinstance(statement, ast.With | ast.AsyncWith):
            is_plain = not any(map(is_swallowing, statement.items))
        elif isinstance(statement, Try):
            has_more = inner.node is statement and inner.field == "body" and statement.orelse
            is_plain = inner.field != "finalbody" and not has_more
        else:
            is_plain = isinstance(statement, ast.If | ast.Match)
        if not is_plain:
            return None
        if outer.nth < len(suite) - 1:
            return suite[outer.nth + 1 :]
    return []
