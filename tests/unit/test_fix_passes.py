"""Applying fixes to texts, and repeating that until nothing changes."""

# ruff: noqa: E501  (a case is one row of a table)

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Sequence

import pytest

from loopsafe.fixes import apply
from loopsafe.model import Applicability, Diagnostic, Edit, Fix, Position, Remedy, RemedyKind, Span
from loopsafe.source.text import Source, columns, decode, rows

from ..settling import settle

SAFE, UNSAFE, DISPLAY = Applicability.SAFE, Applicability.UNSAFE, Applicability.DISPLAY


def replace(row: int, start: int, end: int, content: str) -> Edit:
    return Edit(Position(row, start), Position(row, end), content)


def fix(*edits: Edit, applicability: Applicability = SAFE) -> Fix:
    return Fix("x", applicability, edits)


IMPORT = replace(1, 1, 1, "import a\n")


def test_applies_in_code_points_and_rows_of_python() -> None:
    text = "é😀x\x0cy\u2028z\r\nab\rcd\n"
    fixes = [
        fix(replace(1, 3, 4, "X"), replace(1, 7, 8, "Z")),
        fix(replace(3, 1, 2, ""), replace(4, 1, 1, "end")),
    ]
    assert apply(text, fixes).text == "é😀X\x0cy\u2028Z\r\nab\rd\nend"


def test_skips_what_touches_a_fix_that_is_taken() -> None:
    fixes = [fix(replace(1, 1, 3, "A")), fix(replace(1, 3, 4, "B")), fix(replace(1, 5, 6, "C"))]
    result = apply("abcdef\n", fixes)
    assert (result.text, result.applied) == ("AcdCf\n", (0, 2))


def test_takes_the_longer_of_two_that_begin_together_whatever_their_order() -> None:
    inner, outer = fix(replace(1, 1, 1, "(")), fix(replace(1, 1, 1, "["), replace(1, 4, 4, "]"))
    assert apply("abc\n", [inner, outer]).text == apply("abc\n", [outer, inner]).text == "[abc]\n"


def test_shares_equal_insertions_of_rows() -> None:
    fixes = [fix(IMPORT, replace(2, 1, 2, "A")), fix(IMPORT, replace(2, 3, 4, "C"))]
    assert apply("\nabcde\n", fixes).text == "import a\n\nAbCde\n"


def test_leaves_a_different_insertion_at_the_same_row_for_the_next_pass() -> None:
    other = replace(1, 1, 1, "import b\n")
    result = apply("\nabc\n", [fix(IMPORT, replace(2, 1, 2, "A")), fix(other, replace(2, 3, 4, "C"))])
    assert result.applied == (0,)


@pytest.mark.parametrize(("wanted", "applied"), [(SAFE, (0,)), (UNSAFE, (0, 1)), (DISPLAY, (0, 1))])
def test_applies_what_is_trusted_enough_and_never_what_is_only_shown(
    wanted: Applicability, applied: tuple[int, ...]
) -> None:
    fixes = [
        fix(replace(1, 2 * n + 1, 2 * n + 2, "X"), applicability=degree)
        for n, degree in enumerate((SAFE, UNSAFE, DISPLAY))
    ]
    assert apply("abcdef\n", [*fixes, None], wanted).applied == applied


def test_nothing_to_apply_gives_the_text_back() -> None:
    assert apply("abc", []).text == "abc"
    assert apply("abc", [None]).applied == ()


def find_blocks(source: Source) -> list[Diagnostic]:
    """Stand in for the linter: each call of `block` that is met on the loop is a finding."""
    lines = rows(source.text)
    found = []
    for node in ast.walk(ast.parse(source.text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "block":
            start = columns(lines[node.lineno - 1], node.col_offset)
            end = columns(lines[(node.end_lineno or 0) - 1], node.end_col_offset or 0)
            span = Span(node.lineno, start, node.end_lineno or 0, end)
            found.append(Diagnostic(source.path, "LSA101", "x", "x", span, remedy=Remedy(RemedyKind.OFFLOAD, span)))
    return sorted(found, key=lambda one: one.sort_key)


def test_nested_findings_come_to_an_end() -> None:
    source = decode("a.py", b"async def main():\n    return block(block(block(1)).x).y\n")
    result = settle(source, find_blocks)
    inner = "(await asyncio.to_thread(block, await asyncio.to_thread(block, 1))).x"
    call = f"    return (\n        await asyncio.to_thread(\n            block, {inner}\n        )\n    ).y\n"
    assert result.source.text == f"import asyncio\n\n\nasync def main():\n{call}"
    assert (len(result.fixed), result.remaining, result.problem) == (3, [], None)
    assert settle(result.source, find_blocks).source is result.source


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\xef\xbb\xbfasync def main():\r\n\tblock()\r\n", id="BOM, CRLF and tabs"),
        pytest.param(b"# -*- coding: latin-1 -*-\nasync def main():\n    x = '\xe9'; block('\xe9')", id="latin-1, no final newline"),
        pytest.param(b"async def main():\n    pass\n\x0c\nasync def other():\n    block('\xc3\xa9')\n", id="form feed"),
        pytest.param(b"async def main():\r    block()\r", id="lone carriage returns"),
        pytest.param(b"async def main():\r\n    x = '''\n\r\n'''; block()\n", id="mixed newlines"),
    ],
)  # fmt: skip
def test_keeps_every_byte_outside_the_edits(data: bytes) -> None:  # rows 79 and 80
    source = decode("a.py", data)
    result = settle(source, find_blocks)
    assert result.problem is None
    assert result.remaining == []
    assert result.source.data.startswith(data[:3] if source.has_bom else b"")
    assert (result.source.encoding, result.source.newline) == (source.encoding, source.newline)
    undone = result.source.text.replace("await asyncio.to_thread(block, ", "block(")
    undone = undone.replace("await asyncio.to_thread(block)", "block()")
    head = f"import asyncio{source.newline}"
    assert head in undone
    kept = undone.replace(head, "", 1)
    assert kept.replace(source.newline, "") == source.text.replace(source.newline, "")


@pytest.mark.parametrize(
    ("text", "content", "problem"),
    [
        pytest.param("x = 1\n", "(", "broken the syntax", id="would break the file"),
        pytest.param("# coding: ascii\nx = 1\n", "é", "ascii", id="does not fit into its encoding"),
    ],
)
def test_leaves_a_file_alone_when_a_fix(text: str, content: str, problem: str) -> None:
    source = decode("a.py", text.encode())
    row = text.count("\n")

    def relint(now: Source) -> Sequence[Diagnostic]:
        return [Diagnostic("a.py", "XYZ1", "x", "x", Span(row, 1, row, 2), fix=fix(replace(row, 1, 2, content)))]

    result = settle(source, relint)
    assert result.source is source
    assert result.fixed == []
    assert [one.code for one in result.remaining] == ["XYZ1"]
    assert problem in (result.problem or "")


def test_applies_unsafe_fixes_only_when_asked() -> None:
    source = decode("a.py", b"async def main():\n    try: pass\n    finally: block()\n")
    careful = settle(source, find_blocks)
    assert careful.source is source
    assert careful.remaining[0].fix is not None
    assert "to_thread" in settle(source, find_blocks, wanted=UNSAFE).source.text


def test_libcst_is_imported_only_for_a_rewrite() -> None:
    program = (
        "import sys; import loopsafe.fixes as f; from loopsafe.source.text import decode\n"
        "from loopsafe.model import *\n"
        "f.propose(decode('a.py', b'x'), [Diagnostic('a.py', 'A', 'a', 'a', Span(1, 1, 1, 2))])\n"
        "assert 'libcst' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
