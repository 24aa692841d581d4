"""Stage fix: turn one call into the text edits that move it off the loop; the bytes between them stay.

LibCST gets the expression alone, not the file: a tenth of a millisecond instead of two seconds per megabyte,
and files that it cannot reproduce do not matter. Nothing here looks at what stands around the expression.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import libcst as cst

from loopsafe.fixes.places import Refusal
from loopsafe.fixes.recipes import Form, Recipe, Setting
from loopsafe.model import Edit, Position

_BLANKS: Final = " \t"


class _Cut(NamedTuple):
    start: int
    end: int
    content: str


def rewrite(recipe: Recipe, setting: Setting) -> tuple[Edit, ...]:
    """Return the edits, sorted and disjoint, that write `recipe` over the expression of `setting`."""
    has_parentheses = setting.needs_parentheses and not setting.is_awaited
    await_ = "" if setting.is_awaited else "await "
    opening = " " * setting.needs_space + "(" * has_parentheses + await_ + recipe.callee
    closing = ")" * has_parentheses
    leading = "".join(f"{argument}, " for argument in recipe.leading)
    length = len(setting.text)
    if recipe.form is Form.LAMBDA:
        end = ")()" if recipe.is_wrapping else ")"
        cuts = [_Cut(0, 0, f"{opening}({leading}lambda: "), _Cut(length, length, end + closing)]
    else:
        call = _parse(setting.text)
        is_wrapped = recipe.form is Form.WRAPPED
        callee_end = len(_render(call.func))
        if recipe.form is Form.REPLACE:
            cuts = [_replace_callee(setting.text[:callee_end], opening, call), _Cut(length, length, closing)]
        else:
            if recipe.form is Form.PARTIAL:
                leading += f"{recipe.partial}("
                closing += ")"
            comma, extra = (_Cut(callee_end, callee_end, ")"), "") if is_wrapped else _comma(call, callee_end)
            cuts = [_Cut(0, 0, f"{opening}({leading}"), comma, _Cut(length, length, extra + closing)]
    return tuple(_edit(cut, setting) for cut in cuts if cut.start < cut.end or cut.content)


def _comma(call: cst.Call, callee_end: int) -> tuple[_Cut, str]:
    """Return the edit that makes the callee the first of the arguments, and what has to close behind them."""
    gap = _render(call.whitespace_after_func)
    inner = _render(call.whitespace_before_args)
    parenthesis = callee_end + len(gap)
    start = callee_end if not gap.strip(_BLANKS) else parenthesis
    if not call.args:
        is_blank = not inner.strip(_BLANKS)
        return _Cut(start, parenthesis + 1 + (len(inner) if is_blank else 0), ""), ""
    first = call.args[0].value
    if isinstance(first, cst.GeneratorExp) and not first.lpar:
        return _Cut(start, parenthesis, ", "), ")"  # the call's parentheses become the generator expression's own
    return _Cut(start, parenthesis + 1, "," if inner else ", "), ""


def _replace_callee(callee: str, opening: str, call: cst.Call) -> _Cut:
    if any(argument.keyword is not None or argument.star == "**" for argument in call.args):
        raise Refusal("the replacement may name its arguments differently")
    if "\n" in callee or "#" in callee:
        raise Refusal("the callee is spread over several rows")
    return _Cut(0, len(callee), opening)


def _parse(text: str) -> cst.Call:
    # in parentheses, since rows inside it may be joined by brackets that stand around it
    whole = f"({text})"
    try:
        node = cst.parse_expression(whole)
    except cst.ParserSyntaxError as error:
        raise Refusal("LibCST cannot read the call") from error
    if not isinstance(node, cst.Call) or _render(node) != whole:
        raise Refusal("LibCST does not give the call back as it stands")
    return node


def _render(node: cst.CSTNode) -> str:
    return _MODULE.code_for_node(node)


_MODULE: Final = cst.Module([], default_newline="\n")


def _edit(cut: _Cut, setting: Setting) -> Edit:
    return Edit(_position(cut.start, setting), _position(cut.end, setting), cut.content)


def _position(offset: int, setting: Setting) -> Position:
    before = setting.text[:offset]
    newlines = before.count("\n")
    if not newlines:
        return Position(setting.start.row, setting.start.column + offset)
    return Position(setting.start.row + newlines, offset - before.rfind("\n"))
