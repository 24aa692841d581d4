"""Names that other tools insist on, and the shape of the repository."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from . import documents, places

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TOP_LEVEL = {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "src", "rules", "tests", "fixtures", "docs"}
CATALOGUE = sorted(places.RULES.glob("*/*.toml"))


def test_flake8_accepts_the_entry_point() -> None:
    """flake8 refuses to start when a plugin's name is not one to three capitals and up to three digits."""
    project = tomllib.loads((places.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = project["entry-points"]["flake8.extension"]
    assert all(re.fullmatch(r"[A-Z]{1,3}[0-9]{0,3}", name) for name in names)
    assert all(d.code.startswith(tuple(names)) for d in documents.read_all())


def test_top_level_holds_nothing_else() -> None:
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=places.ROOT,
        capture_output=True,
        text=True,
    )
    if listing.returncode:
        pytest.skip("not a git work tree")
    names = {line.split("/")[0] for line in listing.stdout.splitlines()}
    assert {name for name in names if not name.startswith(".")} <= TOP_LEVEL


def test_rules_hold_data_only() -> None:
    assert {path.name for path in places.RULES.iterdir() if not path.name.startswith(".")} == {
        "codes", "frameworks", "sdk", "stdlib",
    }  # fmt: skip
    suffixes = {path.suffix for path in places.RULES.rglob("*") if path.is_file()}
    assert suffixes <= {".md", ".toml", ".json"}


@pytest.mark.parametrize("path", CATALOGUE, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_facts_say_where_they_come_from(path: Path) -> None:
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    assert data.get("source", "").strip()
    assert sum(key in data for key in ("distribution", "module", "framework")) == 1


@pytest.mark.parametrize("path", sorted(places.RULES.glob("sdk/*.toml")), ids=lambda p: p.stem)
def test_sdk_has_a_fixture(path: Path) -> None:
    names = {p.name for p in (places.FIXTURES / "sdk").iterdir()}
    assert names & {f"{path.stem}.py", f"quiet_{path.stem}.py"}
