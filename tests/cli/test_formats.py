"""Each output format, byte for byte, on findings made by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loopsafe.model import (
    INPUT_ERROR,
    INVALID_SYNTAX,
    Applicability,
    Confidence,
    Diagnostic,
    Edit,
    Fix,
    Position,
    Span,
    Step,
)
from loopsafe.report import Report, find, names
from loopsafe.source import decode

SERVICE = """\
import time

class Stories:
    async def create(self, image):
        time.sleep(1)
        url = self.storage.upload(
            image,
        )
        return url
"""
TEXTS = {"app/service.py": SERVICE, "broken.py": "def f(:\n"}

SLEEP = Diagnostic(
    "app/service.py",
    "LSA105",
    "blocking-sleep-call",
    "`time.sleep` blocks the event loop",
    Span(5, 9, 5, 22),
    5,
    chain=(Step("app/service.py", 5, 9, "Stories.create", "time.sleep"),),
    fix=Fix(
        "Replace by `await asyncio.sleep`",
        Applicability.SAFE,
        (
            Edit(Position(1, 1), Position(1, 1), "import asyncio\n"),
            Edit(Position(5, 9), Position(5, 19), "await asyncio.sleep"),
        ),
    ),
)
UPLOAD = Diagnostic(
    "app/service.py",
    "LSA111",
    "indirect-network-call",
    "`self.storage.upload` blocks: 100%",
    Span(6, 15, 8, 10),
    6,
    chain=(
        Step("app/service.py", 6, 15, "Stories.create", "Storage.upload"),
        Step("app/storage.py", 18, 9, "Storage.upload", "requests.Session.post"),
    ),
    confidence=Confidence.LIKELY,
    reason="the receiver is called `storage`",
    fix=Fix(
        "Run in a thread",
        Applicability.UNSAFE,
        (Edit(Position(6, 15), Position(6, 35), "await asyncio.to_thread(self.storage.upload, "),),
    ),
)
BROKEN = Diagnostic("broken.py", INVALID_SYNTAX, INVALID_SYNTAX, "Expected a parameter", Span(1, 7, 1, 8))
MISSING = Diagnostic("nope.py", INPUT_ERROR, "io-error", "No such file", Span(1, 1, 1, 1))
ALL = (SLEEP, UPLOAD, BROKEN, MISSING)


def render(
    name: str,
    *diagnostics: Diagnostic,
    texts: dict[str, str] = TEXTS,
    color: bool = False,
    unsafe_fixes: bool | None = None,
) -> str:
    sources = {path: decode(path, text.encode()) for path, text in texts.items()}
    form = find(name)
    assert form is not None
    return form.render(Report(diagnostics, sources.get, "/work", unsafe_fixes=unsafe_fixes, color=color))


def frame(text: str, span: Span) -> str:
    """The frame of a finding at `span`, alone."""
    finding = Diagnostic("a.py", "LSA101", "x", "m", span, span.row)
    lines = render("full", finding, texts={"a.py": text}).splitlines()
    assert lines[0] == "LSA101 m"
    assert lines[1].strip() == f"--> a.py:{span.row}:{span.column}"
    return "\n".join(lines[2:-1]) + "\n"


def diff(text: str, *edits: Edit) -> str:
    """The diff of a fix, alone."""
    fix = Fix("title", Applicability.SAFE, edits)
    finding = Diagnostic("a.py", "LSA101", "x", "m", Span(1, 1, 1, 2), 1, fix=fix)
    lines = render("full", finding, texts={"a.py": text}).splitlines()
    return "\n".join(lines[lines.index("help: title") + 1 : -1]) + "\n"


def test_every_format_is_found() -> None:
    assert {"full", "concise", "grouped", "json", "json-lines", "github", "pylint"} <= set(names())
    for name in names():
        form = find(name)
        assert form is not None
        assert form.name == name
        assert form.is_text is (name in ("full", "concise", "grouped"))
    assert find("parts") is find("bogus") is None


@pytest.mark.parametrize("name", names())
def test_nothing_to_report(name: str) -> None:
    assert render(name) in ("", "[]") or name in ("junit", "rdjson", "sarif")


def test_concise() -> None:
    assert render("concise", *ALL) == (
        "app/service.py:5:9: LSA105 [*] `time.sleep` blocks the event loop\n"
        "app/service.py:6:15: LSA111 `self.storage.upload` blocks: 100%\n"
        "broken.py:1:7: invalid-syntax: Expected a parameter\n"
        "nope.py:1:1: E902 No such file\n"
    )
    assert "LSA111 [*]" in render("concise", UPLOAD, unsafe_fixes=True)


def test_grouped() -> None:
    assert render("grouped", *ALL) == (
        "app/service.py:\n"
        "  5:9  LSA105 [*] `time.sleep` blocks the event loop\n"
        "  6:15 LSA111 `self.storage.upload` blocks: 100%\n"
        "\n"
        "broken.py:\n"
        "  1:7 invalid-syntax: Expected a parameter\n"
        "\n"
        "nope.py:\n"
        "  1:1 E902 No such file\n"
        "\n"
    )


def test_pylint() -> None:
    assert render("pylint", *ALL) == (
        "app/service.py:5: [LSA105] `time.sleep` blocks the event loop\n"
        "app/service.py:6: [LSA111] `self.storage.upload` blocks: 100%\n"
        "broken.py:1: [invalid-syntax] Expected a parameter\n"
        "nope.py:1: [E902] No such file\n"
    )


def test_github() -> None:
    assert render("github", SLEEP, UPLOAD, BROKEN) == (
        "::error title=loopsafe (LSA105),file=/work/app/service.py,line=5,col=9,endLine=5,endColumn=22::"
        "app/service.py:5:9: LSA105 `time.sleep` blocks the event loop"
        "%0A  help: Replace by `await asyncio.sleep`\n"
        "::error title=loopsafe (LSA111),file=/work/app/service.py,line=6,endLine=8::"
        "app/service.py:6:15: LSA111 `self.storage.upload` blocks: 100%25%0A  help: Run in a thread\n"
        "::error title=loopsafe (invalid-syntax),file=/work/broken.py,line=1,col=7,endLine=1,endColumn=8::"
        "broken.py:1:7: invalid-syntax: Expected a parameter\n"
    )


class TestJson:
    RUFF = "cell code end_location filename fix location message name noqa_row severity url"  # what ruff has
    OURS = "chain confidence reason"

    def test_record(self) -> None:
        assert json.loads(render("json", UPLOAD)) == [
            {
                "cell": None,
                "chain": [
                    {
                        "call": "Storage.upload",
                        "column": 15,
                        "filename": "/work/app/service.py",
                        "function": "Stories.create",
                        "row": 6,
                    },
                    {
                        "call": "requests.Session.post",
                        "column": 9,
                        "filename": "/work/app/storage.py",
                        "function": "Storage.upload",
                        "row": 18,
                    },
                ],
                "code": "LSA111",
                "confidence": "likely",
                "end_location": {"column": 10, "row": 8},
                "filename": "/work/app/service.py",
                "fix": {
                    "applicability": "unsafe",
                    "edits": [
                        {
                            "content": "await asyncio.to_thread(self.storage.upload, ",
                            "end_location": {"column": 35, "row": 6},
                            "location": {"column": 15, "row": 6},
                        }
                    ],
                    "message": "Run in a thread",
                },
                "location": {"column": 15, "row": 6},
                "message": "`self.storage.upload` blocks: 100%",
                "name": "indirect-network-call",
                "noqa_row": 6,
                "reason": "the receiver is called `storage`",
                "severity": "error",
                "url": None,
            }
        ]

    def test_layout_is_two_spaces_sorted_keys_and_no_last_newline(self) -> None:
        text = render("json", *ALL)
        assert text == json.dumps(json.loads(text), indent=2, sort_keys=True, ensure_ascii=False)

    def test_all_keys_are_always_there(self) -> None:
        keys = {*self.RUFF.split(), *self.OURS.split()}
        assert [set(record) for record in json.loads(render("json", *ALL))] == [keys] * 4

    def test_what_is_no_rule(self) -> None:
        broken, missing = json.loads(render("json", BROKEN, MISSING))
        assert (broken["code"], broken["noqa_row"], broken["fix"]) == ("invalid-syntax", None, None)
        assert (missing["code"], missing["noqa_row"], missing["fix"]) == ("E902", None, None)

    def test_lines(self) -> None:
        lines = render("json-lines", *ALL).splitlines(keepends=True)
        assert "".join(lines) == "".join(
            json.dumps(record, separators=(",", ":"), ensure_ascii=False) + "\n"
            for record in json.loads(render("json", *ALL))
        )

    def test_standard_input_has_no_path(self) -> None:
        finding = Diagnostic("-", "LSA101", "x", "é", Span(1, 1, 1, 2), 1)
        assert json.loads(render("json", finding))[0]["filename"] == "-"
        assert "é" in render("json", finding)


class TestFull:
    def test_all(self) -> None:
        assert render("full", *ALL) == GOLDEN

    def test_paths_that_say_no_more_than_the_frame_are_left_out(self) -> None:
        assert "path:" not in render("full", SLEEP)

    def test_long_names_do_not_push_the_others_away(self) -> None:
        steps = tuple(Step(f"{n}.py", 1, 1, n, "g") for n in ("f", "long" * 20, "ff"))
        finding = Diagnostic("f.py", "LSA111", "x", "m", Span(1, 1, 1, 2), 1, chain=steps)
        rows = render("full", finding).splitlines()
        assert rows[2] == "path: f.py:1:1  in f  calls `g`"
        assert rows[4] == "      ff.py:1:1 in ff calls `g`"

    def test_color_adds_codes_and_nothing_else(self) -> None:
        import re

        colored = render("full", *ALL, color=True)
        assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == GOLDEN
        assert "\x1b[1;91mLSA105\x1b[0m [\x1b[36m*\x1b[0m]" in colored

    def test_display_only_fix(self) -> None:
        fix = Fix("title", Applicability.DISPLAY, (Edit(Position(1, 1), Position(1, 2), "b"),))
        text = render("full", Diagnostic("a.py", "X1", "x", "m", Span(1, 1, 1, 2), 1, fix=fix), texts={"a.py": "a"})
        assert text.startswith("X1 m\n")
        assert "note: This is a display-only fix and is likely to be incorrect\n" in text


GOLDEN = """\
LSA105 [*] `time.sleep` blocks the event loop
 --> app/service.py:5:9
  |
3 | class Stories:
4 |     async def create(self, image):
5 |         time.sleep(1)
  |         ^^^^^^^^^^^^^
6 |         url = self.storage.upload(
7 |             image,
  |
help: Replace by `await asyncio.sleep`
  |
1 + import asyncio
2 | import time
--------------------------------------------------------------------------------
5 |     async def create(self, image):
  -         time.sleep(1)
6 +         await asyncio.sleep(1)
7 |         url = self.storage.upload(
  |

LSA111 `self.storage.upload` blocks: 100%
 --> app/service.py:6:15
  |
4 |       async def create(self, image):
5 |           time.sleep(1)
6 |           url = self.storage.upload(
  |  _______________^
7 | |             image,
8 | |         )
  | |_________^
9 |           return url
  |
path: app/service.py:6:15 in Stories.create calls `Storage.upload`
      app/storage.py:18:9 in Storage.upload calls `requests.Session.post`
note: likely, not certain: the receiver is called `storage`
help: Run in a thread
  |
5 |         time.sleep(1)
  -         url = self.storage.upload(
6 +         url = await asyncio.to_thread(self.storage.upload, 
7 |             image,
  |
note: This is an unsafe fix and may change runtime behavior

invalid-syntax: Expected a parameter
 --> broken.py:1:7
  |
1 | def f(:
  |       ^

E902 No such file
 --> nope.py:1:1

"""  # noqa: W291


@pytest.mark.parametrize(
    ("text", "span", "expected"),
    [
        pytest.param("f()", Span(1, 1, 1, 4), "  |\n1 | f()\n  | ^^^\n", id="the last row needs no closing bar"),
        pytest.param("f()\ng()\n", Span(1, 1, 1, 4), "  |\n1 | f()\n  | ^^^\n2 | g()\n  |\n", id="context closes"),
        pytest.param(
            "a\nb\nc\nf()\nd\ne\ng\n",
            Span(4, 1, 4, 4),
            "  |\n2 | b\n3 | c\n4 | f()\n  | ^^^\n5 | d\n6 | e\n  |\n",
            id="two rows of context",
        ),
        pytest.param(
            "a\n\n \nf()\n\nb\n\nc\n",
            Span(4, 1, 4, 4),
            "  |\n4 | f()\n  | ^^^\n5 |\n6 | b\n  |\n",
            id="no blank rows at the edges",
        ),
        pytest.param("f(", Span(1, 3, 1, 3), "  |\n1 | f(\n  |   ^\n", id="an empty span"),
        pytest.param("f(\n", Span(2, 1, 2, 1), "  |\n1 | f(\n  | ^\n", id="behind the last row"),
        pytest.param("", Span(1, 1, 1, 1), "", id="an empty file"),
        pytest.param("\tf()\n", Span(1, 2, 1, 5), "  |\n1 |     f()\n  |     ^^^\n", id="tab"),
        pytest.param("é = 'é'; f()\n", Span(1, 10, 1, 13), "  |\n1 | é = 'é'; f()\n  |          ^^^\n", id="é"),
        pytest.param("'漢字'; f()\n", Span(1, 7, 1, 10), "  |\n1 | '漢字'; f()\n  |         ^^^\n", id="wide"),
        pytest.param("'e\u0301'; f()\n", Span(1, 7, 1, 10), "  |\n1 | 'e\u0301'; f()\n  |      ^^^\n", id="mark"),
        pytest.param("\x0cf()\n", Span(1, 2, 1, 5), "  |\n1 | ␌f()\n  |  ^^^\n", id="form feed"),
        pytest.param("'\x1b[2J'; f()\n", Span(1, 9, 1, 12), "  |\n1 | '␛[2J'; f()\n  |         ^^^\n", id="escape"),
        pytest.param("'\u202e'; f()\n", Span(1, 6, 1, 9), "  |\n1 | '\ufffd'; f()\n  |      ^^^\n", id="bidi"),
        pytest.param("f()\r\ng()\r\n", Span(2, 1, 2, 4), "  |\n1 | f()\n2 | g()\n  | ^^^\n", id="CRLF"),
        pytest.param(
            "f(\n  1)\n",
            Span(1, 1, 2, 5),
            "  |\n1 | / f(\n2 | |   1)\n  | |____^\n",
            id="rows from the margin",
        ),
        pytest.param(
            "  f(\n  1)\ng()\n",
            Span(1, 3, 2, 5),
            "  |\n1 | /   f(\n2 | |   1)\n  | |____^\n3 |   g()\n  |\n",
            id="rows from their first word",
        ),
        pytest.param(
            "x = f(\n  1)\n",
            Span(1, 5, 2, 5),
            "  |\n1 |   x = f(\n  |  _____^\n2 | |   1)\n  | |____^\n",
            id="rows from the middle",
        ),
        pytest.param(
            "f()\n" * 12,
            Span(9, 1, 9, 4),
            "   |\n 7 | f()\n 8 | f()\n 9 | f()\n   | ^^^\n10 | f()\n11 | f()\n   |\n",
            id="numbers align",
        ),
    ],
)
def test_frame(text: str, span: Span, expected: str) -> None:
    assert frame(text, span) == (expected or "\n")


def edit(row: int, column: int, end_row: int, end_column: int, content: str) -> Edit:
    return Edit(Position(row, column), Position(end_row, end_column), content)


@pytest.mark.parametrize(
    ("text", "edits", "expected"),
    [
        pytest.param(
            "a\nb\nc\nd\n",
            [edit(2, 1, 2, 2, "x")],
            "  |\n1 | a\n  - b\n2 + x\n3 | c\n  |\n",
            id="one row of context",
        ),
        pytest.param("a\nb\n", [edit(1, 1, 2, 1, "")], "  |\n  - a\n1 | b\n  |\n", id="a row is deleted"),
        pytest.param("a", [edit(1, 1, 1, 2, "")], "  |\n  - a\n  |\n", id="the only row is deleted"),
        pytest.param("a\n", [edit(2, 1, 2, 1, "b\n")], "  |\n1 | a\n2 + b\n  |\n", id="a row is appended"),
        pytest.param("a", [edit(1, 2, 1, 2, "\n")], "  |\n  - a\n1 + a\n  |\n", id="a last newline"),
        pytest.param(
            "a\nb\nc\nd\ne\nf\ng\n",
            [edit(1, 1, 1, 2, "x"), edit(5, 1, 5, 2, "y")],
            "  |\n  - a\n1 + x\n2 | b\n3 | c\n4 | d\n  - e\n5 + y\n6 | f\n  |\n",
            id="a gap of one row is filled",
        ),
        pytest.param(
            "\n".join("abcdefghijkl"),
            [edit(1, 1, 1, 1, "x\n"), edit(9, 1, 9, 2, "y")],
            "   |\n1  + x\n2  | a\n" + "-" * 80 + "\n9  | h\n   - i\n10 + y\n11 | j\n   |\n",
            id="a wide gap is not, and numbers are those of the new text",
        ),
        pytest.param("\ta\r\n\tb\r\n", [edit(1, 2, 1, 3, "x")], "  |\n  - \ta\n1 + \tx\n2 | \tb\n  |\n", id="tabs"),
        pytest.param("a\n", [], "\n", id="a fix without edits"),
    ],
)
def test_diff_of_a_fix(text: str, edits: list[Edit], expected: str) -> None:
    assert diff(text, *edits) == expected


def test_relative_paths_below_other_folders() -> None:
    report = Report((), {}.get, "/work")
    assert report.absolute("a/../b.py") == str(Path("/work/b.py"))
    assert report.absolute("/x/b.py") == str(Path("/x/b.py"))
