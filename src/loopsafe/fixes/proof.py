"""Stage fix, check: a rewritten text must parse to the old tree with exactly the intended changes.

This catches whatever the text edits may get wrong: positions inside f-strings on older Pythons, `f"{x=}"`,
words that got glued together. It parses only the functions that changed, and changes nothing.
"""

from __future__ import annotations

import ast
import copy
import warnings
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from loopsafe.fixes.places import Function, Place, first_row
from loopsafe.fixes.recipes import Form, Recipe


class Intent(NamedTuple):
    """What one fix means to do."""

    place: Place
    recipe: Recipe


def holds(new_rows: Sequence[str], intents: Sequence[Intent], function: Function) -> bool:
    """Tell whether the rows of `function` mean in the new text what `intents` want, and nothing else.

    `function` stands in no other function, and `intents` are all that happened to it.
    """
    piece = "".join(new_rows[first_row(function) - 1 : function.end_lineno])
    head = "if 1:\n" if piece[:1] in " \t\f" else ""  # an indented function parses in any block
    try:
        new = parse(head + piece).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    if head and len(new) == 1 and isinstance(new[0], ast.If):
        new = new[0].body
    return _agree([function], new, {id(intent.place.node): _build(intent) for intent in intents})


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
        bound = ast.Call(func=_expression(recipe.partial), args=[node.func, *node.args], keywords=node.keywords)
        return ast.Await(value=ast.Call(func=callee, args=[*leading, bound], keywords=[]))
    return ast.Await(value=ast.Call(func=callee, args=[*leading, node.func, *node.args], keywords=node.keywords))


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
