"""What flake8 leaves to the configuration of loopsafe: the catalogue, and how sure a finding must be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CATALOGUE = """\
distribution = "parcels"
source = "https://parcels.example"
[[call]]
name = ["parcels.send"]
effect = "network"
"""
TEXT = "import time\n\nimport parcels\n\n\nasync def ship():\n    parcels.send()\n    time.sleep(1)\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "parcels.toml").write_text(CATALOGUE, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text('[tool.loopsafe]\ncatalogs = ["tools"]\n', encoding="utf-8")
    (tmp_path / "a.py").write_text(TEXT, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("jobs", ["-j1", "-j2"])
def test_the_catalogue_of_the_project_is_read(folder: Path, run: Callable[..., Any], jobs: str) -> None:
    done = run("flake8", jobs, "--select=LSA", "--format=%(row)d %(code)s", "a.py", cwd=folder)
    assert (done.out.splitlines(), done.err) == (["7 LSA101", "8 LSA105"], "")


def test_which_rules_are_on_is_for_flake8_to_say(folder: Path, run: Callable[..., Any]) -> None:
    (folder / "pyproject.toml").write_text('[tool.loopsafe]\nselect = ["LSA2"]\n', encoding="utf-8")
    done = run("flake8", "--select=LSA", "--format=%(code)s", "a.py", cwd=folder)
    assert done.out.split() == ["LSA105"]


def test_a_mistake_ends_flake8_with_its_place(folder: Path, run: Callable[..., Any]) -> None:
    (folder / "pyproject.toml").write_text("[tool.loopsafe]\nfix = 1\n", encoding="utf-8")
    done = run("flake8", "a.py", cwd=folder)
    assert done.code == 1
    assert f"{folder / 'pyproject.toml'}:2: fix: Expected `bool`, got `int`" in done.out + done.err
    assert "Traceback" not in done.out + done.err
