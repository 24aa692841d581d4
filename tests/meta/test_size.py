"""Nothing grows beyond what can be read in one go."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final

import pytest

from . import places

MODULE_LINES: Final = 400
FUNCTION_LINES: Final = 40
EXCUSE: Final = "Over 400 lines because"
"""A module may be longer if its docstring says why, with these words."""


@pytest.mark.parametrize("path", places.modules(), ids=places.relative)
def test_module_can_be_read_in_one_go(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    docstring = ast.get_docstring(ast.parse(text))
    assert docstring, "a module's docstring names its stage and what it must not do"
    assert len(text.splitlines()) <= MODULE_LINES or EXCUSE in " ".join(docstring.split())


@pytest.mark.parametrize("path", places.modules(), ids=places.relative)
def test_functions_are_short(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = {f"{places.relative(path)}:{f.lineno} {f.name}": _lines(f) for f in functions}
    assert not {name: lines for name, lines in long.items() if lines > FUNCTION_LINES}


def _lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1
