"""Summaries: what is read out of a text, whatever the text is."""

from __future__ import annotations

import ast
import pickle
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from loopsafe.summary import ir, summarise

TEXT = """\
import os.path as p
from a.b import c as d, e
from ..up import *


class A(d.Base):
    x: int = 1

    @property
    def size(self) -> int:
        return self.value

    async def go(self, first, *rest, key=None, **more):
        for item in rest:
            first = item
        async with self.lock as held:
            await held.use(first, key=key)
        return [one for one in first]


def outer():
    inner = lambda y: y
    return inner(1)


if p.sep:
    red, green, blue = 1, 2, 3
elif e:
    green, blue, white, black = 4, 5, 6, 7
else:
    blue, black, yellow, brown = 8, 9, 10, 11
try:
    import one, two, three
except ImportError:
    four = five = six = None
while red:
    seven, eight = nine, ten = green, blue
"""


def scopes_of(text: str) -> tuple[ir.Scope, ...]:
    summary = summarise(text)
    assert summary.problem is None
    return ir.decoded(summary.scopes)


def test_facts_of_a_module() -> None:
    summary = summarise(TEXT)
    assert summary.has_async
    assert summary.imports == ("a.b", "one", "os.path", "three", "two")
    assert summary.overridden == ("Base",)
    assert "size" in summary.implicit
    assert summary.methods == ("go", "size")
    assert [scope.name for scope in ir.decoded(summary.scopes) if scope.kind == ir.ScopeKind.FUNCTION] == [
        "size",
        "go",
        "outer",
    ]


def test_scopes_say_what_their_functions_are() -> None:
    scopes = {scope.name: scope for scope in scopes_of(TEXT)}
    go, outer = scopes["go"], scopes["outer"]
    assert (go.is_async, go.has_await, go.is_generator) == (True, True, False)
    assert [(one.name, one.kind) for one in go.params] == [
        ("self", ir.ParamKind.POSITIONAL),
        ("first", ir.ParamKind.POSITIONAL),
        ("rest", ir.ParamKind.VARARGS),
        ("key", ir.ParamKind.KEYWORD),
        ("more", ir.ParamKind.KWARGS),
    ]
    assert (outer.is_async, outer.has_await) == (False, False)


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_newlines_do_not_show(newline: str) -> None:
    assert summarise(TEXT.replace("\n", newline)) == summarise(TEXT)


def test_given_tree_and_own_parsing_agree() -> None:
    assert summarise(TEXT, ast.parse(TEXT)) == summarise(TEXT)


def test_same_text_gives_the_same_bytes_in_any_process() -> None:
    """Sets and hashes of strings have another order in each."""
    code = (
        "import sys, msgspec; from loopsafe.summary import summarise\n"
        "sys.stdout.buffer.write(msgspec.msgpack.encode(summarise(sys.stdin.read())))"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code],
            input=TEXT.encode(),
            capture_output=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(ir.__file__).parents[2])},
            check=True,
        ).stdout
        for seed in ("0", "1", "2", "3")
    }
    assert runs == {msgspec.msgpack.encode(summarise(TEXT))}


def test_nothing_of_the_text_s_place_is_in_a_summary() -> None:
    """So that one summary serves all copies of a file."""
    assert __file__.encode() not in msgspec.msgpack.encode(summarise(Path(__file__).read_text(encoding="utf-8")))


def test_summaries_need_no_pickle() -> None:
    data = msgspec.msgpack.encode(summarise(TEXT))
    again = msgspec.msgpack.decode(data, type=ir.ModuleSummary)
    assert ir.decoded(again.scopes) == scopes_of(TEXT)
    with pytest.raises(pickle.UnpicklingError):
        pickle.loads(data)


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("def f(:\n", "Invalid syntax", (1, 7)),
        ("x = 1\n  y = 2\n", "Unexpected indent", (2, 0)),
        ("é = (\n", "'(' was never closed", (1, 5)),
        ("x = 'é' é\n", "Invalid syntax", (1, 9)),
    ],
)
def test_syntax_errors_have_a_place(text: str, message: str, place: tuple[int, int]) -> None:
    problem = summarise(text).problem
    assert problem is not None
    assert problem.message.startswith(message)
    assert problem.row == place[0]
    assert place[1] in (0, problem.column)


@pytest.mark.parametrize(
    "text", ["x = " + "(" * 10_000, "x = " + "-" * 100_000 + "1", "if a: pass\n" + "elif a: pass\n" * 9_000]
)
def test_what_cannot_be_read_has_no_scopes(text: str) -> None:
    summary = summarise(text)
    assert summary.problem is not None
    assert ir.decoded(summary.scopes) == ()
    assert not summary.has_async


def test_recursion_limit_is_given_back() -> None:
    limit = sys.getrecursionlimit()
    summarise("x = " + "-" * 100_000 + "1")
    assert sys.getrecursionlimit() == limit


def test_every_piece_of_syntax_is_read() -> None:
    """Nothing that the interpreter's own library contains makes the reader stumble."""
    library = Path(ast.__file__).parent
    for path in sorted((library / "asyncio").glob("*.py")) + sorted(library.glob("[a-d]*.py")):
        assert summarise(path.read_text(encoding="utf-8")).problem is None, path
