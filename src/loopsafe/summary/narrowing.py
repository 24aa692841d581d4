"""What a test says about the variables that it mentions: `isinstance(x, T)`, `x is None`, `x`, `not …`, `and`, `or`.

Stage: summarise. A narrowed variable is a new definition (`ir.Narrow`); whether `isinstance` is the builtin, and what
the class is, the link stage finds out.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple, TypeGuard


class Claim(NamedTuple):
    """In a branch, `place` is (or is not) an instance of `class_or_tuple`, or that `None`; without one, it is true."""

    place: ast.Name | ast.Attribute
    class_or_tuple: ast.expr | None
    positive: bool


def claims(test: ast.expr, outcome: bool) -> Iterator[Claim]:
    """What holds when `test` came out true (or false, if `outcome` is False)."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield from claims(operand, not outcome)
        case ast.BoolOp(op=op, values=values):
            if isinstance(op, ast.And) is outcome:
                for value in values:
                    yield from claims(value, outcome)
        case ast.NamedExpr(target=target):
            if outcome:
                yield Claim(target, None, True)
        case ast.Name() | ast.Attribute(value=ast.Name()):
            if outcome:
                yield Claim(test, None, True)
        case ast.Compare(left=left, ops=[ast.Is() | ast.IsNot() as op], comparators=[ast.Constant(value=None) as none]):
            if isinstance(left, ast.NamedExpr):
                left = left.target
            if _is_place(left):
                yield Claim(left, none, isinstance(op, ast.Is) is outcome)
        case ast.Call(func=ast.Name(id="isinstance"), args=[place, class_or_tuple], keywords=[]):
            if _is_place(place):
                yield Claim(place, class_or_tuple, outcome)


def _is_place(node: ast.expr) -> TypeGuard[ast.Name | ast.Attribute]:
    return isinstance(node, ast.Name) or (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name))


def place_name(place: ast.Name | ast.Attribute) -> str:
    """The name under which an environment keeps the place."""
    if isinstance(place, ast.Name):
        return place.id
    assert isinstance(place.value, ast.Name)
    return f"{place.value.id}.{place.attr}"
