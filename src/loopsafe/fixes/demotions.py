"""Stage fix, writer: a coroutine function becomes a plain one, and all its callers stop awaiting it.

That these are all callers is for the check to know; a call that is not awaited on the spot refuses the whole.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from typing import Final

from loopsafe.fixes.awaits import drop_await
from loopsafe.fixes.file import File, Finding, open_file
from loopsafe.fixes.places import Function, Refusal, walk_scope
from loopsafe.fixes.proof import holds
from loopsafe.fixes.recipes import Change, Rewriting
from loopsafe.model import Edit, Position, Span

_ASYNC: Final = re.compile(r"async[ \t]+(?=def\b)")
_AWAITING: Final = (ast.Await, ast.AsyncFor, ast.AsyncWith)


def write(finding: Finding) -> Rewriting:
    """Take `async` from a function, and `await` from every call of it, in whichever file."""
    file, span = finding.file, finding.remedy.span
    function, holder = _find_definition(file, span)
    if any(isinstance(node, _AWAITING) or getattr(node, "is_async", 0) for node in walk_scope(function.body)):
        raise Refusal("it awaits something")
    calls: dict[str, list[Span]] = {}
    for path, call in finding.remedy.callers:
        calls.setdefault(path, []).append(call)
    edits, changes = [*_demote(file, function)], [Change(holder, function, _plain(function))]
    for edit, change in _release(file, calls.pop(file.source.path, ())):
        edits += edit
        changes.append(change)
    elsewhere = tuple((path, _rewrite_other(file, path, spans)) for path, spans in sorted(calls.items()))
    edits.sort(key=lambda edit: edit.start)
    count = len(elsewhere)
    where = f", and stop awaiting it in {count} other file{'' if count == 1 else 's'}" if count else ""
    message = f"Make `{function.name}` a plain function{where}"
    return Rewriting(message, tuple(edits), tuple(changes), elsewhere=elsewhere)


def _find_definition(file: File, name: Span) -> tuple[ast.AsyncFunctionDef, Function]:
    """Return the coroutine function whose name stands at a span, and the outermost function around it."""
    pending: list[tuple[ast.AST, Function | None]] = [(statement, None) for statement in file.tree.module.body]
    while pending:
        node, holder = pending.pop()
        if not isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case):
            continue
        if isinstance(node, ast.stmt) and not node.lineno <= name.row <= (node.end_lineno or node.lineno):
            continue
        inner = holder or (node if isinstance(node, Function) else None)
        is_before = isinstance(node, ast.AsyncFunctionDef) and name.row <= node.body[0].lineno
        if isinstance(node, ast.AsyncFunctionDef) and inner and is_before and node.name == file.slice(name):
            return node, inner
        pending += [(child, inner) for child in ast.iter_child_nodes(node)]
    raise Refusal("no coroutine function stands at the place")


def _demote(file: File, function: ast.AsyncFunctionDef) -> Iterator[Edit]:
    span = file.tree.span(function)
    found = _ASYNC.match(file.tree.rows[span.row - 1], span.column - 1)
    if found is None:
        raise Refusal("`async` and `def` stand on different rows")
    yield Edit(span.start, Position(span.row, found.end() + 1), "")
    # changes nothing, but keeps other fixes out of the function: they might put an `await` into it
    yield Edit(span.end, span.end, "")


def _plain(function: ast.AsyncFunctionDef) -> ast.FunctionDef:
    return ast.FunctionDef(**dict(ast.iter_fields(function)))


def _release(file: File, spans: Collection[Span]) -> Iterator[tuple[tuple[Edit, ...], Change]]:
    """Yield, for each of the calls, what takes its `await` away."""
    places = file.tree.find(spans)
    for span in spans:
        place = places.get(span)
        if place is None or not isinstance(place.parent.node, ast.Await):
            raise Refusal("a caller does not await it on the spot")
        yield (
            drop_await(file, place.parent.node, place.around[1]),
            Change(file.holder_of(place), place.parent.node, place.node),
        )


def _rewrite_other(file: File, path: str, spans: Collection[Span]) -> tuple[Edit, ...]:
    """Return the proved edits of another file."""
    source = file.others(path)
    if source is None:
        raise Refusal(f"`{path}`, which calls it, is not among the files that are checked")
    found = list(_release(open_file(source, (), file.target), spans))
    edits = sorted((edit for edits, _ in found for edit in edits), key=lambda edit: edit.start)
    rewriting = Rewriting("", tuple(edits), tuple(change for _, change in found))
    if not holds(source.text, rewriting):
        raise Refusal(f"`{path}` would not mean what it should")
    return rewriting.edits
