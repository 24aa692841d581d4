"""Rule documents: what they say is read once, and what they leave out is an error that names them."""

from __future__ import annotations

from pathlib import Path

import pytest

from loopsafe.model import LoopsafeError
from loopsafe.rulebook import Rule, read_rule, read_rules, shipped_folder

FRONT = {
    "code": '"ABC123"',
    "name": '"a-name"',
    "default": "true",
    "fix": '"never"',
    "since": '"1.0"',
    "message": '"it is `…`"',
}


def write(folder: Path, file: str = "ABC123.md", /, **changes: str | None) -> Path:
    fields = {key: value for key, value in {**FRONT, **changes}.items() if value is not None}
    lines = "".join(f"{key} = {value}\n" for key, value in fields.items())
    path = folder / file
    path.write_text(f"+++\n{lines}+++\n## What it does\n", encoding="utf-8")
    return path


def test_front_matter_and_text(tmp_path: Path) -> None:
    rule, text = read_rule(write(tmp_path))
    assert rule == Rule("ABC123", "a-name", True, "never", "1.0", "it is `…`")
    assert text == "## What it does\n"


def test_windows_newlines(tmp_path: Path) -> None:
    path = write(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_rule(path)[0].code == "ABC123"


@pytest.mark.parametrize(
    "changes",
    [
        {"code": '"ABCD123"'},
        {"code": '"abc123"'},
        {"code": '"ABC12"'},
        {"code": '"ABC123\\n"'},
        {"code": "1"},
        {"code": None},
        {"name": '"A name"'},
        {"default": '"yes"'},
        {"fix": '"maybe"'},
        {"more": "1"},
        {"message": None},
        {"message": "unquoted"},
    ],
)
def test_mistakes_name_the_file(tmp_path: Path, changes: dict[str, str | None]) -> None:
    path = write(tmp_path, **changes)
    with pytest.raises(LoopsafeError) as caught:
        read_rule(path)
    assert str(caught.value).startswith(f"{path}: front matter: ")


@pytest.mark.parametrize("data", [b"", b"# Rule\n", b"+++\ncode = 1\n", b"\n+++\n+++\n"])
def test_no_front_matter(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.md"
    path.write_bytes(data)
    with pytest.raises(LoopsafeError, match="begins with no front matter"):
        read_rule(path)


def test_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"+++\n\xff\n+++\n")
    (tmp_path / "b.md").mkdir()
    for name in ("a.md", "b.md"):
        with pytest.raises(LoopsafeError, match="cannot be read"):
            read_rule(tmp_path / name)


def test_code_that_is_taken(tmp_path: Path) -> None:
    write(tmp_path)
    second = write(tmp_path, "other.md", name='"other"')
    with pytest.raises(LoopsafeError) as caught:
        read_rules([tmp_path])
    assert str(caught.value) == f"{second}: code ABC123 is already taken by rule `a-name`"


def test_shipped_rules_are_there() -> None:
    rules = read_rules([shipped_folder()])
    assert {"LSA101", "LSA111", "LSA201", "LSA301", "LSA401"} <= rules.keys()
    assert list(rules) == sorted(rules)
