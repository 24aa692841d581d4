"""Selection, comments and broken files are flake8's business, and stay so with our plugin."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

NAPPING = "import os\nimport time\n\n\nasync def nap(path):\n    time.sleep(1)\n    return os.path.exists(path)\n"


@pytest.fixture
def folder(project: Path) -> Path:
    """A package of its own beside the services, with a finding of each sort."""
    (project / "nap.py").write_text(NAPPING, encoding="utf-8")
    return project


@pytest.fixture
def codes(flake8: Callable[..., Any], places: Callable[..., Any]) -> Callable[..., list[str]]:
    return lambda *arguments: sorted(place[3] for place in places(flake8(*arguments).out))


class TestComments:
    @pytest.mark.parametrize("comment", ["# noqa", "# noqa: LSA105", "# noqa: LSA1", "# noqa: E501,LSA105"])
    def test_noqa_is_honoured(self, folder: Path, codes: Callable[..., Any], comment: str) -> None:
        (folder / "nap.py").write_text(NAPPING.replace("sleep(1)", f"sleep(1)  {comment}"), encoding="utf-8")
        assert codes("nap.py") == []
        assert codes("--disable-noqa", "nap.py") == ["LSA105"]

    def test_noqa_of_another_code_is_not(self, folder: Path, codes: Callable[..., Any]) -> None:
        (folder / "nap.py").write_text(NAPPING.replace("sleep(1)", "sleep(1)  # noqa: LSA101"), encoding="utf-8")
        assert codes("nap.py") == ["LSA105"]

    def test_noqa_for_a_file(self, folder: Path, codes: Callable[..., Any]) -> None:
        (folder / "nap.py").write_text("# flake8: noqa\n" + NAPPING, encoding="utf-8")
        assert codes("nap.py") == []
        assert codes("--disable-noqa", "nap.py") == ["LSA105"]


class TestSelection:
    def test_rule_that_is_off_by_default(self, folder: Path, run: Callable[..., Any]) -> None:
        def codes(*arguments: str) -> list[str]:
            done = run("flake8", "--isolated", "--format=%(code)s", *arguments, "nap.py", cwd=folder)
            assert done.err == ""
            return sorted(done.out.split())

        assert codes() == ["LSA105"]
        assert codes("--extend-select=LSA100") == ["LSA100", "LSA105"]
        assert codes("--select=LSA100") == ["LSA100"]
        assert codes("--extend-ignore=LSA105") == []

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("", ["LSA105"]),
            ("select = LSA100", ["LSA100"]),
            ("select = LSA", ["LSA100", "LSA105"]),
            ("select = E,W", []),
            ("extend-select = LSA100", ["LSA100", "LSA105"]),
            ("ignore = LSA105", ["LSA100"]),
            ("ignore = LSA1", []),
            ("extend-ignore = LSA105,E203", []),
            ("extend-ignore = LSA10", []),
            ("per-file-ignores =\n    nap.py: LSA105", []),
            ("per-file-ignores =\n    nap.py: LSA101", ["LSA105"]),
        ],
    )
    def test_configuration_file(self, folder: Path, codes: Callable[..., Any], text: str, expected: list[str]) -> None:
        """Codes of more than three digits or letters would be refused here, before anything runs."""
        (folder / "setup.cfg").write_text(f"[flake8]\n{text}\n", encoding="utf-8")
        assert codes("--config=setup.cfg", "nap.py") == expected

    def test_other_plugins_see_no_change(self, folder: Path, run: Callable[..., Any]) -> None:
        """Our defaults come on top of those that are there: what was ignored still is."""
        (folder / "plain.py").write_text("x = [1,\n  2]\ny = lambda: (1\n    + 1)\n", encoding="utf-8")
        done = run("flake8", "--isolated", "--format=%(code)s", "plain.py", cwd=folder)
        assert done.err == ""
        assert {"W503", "W504", "E121", "E126"} & set(done.out.split()) == set()
        assert "E731" in done.out.split()

    def test_version_names_us(self, folder: Path, run: Callable[..., Any]) -> None:
        assert "loopsafe: 0." in run("flake8", "--version", cwd=folder).out

    def test_help_has_no_options_of_ours(self, folder: Path, run: Callable[..., Any]) -> None:
        assert "loopsafe" not in run("flake8", "--help", cwd=folder).out.split("Installed plugins")[0]


class TestFilesThatFlake8Chooses:
    def test_folders_that_only_flake8_walks_into(self, folder: Path, codes: Callable[..., Any]) -> None:
        """flake8's default exclusions are fewer than ruff's, and it knows no gitignore."""
        for name in ("dist", "venv", "node_modules", "ignored"):
            (folder / name).mkdir()
            (folder / name / "nap.py").write_text(NAPPING, encoding="utf-8")
        (folder / ".gitignore").write_text("ignored/\n", encoding="utf-8")
        assert codes("dist", "venv", "node_modules", "ignored") == ["LSA105"] * 4
        assert codes(".").count("LSA105") == 5

    def test_exclusion(self, folder: Path, codes: Callable[..., Any]) -> None:
        assert "LSA105" not in codes("--extend-exclude=nap.py", ".")
        assert codes("--exclude=src", ".") == ["LSA105"]

    def test_file_with_another_suffix(self, folder: Path, codes: Callable[..., Any]) -> None:
        (folder / "nap.py").rename(folder / "nap")
        assert codes("nap") == ["LSA105"]
        assert codes("--filename=*nap", ".").count("LSA105") == 1


class TestBrokenFiles:
    def test_syntax_error_is_reported_by_flake8_and_the_rest_is_checked(
        self, folder: Path, flake8: Callable[..., Any], places: Callable[..., Any]
    ) -> None:
        (folder / "broken.py").write_text("def f(:\n", encoding="utf-8")
        done = flake8("--select=E9,LSA1,", "--extend-ignore=LSA100", "broken.py", "nap.py")
        assert done.err == ""
        assert [(path, code) for path, _, _, code in places(done.out)] == [
            ("broken.py", "E999"),
            ("nap.py", "LSA105"),
        ]

    def test_text_in_latin_1_without_saying_so(self, folder: Path, flake8: Callable[..., Any]) -> None:
        """flake8 reads it nevertheless, and complains in its own words."""
        (folder / "old.py").write_bytes(b"# \xe9\nimport time\nasync def nap():\n    time.sleep(1)\n")
        done = flake8("--select=E9,LSA", "old.py", "nap.py")
        assert done.err == ""
        assert "nap.py|6|5|LSA105" in done.out
        assert "Traceback" not in done.out

    @pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b"\x00", b"\xff\xfex\x00", b"(" * 10_000])
    def test_odd_contents(self, folder: Path, flake8: Callable[..., Any], data: bytes) -> None:
        if b"\0" in data and sys.version_info < (3, 11):
            pytest.skip("flake8 itself fails: there `ast.parse` raises ValueError for a null byte")
        (folder / "odd.py").write_bytes(data)
        done = flake8("odd.py", "nap.py")
        assert done.err == ""
        assert done.out.startswith("nap.py|6|5|LSA105")

    def test_file_that_is_missing(self, folder: Path, flake8: Callable[..., Any]) -> None:
        done = flake8("--select=E9,LSA", "missing.py", "nap.py")
        assert "missing.py|0|1|E902" in done.out
        assert "nap.py|6|5|LSA105" in done.out
        assert done.err == ""
