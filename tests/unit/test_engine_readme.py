"""What README.md shows is what happens: its finding is printed, and its commands run."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
PROJECT = "fixtures/projects/story_service"
EXCERPT = re.compile(r"(<!-- finding: (\S+) -->\n```text\n)(.*?)(```\n)", re.DOTALL)
TEXT = README.read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ ((?:loopsafe|flake8) .*)$", TEXT, re.MULTILINE)


def excerpt(out: str, place: str) -> str:
    """The finding at that place, without the comments by which fixtures say what they expect."""
    for finding in re.split(r"\n\n(?=LSA\d+ )", out):
        if f"--> {place}\n" in finding:
            return re.sub(r"  # expect: .*", "", finding) + "\n"
    raise AssertionError(f"nothing is found at {place}")


def test_finding_is_real(run: Callable[..., Any], is_updating: bool) -> None:
    done = run("loopsafe", "check", "--no-cache", PROJECT, cwd=ROOT)
    assert (done.code, done.err) == (1, "")

    def renew(match: re.Match[str]) -> str:
        return match[1] + excerpt(done.out, match[2]) + match[4]

    expected = EXCERPT.sub(renew, TEXT)
    assert EXCERPT.search(TEXT)
    if is_updating:
        README.write_text(expected, encoding="utf-8")
    assert expected == README.read_text(encoding="utf-8"), "run `pytest --update-fixtures` and look at the diff"


@pytest.mark.parametrize("command", COMMANDS)
def test_command_runs(run: Callable[..., Any], tmp_path: Path, command: str) -> None:
    folder = tmp_path / "story_service"
    shutil.copytree(ROOT / PROJECT, folder, ignore=shutil.ignore_patterns("expected_fixes", ".loopsafe_cache"))
    done = run(*shlex.split(command), cwd=folder)
    assert done.code in (0, 1)
    assert done.err == "" or done.err.startswith("Would fix "), done.err


def test_both_ways_to_install_are_there() -> None:
    assert f"$ pip install . && loopsafe check {PROJECT}\n" in TEXT
    assert '$ pip install -e ".[test]" && pytest\n' in TEXT


def test_links_lead_somewhere() -> None:
    pages = [README, *(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "decisions").glob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_rules_of_the_table_are_all_there_are() -> None:
    table = "\n".join(line for line in TEXT.splitlines() if line.startswith("| LSA"))
    named: set[str] = set()
    for first, last in re.findall(r"LSA(\d+) … LSA(\d+)", table):
        named |= {f"LSA{number}" for number in range(int(first), int(last) + 1)}
    named |= set(re.findall(r"LSA\d+", table))
    shipped = {path.name[:6] for path in (ROOT / "rules" / "codes").glob("*.md")}
    assert named == shipped


def test_formats_are_all_there_are(run: Callable[..., Any], tmp_path: Path) -> None:
    """`--help` is the list."""
    names = re.search(r"one of: ([\w,\s-]+)\[env", run("loopsafe", "check", "--help", cwd=tmp_path).out)
    assert names is not None
    for name in re.sub(r"-\s+", "-", names[1]).replace(",", " ").split():
        assert re.search(rf"`{name}`|--output-format {name}\b", TEXT), name
