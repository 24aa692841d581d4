"""The row on which a suppressing comment must stand."""

from __future__ import annotations

import pytest

from loopsafe.model import Span
from loopsafe.source import decode, noqa_row


def row_of(text: str, row: int) -> int:
    return noqa_row(decode("a.py", text.encode()), Span(row, 1, row, 2))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("f()\ng()\n", [1, 2], id="each row for itself"),
        pytest.param("f(\n    1,\n)\n", [1, 2, 3], id="brackets do not join rows"),
        pytest.param('f("""\na\n""")\ng()\n', [3, 3, 3, 4], id="a string over several rows: its last"),
        pytest.param("f('''\na\n''')\r\n", [3, 3, 3], id="the other quotes"),
        pytest.param("f(1, \\\n  2, \\\n  3)\ng()\n", [3, 3, 3, 4], id="backslashes: the last joined row"),
        pytest.param('f(\\\r\n"""\r\n""", \\\r\n2)\r\n', [4, 4, 4, 4], id="backslash, string, backslash"),
        pytest.param('"""a\n""" """b\n"""\n', [3, 3, 3], id="one string ends where another begins"),
        pytest.param('f()  # """\ng()\n# """\n', [1, 2, 3], id="quotes in a comment open nothing"),
        pytest.param("f()  # \\\ng()\n", [1, 2], id="a backslash in a comment joins nothing"),
        pytest.param("'it''s # no'; f('\"\"\"')\ng()\n'\"\"\"'\n", [1, 2, 3], id="quotes in a string"),
        pytest.param('r"\\"; f()\ng()\n', [1, 2], id="raw string with an escaped quote"),
        pytest.param('f("a\\\nb")\n', [2, 2], id="a string joined by a backslash"),
        pytest.param("f('''a\\'''\n''')\rg()\r", [2, 2, 3], id="escaped quotes do not end a string"),
        pytest.param('f("""\n', [1], id="a string without an end, in a file that does not parse"),
        pytest.param("f(f'''\n{g()}\n''')\n", [3, 3, 3], id="f-string"),
    ],
)
def test_noqa_row(text: str, expected: list[int]) -> None:
    assert [row_of(text, row) for row in range(1, len(expected) + 1)] == expected
