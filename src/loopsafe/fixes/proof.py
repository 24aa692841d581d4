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


class MoveIntent(NamedTuple):
    """What moving one block means to do."""

    owner: ast.AST
    """The statement, or handler, in one of whose suites the block stands."""
    field: str
    first: int
    last: int
    header: str
    """The new function up to its colon."""
    body: list[ast.stmt]
    """Its statements."""
    call: str
    """The statement that calls it."""


def holds(new_rows: Sequence[str], intents: Sequence[Intent], function: Function) -> bool:
    """Tell whether the rows of `function` mean in the new text what `intents` want, and nothing else.

    `function` stands in no other function, and `intents` are all that happened to it.
    """
    new = _parse_function("".join(new_rows[first_row(function) - 1 : function.end_lineno]))
    wanted = {id(intent.place.node): _build(intent) for intent in intents}
    return new is not None and _agree([function], new, wanted)


def holds_move(new_rows: Sequence[str], added: int, intent: MoveIntent, function: Function) -> bool:
    """Tell whether the rows of `function`, of which there are `added` more now, mean what `intent` wants."""
    piece = "".join(new_rows[first_row(function) - 1 : (function.end_lineno or 0) + added])
    new = _parse_function(piece)
    return new is not None and _agree([function], new, {id(intent.owner): _build_move(intent)})


def parse(text: str) -> ast.Module:
    """Parse `text` without the warnings that its author has seen already."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def _parse_function(piece: str) -> list[ast.stmt] | None:
    head = "if 1:\n" if piece[:1] in " \t\f" else ""  # an indented function parses in any block
    try:
        new = parse(head + piece).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return new[0].body if head and len(new) == 1 and isinstance(new[0], ast.If) else new


def _build_move(intent: MoveIntent) -> ast.AST:
    """Return the owner of the suite with function and call in the place of the block, whose statements are moved."""
    owner = copy.copy(intent.owner)
    suite: list[ast.stmt] = getattr(owner, intent.field)
    function, call = ast.parse(f"{intent.header} 0\nasync def _(): {intent.call}").body
    assert isinstance(function, ast.FunctionDef)
    assert isinstance(call, ast.AsyncFunctionDef)
    function.body = intent.body
    setattr(owner, intent.field, [*suite[: intent.first], function, *call.body, *suite[intent.last + 1 :]])
    return owner


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


def _agree(old: object, new: object, wanted: Mapping[int, ast.AST]) -> bool:
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
