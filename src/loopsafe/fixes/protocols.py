"""Stage fix, writer: `with` becomes `async with`, `for` becomes `async for`, or the other way round.

Which protocol the object has is for the checks to know.
"""

from __future__ import annotations

import ast
import re
from typing import Final

from loopsafe.fixes.file import Finding
from loopsafe.fixes.hazards import LOCK, find_surrounding_doubts, require_coroutine, require_no_lock
from loopsafe.fixes.places import Refusal, last_name
from loopsafe.fixes.recipes import Change, Rewriting
from loopsafe.model import Edit, Position

_TWINS: Final[dict[type[ast.AST], type[ast.stmt]]] = {
    ast.With: ast.AsyncWith,
    ast.AsyncWith: ast.With,
    ast.For: ast.AsyncFor,
    ast.AsyncFor: ast.For,
}
_ASYNC: Final = re.compile(r"async[ \t]+(?=with\b|for\b)")


def write(finding: Finding) -> Rewriting:
    """Put `async` in front of the statement that enters or iterates the expression, or take it away."""
    statement = _find_statement(finding)
    twin = _TWINS[type(statement)]
    start = finding.file.tree.span(statement).start
    doubts: tuple[str, ...] = ()
    if isinstance(statement, ast.With | ast.For):
        place = finding.place
        require_coroutine(place, finding.file.target)
        require_no_lock(place)
        doubts = tuple(find_surrounding_doubts(place))
        edit = Edit(start, start, "async ")
    elif LOCK.search(last_name(finding.place.node)):
        raise Refusal("a lock of threads would hold up the loop")
    else:
        found = _ASYNC.match(finding.file.tree.rows[start.row - 1], start.column - 1)
        if found is None:
            raise Refusal("`async` stands on a row of its own")
        edit = Edit(start, Position(start.row, found.end() + 1), "")
    change = Change(finding.holder, statement, twin(**dict(ast.iter_fields(statement))))
    keyword = "with" if twin in (ast.With, ast.AsyncWith) else "for"
    message = f"Use `async {keyword}`" if twin in (ast.AsyncWith, ast.AsyncFor) else f"Use plain `{keyword}`"
    return Rewriting(message, (edit,), (change,), doubts=doubts)


def _find_statement(finding: Finding) -> ast.With | ast.AsyncWith | ast.For | ast.AsyncFor:
    parent, field, _ = finding.place.parent
    if isinstance(parent, ast.withitem) and field == "context_expr":
        statement = finding.place.around[1].node
        if isinstance(statement, ast.With | ast.AsyncWith):
            if len(statement.items) > 1:
                raise Refusal("the statement has other items")
            return statement
    if isinstance(parent, ast.For | ast.AsyncFor) and field == "iter":
        return parent
    raise Refusal("no statement enters or iterates it")
