"""Whatever lies in a folder: one clear diagnostic for it, the rest is checked, and nobody sees a traceback."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loopsafe.config import Settings
from loopsafe.engine import check, fix
from loopsafe.model import INVALID_SYNTAX

GOOD = "import time\n\n\nasync def nap():\n    time.sleep(1)\n"
GOOD_LINE = "good.py:5:5: LSA105 [*] "
Concise = Callable[..., Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text("", encoding="utf-8")
    (tmp_path / "good.py").write_text(GOOD, encoding="utf-8")
    return tmp_path


@pytest.fixture
def concise(run: Callable[..., Any], folder: Path) -> Concise:
    """Run `check`, demand that the good file's finding is there, and return the other findings' lines."""

    def concise(*arguments: str, code: int = 1, err: str = "") -> list[str]:
        done = run("loopsafe", "check", "--output-format", "concise", *arguments, cwd=folder)
        assert (done.code, done.err) == (code, err), done
        lines = [line for line in done.out.splitlines() if ": " in line and not line.startswith(("Found ", "[*]"))]
        assert [line for line in lines if line.startswith(GOOD_LINE)], done.out
        return [line for line in lines if not line.startswith(GOOD_LINE)]

    return concise


NOT_TEXT = {
    "null byte": (b"x = 1\0\n", "E902 contains a null byte at offset 5: not a text file"),
    "binary": (bytes(range(256)) * 8, "E902 contains a null byte at offset 0: not a text file"),
    "latin-1": (b"# caf\xe9\nx = 1\n", "E902 not valid utf-8: byte 0xe9 at offset 5 (invalid continuation byte)"),
    "utf-16": ("import time\n".encode("utf-16"), "E902 contains a null byte at offset 3: not a text file"),
    "surrogate": (b"x = '\xed\xa0\x80'\n", "E902 not valid utf-8: byte 0xed at offset 5 (invalid continuation byte)"),
    "unknown cookie": (b"# coding: nonsense\nx = 1\n", "E902 unknown encoding: nonsense"),
    "cookie of no text": (b"# coding: zlib\nx = 1\n", "E902 cannot be decoded as zlib: "),
    "syntax error": (b"def f(:\n", "invalid-syntax: Invalid syntax"),
    "tabs and blanks": (b"if 1:\n\tx\n        y\n", "invalid-syntax: Inconsistent use of tabs and spaces"),
    "open bracket": (b"x = (\n", "invalid-syntax: '(' was never closed"),
    "10,000 parentheses": (
        b"x = " + b"(" * 10_000 + b"1" + b")" * 10_000,
        "invalid-syntax: Too many nested parentheses",
    ),
    "3,000 lists": (b"x = " + b"[" * 3_000 + b"]" * 3_000, "invalid-syntax: Too many nested parentheses"),
    "200 blocks": (
        b"".join(b" " * depth + b"if a:\n" for depth in range(200)) + b" " * 200 + b"pass\n",
        "invalid-syntax: Too many levels of indentation",
    ),
}
"""Contents and the beginning of what is said about them."""


def test_what_is_not_python_gets_one_diagnostic_each(folder: Path, concise: Concise) -> None:
    names = {f"bad_{number}.py": case for number, case in enumerate(NOT_TEXT.values(), 10)}
    for name, (data, _) in names.items():
        (folder / name).write_bytes(data)
    cold = concise()
    assert [line.split(":")[0] for line in cold] == list(names)
    for line, (_, message) in zip(cold, names.values(), strict=True):
        assert line.split(": " if ": invalid" in line else " ", 1)[1].startswith(message), line
    assert concise() == cold, "a second run has a cache, and says the same"


FINE = {
    "latin-1 with cookie": b"# coding: latin-1\nimport time\nasync def f():\n    x = '\xe9'; time.sleep(1)\n",
    "utf-8 mark": b"\xef\xbb\xbf#\nimport time\nasync def f():\n    x = '1'; time.sleep(1)\n",
    "windows": b"#\r\nimport time\r\nasync def f():\r\n    x = '1'; time.sleep(1)\r\n",
    "form feeds": b"\x0c#\nimport time\x0c\nasync def f():\n    x = '1'; time.sleep(1)\n",
    "warnings of the compiler": b"y = '\\d' is 1\nimport time\nasync def f():\n    x = '1'; time.sleep(1)\n",
}


def test_unusual_text_is_read_properly(folder: Path, concise: Concise) -> None:
    for number, data in enumerate(FINE.values()):
        (folder / f"fine_{number}.py").write_bytes(data)
    assert [line.split(" ")[0] for line in concise()] == [f"fine_{number}.py:4:14:" for number in range(len(FINE))]


def test_files_with_nothing_in_them(folder: Path, concise: Concise) -> None:
    for number, data in enumerate([b"", b"\xef\xbb\xbf", b"\n", b"   ", b"#", b"\x0c"]):
        (folder / f"nothing_{number}.py").write_bytes(data)
    assert concise() == []


DEEP = {
    "5,000 terms": "x = " + " + ".join(["1"] * 5_000),
    "2,000 calls": "async def f(a):\n    a" + ".b()" * 2_000,
    "20,000 attributes": "async def f(a):\n    a" + ".b" * 20_000,
    "5,000 branches": "if a: pass\n" + "elif b: pass\n" * 5_000,
    "5,000 lambdas": "x = " + "lambda: " * 5_000 + "1",
    "50,000 signs": "x = " + "-" * 50_000 + "1",
    "5,000 conditions": "x = " + "1 if a else " * 5_000 + "1",
    "5,000 comparisons": "x = " + " < ".join(["a"] * 5_000),
    "95 functions": "".join(" " * depth + f"def f{depth}():\n" for depth in range(95)) + " " * 95 + "pass",
    "5,000 statements": "async def f(a):\n" + "    a = a.b()\n" * 5_000,
    "5,000 loops' variables": "def f():\n" + "".join(f"    for x{n} in x{n - 1}: pass\n" for n in range(1, 5_000)),
}


def test_deep_nesting_is_read_or_refused_but_harms_no_other_file(folder: Path, concise: Concise) -> None:
    """Which depths can be parsed at all depends on the Python."""
    for number, text in enumerate(DEEP.values(), 10):
        (folder / f"deep_{number}.py").write_text(text + "\n", encoding="utf-8")
    for line in concise():
        assert line.split(": ", 1)[1] == "invalid-syntax: Too deeply nested to be analysed"


def test_file_of_20_000_lines(folder: Path, concise: Concise) -> None:
    functions = "".join(f"def f{n}(x):\n    return f{n + 1}(x)\n\n" for n in range(6_600))
    main = "def f6600(x):\n    time.sleep(x)\n\n\nasync def main():\n    f0(1)\n"
    (folder / "long.py").write_text(f"import time\n\n\n{functions}{main}", encoding="utf-8")
    (line,) = concise()
    assert line.startswith("long.py:19809:5: LSA115 [*] `f0` blocks the event loop: through 6601 calls")


class TestThingsThatAreNoFiles:
    def test_missing(self, concise: Concise) -> None:
        assert concise("missing.py", "no/such/folder", "good.py") == [
            "missing.py:1:1: E902 No such file or directory (os error 2)",
            "no/such/folder:1:1: E902 No such file or directory (os error 2)",
        ]

    def test_folder_that_is_called_like_a_file(self, folder: Path, concise: Concise) -> None:
        (folder / "folder.py").mkdir()
        (folder / "folder.py" / "inner.py").write_text(GOOD, encoding="utf-8")
        assert [line.split(" ")[0] for line in concise()] == ["folder.py/inner.py:5:5:"]

    def test_dangling_link(self, folder: Path, concise: Concise) -> None:
        (folder / "dangling.py").symlink_to("nowhere.py")
        assert concise() == ["dangling.py:1:1: E902 No such file or directory (os error 2)"]

    @pytest.mark.xfail(reason="source/discovery.py: `entry.is_dir()` raises for a link in a circle", strict=True)
    def test_links_in_a_circle(self, folder: Path, concise: Concise) -> None:
        (folder / "a.py").symlink_to("b.py")
        (folder / "b.py").symlink_to("a.py")
        (folder / "up").symlink_to("..")
        (folder / "self").symlink_to(".")
        assert concise() == [
            f"{name}.py:1:1: E902 Too many levels of symbolic links (os error 40)" for name in ("a", "b")
        ]

    def test_pipe(self, folder: Path, concise: Concise) -> None:
        """Reading one would wait for a writer for ever."""
        os.mkfifo(folder / "pipe.py")
        assert concise(".") == []

    def test_name_that_is_no_text(self, folder: Path, concise: Concise) -> None:
        Path(os.fsdecode(os.fsencode(folder) + b"/\xff.py")).write_text(GOOD, encoding="utf-8")
        for _ in range(2):
            assert [line.split(" ")[0] for line in concise()] == ["\\udcff.py:5:5:"]

    def test_standard_input(self, run: Callable[..., Any], folder: Path) -> None:
        done = run("loopsafe", "check", "--output-format", "concise", "-", cwd=folder, stdin=b"\xff\n")
        assert (done.code, done.err) == (1, "")
        assert done.out.startswith("-:1:1: E902 not valid utf-8")


def test_modules_that_import_each_other(folder: Path, concise: Concise) -> None:
    (folder / "hen.py").write_text(
        "import time\nfrom egg import *\nfrom egg import Egg, hatch\nclass Hen(Egg): pass\n"
        "def lay(): return hatch()\nasync def main(): lay()\n",
        encoding="utf-8",
    )
    (folder / "egg.py").write_text(
        "import hen\nfrom hen import *\nimport time\nclass Egg(hen.Hen): pass\ndef hatch(): hen.lay(); time.sleep(1)\n",
        encoding="utf-8",
    )
    assert [line.split(" `")[0] for line in concise()] == ["hen.py:6:19: LSA115"]


def test_modules_that_import_everything_of_each_other(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that none of them has is looked for once in each, not along every path through them."""
    from loopsafe.project.names import Names

    calls: list[str] = []
    exported = Names.exported
    monkeypatch.setattr(Names, "exported", lambda *args: (calls.append(args[2]), exported(*args))[1])
    modules = ("a", "b", "c")
    for module in modules:
        stars = "".join(f"from {other} import *\n" for other in modules if other != module)
        (folder / f"{module}.py").write_text(f"{stars}\nasync def main():\n    nowhere()\n", encoding="utf-8")
    check([str(folder)], Settings(root=str(folder), use_cache=False))
    assert calls.count("nowhere") < 100


def test_project_folder_that_cannot_be_written_to(folder: Path, concise: Concise) -> None:
    """Root may write anywhere, so the cache's place is taken instead."""
    (folder / ".loopsafe_cache").write_text("", encoding="utf-8")
    assert concise() == concise() == []
    assert (folder / ".loopsafe_cache").read_text(encoding="utf-8") == ""
    assert sorted(path.name for path in folder.iterdir()) == [".loopsafe_cache", "good.py", "pyproject.toml"]


class TestFilesThatVanish:
    """Between two looks at the disk anything may happen to it."""

    def test_after_the_cache_said_that_it_is_unchanged(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from loopsafe import cache, engine

        os.utime(folder / "good.py", (1, 1))
        settings = Settings(root=str(folder))
        path = str(folder / "good.py")
        assert [one.code for one in check([path], settings).diagnostics] == ["LSA105"]
        monkeypatch.setattr(cache.Cache, "findings", lambda *_: None)
        monkeypatch.setattr(cache.Cache, "summary", lambda *_: None)
        monkeypatch.setattr(engine.source, "read", _vanish)
        assert [one.code for one in check([path], settings).diagnostics] == ["E902"]

    def test_between_the_passes_of_a_fix(self, folder: Path) -> None:
        settings = Settings(root=str(folder), use_cache=False, fix=True)
        (folder / "other.py").write_text(GOOD, encoding="utf-8")
        outcome = check([str(folder)], settings)
        (folder / "other.py").unlink()
        fixed = fix(outcome, settings)
        assert str(folder / "good.py") in fixed.files

    def test_before_its_text_is_shown(self, folder: Path) -> None:
        outcome = check([str(folder / "good.py")], Settings(root=str(folder)))
        (folder / "good.py").unlink()
        assert [one.code for one in outcome.diagnostics] == ["LSA105"]


def _vanish(path: str) -> None:
    from loopsafe.source.text import UnreadableSource

    raise UnreadableSource(path, "gone")


def test_syntax_errors_cannot_be_switched_off(folder: Path) -> None:
    (folder / "bad.py").write_text("def f(:  # noqa\n", encoding="utf-8")
    settings = Settings(select=("LSA101",), ignore=("ALL",), root=str(folder), use_cache=False)
    (found,) = check([str(folder)], settings).diagnostics
    assert (found.code, found.name, found.noqa_row, found.fix) == (INVALID_SYNTAX, INVALID_SYNTAX, None, None)
    assert found.span[:2] == (1, 7)
