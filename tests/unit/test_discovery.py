"""Which files are checked: exclusions, gitignore, links, and paths given by name."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from loopsafe.config import Settings
from loopsafe.source import discover
from loopsafe.source.discovery import is_excluded, show_path
from loopsafe.source.patterns import Exclusions


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make(*paths: str, text: str = "") -> None:
    for path in paths:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text)


def files(*paths: str, **settings: object) -> list[str]:
    found = discover(paths or (".",), Settings(root=".", **settings))  # type: ignore[arg-type]
    return [Path(path).as_posix() for path in found.files]


def test_folder_gives_sorted_python_files() -> None:
    make("b.py", "a.py", "pkg/z.pyi", "pkg/deep/c.py", "notes.md", "a.pyc", "x.pyx")
    assert files() == ["a.py", "b.py", "pkg/deep/c.py", "pkg/z.pyi"]


def test_repeated_and_overlapping_paths_count_once() -> None:
    make("pkg/a.py")
    assert files("pkg", ".", "pkg/a.py", "./pkg/../pkg/a.py", str(Path("pkg").absolute())) == ["pkg/a.py"]


def test_paths_outside_the_working_directory_are_absolute(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make("a/x.py", "b/y.py")
    monkeypatch.chdir(folder / "a")
    assert files(".", "../b") == [(folder / "b/y.py").as_posix(), "x.py"]


def test_named_file_is_taken_whatever_its_suffix() -> None:
    make("script", ".venv/x.py")
    assert files("script", ".venv/x.py") == [".venv/x.py", "script"]


def test_missing_path_is_told() -> None:
    make("a.py")
    found = discover(["nope.py", "a.py", "none/"], Settings())
    assert (found.files, found.missing) == (("a.py",), ("none", "nope.py"))


def test_folder_with_a_python_name_is_a_folder() -> None:
    make("a.py/b.py")
    assert files() == files("a.py") == ["a.py/b.py"]


class TestExclusions:
    def test_defaults_are_ruffs(self) -> None:
        make(".venv/a.py", "venv/a.py", "pkg/node_modules/a.py", "dist/a.py", "build/a.py", ".hidden/a.py")
        assert files() == [".hidden/a.py", "build/a.py"]

    def test_excluded_folder_is_walked_when_named(self) -> None:
        make(".venv/a.py", ".venv/site-packages/b.py")
        assert files(".venv") == [".venv/a.py"]

    def test_force_exclude_holds_for_names_too(self) -> None:
        make(".venv/lib/a.py", "a.py")
        assert files(".venv/lib/a.py", ".venv", "a.py", force_exclude=True) == ["a.py"]

    def test_exclude_replaces_and_extend_exclude_adds(self) -> None:
        make(".venv/a.py", "gen/a.py", "old/a.py")
        assert files(exclude=("gen",)) == [".venv/a.py", "old/a.py"]
        assert files(extend_exclude=("gen",)) == ["old/a.py"]
        assert files(exclude=("gen",), extend_exclude=("old",)) == [".venv/a.py"]

    @pytest.mark.parametrize(
        ("pattern", "kept"),
        [
            ("c.py", ["a/b.py", "a/d/e.py"]),
            ("d", ["a/b.py", "a/c.py", "c.py"]),
            ("d/", ["a/b.py", "a/c.py", "c.py"]),
            ("a/c.py", ["a/b.py", "a/d/e.py", "c.py"]),
            ("./a/c.py", ["a/b.py", "a/d/e.py", "c.py"]),
            ("a/*", ["c.py"]),
            ("a/*.py", ["c.py"]),
            ("**/e.py", ["a/b.py", "a/c.py", "c.py"]),
            ("a/**/e.py", ["a/b.py", "a/c.py", "c.py"]),
            ("?.py", []),
            ("[bc].py", ["a/d/e.py"]),
            ("[!bc].py", ["a/b.py", "a/c.py", "c.py"]),
            ("{b,e}.py", ["a/c.py", "c.py"]),
            ("*.pyi", ["a/b.py", "a/c.py", "a/d/e.py", "c.py"]),
            ("", ["a/b.py", "a/c.py", "a/d/e.py", "c.py"]),
        ],
    )
    def test_patterns(self, pattern: str, kept: list[str]) -> None:
        make("a/b.py", "a/c.py", "a/d/e.py", "c.py")
        assert files(exclude=(pattern,)) == kept

    def test_absolute_pattern(self, folder: Path) -> None:
        make("a/b.py", "c.py")
        assert files(exclude=(f"{folder}/a",)) == ["c.py"]

    def test_root_with_special_characters(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        make("we[i]rd*/a/b.py", "we[i]rd*/c.py")
        monkeypatch.chdir(folder / "we[i]rd*")
        assert files(exclude=("a/b.py",)) == ["c.py"]

    @pytest.mark.parametrize("pattern", ["[", "{", "a[", "a{b", "\\", "[]", "{}", "a\\"])
    def test_unfinished_pattern_is_taken_literally(self, pattern: str) -> None:
        assert not Exclusions((pattern, f"x/{pattern}"), "/r").has("/r/other", "other")

    def test_name_on_standard_input(self) -> None:
        assert is_excluded(".venv/x.py", Settings(root="."))
        assert not is_excluded("src/x.py", Settings(root="."))


class TestGitignore:
    def test_only_inside_a_work_tree(self) -> None:
        make("a.py", "gen/b.py")
        make(".gitignore", text="gen/\n")
        assert files() == ["a.py", "gen/b.py"]
        Path(".git").mkdir()
        assert files() == ["a.py"]
        assert files(respect_gitignore=False) == ["a.py", "gen/b.py"]

    @pytest.mark.parametrize(
        ("text", "kept"),
        [
            ("gen\n", ["a.py", "pkg/a.py"]),
            ("gen/\n", ["a.py", "pkg/a.py"]),
            ("/gen\n", ["a.py", "pkg/a.py", "pkg/gen/a.py"]),
            ("*.py\n!/a.py\n", ["a.py"]),
            ("*.py\n!a.py\ngen/\n", ["a.py", "pkg/a.py"]),
            ("gen/*\n!gen/a.py\n", ["a.py", "gen/a.py", "pkg/a.py", "pkg/gen/a.py"]),
            ("pkg/**/a.py\n", ["a.py", "gen/a.py"]),
            ("# gen\n\n   \n\\#x\n", ["a.py", "gen/a.py", "pkg/a.py", "pkg/gen/a.py"]),
            ("a.py/\n", ["a.py", "gen/a.py", "pkg/a.py", "pkg/gen/a.py"]),
            ("[abc].py\r\n", []),
            ("a.p?\n!pkg/a.py\n", ["pkg/a.py"]),
        ],
    )
    def test_patterns(self, text: str, kept: list[str]) -> None:
        make("a.py", "gen/a.py", "pkg/a.py", "pkg/gen/a.py")
        make(".gitignore", text=text)
        Path(".git").mkdir()
        assert files() == kept

    def test_inner_file_outranks_outer(self) -> None:
        make("a.py", "pkg/a.py", "pkg/b.py", "pkg/sub/b.py")
        make(".gitignore", text="a.py\n")
        make("pkg/.gitignore", text="!a.py\n/b.py\n")
        Path(".git").mkdir()
        assert files() == files("pkg", ".") == ["pkg/a.py", "pkg/sub/b.py"]
        assert files("pkg/sub") == ["pkg/sub/b.py"]

    def test_ignored_folder_is_walked_when_named(self) -> None:
        make("gen/a.py", "gen/sub/b.py", "gen/sub/c.py")
        make(".gitignore", text="gen/\n")
        make("gen/sub/.gitignore", text="c.py\n")
        Path(".git").mkdir()
        assert files("gen") == ["gen/a.py", "gen/sub/b.py"]
        assert files("gen/sub") == ["gen/sub/b.py"]

    def test_exclude_file_of_the_repository(self) -> None:
        make("a.py", "pkg/b.py")
        make(".git/info/exclude", text="b.py\n")
        assert files() == files("a.py", "pkg") == ["a.py"]

    def test_work_tree_whose_git_is_a_file(self) -> None:
        make("a.py", "b.py")
        make(".git", text="gitdir: elsewhere\n")
        make(".gitignore", text="b.py\n")
        assert files() == ["a.py"]


class TestLinks:
    def test_loop_ends(self) -> None:
        make("pkg/a.py")
        Path("pkg/again").symlink_to(".", target_is_directory=True)
        Path("pkg/up").symlink_to("..", target_is_directory=True)
        assert files() == ["pkg/a.py"]

    def test_linked_folder_is_not_followed_unless_named(self, folder: Path) -> None:
        make("out/a.py", "in/b.py")
        Path("in/link").symlink_to(folder / "out", target_is_directory=True)
        assert files("in") == ["in/b.py"]
        assert files("in/link") == ["in/link/a.py"]

    def test_linked_file_counts_once(self) -> None:
        make("a.py", "out/c.py")
        Path("b.py").symlink_to("a.py")
        Path("z.py").symlink_to("out/c.py")
        assert files() == ["a.py", "out/c.py"]
        Path("in").mkdir()
        Path("in/x.py").symlink_to("../out/c.py")
        Path("in/y.py").symlink_to("../out/c.py")
        assert files("in") == ["in/x.py"]

    def test_broken_link_is_reported_by_whoever_reads_it(self) -> None:
        Path("a.py").symlink_to("nowhere.py")
        assert files() == ["a.py"]

    def test_pipe_is_not_read(self) -> None:
        make("a.py")
        os.mkfifo("b.py")
        assert files() == ["a.py"]


def test_unlistable_folder_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    make("a.py", "secret/b.py")
    scandir = os.scandir

    def refuse(path: str) -> object:
        if path.endswith("secret"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = discover(["."], Settings())
    assert (found.files, found.unreadable) == (("a.py",), (("secret", "Permission denied (os error 13)"),))


def test_show_path(folder: Path) -> None:
    assert [show_path(p) for p in ("-", "a.py", str(folder / "a.py"), "./b/../a.py")] == ["-", *["a.py"] * 3]
    assert show_path("../x.py") == str(folder.parent / "x.py")


def test_seven_thousand_files_take_no_time() -> None:
    Path(".git").mkdir()
    make(".gitignore", text="__pycache__/\n*.pyc\n/build\ndocs/_build/\n!keep.py\n*.egg-info\nlogs/**/x.py\n")
    for package in range(140):
        Path(f"p{package}").mkdir()
        for module in range(50):
            Path(f"p{package}/m{module}.py").touch()
    start = time.process_time()
    assert len(files(extend_exclude=("gen_*", "tests/data/*"))) == 7000
    assert time.process_time() - start < 0.5
