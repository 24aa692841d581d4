"""`--add-noqa`, `--show-fixes` and the progress of long runs; what they print is ruff's."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from loopsafe.cli import check as command
from loopsafe.cli import progress
from loopsafe.cli.progress import Progress

from .conftest import Run

Check = Callable[..., Run]
Write = Callable[..., Path]


class TestAddNoqa:
    def test_comments_suppress_what_is_found(self, check: Check, write: Write) -> None:
        path = write("a.py", "block(); stuck()  \nfree()\nrisky()  # why\n")
        assert check("--add-noqa", ".") == (0, "", "Added 2 noqa directives.\n")
        assert path.read_text() == "block(); stuck()  # noqa: LSA101, LSA106\nfree()\nrisky()  # why  # noqa: LSA105\n"
        assert check("a.py").code == 0
        assert check("--add-noqa") == (0, "", "")

    def test_the_reason_follows_the_codes(self, check: Check, write: Write) -> None:
        path = write("a.py", "stuck()\n")
        assert check("--add-noqa=not yet", "a.py").err == "Added 1 noqa directive.\n"
        assert path.read_text() == "stuck()  # noqa: LSA106 not yet\n"

    def test_codes_join_those_that_are_there(self, check: Check, write: Write) -> None:
        path = write("a.py", "stuck() # noqa:E501,LSA101 long # type: ignore\nblock()  # noqa\n")
        check("--add-noqa")
        assert path.read_text() == "stuck()  # noqa: E501, LSA101, LSA106 long # type: ignore\nblock()  # noqa\n"

    def test_newlines_and_encoding_stay(self, check: Check, write: Write) -> None:
        path = write("a.py", b"\xef\xbb\xbf# coding: utf-8\r\nstuck()\r\nstuck()")
        check("--add-noqa")
        assert (
            path.read_bytes()
            == b"\xef\xbb\xbf# coding: utf-8\r\nstuck()  # noqa: LSA106\r\nstuck()  # noqa: LSA106\r\n"
        )

    def test_files_that_do_not_parse_stay(self, check: Check, write: Write) -> None:
        path = write("a.py", "def f(:\n")
        assert check("--add-noqa") == (0, "", "")
        assert path.read_text() == "def f(:\n"

    def test_only_chosen_rules_are_suppressed(self, check: Check, write: Write) -> None:
        path = write("a.py", "block(); stuck()\n")
        check("--add-noqa", "--select", "LSA106")
        assert path.read_text() == "block(); stuck()  # noqa: LSA106\n"

    def test_quiet_runs_say_nothing(self, check: Check, write: Write) -> None:
        write("a.py", "stuck()\n")
        assert check("-q", "--add-noqa") == (0, "", "")

    @pytest.mark.parametrize("flag", ["--fix", "--diff", "--statistics", "--ignore-noqa"])
    def test_it_stands_alone(self, flag: str, check: Check) -> None:
        run = check("--add-noqa", flag)
        assert run.code == 2
        assert f"the argument '--add-noqa' cannot be used with '{flag}'" in run.err

    def test_a_reason_is_one_row(self, check: Check) -> None:
        assert check("--add-noqa=a\nb").code == 2

    def test_standard_input_stays(self, check: Check) -> None:
        assert check("--add-noqa", "-", stdin=b"stuck()\n") == (0, "", "")


class TestShowFixes:
    LISTED = "\nFixed 3 errors:\n- a.py:\n    2 × LSA101 (blocking-network-call)\n- b.py:\n    1 × LSA101 (blocking-network-call)\n\n"  # noqa: E501, RUF001

    @pytest.fixture(autouse=True)
    def files(self, write: Write) -> None:
        write("a.py", "block(); block()\nstuck()\n")
        write("b.py", "block()\n")

    def test_rules_are_counted_by_file(self, check: Check) -> None:
        stuck = "a.py:2:1: LSA106 `stuck()` blocks the event loop\n"
        assert check("--fix", "--show-fixes").out == f"{stuck}{self.LISTED}Found 4 errors (3 fixed, 1 remaining).\n"

    def test_also_where_nothing_else_is_reported(self, check: Check) -> None:
        assert check("--fix-only", "--show-fixes").out == f"{self.LISTED}Fixed 3 errors.\n"

    def test_nothing_is_listed_where_nothing_was_fixed(self, check: Check) -> None:
        assert "Fixed" not in check("--show-fixes").out

    def test_formats_for_programs_stay_as_they_are(self, check: Check) -> None:
        assert "Fixed" not in check("--fix", "--show-fixes", "--output-format", "json").out

    def test_a_diff_shows_them_already(self, check: Check) -> None:
        assert "'--show-fixes' cannot be used with '--diff'" in check("--diff", "--show-fixes").err


class TestProgress:
    def test_long_runs_show_one_row_that_goes_away(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = iter([0.0, 0.5, 1.5, 1.55, 2.0])
        monkeypatch.setattr(progress.time, "monotonic", lambda: next(now))
        shown = Progress()
        for done in range(3):
            shown("Reading file", done, 9)
        shown("Fixing, pass", 1)
        shown.clear()
        assert capsys.readouterr().err == "\r\x1b[KReading file 1/9\r\x1b[KFixing, pass 1\r\x1b[K"

    def test_short_runs_show_nothing(self, capsys: pytest.CaptureFixture[str]) -> None:
        shown = Progress()
        shown("Reading file", 1, 2)
        shown.clear()
        assert capsys.readouterr().err == ""

    def test_only_a_terminal_sees_it(self, check: Check, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
        made: list[object] = []
        monkeypatch.setattr(command, "Progress", lambda: made.append(1))
        write("a.py", "free()\n")
        monkeypatch.setattr(sys.stderr, "isatty", lambda: False)
        assert check().code == 0
        assert not made
