"""Generated programs go through the whole pipeline: nothing raises, and what is found depends on nothing but the text.

`LOOPSAFE_HYPOTHESIS=long pytest tests/fuzz` looks at fifty times as many.
"""

# ruff: noqa: E501 (a list of templates is a table)

from __future__ import annotations

import ast
import os
import re
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import hypothesmith
import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from loopsafe import engine
from loopsafe.config import Settings
from loopsafe.fixes.together import is_whole
from loopsafe.model import Diagnostic
from loopsafe.summary import ir, summarise

LONG: Final = os.environ.get("LOOPSAFE_HYPOTHESIS") == "long"
SLOW: Final = settings(max_examples=500 if LONG else 12)
"""For what takes a second, or for a generator that does."""

# `$n` is a name, `$e` an expression, `$s` a block, `$m` the other module
NAMES = ["a", "b", "self", "cls", "A", "B", "f", "g", "h", "x", "time", "conn", "super", "_"]
EXPRESSIONS = [
    "$n", "$n", "time.sleep(1)", "time.sleep($n)", "requests.get($n)", "open($n).read()", "$m.f($n)", "$m.A().g($n)", "$n.$n", "$n.$n.$n", "$n()", "$n($e)", "$n($e, *$e, k=$e, **$e)", "$n.$n($e)", "$e.$n", "$e[$e]", "$e[$e:$e]",
    "time.sleep($e)", "requests.get($e)", "open($e).read()", "subprocess.run([$e])", "queue.Queue().get()", "$m.f($e)", "$m.A()",
    "$m.A().g($e)", "asyncio.to_thread($e, $e)", "asyncio.run($e)", "functools.partial($n, $e)", "super().g()", "A()", "B($e).g()",
    "lambda a, *b, c=$e, **d: $e", "($e for x in $e if $e)", "[$e for x in $e for a in x]", "{$e: $e for x, *a in $e}", "[*$e, $e]",
    "{**$e, 'k': $e}", "($e, $e)", "$e if $e else $e", "$e and $e or $e", "not $e", "-$e", "$e + $e", "$e < $e <= $e", "(x := $e)",
    "f'{$n!r:>{$n}}'", "'text'", "1", "None", "True", "...", "type($e)", "isinstance($e, $n)", "next(iter($e))", "list(map($n, $e))",
    "getattr($e, 'g')($e)", "sorted($e, key=$n)", "$n | $n", "typing.cast('A', $e)", "(yield $e)", "(yield from $e)",
]  # fmt: skip
ASYNC_EXPRESSIONS = [
    "(await $e)",
    "(await $n.$n($e))",
    "[x async for x in $e]",
    "[(await x) for x in $e]",
    "(x async for x in $e)",
]
STATEMENTS = [
    "$e", "$e", "time.sleep($e)", "$n = requests.get($e)", "$m.f($e)", "self.g($e)", "$n = $e", "$n = $n = $e", "$n, *$n = $e", "[a, (b, x)] = $e", "$n: A = $e", "$n: 'list[A]'", "$n += $e", "$n.$n = $e",
    "$e[$e] = $e", "self.$n = $e", "del $n", "return", "return $e", "raise $e", "assert $e, $e", "pass", "global a", "import time",
    "import requests, queue as q", "from $m import A, f as g", "from . import $m", "from .$m import A", "import $m.a.b as h",
    "if $e:\n$s\nelif $e:\n$s\nelse:\n$s", "while $e:\n$s\nelse:\n$s", "for $n in $e:\n$s\nelse:\n$s", "for a, *b in $e:\n    break",
    "while 1:\n    $e\n    continue", "with $e as $n, $e:\n$s", "with ($e as a):\n$s",
    "try:\n$s\nexcept A as x:\n$s\nexcept (A, B):\n$s\nelse:\n$s\nfinally:\n$s", "try:\n$s\nfinally:\n$s",
    "match $e:\n    case A(g=x) | [x, *_] if $e:\n    $s\n    case {'k': x, **a}:\n    $s\n    case None | 1 | -1 | 'a':\n    $s\n    case _:\n    $s",
    "def f(a, b=$e, /, *c, d: A = $e, **e) -> A:\n$s", "def g(self, x=None):\n$s", "def h(): $e", "@$n\ndef f(x: 'A'):\n$s",
    "@property\ndef g(self):\n$s", "@contextlib.contextmanager\ndef g(self):\n    yield $e", "@$n($e)\nclass B($n, metaclass=$n):\n$s",
    "class A($m.A):\n$s", "class A:\n    x: A = $e\n    def __init__(self, a):\n        self.b = a\n    def g(self, x):\n        return self.b.g($e)",
    "def f():\n    a = $e\n    def g():\n        nonlocal a\n        a = $e\n    return g", "class A(A): x = A", "def f(): return f()",
    "@staticmethod\ndef g(x):\n$s", "@classmethod\ndef g(cls):\n    return cls()", "x = a if b else x",
]  # fmt: skip
ASYNC_STATEMENTS = ["async with $e as $n:\n$s", "async for $n in $e:\n$s", "await $e", "async def h():\n    $e"]
IMPORTS = "import asyncio, time, requests, subprocess, functools, queue, contextlib, typing"
TOP = [
    "async def main(self, a, b: A):\n$s\n$s\n$s",
    "async def main(self, a, b: A):\n$s",
    "class A:\n    async def h(self):\n    $s\n    def g(self, x=1):\n    $s",
    "def f(x):\n$s",
    "$s",
    "from $m import *",
    "from $m import A, f",
    "import $m",
    "@fastapi.FastAPI().get('/')\nasync def route(a: A = fastapi.Depends(f)):\n$s",
]


@st.composite
def templates(draw: st.DrawFn, choices: list[str], depth: int, other: str) -> str:
    text = draw(st.sampled_from(choices if depth > 0 else ["$n", "pass"] if "pass" in choices else ["$n", "1"]))
    is_async = draw(st.booleans())

    def fill(hole: re.Match[str]) -> str:
        match hole[2]:
            case "m":
                return hole[1] + other
            case "n":
                return hole[1] + draw(st.sampled_from(NAMES))
            case "e":
                expressions = EXPRESSIONS + ASYNC_EXPRESSIONS * is_async
                return hole[1] + draw(templates(expressions, depth - 1, other))
            case _:
                statements = STATEMENTS + ASYNC_STATEMENTS * is_async
                blocks = draw(st.lists(templates(statements, depth - 1, other), min_size=1, max_size=3))
                return "\n".join(f"{hole[1]}    {row}" for block in blocks for row in block.split("\n"))

    return re.sub(r"( *)\$([nesm])", fill, text)


@st.composite
def modules(draw: st.DrawFn, other: str = "other") -> str:
    """Texts that mostly compile; those that do not are a case as well."""
    blocks = list(dict.fromkeys(draw(st.lists(templates(TOP, 4, other), min_size=1, max_size=5))))
    if draw(st.integers(0, 9)):
        blocks = [block for block in blocks if is_whole(block)]
    return "\n".join([IMPORTS, *blocks]) + "\n"


Files = dict[str, str]


@st.composite
def projects(draw: st.DrawFn) -> Files:
    """Two modules that import each other, and sometimes the same text twice."""
    package = draw(st.sampled_from(["", "pkg/", "src/pkg/"]))
    one = draw(modules("two"))
    two = one if draw(st.integers(0, 9)) == 0 else draw(modules("one"))
    return {"pyproject.toml": "", f"{package}one.py": one, f"{package}two.py": two}


@contextmanager
def written(files: Mapping[str, str]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
            os.utime(root / name, (1_000_000_000, 1_000_000_000))
        yield root


def make_settings(root: Path, *, use_cache: bool = False) -> Settings:
    return Settings(select=("ALL",), root=str(root), use_cache=use_cache, unsafe_fixes=True, fix=True)


def find(root: Path, *paths: str, use_cache: bool = False) -> tuple[Diagnostic, ...]:
    chosen = [str(root / path) for path in paths] or [str(root)]
    return engine.check(chosen, make_settings(root, use_cache=use_cache)).diagnostics


def check_summary(text: str) -> None:
    summary = summarise(text)
    assert summary == summarise(text)
    scopes = ir.decoded(summary.scopes)
    data = msgspec.msgpack.encode(scopes)
    assert ir.decoded(msgspec.Raw(data)) == scopes
    assert bool(scopes) == (summary.problem is None)
    for scope in scopes:
        assert 0 <= scope.parent < len(scopes)
        refs = [*scope.returns, *scope.yields, *scope.discards, *scope.stores]
        refs += [ref for found in scope.bindings.values() for ref in found]
        assert all(-1 <= ref < len(scope.nodes) for ref in refs)


@given(modules())
def test_summary_of_any_text_is_sound(text: str) -> None:
    check_summary(text)


@given(st.text(max_size=200).filter(lambda text: "\0" not in text))
def test_summary_of_arbitrary_characters(text: str) -> None:
    check_summary(text)


@SLOW
@given(hypothesmith.from_grammar())
def test_summary_of_whatever_the_grammar_allows(text: str) -> None:
    if "\0" not in text:
        check_summary(text)


@given(modules())
def test_summary_of_a_tree_that_is_there_already(text: str) -> None:
    """flake8 has parsed the file before we see it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(text)
        except SyntaxError:
            return
    assert summarise(text, tree) == summarise(text)


@given(projects())
def test_findings_depend_on_neither_order_nor_cache(files: Files) -> None:
    with written(files) as root:
        found = find(root)
        names = [name for name in files if name.endswith(".py")]
        assert find(root, *names) == found
        assert find(root, *reversed(names), *names) == found
        alone = [one for name in names for one in find(root, name)]
        assert sorted(alone, key=lambda one: one.sort_key) == list(found)
        assert find(root, use_cache=True) == found, "cold"
        assert find(root, use_cache=True) == found, "warm"
        for name in names:
            os.utime(root / name, (1_100_000_000, 1_100_000_000))
        assert find(root, use_cache=True) == found, "touched"
        with (root / names[0]).open("a") as file:
            file.write("# more\n")
        after = find(root, use_cache=True)
        assert after == find(root), "half warm"


@given(projects())
def test_diagnostics_are_well_formed(files: Files) -> None:
    with written(files) as root:
        outcome = engine.check([str(root)], make_settings(root))
        for one in outcome.diagnostics:
            text = outcome.sources(one.path)
            assert text is not None
            rows = text.text.split("\n")
            assert 1 <= one.span.row <= one.span.end_row <= len(rows)
            assert 1 <= one.span.column <= len(rows[one.span.row - 1]) + 1
            assert one.span.start <= one.span.end
            assert "\n" not in one.message
            assert one.message == one.message.strip() != ""
            for step in one.chain:
                assert Path(step.path).is_file()


@settings(max_examples=400 if LONG else 25)
@given(projects())
def test_fixed_projects_still_compile(files: Files) -> None:
    with written(files) as root:
        chosen = make_settings(root)
        outcome = engine.check([str(root)], chosen)
        fixed = engine.fix(outcome, chosen)
        broken = [one for one in fixed.remaining.warnings if "please report" in one]
        assert not broken, "no fix had to be taken back"
        for path, data in fixed.files.items():
            assert is_whole(data.decode())
            Path(path).write_bytes(data)
        again = engine.fix(engine.check([str(root)], chosen), chosen)
        assert again.files == {}, "fixing twice is fixing once"
        assert again.remaining.diagnostics == fixed.remaining.diagnostics
