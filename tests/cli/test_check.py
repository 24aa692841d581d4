"""Exit codes, streams and summaries of `loopsafe check`, all as in ruff."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Run

Check = Callable[..., Run]
Write = Callable[..., Path]

BLOCK = "a.py:1:1: LSA101 [*] `block()` blocks the event loop\n"
STUCK = "a.py:2:1: LSA106 `stuck()` blocks the event loop\n"
ONE_FIXABLE = "[*] 1 fixable with `--fix`.\n"


def test_clean(check: Check, write: Write) -> None:
    write("a.py", "free()\n")
    assert check("a.py") == (0, "All checks passed!\n", "")
    assert check("-q", "a.py") == check("-s", "a.py") == (0, "", "")


def test_findings(check: Check, write: Write) -> None:
    write("a.py", "block()\nstuck()\n")
    assert check("a.py") == (1, f"{BLOCK}{STUCK}Found 2 errors.\n{ONE_FIXABLE}", "")
    assert check() == check(".") == check("a.py", ".", "./a.py") == check("a.py")
    assert check("-q", "a.py") == (1, BLOCK + STUCK, "")
    assert check("-s", "a.py") == (1, "", "")
    assert check("--exit-zero").code == check("-e").code == 0


def test_flags_may_stand_between_paths(check: Check, write: Write) -> None:
    write("a.py", "block()\n")
    write("b.py", "block()\n")
    assert check("a.py", "--quiet", "b.py") == check("-q", "--", "a.py", "b.py") == check("-q")


def test_global_flags_may_stand_before_the_subcommand(loopsafe: Check, write: Write) -> None:
    write("a.py", "block()\n")
    run = loopsafe("-q", "--isolated", "--color", "never", "check", "--output-format", "concise", "a.py")
    assert run == (1, BLOCK, "")


@pytest.mark.parametrize(
    ("text", "flags", "summary"),
    [
        ("stuck()\n", "", "Found 1 error.\n"),
        ("block()\n", "", f"Found 1 error.\n{ONE_FIXABLE}"),
        ("risky()\n", "", "Found 1 error.\n1 unsafe fix available with `--fix --unsafe-fixes`.\n"),
        (
            "risky()\nrisky()\n",
            "",
            "Found 2 errors.\n2 unsafe fixes available with `--fix --unsafe-fixes`.\n",
        ),
        ("risky()\n", "--no-unsafe-fixes", "Found 1 error.\n"),
        ("risky()\n", "--unsafe-fixes", f"Found 1 error.\n{ONE_FIXABLE}"),
        (
            "risky()\nblock()\n",
            "",
            "Found 2 errors.\n[*] 1 fixable with `--fix` (1 unsafe fix available with `--fix --unsafe-fixes`).\n",
        ),
        ("risky()\nblock()\n", "--unsafe-fixes", "Found 2 errors.\n[*] 2 fixable with `--fix`.\n"),
        (
            "risky()\n",
            "--fix",
            "Found 1 error.\n1 unsafe fix available with `--fix --unsafe-fixes`.\n",
        ),
        ("block()\nstuck()\n", "--fix", "Found 2 errors (1 fixed, 1 remaining).\n"),
    ],
)
def test_summary(check: Check, write: Write, text: str, flags: str, summary: str) -> None:
    write("a.py", text)
    run = check(*flags.split(), "a.py")
    assert (run.code, run.err) == (1, "")
    assert run.out.endswith(f"event loop\n{summary}")


def test_marker_follows_the_flags(check: Check, write: Write) -> None:
    write("a.py", "risky()\n")
    assert check("-q") == (1, "a.py:1:1: LSA105 `risky()` blocks the event loop\n", "")
    assert check("-q", "--unsafe-fixes").out == "a.py:1:1: LSA105 [*] `risky()` blocks the event loop\n"


class TestFix:
    def test_everything_fixed(self, check: Check, write: Write) -> None:
        path = write("a.py", "block()\n")
        assert check("--fix") == (0, "Found 1 error (1 fixed, 0 remaining).\n", "")
        assert path.read_text() == "free()\n"
        assert check("--fix") == (0, "All checks passed!\n", "")

    def test_only_safe_fixes_unless_asked(self, check: Check, write: Write) -> None:
        path = write("a.py", "block()\nrisky()\n")
        assert check("--fix").code == 1
        assert path.read_text() == "free()\nrisky()\n"
        assert check("--fix", "--unsafe-fixes").code == 0
        assert path.read_text() == "free()\nfree()\n"

    def test_later_flag_wins(self, check: Check, write: Write) -> None:
        path = write("a.py", "block()\n")
        assert check("--fix", "--no-fix") == (1, f"{BLOCK}Found 1 error.\n{ONE_FIXABLE}", "")
        assert path.read_text() == "block()\n"
        assert check("--no-fix", "--fix").code == 0

    def test_fix_only(self, check: Check, write: Write) -> None:
        write("a.py", "block()\nstuck()\n")
        assert check("--fix-only") == (0, "Fixed 1 error.\n", "")
        assert check("--fix-only") == (0, "", "")
        write("a.py", "block()\nblock()\nrisky()\n")
        expected = "Fixed 2 errors (1 additional fix available with `--unsafe-fixes`).\n"
        assert check("--fix-only") == (0, expected, "")
        expected = "No errors fixed (1 fix available with `--unsafe-fixes`).\n"
        assert check("--fix-only") == (0, expected, "")

    def test_exit_non_zero_on_fix(self, check: Check, write: Write) -> None:
        for flag in ("--fix", "--fix-only"):
            write("a.py", "block()\n")
            assert check(flag, "--exit-non-zero-on-fix").code == 1
            assert check(flag, "--exit-non-zero-on-fix").code == 0

    def test_rest_of_the_project_is_fixed_despite_a_syntax_error(self, check: Check, write: Write) -> None:
        path = write("b.py", "block()\n")
        write("a.py", "def f(:\n")
        run = check("--fix")
        expected = "a.py:1:7: invalid-syntax: Expected a parameter\nFound 2 errors (1 fixed, 1 remaining).\n"
        assert run == (1, expected, "")
        assert path.read_text() == "free()\n"

    @pytest.mark.parametrize("data", [b"\xef\xbb\xbfblock()\r\n", b"block()\r", b"# coding: cp1252\nblock() # \x80"])
    def test_every_other_byte_stays(self, check: Check, write: Write, data: bytes) -> None:
        path = write("a.py", data)
        assert check("--fix").code == 0
        assert path.read_bytes() == data.replace(b"block", b"free")

    def test_file_that_cannot_be_written(self, check: Check, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*args: object) -> None:
            raise PermissionError(13, "Permission denied")

        path = write("a.py", "block()\n")
        monkeypatch.setattr(Path, "replace", refuse)
        expected = "loopsafe failed\n  Cause: Cannot write `a.py`: Permission denied (os error 13)\n"
        assert check("--fix") == (2, "", expected)
        assert path.read_text() == "block()\n"


class TestDiff:
    def test_changes(self, check: Check, write: Write) -> None:
        path = write("pkg/a.py", "x\nblock()\n")
        write("pkg/b.py", "block()\n")
        diff = "--- {0}\n+++ {0}\n{1}"
        first = diff.format("pkg/a.py", "@@ -1,2 +1,2 @@\n x\n-block()\n+free()\n\n")
        second = diff.format("pkg/b.py", "@@ -1 +1 @@\n-block()\n+free()\n\n")
        assert check("--diff") == (1, f"{first}{second}Would fix 2 errors.\n", "")
        assert check("--diff", "--fix") == check("--diff", "--no-fix") == check("--diff")
        assert check("--diff", "-q") == check("--diff", "-s") == (1, first + second, "")
        assert check("--diff", "--output-format", "json") == (1, first + second, "")
        assert check("--diff", "--exit-zero").code == 0
        assert path.read_text() == "x\nblock()\n"

    def test_nothing_to_change(self, check: Check, write: Write) -> None:
        write("a.py", "stuck()\n")
        assert check("--diff") == (0, "", "")
        write("a.py", "def f(:\n")
        assert check("--diff") == (0, "", "")

    def test_unsafe_fixes(self, check: Check, write: Write) -> None:
        write("a.py", "risky()\n")
        expected = "No errors would be fixed (1 fix available with `--unsafe-fixes`).\n"
        assert check("--diff") == (0, expected, "")
        assert check("--diff", "--no-unsafe-fixes") == (0, "", "")
        write("a.py", "risky()\nrisky()\nblock()\n")
        more = "Would fix 1 error (2 additional fixes available with `--unsafe-fixes`).\n"
        assert check("--diff").out.endswith(more)

    @pytest.mark.parametrize(
        ("data", "expected"),
        [
            (b"block()\r\nx\r\n", "@@ -1,2 +1,2 @@\n-block()\r\n+free()\r\n x\r\n\n"),
            (b"block()\rx\r", "@@ -1,2 +1,2 @@\n-block()\r+free()\r x\r\n"),
            (
                b"block()",
                "@@ -1 +1 @@\n-block()\n\\ No newline at end of file\n+free()\n\\ No newline at end of file\n\n",
            ),
            (b"\xef\xbb\xbfblock()\n", "@@ -1 +1 @@\n-\ufeffblock()\n+\ufefffree()\n\n"),
        ],
    )
    def test_rows_keep_their_ends(self, check: Check, write: Write, data: bytes, expected: str) -> None:
        write("a.py", data)
        assert check("--diff", "-q").out == f"--- a.py\n+++ a.py\n{expected}"

    def test_standard_input(self, check: Check) -> None:
        diff = "@@ -1 +1 @@\n-block()\n+free()\n\n"
        assert check("--diff", "-", stdin=b"block()\n") == (1, diff, "Would fix 1 error.\n")
        named = check("--diff", "--stdin-filename", "pkg/x.py", "-", stdin=b"block()\n")
        assert named == (1, f"--- pkg/x.py\n+++ pkg/x.py\n{diff}", "Would fix 1 error.\n")
        assert check("--diff", "-", stdin=b"free()\n") == (0, "", "")


class TestStandardInput:
    def test_findings(self, check: Check) -> None:
        expected = f"{BLOCK}Found 1 error.\n{ONE_FIXABLE}".replace("a.py", "-")
        assert check("-", stdin=b"block()\n") == (1, expected, "")
        named = expected.replace("-:1", "pkg/x.py:1")
        assert check("--stdin-filename", "pkg/x.py", "-", stdin=b"block()\n") == (1, named, "")
        assert check("--stdin-filename", "pkg/x.py", stdin=b"block()\n") == (1, named, "")

    def test_clean(self, check: Check) -> None:
        assert check("-", stdin=b"") == (0, "All checks passed!\n", "")

    def test_fixed_text_goes_to_stdout_and_the_rest_to_stderr(self, check: Check) -> None:
        fixed = check("--fix", "-", stdin=b"block()\r\n")
        assert fixed == (0, "free()\r\n", "Found 1 error (1 fixed, 0 remaining).\n")
        rest = "-:2:1: LSA106 `stuck()` blocks the event loop\n"
        summary = "Found 2 errors (1 fixed, 1 remaining).\n"
        assert check("--fix", "-", stdin=b"block()\nstuck()\n") == (1, "free()\nstuck()\n", rest + summary)
        assert check("--fix", "-q", "-", stdin=b"block()\nstuck()\n") == (1, "free()\nstuck()\n", rest)
        assert check("--fix-only", "-", stdin=b"block()\n") == (0, "free()\n", "Fixed 1 error.\n")
        assert check("--fix", "-s", "-", stdin=b"stuck()\n") == (1, "stuck()\n", "")

    def test_text_comes_back_even_if_nothing_is_fixed(self, check: Check) -> None:
        assert check("--fix", "-", stdin=b"free()\n") == (0, "free()\n", "All checks passed!\n")
        run = check("--fix", "-", stdin=b"def f(:\n")
        expected = "-:1:7: invalid-syntax: Expected a parameter\nFound 1 error.\n"
        assert run == (1, "def f(:\n", expected)
        run = check("--fix", "-", stdin=b"\xff\n")
        assert (run.code, run.out) == (1, "\udcff\n")

    def test_excluded_name(self, check: Check) -> None:
        arguments = ("--stdin-filename", ".venv/x.py", "-")
        assert check(*arguments, stdin=b"block()\n").code == 1
        quiet = check("--force-exclude", *arguments, stdin=b"block()\n")
        assert quiet == (0, "All checks passed!\n", "")
        fix = check("--fix", "--force-exclude", *arguments, stdin=b"block()\n")
        assert fix == (0, "block()\n", "All checks passed!\n")
        assert check("--diff", "--force-exclude", *arguments, stdin=b"block()\n") == (0, "", "")

    def test_dash_among_files_is_a_file(self, check: Check, write: Write) -> None:
        write("a.py", "free()\n")
        run = check("-", "a.py", stdin=b"block()\n")
        assert run == (1, "-:1:1: E902 No such file or directory (os error 2)\nFound 1 error.\n", "")


class TestInput:
    def test_missing_file_is_a_finding(self, check: Check, write: Write) -> None:
        expected = "nope.py:1:1: E902 No such file or directory (os error 2)\nFound 1 error.\n"
        assert check("nope.py") == (1, expected, "")
        write("a.py", "free()\n")
        assert check("nope.py", "a.py", "--ignore", "ALL") == (1, expected, "")
        assert check("nope.py", "--exit-zero") == (0, expected, "")
        full = "E902 No such file or directory (os error 2)\n --> nope.py:1:1\n\nFound 1 error.\n"
        assert check("nope.py", "--output-format", "full") == (1, full, "")

    def test_undecodable_file_is_a_finding(self, check: Check, write: Write) -> None:
        write("a.py", b"x = '\xff'\n")
        run = check("a.py")
        assert run.code == 1
        assert run.out.startswith("a.py:1:1: E902 not valid utf-8: byte 0xff at offset 5")

    def test_nothing_to_check(self, check: Check, write: Write) -> None:
        warning = "warning: No Python files found under the given path(s)\n"
        assert check() == (0, "All checks passed!\n", warning)
        assert check("-q") == (0, "", "")
        write(".venv/a.py", "block()\n")
        run = check("--force-exclude", ".venv/a.py")
        assert run == (0, "All checks passed!\n", warning)

    def test_name_that_is_no_text(self, check: Check, folder: Path) -> None:
        name = os.fsdecode(b"\xff.py")
        (folder / name).write_text("block()\n")
        assert check("-q").out == BLOCK.replace("a.py", "\\udcff.py")
        run = check("-q", "--output-format", "json")
        assert "\N{REPLACEMENT CHARACTER}.py" in run.out

    def test_excludes(self, check: Check, write: Write) -> None:
        for name in ("a.py", "gen/b.py", "old/c.py"):
            write(name, "block()\n")
        assert check("-q", "--extend-exclude", "gen,old") == (1, BLOCK, "")
        assert check("-q", "--exclude", "gen", "--exclude", "old") == (1, BLOCK, "")

    def test_patterns_start_from_the_working_directory(
        self, check: Check, write: Write, monkeypatch: pytest.MonkeyPatch, folder: Path
    ) -> None:
        write("pyproject.toml", "")
        write("[x]/a.py", "block()\n")
        write("[x]/gen/b.py", "block()\n")
        monkeypatch.chdir(folder / "[x]")
        assert check("-q", "--exclude", "gen/b.py") == (1, BLOCK, "")
        assert check("-q", "--exclude", "./gen/*") == (1, BLOCK, "")
        assert check("-q", "--exclude", str(folder / "*/gen")).code == 1


class TestNoqa:
    def test_warnings_go_to_stderr(self, check: Check, write: Write) -> None:
        write("a.py", "block()  # noqa: blah\n")
        run = check()
        assert run.out == f"{BLOCK}Found 1 error.\n{ONE_FIXABLE}"
        assert run.err == (
            "warning: Invalid `# noqa` directive on a.py:1: expected a comma-separated list of codes"
            " (e.g., `# noqa: F401, F841`).\n"
        )
        assert check("-q").err == check("-s").err == ""

    def test_ignore_noqa(self, check: Check, write: Write) -> None:
        write("a.py", "block()  # noqa\n")
        assert check() == (0, "All checks passed!\n", "")
        assert check("-q", "--ignore-noqa") == (1, BLOCK, "")


class TestRules:
    def test_selection(self, check: Check, write: Write) -> None:
        write("a.py", "block()\nstuck()\n")
        assert check("-q", "--select", "LSA106") == (1, STUCK, "")
        assert check("-q", "--ignore", "LSA101,LSA105") == (1, STUCK, "")
        assert check("-q", "--ignore", "LSA101", "--extend-ignore", "LSA105") == (1, STUCK, "")
        assert check("-q", "--select", "LSA105", "--extend-select", "LSA106") == (1, STUCK, "")

    @pytest.mark.parametrize("selector", ["ZZZ999", "lsa101", ""])
    def test_unknown_selector(self, check: Check, selector: str) -> None:
        expected = f"loopsafe failed\n  Cause: Unknown rule selector `{selector}` in `select` from the CLI\n"
        assert check("--select", selector) == (2, "", expected)
        assert check("--exit-zero", "--select", selector).code == 2


class TestOutput:
    def test_output_file(self, check: Check, write: Write, folder: Path) -> None:
        write("a.py", "block()\n")
        assert check("-o", "deep/er/out.txt", "a.py") == (1, "", "")
        assert (folder / "deep/er/out.txt").read_text() == f"{BLOCK}Found 1 error.\n{ONE_FIXABLE}"
        assert check("-o", "deep", "a.py").code == 2

    def test_format_from_the_environment(self, loopsafe: Check, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
        write("a.py", "block()\n")
        monkeypatch.setenv("LOOPSAFE_OUTPUT_FORMAT", "pylint")
        assert loopsafe("check") == (1, "a.py:1: [LSA101] `block()` blocks the event loop\n", "")
        assert loopsafe("check", "-q", "--output-format=concise").out == BLOCK

    @pytest.mark.parametrize("name", ["json", "json-lines", "github", "pylint"])
    def test_machine_formats_have_no_summary(self, check: Check, write: Write, name: str) -> None:
        write("a.py", "free()\n")
        assert check("--output-format", name) == (0, "[]" if name == "json" else "", "")

    def test_color(self, check: Check, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
        write("a.py", "block()\n")
        plain = check()
        assert "\x1b" not in plain.out
        assert "\x1b[1;91mLSA101\x1b[0m" in check("--color", "always").out
        monkeypatch.setenv("FORCE_COLOR", "1")
        assert "\x1b" in check().out
        assert check("--color=never") == plain

    def test_statistics(self, check: Check, write: Write) -> None:
        write("a.py", "block()\nstuck()\nstuck()\n")
        run = check("--statistics")
        table = "2\tLSA106\t[ ] blocking-wait-call\n1\tLSA101\t[*] blocking-network-call\n"
        assert run == (1, f"{table}Found 3 errors.\n{ONE_FIXABLE}", "")
        assert check("--statistics", "-q").out == table
        write("a.py", "stuck()\n")
        assert check("--statistics", "-q").out == "1\tLSA106\tblocking-wait-call\n"
        write("a.py", "free()\n")
        assert check("--statistics") == (0, "", "")

    def test_statistics_as_json(self, check: Check, write: Write) -> None:
        write("a.py", "stuck()\n")
        assert check("--statistics", "--output-format", "json").out == (
            '[\n  {\n    "code": "LSA106",\n    "name": "blocking-wait-call",\n    "count": 1,\n'
            '    "fixable": false,\n    "fixable_count": 0\n  }\n]\n'
        )
        expected = "loopsafe failed\n  Cause: Unsupported serialization format for statistics: Github\n"
        assert check("--statistics", "--output-format", "github") == (2, "", expected)
