"""Stage fix: turn one call into the text edits that move it off the loop; the bytes between them stay.

LibCST gets the expression alone, not the file: a tenth of a millisecond instead of two seconds per megabyte,
and files that it cannot reproduce do not matter. Nothing here looks at what stands around the expression.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import libcst as cst

from loopsafe.fixes.layout import (
    Margins,
    align,
    flatten,
    hand_over,
    is_chain,
    is_hanging,
    write_arguments,
    write_lambda,
)
from loopsafe.fixes.places import Refusal
from loopsafe.fixes.recipes import Form, Group, Recipe, Setting
from loopsafe.fixes.wording import STEP
from loopsafe.model import Edit, Position

_BLANKS: Final = " \t"


class _Cut(NamedTuple):
    start: int
    end: int
    content: str


def rewrite(recipe: Recipe, setting: Setting) -> tuple[Edit, ...]:
    """Return the edits, sorted and disjoint, that write `recipe` over the expression of `setting`."""
    has_parentheses = setting.needs_parentheses and not setting.is_awaited
    if ("\n" in setting.text or setting.group) and not setting.is_pinned:
        edit = _write_rows(recipe, setting, has_parentheses=has_parentheses)
        edit = edit or _write_aligned(recipe, setting, has_parentheses=has_parentheses)
        if edit is not None:
            return (edit,)
    cuts = _write(recipe, setting, setting.text, has_parentheses=has_parentheses)
    return tuple(_edit(cut, setting) for cut in cuts if cut.start < cut.end or cut.content)


def _write(recipe: Recipe, setting: Setting, text: str, *, has_parentheses: bool) -> list[_Cut]:
    """Return what changes in `text`, that of the expression, if its rows stay."""
    opening = " " * setting.needs_space + "(" * has_parentheses + "await " * (not setting.is_awaited) + recipe.callee
    closing = ")" * has_parentheses
    leading = "".join(f"{argument}, " for argument in recipe.leading)
    length = len(text)
    if recipe.form is Form.LAMBDA:
        end = ")()" if recipe.is_wrapping else ")"
        return [_Cut(0, 0, f"{opening}({leading}lambda: "), _Cut(length, length, end + closing)]
    call = _parse(text)
    callee_end = len(_render(call.func))
    if recipe.form is Form.REPLACE:
        return [_replace_callee(text[:callee_end], opening, call), _Cut(length, length, closing)]
    if recipe.form is Form.PARTIAL:
        leading += f"{recipe.partial}("
        closing += ")"
    is_wrapped = recipe.form is Form.WRAPPED
    comma, extra = (_Cut(callee_end, callee_end, ")"), "") if is_wrapped else _comma(call, callee_end)
    return [_Cut(0, 0, f"{opening}({leading}"), comma, _Cut(length, length, extra + closing)]


def _write_rows(recipe: Recipe, setting: Setting, *, has_parentheses: bool) -> Edit | None:
    """Return the edit that lays out an expression of several rows anew, or None to leave its rows as they are."""
    group, flat, margin = setting.group, flatten(setting.text), setting.margin
    if flat is not None:
        is_kept = group is not None and (group.tail != "" or group.is_needed)
        cuts = _write(recipe, setting, flat, has_parentheses=has_parentheses or is_kept)
        return _replace(setting, group, _splice(flat, cuts))
    step = "\t" if "\t" in margin else STEP
    opening = "await " * (not setting.is_awaited) + recipe.callee
    if group is not None and group.is_hanging and is_chain(setting.text):
        if not group.tail and not group.is_needed:
            return _replace(setting, group, _lay_out(recipe, opening, setting.text, Margins(group.margin, step, -1)))
        new = _lay_out(recipe, opening, setting.text, Margins(margin, step, 0))
        return _replace(setting, group, new and f"(\n{margin}{new}\n{group.margin})")
    space = " " * setting.needs_space
    if not has_parentheses:
        new = _lay_out(recipe, opening, setting.text, Margins(margin, step, 0))
        return _replace(setting, None, new and space + new)
    new = _lay_out(recipe, opening, setting.text, Margins(margin + step, step, 1))
    return _replace(setting, None, new and f"{space}(\n{margin + step}{new}\n{margin})")


def _write_aligned(recipe: Recipe, setting: Setting, *, has_parentheses: bool) -> Edit | None:
    """Return the edit that keeps the rows, but has them begin below the first argument again."""
    if recipe.form is not Form.DIRECT:
        return None
    callee = _render(_parse(setting.text).func)
    cuts = _write(recipe, setting, setting.text, has_parentheses=has_parentheses)
    start = setting.start.column - 1
    text = align(setting.text, start + len(callee) + 1, start + len(cuts[0].content)) if "\n" not in callee else None
    if text is None:
        return None
    return _replace(setting, None, _splice(text, _write(recipe, setting, text, has_parentheses=has_parentheses)))


def _lay_out(recipe: Recipe, opening: str, text: str, margins: Margins) -> str | None:
    """Return a call over several rows, handed over with a row for each argument; None if that needs other rows."""
    leading = [*recipe.leading]
    if recipe.form is Form.LAMBDA:
        written = write_arguments(opening, [*leading, write_lambda(text, margins)], margins)
        return written + "()" * recipe.is_wrapping
    call = _parse(text)
    callee = _render(call.func)
    arguments = text[len(callee) + 1 : -1]
    if recipe.form is Form.REPLACE or text[len(callee)] != "(" or (call.args and _is_bare_generator(call.args[0])):
        return None
    if recipe.form is Form.WRAPPED:
        can_move = "\n" not in callee and is_hanging(arguments)
        return f"{opening}({callee})" + margins.move(f"({arguments})", margins.steps) if can_move else None
    if recipe.form is Form.PARTIAL:
        inner = Margins(margins.inner, margins.step, margins.steps + 1)
        bound = hand_over(recipe.partial, [], callee, arguments, inner)
        return bound and write_arguments(opening, [*leading, bound], margins)
    return hand_over(opening, leading, callee, arguments, margins)


def _comma(call: cst.Call, callee_end: int) -> tuple[_Cut, str]:
    """Return the edit that makes the callee the first of the arguments, and what has to close behind them."""
    gap = _render(call.whitespace_after_func)
    inner = _render(call.whitespace_before_args)
    parenthesis = callee_end + len(gap)
    start = callee_end if not gap.strip(_BLANKS) else parenthesis
    if not call.args:
        is_blank = not inner.strip(_BLANKS)
        return _Cut(start, parenthesis + 1 + (len(inner) if is_blank else 0), ""), ""
    if _is_bare_generator(call.args[0]):
        return _Cut(start, parenthesis, ", "), ")"  # the call's parentheses become the generator expression's own
    return _Cut(start, parenthesis + 1, "," if inner else ", "), ""


def _is_bare_generator(argument: cst.Arg) -> bool:
    """Tell whether the parentheses of the call are those of a generator expression as well."""
    return isinstance(argument.value, cst.GeneratorExp) and not argument.value.lpar


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


def _splice(text: str, cuts: list[_Cut]) -> str:
    for cut in reversed(cuts):
        text = text[: cut.start] + cut.content + text[cut.end :]
    return text


def _replace(setting: Setting, group: Group | None, new: str | None) -> Edit | None:
    """Return the edit that writes `new` over the expression, or over the parentheses around it."""
    if new is None:
        return None
    start, end = setting.start, _position(len(setting.text), setting)
    if group is not None:
        start, end, new = group.start, group.end, new + group.tail
    return Edit(start, end, new.replace("\n", setting.newline))


def _edit(cut: _Cut, setting: Setting) -> Edit:
    return Edit(_position(cut.start, setting), _position(cut.end, setting), cut.content)


def _position(offset: int, setting: Setting) -> Position:
    before = setting.text[:offset]
    newlines = before.count("\n")
    if not newlines:
        return Position(setting.start.row, setting.start.column + offset)
    return Position(setting.start.row + newlines, offset - before.rfind("\n"))
