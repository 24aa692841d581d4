"""Plugins on a path of their own, with the metadata that an installed package has."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
EXAMPLE: Final = ROOT / "docs" / "examples" / "loopsafe-acme"
Install: TypeAlias = Callable[..., dict[str, str]]


@pytest.fixture(scope="session")
def acme(run: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment in which the example plugin is installed, by pip, from its folder."""
    source = tmp_path_factory.mktemp("source") / "loopsafe-acme"
    shutil.copytree(EXAMPLE, source, ignore=shutil.ignore_patterns("__pycache__", "build", "*.egg-info"))
    target = tmp_path_factory.mktemp("acme")
    done = run("pip", "install", "--no-deps", "--quiet", "--target", target, source, cwd=target)
    assert done.code == 0, done
    return {"PYTHONPATH": str(target)}


@pytest.fixture
def install(tmp_path: Path) -> Install:
    """Install plugins that consist of files; returns the environment in which they are found."""
    site = tmp_path / "site"

    def install(name: str, files: Mapping[str, str], entry: str | None = None) -> dict[str, str]:
        for path, text in files.items():
            (site / path).parent.mkdir(parents=True, exist_ok=True)
            (site / path).write_text(text, encoding="utf-8")
        info = site / f"loopsafe_{name}-2.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: loopsafe-{name}\nVersion: 2.0\n")
        (info / "entry_points.txt").write_text(f"[loopsafe]\n{name} = {entry or name}\n")
        return {"PYTHONPATH": str(site)}

    return install


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with one finding of our own."""
    target = tmp_path / "project"
    target.mkdir()
    (target / "pyproject.toml").write_text("", encoding="utf-8")
    (target / "nap.py").write_text("import time\n\n\nasync def nap_async():\n    time.sleep(1)\n", encoding="utf-8")
    return target
