"""Which nodes of a function exclude each other, and which are evaluated again and again."""

from __future__ import annotations

import pytest

from loopsafe.project.repetition import is_exclusive
from loopsafe.summary import ir, summarise


def scope_of(body: str) -> ir.Scope:
    text = "def f(c):\n" + "".join(f"    {line}\n" for line in body.splitlines())
    return ir.decoded(summarise(text).scopes)[1]


def call(scope: ir.Scope, name: str) -> ir.Ref:
    """The call of the function of that name."""
    for ref, node in enumerate(scope.nodes):
        if isinstance(node, ir.Call) and scope.nodes[node.func] == ir.Name(name):
            return ref
    raise AssertionError(name)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param("a()\nb()", False, id="one after the other"),
        pytest.param("if c:\n    a()\nelse:\n    b()", True, id="both sides of an if"),
        pytest.param("if c:\n    a()\nb()", False, id="behind an if"),
        pytest.param("if c:\n    a()\n    return\nb()", True, id="behind an if that leaves"),
        pytest.param(
            "if not c:\n    return a()\nelif c > 1:\n    return 1\nb()", True, id="behind a chain that leaves"
        ),
        pytest.param("if c:\n    a()\n    b()", False, id="the same side"),
        pytest.param("a() if c else b()", True, id="a conditional expression"),
        pytest.param("try:\n    a()\nexcept ValueError:\n    b()", True, id="a handler"),
        pytest.param("for x in c:\n    if x:\n        a()\n    else:\n        b()", True, id="in a loop, pass by pass"),
    ],
)
def test_exclusive(body: str, expected: bool) -> None:
    scope = scope_of(body)
    first, second = call(scope, "a"), call(scope, "b")
    assert is_exclusive(scope, first, second) is expected
    assert is_exclusive(scope, second, first) is expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param("for x in b():\n    a()", {"a"}, id="for"),
        pytest.param("while b():\n    a()", {"a", "b"}, id="while, with its test"),
        pytest.param("with b():\n    a()", {"a"}, id="with"),
        pytest.param("[a() for x in b()]", {"a"}, id="comprehension"),
        pytest.param("{x: a() for x in b() if c}", {"a"}, id="dict comprehension"),
        pytest.param("for x in c:\n    pass\nelse:\n    a()", set(), id="the else of a loop is none of it"),
        pytest.param("with b():\n    pass\na()", set(), id="behind a with"),
    ],
)
def test_blocks(body: str, expected: set[str]) -> None:
    scope = scope_of(body)
    ranges = [block.body for block in scope.blocks]
    calls = {scope.nodes[node.func].name: ref for ref, node in enumerate(scope.nodes) if isinstance(node, ir.Call)}  # type: ignore[union-attr]
    assert {name for name, ref in calls.items() if any(start <= ref < end for start, end in ranges)} == expected
