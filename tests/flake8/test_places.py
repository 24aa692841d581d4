"""flake8 with our plugin reports what the command line reports, whichever way it is asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

STORIES = "src/story_service/services/stories.py"
IMAGES = "src/story_service/services/images.py"
SPAWNING = """\
import multiprocessing
import sys

from flake8.main.cli import main

if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    sys.exit(main())
"""
"""What flake8 does on macOS, on Windows, and on Linux from Python 3.14."""


def test_flake8_and_command_line_agree(
    flake8: Callable[..., Any], places: Callable[..., Any], expected: Callable[..., Any]
) -> None:
    done = flake8(".")
    assert (done.code, done.err) == (1, "")
    assert places(done.out) == expected(".")
    assert len(places(done.out)) > 10


def test_texts_are_the_same_too(run: Callable[..., Any], flake8: Callable[..., Any], project: Path) -> None:
    told = {line.split("|", 4)[4] for line in flake8(STORIES).out.splitlines()}
    json = run("loopsafe", "check", "--output-format", "json", STORIES, cwd=project).out
    assert told
    assert [text for text in told if text.replace('"', r"\"") not in json] == []


def test_order_of_workers_does_not_show(flake8: Callable[..., Any]) -> None:
    one = flake8("-j1", ".")
    assert one.code == 1
    assert flake8("-j4", ".") == one


def test_workers_that_are_spawned_find_the_same(
    run: Callable[..., Any], flake8: Callable[..., Any], project: Path, tmp_path: Path
) -> None:
    script = tmp_path / "spawning.py"
    script.write_text(SPAWNING, encoding="utf-8")
    flags = ("--isolated", "--select=LSA", "--format=%(path)s|%(row)d|%(col)d|%(code)s|%(text)s", ".")
    spawned = run(script, "-j4", *flags, cwd=project, interpreter=(_python(),))
    assert spawned == flake8("-j1", ".")
    assert spawned.code == 1


def test_workers_agree_where_no_cache_can_be_written(
    run: Callable[..., Any], flake8: Callable[..., Any], project: Path, tmp_path: Path
) -> None:
    expected = flake8("-j1", ".")
    (project / ".loopsafe_cache" / "project.bin").unlink()
    (project / ".loopsafe_cache" / ".gitignore").unlink()
    (project / ".loopsafe_cache").rmdir()
    (project / ".loopsafe_cache").write_bytes(b"a file where the folder should be")
    script = tmp_path / "spawning.py"
    script.write_text(SPAWNING, encoding="utf-8")
    flags = ("--isolated", "--select=LSA", "--format=%(path)s|%(row)d|%(col)d|%(code)s|%(text)s", ".")
    assert run(script, "-j2", *flags, cwd=project, interpreter=(_python(),)) == expected


def test_one_file_is_judged_with_the_rest_of_the_project(
    flake8: Callable[..., Any], places: Callable[..., Any], expected: Callable[..., Any]
) -> None:
    found = places(flake8(STORIES).out)
    assert found == [place for place in expected(".") if place[0] == STORIES]
    assert "LSA111" in {place[3] for place in found}


def test_files_named_in_another_folder(
    run: Callable[..., Any], places: Callable[..., Any], expected: Callable[..., Any], project: Path
) -> None:
    """As editors and hooks call it: from anywhere, with an absolute path."""
    flags = ("--isolated", "--select=LSA", "--format=%(path)s|%(row)d|%(col)d|%(code)s|%(text)s")
    done = run("flake8", *flags, project / STORIES, cwd=project.parent)
    found = [(Path(path).relative_to(project).as_posix(), *rest) for path, *rest in places(done.out)]
    assert found == expected(STORIES)


def test_order_and_repetition_of_paths_do_not_show(
    flake8: Callable[..., Any], places: Callable[..., Any], expected: Callable[..., Any]
) -> None:
    found = set(places(flake8(STORIES, "./src", IMAGES, "src/story_service/../story_service/services").out))
    normal = {(path.replace("story_service/../", ""), *rest) for path, *rest in found}
    assert sorted(normal) == expected(".")


class TestStandardInput:
    """Text from an editor, which may not be what is on the disk."""

    def test_without_a_name(self, flake8: Callable[..., Any], places: Callable[..., Any]) -> None:
        text = b"import time\n\n\nasync def nap():\n    time.sleep(1)\n"
        done = flake8("-", stdin=text)
        assert (done.code, done.err) == (1, "")
        assert places(done.out) == [("stdin", 5, 5, "LSA105")]

    def test_with_a_name_it_takes_that_file_s_place(
        self, flake8: Callable[..., Any], places: Callable[..., Any], expected: Callable[..., Any], project: Path
    ) -> None:
        text = (project / STORIES).read_bytes()
        done = flake8("--stdin-display-name", STORIES, "-", stdin=b"# one more row\n" + text)
        assert done.err == ""
        assert places(done.out) == [(path, row + 1, column, code) for path, row, column, code in expected(STORIES)]

    def test_with_a_name_of_a_file_that_is_yet_to_be_saved(
        self, flake8: Callable[..., Any], places: Callable[..., Any], project: Path
    ) -> None:
        name = "src/story_service/services/new.py"
        text = (
            b"from story_service.services.storage import StorageService\n\n\n"
            b"async def store(service: StorageService, data: bytes) -> str:\n"
            b"    return service.upload_image(data, 'a.png')\n"
        )
        done = flake8("--stdin-display-name", name, "-", stdin=text)
        assert places(done.out) == [(name, 5, 12, "LSA111")]

    @pytest.mark.parametrize(
        "head",
        [
            b"# -*- coding: latin-1 -*-\n\xe9 = '\xe4\xf6\xfc'\n",
            "# \u00e9\né = 'äöü'\n".encode(),
            b"\xef\xbb\xbf#\nx = 1\n",
        ],
        ids=["cookie", "utf-8", "mark"],
    )
    def test_columns_count_characters_in_any_encoding(
        self, flake8: Callable[..., Any], places: Callable[..., Any], head: bytes
    ) -> None:
        e = b"\xe9" if b"latin" in head else "é".encode()
        text = head + b"import time\nasync def nap(): x = '" + e * 5 + b"'; time.sleep(1)\n"
        done = flake8("-", stdin=text)
        assert (places(done.out), done.err) == ([("stdin", 4, 31, "LSA105")], "")

    def test_rows_of_windows_files(self, flake8: Callable[..., Any], places: Callable[..., Any]) -> None:
        text = b"import time\r\n\r\n\r\nasync def nap():\r\n    time.sleep(1)\r\n"
        assert places(flake8("-", stdin=text).out) == [("stdin", 5, 5, "LSA105")]

    def test_nothing_at_all(self, flake8: Callable[..., Any]) -> None:
        assert flake8("-", stdin=b"") == (0, "", "")


def _python() -> str:
    import sys

    return sys.executable
