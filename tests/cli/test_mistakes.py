"""Whatever goes wrong ends in words and an exit code, never in a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import loopsafe as package
from loopsafe.model import LoopsafeError

from .conftest import Run

SRC = Path(package.__file__).parent.parent


class Failing:
    """An engine that raises."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def check(self, *args: object, **kwargs: object) -> None:
        raise self.error


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["Usage: loopsafe [OPTIONS] <COMMAND>"]),
        (["a.py"], ["error: unrecognized subcommand 'a.py'", "Usage: loopsafe [OPTIONS] <COMMAND>"]),
        (["--bogus"], ["error: unexpected argument '--bogus' found"]),
        (["check", "--bogus"], ["error: unexpected argument '--bogus' found", "use '-- --bogus'"]),
        (["check", "--bogus=1", "a.py"], ["error: unexpected argument '--bogus' found"]),
        (["check", "--min"], ["unexpected argument '--min'"]),
        (["check", "--select"], ["error: a value is required for '--select' but none was supplied"]),
        (["check", "--output-format", "bogus"], ["invalid value 'bogus'", "possible values: concise, full"]),
        (["check", "--color", "pink"], ["'pink'", "--color", "always"]),
        (["check", "--target-version", "py99"], ["'py99'", "--target-version"]),
        (["check", "--min-confidence", "wild"], ["'wild'", "--min-confidence"]),
        (
            ["check", "--statistics", "--diff"],
            ["error: the argument '--statistics' cannot be used with '--diff'"],
        ),
        (["check", "--exit-zero", "--exit-non-zero-on-fix"], ["'--exit-zero' cannot be used with"]),
    ],
)
def test_wrong_usage_ends_with_2(loopsafe: Callable[..., Run], arguments: list[str], words: list[str]) -> None:
    run = loopsafe(*arguments)
    assert (run.code, run.out) == (2, "")
    assert [word for word in words if word not in run.err] == []


def test_help_and_version(loopsafe: Callable[..., Run]) -> None:
    version = f"loopsafe {package.__version__}\n"
    assert loopsafe("--version") == loopsafe("-V") == loopsafe("version") == (0, version, "")
    assert loopsafe("--help") == loopsafe("-h") == loopsafe("help")
    assert loopsafe("help").out.startswith("loopsafe finds")
    text = loopsafe("check", "--help")
    assert (text.code, text.err) == (0, "")
    assert loopsafe("help", "check") == text
    assert "--unsafe-fixes" in text.out


def test_mistake_of_the_user(loopsafe: Callable[..., Run]) -> None:
    error = LoopsafeError("rules/x.toml:3: unknown effect `nap`")
    error.__cause__ = LoopsafeError("outer\ninner")
    run = loopsafe("check", engine=Failing(error))
    expected = "loopsafe failed\n  Cause: rules/x.toml:3: unknown effect `nap`\n  Cause: outer\n  inner\n"
    assert run == (2, "", expected)


@pytest.mark.parametrize("error", [ValueError("oops"), RecursionError("deep"), AssertionError(), MemoryError()])
def test_mistake_of_ours(loopsafe: Callable[..., Run], error: Exception) -> None:
    run = loopsafe("check", engine=Failing(error))
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith(f"loopsafe failed\n  Cause: {type(error).__name__}: {error}\n")
    assert "bug in loopsafe" in run.err
    assert "Traceback" not in run.err
    assert "Traceback" in loopsafe("check", "--verbose", engine=Failing(error)).err


def test_interrupt(loopsafe: Callable[..., Run]) -> None:
    assert loopsafe("check", engine=Failing(KeyboardInterrupt())) == (130, "", "")


def test_reader_that_goes_away(tmp_path: Path) -> None:
    """`loopsafe check | head` must not complain."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from loopsafe.cli.main import main\n"
        "class Engine:\n"
        "    def check(self, *args, **kwargs):\n"
        "        for _ in range(100_000): print('x' * 100)\n"
        "sys.exit(main(['check'], engine=Engine()))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(SRC)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
    ) as process:
        assert process.stdout and process.stderr
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def run_module(*arguments: str, cwd: Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "loopsafe", *arguments],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        env=os.environ | {"PYTHONPATH": str(SRC)},
        timeout=60,
    )


def test_version_as_a_process(tmp_path: Path) -> None:
    run = run_module("--version", cwd=tmp_path)
    assert (run.returncode, run.stdout) == (0, f"loopsafe {package.__version__}\n".encode())


class TestRealEngine:
    """The same command line in a process of its own, with everything behind it."""

    def test_finding(self, tmp_path: Path) -> None:
        (tmp_path / "a.py").write_text("import time\n\n\nasync def f():\n    time.sleep(1)\n")
        run = run_module("check", "--output-format", "concise", "-n", "a.py", cwd=tmp_path)
        assert (run.returncode, run.stderr) == (1, b"")
        first, *summary = run.stdout.decode().splitlines()
        assert first.startswith("a.py:5:5: LSA105 [*] ")
        assert summary == ["Found 1 error.", "[*] 1 fixable with `--fix`."]

    def test_standard_input_is_fixed(self, tmp_path: Path) -> None:
        text = b"import time\nimport asyncio\n\n\nasync def f():\n    time.sleep(1)\n"
        run = run_module("check", "--fix", "-n", "-", cwd=tmp_path, stdin=text)
        assert run.stdout == text.replace(b"time.sleep", b"await asyncio.sleep")
        assert (run.returncode, run.stderr) == (0, b"Found 1 error (1 fixed, 0 remaining).\n")

    def test_clean_missing_and_broken(self, tmp_path: Path) -> None:
        (tmp_path / "a.py").write_text("x = 1\n")
        (tmp_path / "b.py").write_text("def f(:\n")
        run = run_module("check", "-n", "a.py", cwd=tmp_path)
        assert (run.returncode, run.stdout, run.stderr) == (0, b"All checks passed!\n", b"")
        run = run_module("check", "-n", "--output-format", "concise", "b.py", "nope.py", cwd=tmp_path)
        assert (run.returncode, run.stderr) == (1, b"")
        assert b"b.py:1:7: invalid-syntax: " in run.stdout
        assert b"nope.py:1:1: E902 No such file or directory (os error 2)\n" in run.stdout

    def test_empty_folder(self, tmp_path: Path) -> None:
        run = run_module("check", "-n", cwd=tmp_path)
        warning = b"warning: No Python files found under the given path(s)\n"
        assert (run.returncode, run.stdout, run.stderr) == (0, b"All checks passed!\n", warning)
