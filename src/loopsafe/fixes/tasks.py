"""Stage fix, writer: a task that nobody keeps is kept, by its group or in a set, until it is done.

Whether a call starts a task is for the checks to know.
"""

from __future__ import annotations

import ast
import copy
import re
from typing import Final

from loopsafe.fixes.file import File, Finding
from loopsafe.fixes.naming import find_taken_names
from loopsafe.fixes.obstacles import root_name
from loopsafe.fixes.places import Function, Refusal, last_name
from loopsafe.fixes.recipes import Change, Rewriting
from loopsafe.fixes.wording import indent_of
from loopsafe.model import Edit, Position

_SET: Final = "_background_tasks"
_TASK: Final = "task"
_DOUBT: Final = "an error of the task is reported elsewhere, or later, than now"


def write(finding: Finding) -> Rewriting:
    """Start the task in the group around it, or put it into a set of the module."""
    call, statement = finding.place.node, finding.place.parent.node
    if not isinstance(call, ast.Call) or not isinstance(statement, ast.Expr | ast.Assign):
        raise Refusal("its task is used")
    if finding.place.outermost_function is None:
        raise Refusal("outside any function")
    group = _find_group(finding)
    return _start_in(group, call, finding) if group is not None else _keep(call, statement, finding)


def _find_group(finding: Finding) -> str | None:
    """Return the name of the task group whose block the call stands in."""
    for step in finding.place.inside_coroutine():
        for item in step.node.items if isinstance(step.node, ast.AsyncWith) and step.field == "body" else ():
            root = finding.file.tree.imported.get(root_name(item.context_expr) or "", "")
            is_group = last_name(item.context_expr) == "TaskGroup" and root.partition(".")[0] == "asyncio"
            if is_group and isinstance(item.optional_vars, ast.Name):
                return item.optional_vars.id
    return None


def _start_in(group: str, call: ast.Call, finding: Finding) -> Rewriting:
    if (
        last_name(call) not in ("create_task", "ensure_future")
        or not call.args
        or not isinstance(call.args[0], ast.Call)
    ):
        raise Refusal("the group takes coroutines only")
    span = finding.file.tree.span(call.func)
    if span.row != span.end_row:
        raise Refusal("the callee is spread over several rows")
    callee = ast.Attribute(value=ast.Name(id=group, ctx=ast.Load()), attr="create_task", ctx=ast.Load())
    new = ast.Call(func=callee, args=call.args, keywords=call.keywords)
    change = Change(finding.holder, call, new)
    edit = Edit(span.start, span.end, f"{group}.create_task")
    doubts = ("the group waits for the task, and fails with it",)
    return Rewriting(f"Start the task in `{group}`", (edit,), (change,), doubts=doubts)


def _keep(call: ast.Call, statement: ast.Expr | ast.Assign, finding: Finding) -> Rewriting:
    file, rows = finding.file, finding.file.tree.rows
    span = file.tree.span(statement)
    before, after = rows[span.row - 1][: span.column - 1], rows[span.end_row - 1][span.end_column - 1 :]
    if before.strip() or (after.strip() and not after.lstrip().startswith("#")):
        raise Refusal("the call shares its row with something else")
    taken = find_taken_names(file.tree.module, finding.holder)
    known = _find_set(file)
    kept = known or _choose(_SET, taken | _locals_of(file))
    if known is not None and any(_stores(node, known) for node in ast.walk(finding.holder)):
        raise Refusal(f"`{known}` is the name of something else here")
    task = _choose(_TASK, taken) if isinstance(statement, ast.Expr) else _name_of(statement)
    rest = [f"{kept}.add({task})", f"{task}.add_done_callback({kept}.discard)"]
    end = Position(span.end_row, len(rows[span.end_row - 1].rstrip("\r\n")) + 1)
    lines = "".join(f"{file.source.newline}{indent_of(before)}{line}" for line in rest)
    opening = (Edit(span.start, span.start, f"{task} = "),) if isinstance(statement, ast.Expr) else ()
    assignment = ast.Assign(targets=[ast.Name(id=task, ctx=ast.Store())], value=copy.copy(call), type_comment=None)
    change = Change(finding.holder, statement, (assignment, *ast.parse("\n".join(rest)).body))
    return Rewriting(
        f"Keep the task in `{kept}` until it is done",
        (*opening, Edit(end, end, lines)),
        (change,),
        variables=() if known else (_declare(kept, finding),),
        doubts=(_DOUBT,),
    )


def _name_of(statement: ast.Assign) -> str:
    match statement.targets:
        case [ast.Name(id=name)]:
            return name
    raise Refusal("its task is used")


def _find_set(file: File) -> str | None:
    """Return the module's own set of tasks, if it has one."""
    for statement in file.tree.module.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                pass
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                pass
            case _:
                continue
        is_set = isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "set"
        if is_set and re.search(rf"add_done_callback\(\s*{re.escape(name)}\.discard\b", file.source.text):
            return name
    return None


def _declare(name: str, finding: Finding) -> str:
    """Return the statement that makes the set, annotated where the module's functions are."""
    tree = finding.file.tree
    is_annotated = any(isinstance(node, Function) and node.returns is not None for node in ast.walk(tree.module))
    if is_annotated and finding.file.target >= (3, 9) and tree.imported.get("asyncio") == "asyncio":
        return f"{name}: set[asyncio.Task[object]] = set()"
    return f"{name} = set()"


def _locals_of(file: File) -> set[str]:
    """Return the names that functions of the file bind: the set must be seen in all of them."""
    return {node.id for node in ast.walk(file.tree.module) if isinstance(node, ast.Name)}


def _stores(node: ast.AST, name: str) -> bool:
    return (isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load)) or (
        isinstance(node, ast.arg) and node.arg == name
    )


def _choose(base: str, taken: set[str]) -> str:
    return base if base not in taken else next(name for n in range(2, 10_000) if (name := f"{base}_{n}") not in taken)
