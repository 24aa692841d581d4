"""Which findings a comment silences, and which comments silence nothing."""

from __future__ import annotations

import pytest

from loopsafe.model import INPUT_ERROR, INVALID_SYNTAX, Diagnostic, Span
from loopsafe.source import decode, noqa_row
from loopsafe.source.directives import read_directives
from loopsafe.suppress import Suppression, suppress


def run(text: str) -> Suppression:
    """Suppress in `text`, where each `f(` is an LSA101 and each `g(` an LSA111."""
    source = decode("a.py", text.encode())
    found = []
    for row, line in enumerate(text.splitlines(), 1):
        code = line.partition("#")[0]
        for callee, rule in (("f(", "LSA101"), ("g(", "LSA111")):
            if callee in code:
                span = Span(row, line.index(callee) + 1, row, line.index(callee) + 2)
                found.append(Diagnostic("a.py", rule, "x", "x", span, noqa_row(source, span)))
    return suppress(found, read_directives(source))


def kept(text: str) -> list[tuple[str, int]]:
    return [(diagnostic.code, diagnostic.span.row) for diagnostic in run(text).kept]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("f()  # noqa\n", [], id="blanket"),
        pytest.param("f()  # noqa: LSA101\n", [], id="its code"),
        pytest.param("f()  # noqa: E501, LSA101\n", [], id="its code among others"),
        pytest.param("f()  # noqa: E501\n", [("LSA101", 1)], id="another code"),
        pytest.param("f()  # noqa: LSA1\n", [("LSA101", 1)], id="a prefix is not enough"),
        pytest.param("f()  # noqa: lsa101\n", [("LSA101", 1)], id="codes are capital"),
        pytest.param("# noqa\nf()\n", [("LSA101", 2)], id="own line before"),
        pytest.param("f()\n# noqa\n", [("LSA101", 1)], id="own line after"),
        pytest.param("f('# noqa')\n", [("LSA101", 1)], id="in a string"),
        pytest.param("f(  # noqa\n    1,\n)\n", [], id="first row of a call"),
        pytest.param("f(\n    1,\n)  # noqa\n", [("LSA101", 1)], id="last row of a call"),
        pytest.param("h(\n    f(),  # noqa\n    g(),\n)\n", [("LSA111", 3)], id="row of an argument"),
        pytest.param('f("""\n    select\n""")  # noqa\n', [], id="behind a string over several rows"),
        pytest.param('h(f("""\n# noqa\n"""))\n', [("LSA101", 1)], id="inside that string"),
        pytest.param("x = f() + \\\n    1  # noqa\n", [], id="behind joined rows"),
        pytest.param("# flake8: noqa\nf(); g()\n", [], id="the file"),
        pytest.param("f(); g()\n# ruff: noqa: LSA111\n", [("LSA101", 1)], id="a code in the file"),
        pytest.param("f()  # loopsafe: noqa\n", [("LSA101", 1)], id="the file, in the wrong place"),
        pytest.param("f(); g()  # loopsafe: ignore[LSA111]\n", [("LSA101", 1)], id="ignore behind code"),
        pytest.param("# loopsafe: ignore[LSA101]\nf()\nf()\n", [("LSA101", 3)], id="ignore above"),
        pytest.param("# loopsafe: ignore[LSA101]\nh(\n    f(),\n    g(),\n)\n", [("LSA111", 4)], id="statement"),
        pytest.param("h(\n    f(),\n)  # loopsafe: ignore[LSA101]\n", [("LSA101", 2)], id="ignore at the end"),
        pytest.param("# loopsafe: ignore[LSA101]\nif f():\n    f()\n", [("LSA101", 3)], id="not the body"),
        pytest.param("# loopsafe: file-ignore[LSA101]\nf(); g()\n", [("LSA111", 2)], id="file-ignore"),
        pytest.param("f()  # ruff: ignore[LSA101]\n", [("LSA101", 1)], id="ruff's own comment"),
    ],
)
def test_kept(text: str, expected: list[tuple[str, int]]) -> None:
    assert kept(text) == expected


@pytest.mark.parametrize("code", [INVALID_SYNTAX, INPUT_ERROR])
def test_nothing_silences_what_is_no_rule(code: str) -> None:
    finding = Diagnostic("a.py", code, code, "x", Span(2, 1, 2, 2))
    directives = read_directives(decode("a.py", b"# loopsafe: noqa\nf(  # noqa\n"))
    assert suppress([finding], directives).kept == (finding,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("x  # noqa\n", [], id="a blanket one may be meant for another tool"),
        pytest.param("x  # noqa: LSA101\n", [("LSA101",)], id="nothing there"),
        pytest.param("f()  # noqa: LSA101, LSA111\n", [("LSA111",)], id="one of two"),
        pytest.param("f(); g()  # noqa: LSA101, LSA111\n", [], id="both needed"),
        pytest.param("f()  # noqa: E501, LSA101\n", [("E501",)], id="codes of other tools are listed too"),
        pytest.param("f()  # noqa: LSA101 # loopsafe: ignore[LSA101]\n", [], id="two that do the same"),
        pytest.param("# loopsafe: ignore[LSA111]\nf()\n", [("LSA111",)], id="ignore"),
        pytest.param("# loopsafe: file-ignore[LSA111, LSA101]\nf()\n", [("LSA111",)], id="file-ignore"),
        pytest.param("# flake8: noqa: LSA111\nf()\n", [("LSA111",)], id="file"),
    ],
)
def test_unused(text: str, expected: list[tuple[str, ...]]) -> None:
    assert [unused.codes for unused in run(text).unused] == expected


def test_order_is_kept() -> None:
    assert kept("g(); f()\nf()  # noqa\ng()\n") == [("LSA101", 1), ("LSA111", 1), ("LSA111", 3)]
