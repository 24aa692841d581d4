"""A copy of a fixture project, flake8 as a process, and what the command line finds in the same place."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
Place: TypeAlias = tuple[str, int, int, str]
"""Path inside the project, row, column, code."""

_FORMAT: Final = "--format=%(path)s|%(row)d|%(col)d|%(code)s|%(text)s"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A fresh copy of the story service."""
    target = tmp_path / "story_service"
    ignored = shutil.ignore_patterns("expected_fixes", "__pycache__", ".loopsafe_cache")
    shutil.copytree(ROOT / "fixtures" / "projects" / "story_service", target, ignore=ignored)
    return target


@pytest.fixture
def flake8(run: Callable[..., object], project: Path) -> Callable[..., object]:
    """Run flake8 in the project, on nothing but our codes unless told otherwise."""

    def flake8(*arguments: str, **options: object) -> object:
        has_config = any(one.startswith("--config") for one in arguments)
        flags = [] if has_config else ["--isolated"]
        if not has_config and not any(one.startswith("--select") for one in arguments):
            flags += ["--select=LSA", "--extend-ignore=LSA100"]
        return run("flake8", *flags, _FORMAT, *arguments, **{"cwd": project, **options})

    return flake8


@pytest.fixture
def places() -> Callable[[str], list[Place]]:
    """Read the places out of flake8's output."""

    def places(out: str) -> list[Place]:
        found = []
        for line in out.splitlines():
            path, row, column, code, _ = line.split("|", 4)
            found.append((path.removeprefix("./"), int(row), int(column), code))
        return sorted(found)

    return places


@pytest.fixture
def expected(run: Callable[..., object], project: Path) -> Callable[..., list[Place]]:
    """The places that the command line reports as JSON."""

    def expected(*arguments: str) -> list[Place]:
        flags = ("--isolated", "--no-cache", "--output-format", "json")
        done = run("loopsafe", "check", *flags, *arguments, cwd=project)
        found = json.loads(done.out)  # type: ignore[attr-defined]
        return sorted(
            (
                os.path.relpath(one["filename"], project.resolve()),
                one["location"]["row"],
                one["location"]["column"],
                one["code"],
            )
            for one in found
        )

    return expected
