"""Stage fix, check: a rewritten text must parse to the old tree with exactly the intended changes.

This catches whatever the text edits may get wrong: positions inside f-strings on older Pythons, `f"{x=}"`,
words that got glued together. It parses only the rows of the top-level statements that changed, and changes
nothing.
"""

from __future__ import annotations

import ast
import copy
import warnings
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from loopsafe.fixes.places import Place, first_row
from loopsafe.fixes.recipes import Form, Recipe


class Intent(NamedTuple):
    """What one fix means to do."""

    place: Place
    recipe: Recipe


class Proof:
    """Compares new texts of one file with its old tree."""

    def __init__(self, module: ast.Module, count: int) -> None:
        self._body = module.body
        self._count = count

    def holds(self, new_rows: Sequence[str], intents: Sequence[Intent], statement: int) -> bool:
        """Tell whether the rows of top-level `statement` mean in the new text what `intents` want."""
        first, last = self._joined(statement)
        top = first_row(self._body[first])
        if len(new_rows) != self._count:
            return False
        piece = "".join(new_rows[top - 1 : self._body[last].end_lineno])
        try:
            new = parse(piece).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
        wanted = {id(intent.place.node): _build(intent) for intent in intents}
        return _agree(self._body[first : last + 1], new, wanted)

    def _joined(self, statement: int) -> tuple[int, int]:
        """Return the first and last of the statements that share rows with `statement`."""
        first = last = statement
        while first and first_row(self._body[first]) <= (self._body[first - 1].end_lineno or 0):
            first -= 1
        while last + 1 < len(self._body) and first_row(self._body[last + 1]) <= (
            self._body[last].end_lineno or 0
        ):
            last += 1
        return first, last


def parse(text: str) -> ast.Module:
    """Parse `text` without the warnings that its author has seen already."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def _build(intent: Intent) -> ast.expr:
    """Return the tree that the rewritten expression must have; its leaves are the old tree's own nodes."""
    node, recipe = intent.place.node, intent.recipe
    leading = [_expression(argument) for argument in recipe.leading]
    callee = _expression(recipe.callee)
    if recipe.form is Form.LAMBDA or not isinstance(node, ast.Call):
        # a copy, since the original stands for its rewritten form
        moved = ast.Lambda(args=_NO_ARGUMENTS, body=copy.copy(node))
        return ast.Await(value=ast.Call(func=callee, args=[*leading, moved], keywords=[]))
    if recipe.form is Form.REPLACE:
        return ast.Await(value=ast.Call(func=callee, args=node.args, keywords=node.keywords))
    if recipe.form is Form.PARTIAL:
        bound = ast.Call(
            func=_expression(recipe.partial), args=[node.func, *node.args], keywords=node.keywords
        )
        return ast.Await(value=ast.Call(func=callee, args=[*leading, bound], keywords=[]))
    return ast.Await(
        value=ast.Call(func=callee, args=[*leading, node.func, *node.args], keywords=node.keywords)
    )


_NO_ARGUMENTS = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])


def _expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _agree(old: object, new: object, wanted: Mapping[int, ast.expr]) -> bool:
    """Compare two trees without positions, taking `wanted` nodes for the old ones."""
    pending: list[tuple[object, object]] = [(old, new)]
    while pending:
        one, other = pending.pop()
        one = wanted.get(id(one), one)
        if isinstance(one, ast.AST):
            if type(one) is not type(other):
                return False
            pending += [(getattr(one, field, None), getattr(other, field, None)) for field in one._fields]
        elif isinstance(one, list):
            if not isinstance(other, list) or len(one) != len(other):
                return False
            pending += zip(one, other, strict=True)
        elif type(one) is not type(other) or repr(one) != repr(other):
            return False
    return True
