"""Annotations that are strings: they mean what their text says.

Stage: summarise.
"""

from __future__ import annotations

import ast


def unquoted(text: str, node: ast.Constant) -> ast.expr:
    """The expression that the text of a string is, at the string's place; the string itself if it is none."""
    try:
        expression = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return node
    for part in ast.walk(expression):
        ast.copy_location(part, node)
    return expression
