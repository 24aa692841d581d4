"""Stage fix, writer: a coroutine function that was handed over is called.

That it needs no arguments is for the checks to know.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator

from loopsafe.fixes.file import Finding
from loopsafe.fixes.places import Refusal
from loopsafe.fixes.recipes import Change, Rewriting
from loopsafe.fixes.wording import shorten
from loopsafe.model import Edit


def write(finding: Finding) -> Rewriting:
    """Write `run(f)` as `run(f())`, or `await f` as `await f()`."""
    found = [node for node in _find_candidates(finding.place.node) if ast.unparse(node) == finding.remedy.subject]
    if len(found) != 1:
        raise Refusal("what should be called is not named, or more than once")
    node = found[0]
    end = finding.file.tree.span(node).end
    change = Change(finding.holder, node, ast.Call(func=copy.copy(node), args=[], keywords=[]))
    return Rewriting(f"Call `{shorten(node)}`", (Edit(end, end, "()"),), (change,))


def _find_candidates(node: ast.expr) -> Iterator[ast.expr]:
    """Yield the function itself, or what a call is given, in lists too."""
    match node:
        case ast.Name() | ast.Attribute():
            pending: list[ast.expr] = [node]
        case ast.Call(args=args, keywords=keywords):
            pending = [*args, *(keyword.value for keyword in keywords)]
        case _:
            pending = []
    for one in pending:
        yield from one.elts if isinstance(one, ast.List | ast.Tuple | ast.Set) else (one,)
