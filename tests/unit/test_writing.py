"""A file is replaced at once or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from loopsafe.source import write


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_contents_are_replaced_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"old")
    write(str(path), b"\xef\xbb\xbfnew\r\n")
    assert path.read_bytes() == b"\xef\xbb\xbfnew\r\n"
    assert names(tmp_path) == ["a.py"]


def test_permissions_stay(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"old")
    path.chmod(0o751)
    write(str(path), b"new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o751


def test_link_stays_and_its_target_changes(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    target, link = tmp_path / "real/a.py", tmp_path / "link.py"
    target.write_bytes(b"old")
    link.symlink_to(target)
    write(str(link), b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert names(tmp_path) == ["link.py", "real"]
    assert names(tmp_path / "real") == ["a.py"]


@pytest.mark.parametrize("step", ["fsync", "replace", "chmod"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_failure_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException
) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"old")

    def fail(*args: object, **kwargs: object) -> None:
        raise error

    monkeypatch.setattr(os, "fsync", fail) if step == "fsync" else monkeypatch.setattr(Path, step, fail)
    with pytest.raises(type(error)):
        write(str(path), b"new")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a.py"]


def test_new_file_can_be_read_by_others(tmp_path: Path) -> None:
    write(str(tmp_path / "a.py"), b"new")
    assert stat.S_IMODE((tmp_path / "a.py").stat().st_mode) == 0o644
