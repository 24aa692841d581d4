"""Configuration files under the command line: they count, and flags win."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Run

Check = Callable[..., Run]
Write = Callable[..., Path]

TEXT = "block()\nrisky()\nstuck()\n"


@pytest.fixture(autouse=True)
def text(write: Write) -> None:
    write("a.py", TEXT)


def codes(run: Run) -> list[str]:
    return [line.split()[1] for line in run.out.splitlines() if line.startswith("a.py")]


@pytest.mark.parametrize(
    ("file", "flags", "expected"),
    [
        ("", "", ["LSA101", "LSA105", "LSA106"]),
        ("select = ['LSA101']", "", ["LSA101"]),
        ("select = ['LSA101']", "--select LSA106", ["LSA106"]),
        ("select = ['LSA101']", "--extend-select LSA106", ["LSA101", "LSA106"]),
        ("ignore = ['LSA101']", "", ["LSA105", "LSA106"]),
        ("ignore = ['LSA101']", "--ignore LSA105", ["LSA106"]),
        ("ignore = ['LSA101']", "--extend-select LSA101", ["LSA101", "LSA105", "LSA106"]),
        ("ignore = ['LSA101']", "--select LSA1", ["LSA101", "LSA105", "LSA106"]),
        ("select = ['LSA101']", "--isolated", ["LSA101", "LSA105", "LSA106"]),
        ("select = ['LSA101']", "--config other.toml", ["LSA105"]),
        ("force-exclude = true\nexclude = ['a.py']", "", []),
        ("force-exclude = true\nexclude = ['a.py']", "--no-force-exclude", ["LSA101", "LSA105", "LSA106"]),
        ("force-exclude = true\nexclude = ['a.py']", "--exclude b.py", ["LSA101", "LSA105", "LSA106"]),
        ("force-exclude = true", "--extend-exclude a.py", []),
        ("force-exclude = true\nextend-exclude = ['a.py']", "--extend-exclude b.py", []),
    ],
)
def test_flags_win_over_the_file(check: Check, write: Write, file: str, flags: str, expected: list[str]) -> None:
    write("loopsafe.toml", file)
    write("other.toml", "lint.select = ['LSA105']\n")
    assert codes(check(*flags.split(), "a.py")) == expected


def test_fixing_can_be_the_habit(check: Check, write: Write) -> None:
    write("pyproject.toml", "[tool.loopsafe]\nfix = true\nunsafe-fixes = true\n")
    assert "(2 fixed, 1 remaining)" in check("a.py").out
    write("a.py", TEXT)
    assert "(1 fixed, 2 remaining)" in check("--no-unsafe-fixes", "a.py").out
    write("a.py", TEXT)
    assert "Found 3 errors." in check("--no-fix", "a.py").out


def test_mistakes_are_told(check: Check, write: Write) -> None:
    path = write("pyproject.toml", "[tool.loopsafe]\nselct = ['LSA1']\n")
    cause = f"{path}:2: selct: unknown key; did you mean `select`?"
    assert check("a.py") == (2, "", f"loopsafe failed\n  Cause: {cause}\n")
    write("pyproject.toml", "[tool.loopsafe]\nselect = ['NO1']\n")
    cause = f"Unknown rule selector `NO1` in `select` from {path}"
    assert check("a.py") == (2, "", f"loopsafe failed\n  Cause: {cause}\n")
    assert check("--config", "none.toml", "a.py").err.endswith("there is no configuration file `none.toml`\n")


def test_the_two_flags_exclude_each_other(check: Check) -> None:
    run = check("--config", "x.toml", "--isolated", "a.py")
    assert run.code == 2
    assert "the argument '--config' cannot be used with '--isolated'" in run.err


def test_the_flags_may_stand_before_the_subcommand(loopsafe: Check, write: Write) -> None:
    write("other.toml", "select = ['LSA105']\n")
    for flags in (["--config", "other.toml"], ["--config=other.toml"]):
        assert codes(loopsafe(*flags, "check", "--output-format", "concise", "a.py")) == ["LSA105"]
