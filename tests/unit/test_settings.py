"""The defaults of a run and the folder it belongs to."""

from __future__ import annotations

from pathlib import Path

import pytest

from loopsafe.config import DEFAULT_EXCLUDE, Settings, find_root


def test_exclusions_of_a_run() -> None:
    assert Settings().exclusions == DEFAULT_EXCLUDE
    assert Settings(extend_exclude=("x",)).exclusions == (*DEFAULT_EXCLUDE, "x")
    assert Settings(exclude=("y",), extend_exclude=("x",)).exclusions == ("y", "x")


@pytest.mark.parametrize("marker", ["pyproject.toml", "setup.py", "setup.cfg", ".git"])
def test_root_is_the_nearest_folder_that_looks_like_a_project(tmp_path: Path, marker: str) -> None:
    (tmp_path / "outer/project/src/pkg").mkdir(parents=True)
    (tmp_path / "outer/.git").mkdir()
    (tmp_path / "outer/project" / marker).touch()
    module = tmp_path / "outer/project/src/pkg/a.py"
    module.touch()
    assert find_root([str(module)]) == find_root([str(module.parent)]) == str(tmp_path / "outer/project")


def test_root_of_several_paths_is_above_all_of_them(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "setup.py").touch()
    assert find_root([str(tmp_path / "one")]) == str(tmp_path / "one")
    assert find_root([str(tmp_path / "one"), str(tmp_path / "two/setup.py")]) == str(tmp_path)


def test_root_of_what_does_not_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_root(["none/at/all.py"]) == find_root([]) == find_root(["a/../b.py"]) == str(tmp_path)
