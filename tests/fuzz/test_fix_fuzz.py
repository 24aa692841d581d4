"""Fixes over generated coroutines: they parse, change nothing else, keep the meaning, and fixing twice is fixing once."""

# ruff: noqa: E501  (a case is one row of a table)

from __future__ import annotations

import ast
import asyncio
import contextlib
import re
import warnings
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from loopsafe.fixes import apply, propose
from loopsafe.fixes.together import is_whole
from loopsafe.model import Applicability, Diagnostic, Remedy, RemedyKind, Span
from loopsafe.source.text import Source, columns, decode, rows

from ..settling import settle

FEW = settings(max_examples=3 * settings().max_examples)

# The grammar: text with holes, `$p` for something that may stand before a dot, `$e` for any expression.
PRIMARY = [
    "a", "self.b", "block()", "block( )", "block($e)", "block($e, k=$e)", "block(*[$e], **{'k': $e})", "block($e,)",
    "block(\n        $e,\n    )", "block(  # c\n        $e)", "(block)($e)", "a.block($e)", "$p.block($e)", "block($e for z in [1])",
    "$p.x", "$p[$e]", "$p($e)", "($e)", "[$e, $e]", "[$e for z in [1, 2]]", "list($e for z in [1, 2])", "(await aio($e))",
    "[z for z in [$e]]", "list(z for z in [$e] if $e)", "(lambda: $e)()", "(lambda q=$e: q)()", "f\"{a}{block(a).x!r:>9}\"",
    "f'''{block(a, k=1)}é'''", "(block($e)\n    .x)", "block \\\n    ($e)",
]  # fmt: skip
EXPRESSION = [
    "$p",
    "$p + $e",
    "$p ** $p",
    "-$p",
    "not $p",
    "$p if $p else $p",
    "$p and $p",
    "(w := $e)",
    "'é' + block($e)",
]
STATEMENT = [
    "$e", "x = $e", "return $e", "x = 1; x += $e; $e", "a.x += $e", "a.y = $e", "a[$e] = $e", "assert $e, $e", "del a[$e]",
    "if $e:\n$s\nelse:\n$s", "for z in $p:\n$s", "with a as c:\n$s", "try:\n$s\nfinally:\n$s", "while $e:\n$s\n    break",
    "try:\n$s\nexcept ($e):\n$s", "def g(p=$e):\n$s", "async def h():\n$s\nawait h()", "class C(Base($e)):\n$s",
    "match $e:\n    case y if $e:\n    $s", "@keep($e)\ndef g(): pass", "x: int = $e", "if a not in self.c: self.c[a] = $e",
    "return($p)", "x = yes if$p else no", "for z in [1]: x = $e; continue",
]  # fmt: skip


@st.composite
def expressions(draw: st.DrawFn, depth: int, primary: bool = False) -> str:
    choices = PRIMARY if primary else EXPRESSION
    template = "a" if depth <= 0 else draw(st.sampled_from(choices))
    return re.sub(r"\$([pe])", lambda hole: draw(expressions(depth - 1, hole[1] == "p" or depth <= 1)), template)


@st.composite
def statements(draw: st.DrawFn, depth: int) -> str:
    template = draw(st.sampled_from(STATEMENT))

    def fill(hole: re.Match[str]) -> str:
        if hole[1] != "s":
            return draw(expressions(3, hole[1] == "p"))
        inner = draw(statements(depth - 1)) if depth > 0 else "pass"
        return indent(inner)

    return re.sub(r"\$([pes])", fill, template)


def indent(text: str) -> str:
    return "".join("    " + row for row in text.splitlines(keepends=True))


@st.composite
def modules(draw: st.DrawFn) -> str:
    head = draw(
        st.sampled_from(
            [
                "",
                '"""é"""\n',
                "import asyncio\n",
                "import os\n",
                "# c\n\nfrom re import sub\n",
                "import asyncio as aio_\n",
            ]
        )
    )
    body = "\n".join(draw(st.lists(statements(2), min_size=1, max_size=4)))
    text = f"{head}async def main(a, self, x=0):\n" + "\n".join("    " + row for row in body.split("\n")) + "\n"
    assume(is_whole(text))
    return text


def find_blocks(source: Source) -> list[Diagnostic]:
    lines = rows(source.text)
    found = []
    for node in calls(ast.parse(source.text)):
        start = columns(lines[node.lineno - 1], node.col_offset)
        span = Span(
            node.lineno,
            start,
            node.end_lineno or 0,
            columns(lines[(node.end_lineno or 0) - 1], node.end_col_offset or 0),
        )
        found.append(Diagnostic("a.py", "LSA101", "x", "x", span, remedy=Remedy(RemedyKind.OFFLOAD, span)))
    return sorted(found, key=lambda one: one.sort_key)


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="block") | ast.Attribute(attr="block")):
                yield node


class Undo(ast.NodeTransformer):
    """Turns off-loaded calls back into the calls that they were."""

    def visit_Await(self, node: ast.Await) -> ast.AST:
        self.generic_visit(node)
        match node.value:
            case ast.Call(func=ast.Attribute(attr="to_thread"), args=[callee, *rest], keywords=keywords):
                return ast.Call(func=callee, args=rest, keywords=keywords)
        return node


def without_import(tree: ast.Module) -> ast.Module:
    tree.body = [one for one in tree.body if not (isinstance(one, ast.Import) and one.names[0].name == "asyncio")]
    return tree


@FEW
@given(modules())
def test_fixes_change_exactly_what_they_say(text: str) -> None:
    source = decode("a.py", text.encode())
    result = settle(source, find_blocks, wanted=Applicability.UNSAFE)
    assert result.problem is None
    assert is_whole(result.source.text)
    before, after = (
        without_import(ast.parse(text)),
        without_import(Undo().visit(ast.parse(result.source.text))),
    )
    assert ast.dump(after) == ast.dump(before)
    assert all(one.fix is None for one in result.remaining)
    again = settle(result.source, find_blocks, wanted=Applicability.UNSAFE)
    assert again.source.text == result.source.text
    added = re.compile(r"\A((?:.*\n)*?)(\n*import asyncio\n\n*)(?=(.*\n)*)")
    assert kept_characters(text) == kept_characters(added.sub(r"\1", result.source.text, count=1))


def kept_characters(text: str) -> list[str]:
    """Return what stays of a text when the import, the off-loading and what separates its arguments are left out.

    In no order: a comment behind a parenthesis stays there, and the callable comes below it.
    """
    return sorted(re.sub(r"import asyncio\n|await |asyncio\.to_thread|aio_\.to_thread|[(),\s]", "", text))


@FEW
@given(modules())
def test_one_fix_keeps_every_byte_outside_its_edits_and_the_rows_of_what_is_on_one(text: str) -> None:
    source = decode("a.py", text.encode())
    found = find_blocks(source)
    for one, proposal in zip(found, propose(source, found), strict=True):
        if proposal.fix is None:
            assert proposal.refusal
            assert proposal.refusal != "the rewritten text would not mean what it should"
            continue
        body = [edit for edit in proposal.fix.edits if not edit.content.endswith("\n")]
        assert len(proposal.fix.edits) - len(body) <= 1
        result = apply(text, [proposal.fix], Applicability.UNSAFE).text
        if one.span.row == one.span.end_row and len(rows(text)[one.span.row - 1]) <= 55:
            assert all(edit.start.row == edit.end.row and "\n" not in edit.content for edit in body)
        assert is_whole(result)
        pieces = [source_between(text, edit, other) for edit, other in pairwise(body)]
        assert all(piece in result for piece in pieces)


def source_between(text: str, one: Any, other: Any) -> str:
    starts = [0]
    for row in rows(text):
        starts.append(starts[-1] + len(row))
    return text[starts[one.end.row - 1] + one.end.column - 1 : starts[other.start.row - 1] + other.start.column - 1]


class Recorder:
    """A value that can be used in any way and writes down how."""

    def __init__(self, log: list[str], name: str) -> None:
        self.__dict__.update(_log=log, _name=name if len(name) < 60 else f"…{hash(name) & 0xFFFF}")

    def _note(self, what: str, *values: object) -> Recorder:
        shown = ", ".join(show(value) for value in values)
        self._log.append(f"{self._name}{what}({shown})")
        return Recorder(self._log, f"{self._name}{what}")

    def __getattr__(self, name: str) -> Any:
        return self._note("." + name)

    def __setattr__(self, name: str, value: object) -> None:
        self._note(f".{name}=", value)

    def __call__(self, *values: object, **named: object) -> Any:
        return self._note("()", *[run_out(value) for value in values], *named.values())

    def __getitem__(self, key: object) -> Any:
        return self._note("[]", key)

    def __setitem__(self, key: object, value: object) -> None:
        self._note("[]=", key, value)

    def __delitem__(self, key: object) -> None:
        self._note("del[]", key)

    def __contains__(self, key: object) -> bool:
        self._note("in", key)
        return False

    def __iter__(self) -> Iterator[Any]:
        return iter([self._note("iter")])

    def __bool__(self) -> bool:
        self._note("bool")
        return True

    def __repr__(self) -> str:
        return f"<{self._name}>"

    def __add__(self, other: object) -> Any:
        return self._note("+", other)

    def __radd__(self, other: object) -> Any:
        return self._note("r+", other)

    def __pow__(self, other: object) -> Any:
        return self._note("**", other)

    def __neg__(self) -> Any:
        return self._note("-")

    def __hash__(self) -> int:
        return 1

    def __eq__(self, other: object) -> bool:
        return True

    def __enter__(self) -> Any:
        return self._note("enter")

    def __exit__(self, *_: object) -> None:
        self._note("exit")


def run_out(value: Any) -> object:
    return list(value) if type(value).__name__ == "generator" else value


def show(value: object) -> str:
    return re.sub(r" at 0x\w+|of <.*>", "", repr(value))[:80]


def run(text: str) -> list[str]:
    log: list[str] = []

    async def aio(value: object) -> object:
        log.append("aio " + show(value))
        return value

    names: dict[str, object] = {"block": Recorder(log, "block"), "aio": aio, "Base": lambda _: object,
                                "keep": lambda value: lambda function: function, "yes": 1, "no": 2}  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(text, "generated", "exec"), names)
    try:
        with contextlib.suppress(RecursionError):
            main: Any = names["main"]
            log.append("returned " + show(asyncio.run(main(Recorder(log, "a"), Recorder(log, "self")))))
    except Exception as error:  # the generated program's own: it must stay the same
        log.append(f"raised {type(error).__name__}")
    return log


@settings(FEW, max_examples=60)
@given(modules())
def test_fixed_programs_do_the_same_in_the_same_order(text: str) -> None:
    result = settle(decode("a.py", text.encode()), find_blocks, wanted=Applicability.UNSAFE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert run(result.source.text) == run(text)
