"""Stage fix, check: a rewritten text must parse to the old tree with exactly the intended changes.

This catches whatever the text edits may get wrong: positions inside f-strings on older Pythons, `f"{x=}"`,
words that got glued together. It parses only the statements that changed, and changes nothing.
"""

from __future__ import annotations

import ast
import copy
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from loopsafe.fixes.edits import apply
from loopsafe.fixes.places import Function, first_row
from loopsafe.fixes.recipes import Change, Rewriting
from loopsafe.model import Applicability, Edit, Fix
from loopsafe.source.text import rows

_ROW_END: Final = re.compile(r"\r\n|\r|\n")


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
    others: Mapping[int, ast.AST | tuple[ast.stmt, ...]]
    """What stands for nodes outside the block, by id."""


def find_proved(text: str, rewritings: Sequence[Rewriting]) -> set[int]:
    """Return the indexes of the rewritings that hold: tried together, as far as they do not clash."""
    proved: set[int] = set()
    waiting = list(range(len(rewritings)))
    while waiting:
        fixes = [Fix("", Applicability.UNSAFE, rewritings[number].edits) for number in waiting]
        together = apply(text, fixes, Applicability.UNSAFE)
        tried = [waiting[index] for index in together.applied]
        if not tried:
            break
        wrong = _find_wrong(together.text, [rewritings[number] for number in tried])
        for number in tried:
            is_right = wrong.isdisjoint(change.holder for change in rewritings[number].changes)
            if is_right or (len(tried) > 1 and holds(text, rewritings[number])):
                proved.add(number)
        waiting = [number for number in waiting if number not in tried]
    return proved


def holds(text: str, rewriting: Rewriting) -> bool:
    """Tell whether a rewriting, applied alone, means what it says and nothing else."""
    fixes = [Fix("", Applicability.UNSAFE, rewriting.edits)]
    return not _find_wrong(apply(text, fixes, Applicability.UNSAFE).text, [rewriting])


def holds_move(new_rows: Sequence[str], added: int, intent: MoveIntent, function: Function) -> bool:
    """Tell whether the rows of `function`, of which there are `added` more now, mean what `intent` wants."""
    piece = "".join(new_rows[first_row(function) - 1 : (function.end_lineno or 0) + added])
    return _means(piece, function, {**intent.others, id(intent.owner): _build_move(intent)})


def parse(text: str) -> ast.Module:
    """Parse `text` without the warnings that its author has seen already."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def _find_wrong(new_text: str, rewritings: Iterable[Rewriting]) -> set[ast.stmt]:
    """Return the holders that mean something else in a text, in which nothing but `rewritings` is applied."""
    by_holder: dict[ast.stmt, list[Change]] = {}
    edits: list[Edit] = []
    for rewriting in rewritings:
        edits += rewriting.edits
        for change in rewriting.changes:
            by_holder.setdefault(change.holder, []).append(change)
    new_rows = rows(new_text)
    wrong = set()
    for holder, changes in by_holder.items():
        first, last = first_row(holder), holder.end_lineno or holder.lineno
        start = first + _count_added(edit for edit in edits if edit.start.row < first)
        end = last + _count_added(edit for edit in edits if edit.start.row <= last)
        piece = "".join(new_rows[start - 1 : end])
        if not _means(piece, holder, {id(change.old): change.new for change in changes}):
            wrong.add(holder)
    return wrong


def _count_added(edits: Iterable[Edit]) -> int:
    """Return how many rows edits add."""
    return sum(len(_ROW_END.findall(edit.content)) - (edit.end.row - edit.start.row) for edit in edits)


def _means(piece: str, holder: ast.stmt, wanted: Mapping[int, ast.AST | tuple[ast.stmt, ...]]) -> bool:
    """Tell whether a text is `holder`, with `wanted` for the nodes of these ids."""
    head = "if 1:\n" if piece[:1] in " \t\f" else ""  # an indented statement parses in any block
    try:
        new = parse(head + piece).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return _agree([holder], new[0].body if head and len(new) == 1 and isinstance(new[0], ast.If) else new, wanted)


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


def _agree(old: object, new: object, wanted: Mapping[int, ast.AST | tuple[ast.stmt, ...]]) -> bool:
    """Compare two trees without positions, taking `wanted` nodes for the old ones."""
    pending: list[tuple[object, object]] = [(old, new)]
    while pending:
        one, other = pending.pop()
        if isinstance(one, ast.AST):
            if type(one) is not type(other):
                return False
            pending += [
                (_replace(getattr(one, field, None), wanted), getattr(other, field, None)) for field in one._fields
            ]
        elif isinstance(one, list):
            one = [part for item in one for part in _as_tuple(_replace(item, wanted))]
            if not isinstance(other, list) or len(one) != len(other):
                return False
            pending += zip(one, other, strict=True)
        elif type(one) is not type(other) or repr(one) != repr(other):
            return False
    return True


def _replace(node: object, wanted: Mapping[int, ast.AST | tuple[ast.stmt, ...]]) -> object:
    return wanted.get(id(node), node)


def _as_tuple(nodes: object) -> tuple[object, ...]:
    return nodes if isinstance(nodes, tuple) else (nodes,)
