"""Stage fix: turn a block of statements into the text of a function and its call; nothing around it changes.

LibCST gets the rows of the block alone, puts the statements, with their comments and blank rows, under a new header,
and gives back the text: that is where indentation is understood, multi-line strings included.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Final, NamedTuple

import libcst as cst

from loopsafe.fixes.file import File
from loopsafe.fixes.fitting import fit_rows, measure
from loopsafe.fixes.moves import Signature
from loopsafe.fixes.places import Function, Refusal, first_row
from loopsafe.fixes.recipes import Form, Recipe
from loopsafe.fixes.wording import indent_of
from loopsafe.model import Edit, Position

_HEAD: Final = "if 1:"
"""What an indented piece of text is parsed under."""


class Wording(NamedTuple):
    """How the function and its call are spelled."""

    name: str
    recipe: Recipe
    """How the off-loader is called."""
    signature: Signature
    ending: str = ""
    """A statement of one row that comes last in it."""


def write_header(wording: Wording) -> str:
    """Return the function's first row, without indentation."""
    ending = " -> None" if wording.signature.is_annotated else ""
    return f"def {wording.name}({', '.join(wording.signature.parameters)}){ending}:"


def write_return(signature: Signature) -> str:
    """Return the last row of the function, if it has to give something back."""
    last = [signature.last_value] if signature.last_value else signature.results[-1:]
    return f"return {', '.join([*signature.results[:-1], *last])}"


def write_call(wording: Wording) -> str:
    """Return the statement that runs the function in a thread."""
    signature = wording.signature
    recipe = wording.recipe
    if recipe.form is Form.WRAPPED:
        call = f"await {recipe.callee}({wording.name})({', '.join(signature.parameters)})"
    else:
        call = f"await {recipe.callee}({', '.join([*recipe.leading, wording.name, *signature.parameters])})"
    if signature.hands_on:
        return f"return {call}"
    if signature.annotation is not None:
        return f"{signature.results[0]}: {ast.unparse(signature.annotation)} = {call}"
    return f"{', '.join(signature.results)} = {call}" if signature.results else call


def move(statements: Sequence[ast.stmt], header: ast.AST, wording: Wording, file: File) -> Edit:
    """Return the edit that puts the function, and its call, in the place of `statements`.

    `header` is what their suite belongs to.
    """
    rows, newline = file.tree.rows, file.source.newline
    first, last = _find_rows(statements, rows)
    indent = indent_of(rows[first - 1])
    _require_rows_of_its_own(statements, rows)
    outer = indent_of(rows[_row_of(header) - 1])
    step = indent[len(outer) :] if indent.startswith(outer) and indent != outer else "    "
    piece = f"{_HEAD}{newline}" + "".join(rows[first - 1 : last])
    try:
        module = cst.parse_module(piece)
    except cst.ParserSyntaxError as error:
        raise Refusal("LibCST cannot read the block") from error
    if module.code != piece:
        raise Refusal("LibCST does not give the block back as it stands")
    is_first = first == 1 or not rows[first - 2].strip() or _opens_suite(statements[0], header)
    text = _assemble(module, wording, step, is_first)
    content = text.removeprefix(_HEAD).removeprefix(newline)
    end = rows[last - 1].rstrip("\r\n")
    content = content.removesuffix(rows[last - 1][len(end) :])
    if max(map(measure, content.split(newline))) > file.width:
        content = newline.join(fit_rows(content.split(newline), rows[first - 1 : last], file.width))
    return Edit(Position(first, 1), Position(last, len(end) + 1), content)


def take_row(statement: ast.stmt, rows: Sequence[str]) -> tuple[str, Edit]:
    """Return the text of a statement that has a row of its own, and the edit that deletes it, or refuse."""
    row = rows[statement.lineno - 1]
    is_alone = statement.lineno == statement.end_lineno and row.encode()[: statement.col_offset].strip(b" \t") == b""
    above = statement.lineno - 1
    while above and not rows[above - 1].strip():
        above -= 1
    if not is_alone or ";" in row or rows[above - 1].lstrip().startswith("#"):
        raise Refusal("a `return` leaves it, and what follows is not one plain row")
    end = rows[above - 1].rstrip("\r\n")
    return row.strip(), Edit(Position(above, len(end) + 1), Position(statement.lineno, len(row.rstrip("\r\n")) + 1), "")


def _assemble(module: cst.Module, wording: Wording, step: str, is_first: bool) -> str:
    holder = module.body[0]
    assert isinstance(holder, cst.If)
    suite = holder.body
    assert isinstance(suite, cst.IndentedBlock)
    body = [*suite.body]
    signature = wording.signature
    if signature.is_folded:
        body = _fold(body)
    elif signature.results:
        body.append(_statement(write_return(signature), module))
    if wording.ending:
        body.append(_statement(wording.ending, module))
    blank = cst.EmptyLine(indent=False)
    function = cst.FunctionDef(
        name=cst.Name(wording.name),
        params=cst.Parameters([cst.Param(cst.Name(name)) for name in signature.parameters]),
        body=cst.IndentedBlock(body, indent=step, footer=suite.footer),
        returns=cst.Annotation(cst.Name("None")) if signature.is_annotated else None,
        leading_lines=[] if is_first else [blank],
    )
    call = _statement(write_call(wording), module).with_changes(leading_lines=[blank])
    moved = suite.with_changes(body=[function, call], footer=[])
    return module.with_changes(body=[holder.with_changes(body=moved)], footer=[]).code


def _fold(body: Sequence[cst.BaseStatement]) -> list[cst.BaseStatement]:
    """Return `body` with `return value` for the assignment at its end."""
    last = body[-1]
    if isinstance(last, cst.With):
        suite = last.body
        if not isinstance(suite, cst.IndentedBlock):
            raise Refusal("a `with` and its block share a row")
        return [*body[:-1], last.with_changes(body=suite.with_changes(body=_fold(suite.body)))]
    match last:
        case cst.SimpleStatementLine(body=[cst.Assign(value=value) | cst.AnnAssign(value=value)]) if value is not None:
            return [*body[:-1], last.with_changes(body=[cst.Return(value)])]
    raise Refusal("the last assignment shares its row with something else")


def _statement(text: str, module: cst.Module) -> cst.SimpleStatementLine:
    statement = cst.parse_statement(text, config=module.config_for_parsing)
    assert isinstance(statement, cst.SimpleStatementLine)
    return statement


def _find_rows(statements: Sequence[ast.stmt], rows: Sequence[str]) -> tuple[int, int]:
    """Return the first and last row of the block, with the comments that belong to it."""
    first, last = first_row(statements[0]), statements[-1].end_lineno or statements[-1].lineno
    indent = indent_of(rows[first - 1])
    while first > 1 and rows[first - 2].lstrip().startswith("#") and indent_of(rows[first - 2]) == indent:
        first -= 1
    while last < len(rows) and rows[last].lstrip().startswith("#") and len(indent_of(rows[last])) > len(indent):
        last += 1
    return first, last


def _require_rows_of_its_own(statements: Sequence[ast.stmt], rows: Sequence[str]) -> None:
    start, end = statements[0], statements[-1]
    if rows[first_row(start) - 1].encode()[: start.col_offset].strip(b" \t"):
        raise Refusal("the block shares its first row with something else")
    rest = rows[(end.end_lineno or 0) - 1].encode()[end.end_col_offset or 0 :].decode("utf-8", "replace").strip()
    if rest and not rest.startswith("#"):
        raise Refusal("the block shares its last row with something else")


def _opens_suite(statement: ast.stmt, header: ast.AST) -> bool:
    return isinstance(header, Function) and header.body[0] is statement


def _row_of(header: ast.AST) -> int:
    row: int = (header.pattern if isinstance(header, ast.match_case) else header).lineno  # type: ignore[attr-defined]
    return row
