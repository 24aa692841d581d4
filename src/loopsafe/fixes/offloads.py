"""Stage fix, writer: a synchronous call goes to a thread, or an asynchronous one takes its place.

Whether it may is for `hazards` and `races` to say.
"""

from __future__ import annotations

import ast
import copy
from typing import Final

from loopsafe.fixes.file import Finding
from loopsafe.fixes.fitting import fit
from loopsafe.fixes.hazards import Case, judge
from loopsafe.fixes.offloaders import choose_form, write_recipe
from loopsafe.fixes.places import Refusal
from loopsafe.fixes.recipes import Change, Form, Recipe, Rewriting
from loopsafe.fixes.wording import shorten
from loopsafe.model import Edit, RemedyKind


def write(finding: Finding) -> Rewriting:
    """Write `f(a)` as `await asyncio.to_thread(f, a)`, or with its awaitable replacement."""
    from loopsafe.fixes.rewriting import rewrite  # with it comes LibCST

    place, remedy, file = finding.place, finding.remedy, finding.file
    node = place.node
    if not isinstance(node, ast.Call | ast.Attribute | ast.Subscript):
        raise Refusal("only calls and attributes can be moved to a thread")
    if remedy.kind is RemedyKind.OFFLOAD_AWAITED and not isinstance(place.parent.node, ast.Await):
        raise Refusal("nothing awaits it")
    form = choose_form(remedy, node, file.target)
    is_lambda = form is Form.LAMBDA
    case = Case(
        place, finding.diagnostic, remedy.kind, is_lambda, file.target, file.starts, file.histories, finding.is_loose
    )
    doubts = judge(case)
    if form is Form.REPLACE and (remedy.replacement or "").startswith("."):
        recipe, modules = _write_sibling(finding), tuple[str, ...]()
    else:
        recipe, modules = write_recipe(form, remedy, place, file.names, file.target)
    change = Change(finding.holder, node, _build(node, recipe, is_awaited=finding.setting.is_awaited))
    edits = rewrite(recipe, finding.setting)
    if not any(isinstance(step.node, ast.JoinedStr) for step in place.around):
        edits = fit(edits, file.tree.rows, file.source.newline, file.width, is_inside=_is_inside(finding, edits[0]))
    return Rewriting(_describe(node, finding, recipe), edits, (change,), modules, doubts=tuple(doubts))


def _is_inside(finding: Finding, edit: Edit) -> bool:
    """Tell whether the row of an edit is a further row of its statement, joined by brackets."""
    holders = (step.node for step in finding.place.around)
    holder = next(one for one in holders if isinstance(one, ast.stmt | ast.ExceptHandler | ast.match_case))
    row = edit.start.row
    is_further = isinstance(holder, ast.stmt) and row > holder.lineno
    return is_further and not finding.file.tree.rows[row - 2].rstrip().endswith("\\")


def _write_sibling(finding: Finding) -> Recipe:
    """Return what to write where another attribute of the same object is to be called."""
    node = finding.place.node
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        raise Refusal("it is not called as an attribute")
    owner = finding.file.slice(finding.file.tree.span(node.func.value))
    return Recipe(Form.REPLACE, f"{owner}{finding.remedy.replacement}")


def _build(node: ast.expr, recipe: Recipe, *, is_awaited: bool) -> ast.expr:
    """Return the tree that the rewritten expression must have; its leaves are the old tree's own nodes."""
    call = _build_call(node, recipe)
    return call if is_awaited else ast.Await(value=call)


def _build_call(node: ast.expr, recipe: Recipe) -> ast.expr:
    leading = [_expression(argument) for argument in recipe.leading]
    callee = _expression(recipe.callee)
    if recipe.form is Form.LAMBDA or not isinstance(node, ast.Call):
        # a copy, since the original stands for its rewritten form
        moved = ast.Lambda(args=_NO_ARGUMENTS, body=copy.copy(node))
        call = ast.Call(func=callee, args=[*leading, moved], keywords=[])
        return ast.Call(func=call, args=[], keywords=[]) if recipe.is_wrapping else call
    if recipe.form is Form.REPLACE:
        return ast.Call(func=callee, args=node.args, keywords=node.keywords)
    if recipe.form is Form.PARTIAL:
        bound = ast.Call(func=_expression(recipe.partial), args=[node.func, *node.args], keywords=node.keywords)
        return ast.Call(func=callee, args=[*leading, bound], keywords=[])
    if recipe.form is Form.WRAPPED:
        wrapped = ast.Call(func=callee, args=[node.func], keywords=[])
        return ast.Call(func=wrapped, args=node.args, keywords=node.keywords)
    return ast.Call(func=callee, args=[*leading, node.func, *node.args], keywords=node.keywords)


_NO_ARGUMENTS: Final = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])


def _expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _describe(node: ast.expr, finding: Finding, recipe: Recipe) -> str:
    if not isinstance(node, ast.Call):
        return f"Read `{shorten(node)}` in a thread with `{recipe.callee}`"
    if finding.remedy.kind is RemedyKind.REPLACE_AWAITED:
        return f"Replace `{shorten(node.func)}` by `await {recipe.callee}`"
    return f"Run `{shorten(node.func)}` in a thread with `{recipe.callee}`"
