"""A cache may be missing, old, damaged or forged: it saves time or it does nothing, and never changes a result."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loopsafe import cache, engine
from loopsafe.cache import Cache, Stamp
from loopsafe.config import Settings
from loopsafe.model import Diagnostic
from loopsafe.summary import ir, summarise

HELPER = "import time\n\n\ndef wait():\n    time.sleep(1)\n"
MAIN = "from helper import wait\n\n\nasync def main():\n    wait()\n"
LONG_AGO = (1_000_000_000, 1_000_000_000)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project of two files that have not changed for long."""
    (tmp_path / "pyproject.toml").write_text("", encoding="utf-8")
    for name, text in (("helper.py", HELPER), ("main.py", MAIN)):
        (tmp_path / name).write_text(text, encoding="utf-8")
        os.utime(tmp_path / name, LONG_AGO)
    return tmp_path


@pytest.fixture
def file(folder: Path) -> Path:
    return folder / ".loopsafe_cache" / "project.bin"


@pytest.fixture
def findings(folder: Path) -> Callable[..., tuple[Diagnostic, ...]]:
    return lambda **settings: engine.check([str(folder)], Settings(root=str(folder), **settings)).diagnostics


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is done anew, in order: files that are read, texts that are summarised."""
    done: list[str] = []
    read, make = engine.source.read, engine.summarise
    monkeypatch.setattr(engine.source, "read", lambda path: (done.append(Path(path).name), read(path))[1])
    monkeypatch.setattr(engine, "summarise", lambda text: (done.append("summary"), make(text))[1])
    return done


Findings = Callable[..., tuple[Diagnostic, ...]]


class TestSavesTime:
    def test_nothing_is_done_twice(self, findings: Findings, work: list[str]) -> None:
        cold = findings()
        assert [one.code for one in cold] == ["LSA115"]
        assert sorted(set(work)) == ["helper.py", "main.py", "summary"]
        assert work.count("summary") == 2
        work.clear()
        assert findings() == cold
        assert work == ["main.py"], "read for its comments only"

    def test_a_file_that_was_only_touched_is_read_and_no_more(
        self, folder: Path, findings: Findings, work: list[str]
    ) -> None:
        cold = findings()
        os.utime(folder / "helper.py", (1_100_000_000, 1_100_000_000))
        work.clear()
        assert findings() == cold
        assert sorted(work) == ["helper.py", "main.py"]
        work.clear()
        assert findings() == cold
        assert work == ["main.py"], "its new time was remembered"

    def test_a_file_that_was_changed_is_summarised(self, folder: Path, findings: Findings, work: list[str]) -> None:
        findings()
        (folder / "helper.py").write_text(HELPER.replace("time.sleep(1)", "print(1)"), encoding="utf-8")
        work.clear()
        assert findings() == ()
        assert work == ["helper.py", "summary"]

    def test_a_file_that_was_just_written_is_read_again(self, folder: Path, findings: Findings) -> None:
        """Two versions of the same size within one tick of the file system's clock look alike."""
        main = folder / "main.py"
        quiet = MAIN.replace("wait()", "str() ")
        main.write_text(quiet, encoding="utf-8")
        status = main.stat()
        assert findings() == ()
        main.write_text(MAIN.replace("wait()", "wait() "), encoding="utf-8")
        main.write_text(MAIN.replace("    wait()", "    wait()"), encoding="utf-8")
        main.write_bytes(MAIN.encode().ljust(status.st_size))
        os.utime(main, ns=(status.st_atime_ns, status.st_mtime_ns))
        assert len(findings()) == 1

    def test_text_in_an_editor_leaves_the_cache_alone(
        self, folder: Path, file: Path, findings: Findings, work: list[str]
    ) -> None:
        findings()
        before = file.read_bytes()
        path = str(folder / "main.py")
        settings = Settings(root=str(folder))
        assert len(engine.check([path], settings, overlays={path: MAIN.encode() + b"    wait()\n"}).diagnostics) == 2
        assert file.read_bytes() == before
        work.clear()
        assert len(findings()) == 1
        assert work == ["main.py"]

    def test_text_in_an_editor_may_come_first(self, folder: Path, findings: Findings, work: list[str]) -> None:
        path = str(folder / "main.py")
        engine.check([path], Settings(root=str(folder)), overlays={path: b""})
        assert sorted(work) == ["helper.py", "summary", "summary"]
        work.clear()
        assert len(findings()) == 1
        assert "helper.py" not in work
        assert work.count("summary") == 1


class TestNeverChangesAResult:
    def test_settings_are_part_of_the_key(self, findings: Findings) -> None:
        assert len(findings()) == 1
        assert findings(ignore=("LSA115",)) == ()
        assert len(findings()) == 1
        assert findings(select=("LSA2",)) == ()

    def test_paths_are_part_of_the_key(self, folder: Path, findings: Findings) -> None:
        assert len(findings()) == 1
        assert engine.check([str(folder / "helper.py")], Settings(root=str(folder))).diagnostics == ()

    def test_folder_is_part_of_the_key(self, folder: Path, findings: Findings, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(folder.parent)
        assert [one.path for one in findings()] == [f"{folder.name}/main.py"]
        monkeypatch.chdir(folder)
        assert [one.path for one in findings()] == ["main.py"]

    def test_code_of_a_checkout_is_part_of_the_key(self, tmp_path: Path) -> None:
        (tmp_path / "check.py").write_text("1", encoding="utf-8")
        before = cache.code_stamp([tmp_path])
        assert cache.code_stamp([tmp_path]) == before
        (tmp_path / "check.py").write_text("22", encoding="utf-8")
        assert cache.code_stamp([tmp_path]) != before

    def test_projects_may_share_a_folder(self, tmp_path: Path) -> None:
        for name, text in (("one", MAIN), ("two", "")):
            (tmp_path / name).mkdir()
            (tmp_path / name / "pyproject.toml").write_text("", encoding="utf-8")
            (tmp_path / name / "helper.py").write_text(HELPER, encoding="utf-8")
            (tmp_path / name / "main.py").write_text(text, encoding="utf-8")
        for _ in range(2):
            for name, number in (("one", 1), ("two", 0)):
                root = str(tmp_path / name)
                settings = Settings(root=root, cache_dir=str(tmp_path / "cache"))
                assert len(engine.check([root], settings).diagnostics) == number
        assert len(list((tmp_path / "cache").glob("*.bin"))) == 2

    def test_folder_that_was_there_is_not_hidden_from_git(self, folder: Path, findings: Findings) -> None:
        findings(cache_dir=str(folder))
        assert not (folder / ".gitignore").exists()

    def test_own_folder_is_hidden_from_git(self, file: Path, findings: Findings) -> None:
        findings()
        assert (file.parent / ".gitignore").read_text(encoding="utf-8").endswith("\n*\n")

    def test_no_cache_leaves_no_trace(self, file: Path, findings: Findings) -> None:
        findings(use_cache=False)
        assert not file.parent.exists()


class TestIsNeverTrusted:
    @pytest.fixture
    def cold(self, findings: Findings) -> tuple[Diagnostic, ...]:
        return findings()

    def test_every_flipped_bit(self, file: Path, findings: Findings, cold: tuple[Diagnostic, ...]) -> None:
        data = file.read_bytes()
        for place in range(0, len(data), max(1, len(data) // 150)):
            file.write_bytes(data[:place] + bytes([data[place] ^ 1 << place % 8]) + data[place + 1 :])
            assert findings() == cold, place

    def test_every_truncation(self, file: Path, findings: Findings, cold: tuple[Diagnostic, ...]) -> None:
        data = file.read_bytes()
        for length in range(0, len(data), max(1, len(data) // 60)):
            file.write_bytes(data[:length])
            assert findings() == cold, length

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"\0" * 10_000,
            b"SQLite format 3\0",
            b"loopsafe cache 1\n" + b"\xff" * 100,
            b"loopsafe cache 2\n",
            b"loopsafe cache 2\n" + b"\xff" * 16,
            b"loopsafe cache 2\n" + b"\xff" * 1_000,
            b"loopsafe cache 2\n" + b"\0" * 1_000,
        ],
    )
    def test_foreign_file(self, file: Path, findings: Findings, cold: tuple[Diagnostic, ...], data: bytes) -> None:
        file.write_bytes(data)
        assert findings() == cold
        assert file.read_bytes() != data, "it was written anew"

    def test_pickle_is_not_run(
        self, file: Path, findings: Findings, cold: tuple[Diagnostic, ...], tmp_path: Path
    ) -> None:
        class Trap:
            def __reduce__(self) -> tuple[Any, ...]:
                return (Path.touch, (tmp_path / "trapped",))

        file.write_bytes(pickle.dumps(Trap()))
        assert findings() == cold
        assert not (tmp_path / "trapped").exists()

    def test_other_version(
        self, findings: Findings, cold: tuple[Diagnostic, ...], work: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(cache, "version_key", lambda: "another")
        assert findings() == cold
        assert work.count("summary") == 2

    def test_folder_pipe_and_link_in_its_place(
        self, file: Path, findings: Findings, cold: tuple[Diagnostic, ...]
    ) -> None:
        file.unlink()
        file.mkdir()
        assert findings() == cold
        file.rmdir()
        os.mkfifo(file)
        assert findings() == cold
        file.unlink()
        file.symlink_to("project.bin")
        assert findings() == cold

    def test_no_temporary_file_stays(self, file: Path, findings: Findings, cold: tuple[Diagnostic, ...]) -> None:
        file.unlink()
        file.mkdir()
        findings()
        assert sorted(path.name for path in file.parent.iterdir()) == [".gitignore", "project.bin"]


class TestFormat:
    def test_what_is_saved_comes_back(self, tmp_path: Path) -> None:
        path = str(tmp_path / "c" / "project.bin")
        summary = summarise("async def f(): pass\n")
        stamp = Stamp(1, 2, "digest")
        Cache(path).save({"/a.py": stamp}, ["digest"], {"digest": summary}, ("key", ()))
        again = Cache(path)
        known = again.summary("digest")
        assert known is not None
        assert ir.decoded(known.scopes) == ir.decoded(summary.scopes)
        assert again.findings("key") == ()
        assert again.findings("other") is None
        assert again.findings("") is None
        assert again.summary("other") is None

    def test_what_is_not_wanted_any_more_goes(self, tmp_path: Path) -> None:
        path = str(tmp_path / "c" / "project.bin")
        summary = summarise("")
        Cache(path).save({}, ["one", "two"], {"one": summary, "two": summary}, ("key", ()))
        Cache(path).save({}, ["two"], {}, None)
        again = Cache(path)
        assert (again.summary("one"), again.findings("key")) == (None, ())
        assert again.summary("two") is not None

    def test_without_a_path_nothing_happens(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        Cache(None).save({}, ["digest"], {"digest": summarise("")}, ("key", ()))
        assert list(tmp_path.iterdir()) == []
