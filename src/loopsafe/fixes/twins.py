"""Stage fix, writer: a client is made by the asynchronous twin of the function that was called for it.

Which twin there is, is for the checks to know; so is what has to change where the client is used.
"""

from __future__ import annotations

import ast
import copy

from loopsafe.fixes.file import Finding
from loopsafe.fixes.hazards import find_surrounding_doubts, require_coroutine, require_no_lock
from loopsafe.fixes.places import Refusal
from loopsafe.fixes.recipes import Change, Rewriting
from loopsafe.fixes.wording import shorten
from loopsafe.model import Edit, Position, Span


def write(finding: Finding) -> Rewriting:
    """Write `create_client(a, is_async=True)` as `await acreate_client(a)`."""
    place, file = finding.place, finding.file
    call, twin = place.node, finding.remedy.replacement
    if not isinstance(call, ast.Call) or twin is None:
        raise Refusal("no call stands at the place")
    require_coroutine(place, file.target)
    require_no_lock(place)
    if isinstance(place.parent.node, ast.Await):
        opening, has_parentheses = "", False
    else:
        opening, has_parentheses = "await ", finding.setting.needs_parentheses
    imported = _import_beside(call.func, twin, finding)
    spelling, modules = (imported[0], ()) if imported else _spell(twin, finding)
    callee, span = file.tree.span(call.func), finding.remedy.span
    edits = [
        *([imported[1]] if imported else []),
        Edit(callee.start, callee.end, " " * finding.setting.needs_space + "(" * has_parentheses + opening + spelling),
        _drop_keyword(call, finding),
        *([Edit(span.end, span.end, ")")] if has_parentheses else []),
    ]
    rest = [keyword for keyword in call.keywords if keyword.arg != finding.remedy.subject]
    new: ast.expr = ast.Call(func=ast.parse(spelling, mode="eval").body, args=call.args, keywords=rest)
    change = Change(finding.holder, call, ast.Await(value=new) if opening else new)
    changes = (change, imported[2]) if imported else (change,)
    doubts = tuple(find_surrounding_doubts(place))
    return Rewriting(f"Use `{twin}` instead of `{shorten(call.func)}`", tuple(edits), changes, modules, doubts=doubts)


def _spell(twin: str, finding: Finding) -> tuple[str, tuple[str, ...]]:
    spelling = finding.file.names.spell(twin, finding.place)
    return spelling.text, () if spelling.module is None else (spelling.module,)


def _import_beside(callee: ast.expr, twin: str, finding: Finding) -> tuple[str, Edit, Change] | None:
    """Return how to import the twin by the statement that imports the callee, if it has one of its own."""
    package, _, name = twin.rpartition(".")
    tree = finding.file.tree
    if not isinstance(callee, ast.Name) or name in tree.imported:
        return None
    for statement in tree.module.body:
        if not isinstance(statement, ast.ImportFrom) or statement.module != package or statement.level:
            continue
        aliases = statement.names
        index = next((number for number, alias in enumerate(aliases) if alias.name == callee.id), None)
        if index is None or any(alias.asname for alias in aliases):
            continue
        alias = aliases[index]
        start = tree.span(alias).start
        uses = sum(isinstance(node, ast.Name) and node.id == callee.id for node in ast.walk(tree.module))
        new = [*aliases[:index], ast.alias(name=name), *aliases[index + (uses == 1) :]]
        statement_after = copy.copy(statement)
        statement_after.names = new
        end = Position(start.row, start.column + len(callee.id)) if uses == 1 else start
        edit = Edit(start, end, name if uses == 1 else f"{name}, ")
        return name, edit, Change(statement, statement, statement_after)
    return None


def _drop_keyword(call: ast.Call, finding: Finding) -> Edit:
    """Return the edit that takes the option away, with the comma in front of it."""
    tree = finding.file.tree
    arguments: list[ast.expr | ast.keyword] = sorted(
        [*call.args, *call.keywords], key=lambda one: (one.lineno, one.col_offset)
    )
    subject = finding.remedy.subject
    index = next((n for n, one in enumerate(arguments) if isinstance(one, ast.keyword) and one.arg == subject), None)
    if index is None:
        raise Refusal("the option is not there")
    spans = [tree.span(one) for one in arguments]
    if index:
        start, end = spans[index - 1].end, spans[index].end
    elif len(spans) > 1:
        start, end = spans[0].start, spans[1].start
    else:
        start, end = spans[0].start, spans[0].end
    if "#" in finding.file.slice(Span(*start, *end)) or ")" in finding.file.slice(Span(*start, *spans[index].start)):
        raise Refusal("a comment or parenthesis would be lost")
    return Edit(start, end, "")
