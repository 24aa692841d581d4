"""What can be told of a function from its syntax alone.

Stage: summarise.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TypeAlias

from loopsafe.summary import ir

FunctionNode: TypeAlias = ast.Lambda | ast.FunctionDef | ast.AsyncFunctionDef


def body_kind(body: Sequence[ast.stmt]) -> int:
    """Whether a function's body does anything at all (`ir.BodyKind`)."""
    return ir.BodyKind.STUB if all(map(_is_empty, body)) else ir.BodyKind.NORMAL


def _is_empty(statement: ast.stmt) -> bool:
    match statement:
        case ast.Pass() | ast.Raise():
            return True
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.Return(value=None | ast.Constant(value=None) | ast.Name(id="NotImplemented")):
            return True
    return False


def is_implicit(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a method may run without being called: a special method, or a property going by its decorators' names."""
    if node.name.startswith("__") and node.name.endswith("__"):
        return True
    names = (getattr(decorator, "attr", getattr(decorator, "id", "")) for decorator in node.decorator_list)
    return any("property" in name for name in names)
