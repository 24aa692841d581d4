"""Imports point down only, and what is expensive is imported late."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from . import places

STAGES: Final = ("model", "config", "source", "catalog", "summary", "project", "checks", "fixes", "engine")
"""Each may import those before it."""

ASIDE: Final[dict[str, frozenset[str]]] = {
    "cache": frozenset({"model", "summary"}),
    "diagnostics": frozenset({"model", "source", "summary"}),
    "plugins": frozenset({"model", "rulebook", "checks"}),
    "records": frozenset({"model", "source", "catalog", "summary", "project"}),
    "report": frozenset({"model", "source"}),
    "rulebook": frozenset({"model"}),
    "suppress": frozenset({"model", "source"}),
}
"""Beside the stages; they import nothing else of the package. Plugins know the checks that are shipped."""

FRONT_ENDS: Final = ("api", "cli", "flake8", "lsp", "__main__")


def allowed(part: str) -> frozenset[str]:
    """What a part of the package may import of it, besides itself and the version number."""
    if part in ASIDE:
        return ASIDE[part]
    if part in STAGES:
        below = frozenset(STAGES[: STAGES.index(part)])
        return below | {"engine": frozenset(ASIDE), "checks": frozenset({"rulebook"})}.get(part, frozenset())
    front_ends = {"__main__": {"cli"}, "cli": {"api"}, "lsp": {"api"}, "flake8": {"api"}}.get(part, set())
    return frozenset(STAGES) | frozenset(ASIDE) | front_ends


def part_of(path: Path) -> str:
    return path.relative_to(places.PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", places.modules(), ids=places.relative)
def test_imports_point_down_only(path: Path) -> None:
    part = part_of(path)
    if part == "__init__":
        assert not [name for _, name in places.imports(path) if name.startswith("loopsafe")]
        return
    permitted = allowed(part) | {part, "__version__"}
    upward = [
        f"{places.relative(path)}:{row} imports {name}"
        for row, name in places.imports(path)
        if name == "loopsafe" or (name.startswith("loopsafe.") and name.split(".")[1] not in permitted)
    ]
    assert not upward, "\n".join(upward)


def test_every_part_has_its_place() -> None:
    known = {*STAGES, *ASIDE, *FRONT_ENDS, "__init__"}
    assert {part_of(path) for path in places.modules()} <= known


@pytest.mark.parametrize("module", ["libcst", "rich", "pluggy", "pygls"])
def test_version_is_shown_without(module: str) -> None:
    """`--version` must not pay for what only fixes, colours, plugins or editors need."""
    if not (places.PACKAGE / "cli" / "main.py").exists():
        pytest.skip("there is no command line yet")
    code = (
        "import sys; from loopsafe.cli.main import main\n"
        "try: main(['--version'])\n"
        "except SystemExit: pass\n"
        f"sys.exit({module!r} in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(places.PACKAGE.parent), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
