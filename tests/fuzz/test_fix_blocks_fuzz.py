"""Blocks over generated coroutines on files: what they do, and give, is the same after the fix; fixing twice is fixing once."""

# ruff: noqa: E501  (a case is one row of a table)

from __future__ import annotations

import ast
import asyncio
import re
import warnings
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loopsafe import engine
from loopsafe.config.settings import Settings

FEW = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))

# The grammar: `$s` is a block of statements, `$u` one that uses the open file, `$e` an expression, `$n` a name.
NAMES = ["a", "b", "c"]
EXPRESSION = [
    "1",
    "2",
    "$n",
    "$n + 1",
    "len(str($n))",
    "[$n for z in (1, 2)]",
    "[$n for $n in (1, 2)]",
    "(lambda: $n)()",
    "(w := $n)",
    "$n if flag else 3",
]
USE = ["$n = file.read(2)", "$n = file.readline()", "log.append(file.read(1))", "for line in file:\n$s", "$n, *rest = file.readlines()",
       "while piece := file.read(3):\n$s\n    break", "return file.readline()", "if file.read(1):\n$u", "if flag:\n$u\nelse:\n$s", "try:\n$u\nfinally:\n$s", "$s", "$u\n$u"]  # fmt: skip
STATEMENT = [
    "$n = $e", "$n += 1", "log.append($n)", "if $e:\n$s", "if flag:\n$s\nelse:\n$s", "for $n in (1, 2):\n$s", "for i in range(2):\n$s",
    "with open(path) as file:\n$u", "with open(path) as file:\n$u\n    $n = $e", "file = open(path)\n$v\nfile.close()",
    "try:\n$s\nexcept (TypeError, NameError, ValueError) as error:\n$s", "try:\n$s\nfinally:\n$s", "return $n", "return", "raise ValueError($n)", "await asyncio.sleep(0)",
    "break", "continue", "del $n", "def inner():\n    return $n\nlog.append(inner())", "with open(path) as file, quiet:\n$u", "nonlocal_free = $e\nlog.append(nonlocal_free)",
    "$s\n$s", "while flag:\n$s\n    break", "if flag:\n$s\nreturn $n",
]  # fmt: skip

HEAD = """import asyncio
import contextlib

quiet = contextlib.nullcontext()


async def scenario(path, flag, log):
"""


@st.composite
def blocks(draw: st.DrawFn, depth: int, templates: list[str], in_loop: bool) -> str:
    kept = [
        one for one in templates if (in_loop or one not in ("break", "continue")) and (depth > 0 or "\n" not in one)
    ]
    template = draw(st.sampled_from(kept))
    is_loop = template.startswith(("for", "while piece")) or (in_loop and not template.startswith("while"))

    def fill(hole: re.Match[str]) -> str:
        match hole[1]:
            case "n":
                return draw(st.sampled_from(NAMES))
            case "e":
                return re.sub(r"\$(n)", fill, draw(st.sampled_from(EXPRESSION)))
        inner = draw(blocks(depth - 1, STATEMENT if hole[1] == "s" else USE, is_loop))
        starts_row = hole.start() == 0 or hole.string[hole.start() - 1] == "\n"
        is_flat = template in ("$s\n$s", "$u\n$u", "$s") or hole[1] == "v" or not starts_row
        return inner if is_flat else indent(inner)

    return re.sub(r"\$([nesuv])", fill, template)


def indent(text: str) -> str:
    return "".join("    " + row for row in text.splitlines(keepends=True))


@st.composite
def programs(draw: st.DrawFn) -> str:
    body = [draw(blocks(3, STATEMENT, False)) for _ in range(draw(st.integers(1, 4)))]
    first = "".join(f"{name} = {number}\n" for number, name in enumerate(NAMES) if draw(st.booleans()))
    return HEAD + indent(first + "\n".join(body) + "\n")


def run(text: str, path: Path, flag: bool) -> tuple[object, object]:
    """What a program gives, or the exception that it raises, and what it has logged."""
    space: dict[str, Any] = {}
    exec(compile(text, "program", "exec"), space)
    log: list[object] = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = asyncio.run(asyncio.wait_for(space["scenario"](str(path), flag, log), 5))
    except Exception as error:
        # a free variable without value is a NameError, a local one an UnboundLocalError, which is one too
        return NameError if isinstance(error, NameError) else type(error), log
    return result, log


def is_python(text: str) -> bool:
    try:
        compile(text, "program", "exec")
    except SyntaxError:
        return False
    return True


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the programs leave files open
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@FEW
@given(programs())
def test_blocks_do_the_same_in_a_thread(tmp_path_factory: Any, text: str) -> None:
    if not is_python(text):
        return
    folder: Path = tmp_path_factory.mktemp("blocks")
    data, program = folder / "data.txt", folder / "program.py"
    data.write_text("one\ntwo\nthree\n")
    program.write_text(text)
    wanted = Settings(select=("ALL",), use_cache=False, unsafe_fixes=True, fix=True, root=str(folder))
    outcome = engine.check([str(program)], wanted)
    fixed = engine.fix(outcome, wanted)
    assert not fixed.remaining.warnings
    new = next(iter(fixed.files.values()), program.read_bytes()).decode()
    ast.parse(new)
    for flag in (True, False):
        assert run(new, data, flag) == run(text, data, flag)
    program.write_text(new)
    again = engine.check([str(program)], msgspec.structs.replace(wanted))
    assert not engine.fix(again, wanted).files
    assert not [one for one in again.diagnostics if one.fix is not None]
