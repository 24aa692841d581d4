"""LSA900: which comments are said to suppress nothing, and what its fix leaves of them."""

from __future__ import annotations

import pytest

from loopsafe.fixes import apply
from loopsafe.model import Diagnostic, Span
from loopsafe.source import decode, noqa_row
from loopsafe.suppress import UNUSED, silence

LOOKED_FOR = frozenset({"LSA101", "LSA102", UNUSED})


def find(text: str, name: str | None = "unused-suppression") -> list[Diagnostic]:
    """The findings in `text`, where each row that begins with `f(` has an LSA101."""
    source = decode("a.py", text.encode())
    found = []
    for row, line in enumerate(text.splitlines(), 1):
        if line.startswith("f("):
            span = Span(row, 1, row, 3)
            found.append(Diagnostic("a.py", "LSA101", "x", "x", span, noqa_row(source, span)))
    return silence(source, found, LOOKED_FOR, name)


def fixed(text: str) -> str:
    return apply(text, [one.fix for one in find(text)]).text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("x = 1  # noqa: LSA101\n", "x = 1\n", id="with the blanks before it"),
        pytest.param("x = 1  # noqa: LSA101", "x = 1", id="at the end of a file without newline"),
        pytest.param("# loopsafe: file-ignore[LSA101]\nx = 1\n", "x = 1\n", id="a row of its own goes whole"),
        pytest.param("x = 1\n# loopsafe: file-ignore[LSA101]", "x = 1\n", id="the last row, without newline"),
        pytest.param("x = 1  # noqa: E501, LSA101\n", "x = 1  # noqa: E501\n", id="other tools' codes stay"),
        pytest.param("x = 1  # noqa:E501,LSA101,F401\n", "x = 1  # noqa:E501, F401\n", id="between others"),
        pytest.param("f()  # noqa: LSA102, LSA101\n", "f()  # noqa: LSA101\n", id="used codes stay"),
        pytest.param(
            "f()  # loopsafe: ignore[LSA102, LSA101]\n", "f()  # loopsafe: ignore[LSA101]\n", id="in brackets"
        ),
        pytest.param("x = 1  # noqa: LSA101 since then\n", "x = 1  # since then\n", id="the reason stays"),
        pytest.param("x = 1  # noqa: LSA101  # type: ignore\n", "x = 1  # type: ignore\n", id="another comment stays"),
        pytest.param("x = 1  # type: ignore  # noqa: LSA101\n", "x = 1  # type: ignore\n", id="another one before it"),
        pytest.param("x = 1  # noqa: LSA101\r\ny = 2\r\n", "x = 1\r\ny = 2\r\n", id="Windows newlines"),
        pytest.param("x = 'ä'  # noqa: LSA101\n", "x = 'ä'\n", id="columns count characters"),
    ],
)
def test_fix_takes_out_what_suppresses_nothing(text: str, expected: str) -> None:
    assert fixed(text) == expected
    assert [one.code for one in find(expected)] == []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("f()  # noqa: LSA101\n", id="used"),
        pytest.param("x = 1  # noqa\n", id="blanket"),
        pytest.param("x = 1  # noqa: E501\n", id="another tool's code"),
        pytest.param("x = 1  # noqa: LSA103\n", id="a rule that was not looked for"),
        pytest.param("x = 1  # noqa: LSA101, LSA900\n", id="silences itself"),
        pytest.param("x = '# noqa: LSA101'\n", id="no comment"),
    ],
)
def test_silent_about(text: str) -> None:
    assert find(text) == []


def test_nothing_is_said_unless_the_rule_is_on() -> None:
    assert find("x = 1  # noqa: LSA101\n", None) == []


def test_finding_stands_at_the_comment() -> None:
    (found,) = find("x = 1  # noqa: LSA101, LSA102\n")
    assert (found.code, found.span, found.noqa_row) == (UNUSED, Span(1, 8, 1, 30), 1)
    assert "`LSA101`, `LSA102` suppress nothing" in found.message
