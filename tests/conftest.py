"""Options of the whole test suite, and the real command lines that several folders run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

import pytest
from hypothesis import HealthCheck, settings

ROOT: Final = Path(__file__).resolve().parents[1]
_VARIABLES: Final = (
    "COLUMNS", "FORCE_COLOR", "CLICOLOR_FORCE", "NO_COLOR", "PYTHONPATH", "PYTHONWARNINGS", "VIRTUAL_ENV",
)  # fmt: skip
"""What a developer's shell may hold and a test must not depend on; those of loopsafe itself are dropped as well."""

os.environ.pop("VIRTUAL_ENV", None)  # a developer's own packages

settings.register_profile(
    "quick", max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
settings.register_profile("long", max_examples=1_000, deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile(os.environ.get("LOOPSAFE_HYPOTHESIS", "quick"))


class Finished(NamedTuple):
    """What a process leaves behind."""

    code: int
    out: str
    err: str


Run: TypeAlias = Callable[..., Finished]
"""`run("flake8", "-j1", …, cwd=…, stdin=…, env=…)` runs `python -m flake8 -j1 …`."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-fixtures",
        action="store_true",
        help="rewrite the *.fixed.py beside the fixtures with what --fix makes of them, then review the diff",
    )


@pytest.fixture
def is_updating(request: pytest.FixtureRequest) -> bool:
    """Whether result files are to be rewritten instead of compared."""
    return bool(request.config.getoption("--update-fixtures"))


@pytest.fixture(scope="session")
def run() -> Run:
    """Run a module as a process, in an environment without anybody's preferences."""

    def run(
        *arguments: str | Path,
        cwd: Path,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        interpreter: Sequence[str] = (sys.executable, "-m"),
    ) -> Finished:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LOOPSAFE_")}
        for name in _VARIABLES:
            kept.pop(name, None)
        process = subprocess.run(
            [*interpreter, *map(str, arguments)],
            cwd=cwd,
            input=stdin,
            env={**kept, **(env or {})},
            capture_output=True,
            timeout=300,
        )
        return Finished(process.returncode, process.stdout.decode(), process.stderr.decode())

    return run
