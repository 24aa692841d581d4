"""Stage fix, writer: a coroutine is awaited where it was thrown away, mistaken for its result, or run by another loop.

Whether the callee is a coroutine function is for the checks to know.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator
from typing import Final

from loopsafe.fixes.file import File, Finding
from loopsafe.fixes.hazards import find_surrounding_doubts, require_coroutine, require_no_lock
from loopsafe.fixes.places import Around, Place, Refusal, Try, last_name
from loopsafe.fixes.races import find_races
from loopsafe.fixes.recipes import Change, Rewriting
from loopsafe.fixes.wording import indent_of, shorten
from loopsafe.model import Edit, Position, RemedyKind, Span

_TIGHT: Final = (ast.Name, ast.Attribute, ast.Subscript, ast.Call)
"""What `await` may stand in front of without parentheses."""
_COMMA: Final = re.compile(r"[ \t]*,[ \t]*")
_USING: Final = (ast.Attribute, ast.Subscript, ast.Call, ast.Await)
_LOOP_GETTERS: Final = frozenset({"get_event_loop", "get_running_loop"})


def write_await(finding: Finding) -> Rewriting:
    """Put `await` in front of an expression."""
    node, setting = finding.place.node, finding.setting
    doubts = _judge(finding)
    opening = " " * setting.needs_space + "(" * setting.needs_parentheses + "await "
    edits = [_insert(setting.start, opening)]
    if setting.needs_parentheses:
        edits.append(_insert(finding.remedy.span.end, ")"))
    change = Change(finding.holder, node, ast.Await(value=copy.copy(node)))
    return Rewriting(f"Await `{_name(node)}`", tuple(edits), (change,), doubts=doubts)


def write_await_argument(finding: Finding) -> Rewriting:
    """Write `run(f(a))` as `await f(a)`."""
    call = _call(finding)
    if len(call.args) != 1 or call.keywords or isinstance(call.args[0], ast.Starred):
        raise Refusal("its other arguments would be lost")
    doubts = _judge(finding)
    argument = call.args[0]
    kept = finding.file.tree.span(argument)
    is_tight = isinstance(argument, _TIGHT)
    edits = _unwrap(finding, kept, "await " if is_tight else "await (", "" if is_tight else ")")
    changes = [Change(finding.holder, call, ast.Await(value=argument))]
    unused = _find_unused_loop(call, finding.place)
    if unused is not None:
        edits = [_delete_row(unused, finding), *edits]
        changes.append(Change(finding.holder, unused, ()))
    message = f"Await `{_name(argument)}` instead of running it"
    return Rewriting(message, tuple(edits), tuple(changes), doubts=doubts)


def write_await_applied(finding: Finding) -> Rewriting:
    """Write `run(f, a)` as `await f(a)`."""
    call = _call(finding)
    if call.keywords:
        raise Refusal("its other arguments would be lost")
    doubts = _judge(finding)
    has_parentheses = finding.setting.needs_parentheses
    opening = " " * finding.setting.needs_space + "(" * has_parentheses + "await "
    applied, edits = _apply(finding, call, 0, opening, ")" * has_parentheses)
    change = Change(finding.holder, call, ast.Await(value=applied))
    return Rewriting(f"Await `{_name(applied)}` instead of running it", edits, (change,), doubts=doubts)


def write_applied(finding: Finding) -> Rewriting:
    """Write `await to_thread(f, a)` as `await f(a)`."""
    call, position = _call(finding), len(finding.remedy.leading)
    if not isinstance(finding.place.parent.node, ast.Await):
        raise Refusal("nothing awaits it")
    if not all(isinstance(one, ast.Constant | ast.Name | ast.Attribute) for one in call.args[:position]):
        raise Refusal("its other arguments would be lost")
    doubts = tuple(dict.fromkeys(_find_doubts(finding)))
    applied, edits = _apply(finding, call, position, " " * finding.setting.needs_space, "")
    change = Change(finding.holder, call, applied)
    return Rewriting(f"Await `{_name(applied)}` itself", edits, (change,), doubts=doubts)


def _apply(
    finding: Finding, call: ast.Call, position: int, opening: str, closing: str
) -> tuple[ast.Call, tuple[Edit, ...]]:
    """Return the call of one of the arguments with those that follow it, and the edits that write it."""
    function, rest = (call.args[position], call.args[position + 1 :]) if len(call.args) > position else (None, [])
    if not isinstance(function, _TIGHT):
        raise Refusal("what is run is not named")
    has_rest = bool(rest or call.keywords)
    tree, end = finding.file.tree, finding.remedy.span.end
    span, start = tree.span(function), finding.setting.start
    _require_no_comment(finding, start, span.start)
    comma = _COMMA.match(finding.file.slice(Span(*span.end, *end)))
    if has_rest and comma is None:
        raise Refusal("what is run stands in parentheses")
    after = span.end._replace(column=span.end_column + comma.end()) if has_rest and comma else end
    edits = [
        Edit(start, span.start, opening),
        Edit(span.end, after, "(" if has_rest else f"(){closing}"),
    ]
    _require_no_comment(finding, edits[1].start, edits[1].end)
    if has_rest and closing:
        edits.append(_insert(end, closing))
    return ast.Call(func=function, args=rest, keywords=call.keywords), tuple(edits)


def write_await_unwrapped(finding: Finding) -> Rewriting:
    """Write `wrap(f)(a)` as `await f(a)`."""
    call = _call(finding)
    wrapper = call.func
    if not isinstance(wrapper, ast.Call) or len(wrapper.args) != 1 or wrapper.keywords:
        raise Refusal("it is wrapped elsewhere, or in more than one way")
    function = wrapper.args[0]
    if not isinstance(function, _TIGHT):
        raise Refusal("what is run is not named")
    doubts = _judge(finding)
    tree, setting = finding.file.tree, finding.setting
    kept, end = tree.span(function), tree.span(wrapper).end
    _require_no_comment(finding, setting.start, kept.start)
    _require_no_comment(finding, kept.end, end)
    edits = [
        Edit(setting.start, kept.start, " " * setting.needs_space + "(" * setting.needs_parentheses + "await "),
        Edit(kept.end, end, ""),
    ]
    if setting.needs_parentheses:
        edits.append(_insert(finding.remedy.span.end, ")"))
    new = ast.Await(value=ast.Call(func=function, args=call.args, keywords=call.keywords))
    change = Change(finding.holder, call, new)
    return Rewriting(f"Await `{_name(function)}` instead of wrapping it", tuple(edits), (change,), doubts=doubts)


def write_without_await(finding: Finding) -> Rewriting:
    """Write `await f(a)` as `f(a)`."""
    node = finding.place.parent.node
    if not isinstance(node, ast.Await):
        raise Refusal("nothing awaits it")
    if not isinstance(node.value, ast.Call):
        raise Refusal("it is no call: what was meant is not known")
    edits = drop_await(finding.file, node, finding.place.around[1])
    return Rewriting(f"Drop the `await` of `{_name(node.value)}`", edits, (Change(finding.holder, node, node.value),))


def drop_await(file: File, awaited: ast.Await, parent: Around) -> tuple[Edit, ...]:
    """Return the edits that take an `await` away, and the parentheses that it alone needed."""
    outer, inner = file.tree.span(awaited), file.tree.span(awaited.value)
    if outer.row != inner.row or file.slice(Span(*outer.start, *inner.start)).strip() != "await":
        raise Refusal("something stands between `await` and the call")
    row = file.tree.rows[outer.row - 1]
    is_used_on = parent.field in ("value", "func") and isinstance(parent.node, _USING)
    has_parentheses = row[outer.column - 2 : outer.column - 1] == "(" and row[outer.end_column - 1 :][:1] == ")"
    if not (is_used_on and has_parentheses and outer.row == outer.end_row and isinstance(awaited.value, _TIGHT)):
        return (Edit(outer.start, inner.start, ""),)
    is_touched = row[: outer.column - 2][-1:].isidentifier()  # `if(await f()).x`
    return (
        Edit(Position(outer.row, outer.column - 1), inner.start, " " if is_touched else ""),
        Edit(outer.end, Position(outer.end_row, outer.end_column + 1), ""),
    )


def _call(finding: Finding) -> ast.Call:
    node = finding.place.node
    if not isinstance(node, ast.Call):
        raise Refusal("no call stands at the place")
    return node


def _judge(finding: Finding) -> tuple[str, ...]:
    """Return the doubts about an `await` at a place, or refuse."""
    place, file = finding.place, finding.file
    require_coroutine(place, file.target)
    require_no_lock(place)
    if isinstance(place.parent.node, ast.Await):
        raise Refusal("already awaited")
    return tuple(dict.fromkeys(_find_doubts(finding)))


def _find_doubts(finding: Finding) -> Iterator[str]:
    place = finding.place
    if finding.remedy.kind is not RemedyKind.AWAIT and _is_tried(place):
        yield "a handler around it may expect what it raises now"
    yield from find_surrounding_doubts(place)
    yield from find_races(place, finding.file.histories)


def _is_tried(place: Place) -> bool:
    steps = place.inside_coroutine()
    return any(isinstance(step.node, Try) and step.field == "body" and step.node.handlers for step in steps)


def _unwrap(finding: Finding, kept: Span, opening: str, closing: str) -> list[Edit]:
    """Return the edits that leave of an expression only the part `kept`, its rows moved to the left with it."""
    setting, outer = finding.setting, finding.remedy.span
    _require_no_comment(finding, outer.start, kept.start)
    _require_no_comment(finding, kept.end, outer.end)
    has_parentheses = setting.needs_parentheses
    opening = " " * setting.needs_space + "(" * has_parentheses + opening
    dedent = _find_dedent(finding, kept) if kept.row > outer.row else ""
    rows = [row for row in range(kept.row + 1, kept.end_row + 1) if dedent and finding.file.tree.rows[row - 1].strip()]
    return [
        Edit(outer.start, kept.start, opening),
        *[Edit(Position(row, 1), Position(row, len(dedent) + 1), "") for row in rows],
        Edit(kept.end, outer.end, closing + ")" * has_parentheses),
    ]


def _find_dedent(finding: Finding, kept: Span) -> str:
    """Return the blanks that rows lose which follow the first of `kept`; none if a string runs over them."""
    rows = finding.file.tree.rows
    old, new = indent_of(rows[kept.row - 1]), indent_of(rows[finding.remedy.span.row - 1])
    if not old.startswith(new) or len(old) + 1 != kept.column:
        return ""
    for one in ast.walk(finding.place.node):
        is_text = isinstance(one, ast.JoinedStr) or (
            isinstance(one, ast.Constant) and isinstance(one.value, str | bytes)
        )
        if is_text and isinstance(one, ast.expr) and one.lineno != one.end_lineno:
            return ""
    dedent = old[len(new) :]
    following = rows[kept.row : kept.end_row]
    return dedent if all(indent_of(row).startswith(old) for row in following if row.strip()) else ""


def _find_unused_loop(call: ast.Call, place: Place) -> ast.stmt | None:
    """Return the statement that fetches the loop, where nothing but the call uses it."""
    func = call.func
    function = next((one for one, _ in place.functions()), None)
    if not isinstance(func, ast.Attribute) or not isinstance(func.value, ast.Name) or function is None:
        return None
    name = func.value.id
    mentions = [one for one in ast.walk(function) if isinstance(one, ast.Name) and one.id == name]
    statements = [one for one in function.body if isinstance(one, ast.Assign) and one.targets[0] in mentions]
    if len(mentions) != 2 or len(statements) != 1 or len(statements[0].targets) != 1:
        return None
    value = statements[0].value
    is_getter = isinstance(value, ast.Call) and last_name(value) in _LOOP_GETTERS and not value.args
    return statements[0] if is_getter else None


def _delete_row(statement: ast.stmt, finding: Finding) -> Edit:
    """Return the edit that takes a statement and its row away, or refuse if it shares rows."""
    span, rows = finding.file.tree.span(statement), finding.file.tree.rows
    around = rows[span.row - 1][: span.column - 1] + rows[span.end_row - 1][span.end_column - 1 :]
    if around.strip() or span.end_row == len(rows):
        raise Refusal("the loop is fetched on a row with something else")
    return Edit(Position(span.row, 1), Position(span.end_row + 1, 1), "")


def _require_no_comment(finding: Finding, start: Position, end: Position) -> None:
    if "#" in finding.file.slice(Span(*start, *end)):
        raise Refusal("a comment would be lost")


def _insert(position: Position, text: str) -> Edit:
    return Edit(position, position, text)


def _name(node: ast.expr) -> str:
    return shorten(node.func if isinstance(node, ast.Call) else node)
