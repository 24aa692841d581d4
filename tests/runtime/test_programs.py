"""Programs with real SDKs against real servers, before and after `loopsafe check --fix`: same results, and no stall.

Each program says in its first lines which flags fix it, whether BlockBuster, the second witness, sees it block, and
what is still open.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

import pytest

from ..conftest import Run
from .conftest import DELAY, Services

PROGRAMS: Final = Path(__file__).with_name("programs")
HEARTBEAT: Final = Path(__file__).with_name("heartbeat.py")
LONGEST_STALL: Final = DELAY / 5
ATTEMPTS: Final = 3
"""A busy machine may hold up even a loop on which nothing blocks."""
CHECK: Final = ("loopsafe", "check", "--isolated", "--no-cache", "--select=LSA1", "--output-format=concise")


class Observed(NamedTuple):
    """What a run of a program shows."""

    out: str
    err: str
    stall: float
    """Seconds; not a number if the program has failed."""


Observe: TypeAlias = Callable[..., Observed]


class Program(NamedTuple):
    """A program and what its first lines say about it."""

    path: Path
    flags: tuple[str, ...]
    is_seen: bool
    """BlockBuster sees it block."""
    open: str | None
    """Why the fix does not do yet what it should."""

    def copy(self, folder: Path) -> Path:
        """Put the program into a new folder, as `main.py` and what it imports."""
        if self.path.is_dir():
            return Path(shutil.copytree(self.path, folder, ignore=shutil.ignore_patterns("__pycache__")))
        folder.mkdir()
        shutil.copy(self.path, folder / "main.py")
        return folder


def read(path: Path) -> Program:
    lines = (path / "main.py" if path.is_dir() else path).read_text().splitlines()
    said = {key: value for key, _, value in (line.partition(": ") for line in lines[:9])}
    return Program(path, tuple(said["Fixed by"].split()), "BlockBuster sees it." in lines, said.get("Open"))


def find_programs() -> Iterator[object]:
    """All programs; one whose fix is still open has to fail, and to say so as soon as it does not any more."""
    for path in sorted(PROGRAMS.glob("[a-z]*")):
        program = read(path)
        marks = [pytest.mark.xfail(reason=program.open, raises=AssertionError)] if program.open else []
        yield pytest.param(program, id=path.stem, marks=marks)


@pytest.fixture
def observe(run: Run, services: Services, tmp_path: Path) -> Observe:
    """Run the program in a folder with all that it talks to."""

    def observe(folder: Path, *options: str) -> Observed:
        report = tmp_path / "stall"
        report.write_text("nan")
        with services("".join(path.read_text() for path in folder.glob("*.py"))) as environment:
            command = (HEARTBEAT, folder, report, *options)
            finished = run(*command, cwd=folder, env=environment, interpreter=[sys.executable])
        return Observed(finished.out, finished.err, float(report.read_text()))

    return observe


@pytest.mark.parametrize("program", [*find_programs()])
def test_fixed_programs_do_the_same_and_do_not_block(
    program: Program, tmp_path: Path, run: Run, observe: Observe
) -> None:
    folder = program.copy(tmp_path / "before")
    before = observe(folder)
    if before.err or not before.stall >= DELAY:
        pytest.fail(f"it does not block as it should: {before}")
    if program.is_seen is not ("BlockingError" in observe(folder, "--blockbuster").err):
        pytest.fail("it is wrong about what BlockBuster sees")

    folder = program.copy(tmp_path / "after")
    if "--unsafe-fixes" in program.flags:
        assert run(*CHECK, "--fix", ".", cwd=folder).code == 1, "safe fixes are enough"
    fixed = run(*CHECK, *program.flags, ".", cwd=folder)
    assert (fixed.code, fixed.err) == (0, ""), fixed.out
    for _ in range(ATTEMPTS):
        after = observe(folder, "--blockbuster")
        assert (after.err, after.out) == ("", before.out)
        if after.stall < LONGEST_STALL:
            break
    assert after.stall < LONGEST_STALL
