"""The engine as front ends call it, from a few files on disk to findings and new texts."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path

import msgspec
import pytest

from loopsafe import engine
from loopsafe.config import Settings
from loopsafe.model import Applicability, Confidence, Edit, Fix, LoopsafeError, Position

NAP = "import time\n\n\nasync def nap():\n    time.sleep(1)\n"
HELPER = "import time\n\n\ndef wait():\n    time.sleep(1)\n"
CALLER = "from helper import wait\n\n\nasync def main():\n    wait()\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pyproject.toml").write_text("", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(name: str, text: str) -> None:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")


def check(*paths: str, **changes: object) -> engine.Outcome:
    settings = {"root": str(Path.cwd()), "use_cache": False, **changes}
    overlays = settings.pop("overlays", None)
    return engine.check(list(paths) or ["."], Settings(**settings), overlays=overlays)  # type: ignore[arg-type]


def codes(outcome: engine.Outcome) -> list[str]:
    return [f"{one.path}:{one.span.row} {one.code}" for one in outcome.diagnostics]


def test_findings_are_sorted_and_placed() -> None:
    write("b.py", NAP)
    write("a.py", NAP + "    time.sleep(2)\n")
    outcome = check()
    assert codes(outcome) == ["a.py:5 LSA105", "a.py:6 LSA105", "b.py:5 LSA105"]
    assert outcome.files == ("a.py", "b.py")
    assert [one.noqa_row for one in outcome.diagnostics] == [5, 6, 5]
    assert outcome.diagnostics[0].fix is not None


def test_a_path_is_given_step_by_step() -> None:
    write("helper.py", HELPER)
    write("caller.py", CALLER)
    (found,) = check("caller.py").diagnostics
    assert found.code == "LSA115"
    assert [(step.path, step.row, step.function, step.call) for step in found.chain] == [
        ("caller.py", 5, "main", "wait"),
        ("helper.py", 5, "wait", "time.sleep"),
    ]


def test_a_function_may_be_given_hundreds_of_constants() -> None:
    calls = "".join(f"    secret('KEY_{number}')\n" for number in range(600))
    reading = "def secret(name):\n    if name.startswith('file/'):\n        return open(name).read()\n\n\n"
    write("a.py", f"{reading}async def main():\n{calls}    secret('file/a')\n")
    assert codes(check()) == ["a.py:607 LSA113"]


def test_leaving_a_block_is_blamed_only_if_nothing_in_it_is() -> None:
    rows = "def rows(connection: sqlite3.Connection):\n    with connection:\n        connection.execute('')\n\n\n"
    write("a.py", f"import sqlite3\n\n\n{rows}async def main(connection):\n    rows(connection)\n")
    (one,) = check().diagnostics
    assert one.chain[-1].call == "sqlite3.Connection.execute"


def test_files_that_were_not_asked_for_are_read_but_not_reported() -> None:
    write("helper.py", HELPER + NAP)
    write("caller.py", CALLER)
    assert codes(check("caller.py")) == ["caller.py:5 LSA115"]
    assert codes(check("helper.py")) == ["helper.py:10 LSA105"]


def test_overlay_stands_for_the_file() -> None:
    write("helper.py", HELPER)
    write("caller.py", "")
    assert codes(check("caller.py", overlays={"caller.py": CALLER.encode()})) == ["caller.py:5 LSA115"]
    write("caller.py", CALLER)
    quiet = check("caller.py", overlays={"caller.py": CALLER.encode(), "helper.py": b"def wait(): pass\n"})
    assert codes(quiet) == []


def test_overlay_need_not_exist() -> None:
    write("helper.py", HELPER)
    outcome = check("new.py", overlays={"new.py": CALLER.encode()})
    assert codes(outcome) == ["new.py:5 LSA115"]
    source = outcome.sources("new.py")
    assert source is not None
    assert source.text == CALLER


def test_unknown_selector_is_the_user_s_mistake() -> None:
    with pytest.raises(LoopsafeError, match="`XYZ`"):
        check(select=("XYZ",))


def test_suppression_and_confidence_are_settings() -> None:
    write("a.py", NAP.replace("(1)", "(1)  # noqa: LSA105"))
    assert codes(check()) == []
    assert codes(check(ignore_noqa=True)) == ["a.py:5 LSA105"]
    assert codes(check(ignore_noqa=True, min_confidence=Confidence.CERTAIN)) == ["a.py:5 LSA105"]


def test_fixes_are_only_looked_for_when_wanted() -> None:
    write("a.py", NAP)
    (found,) = check(proposes_fixes=False).diagnostics
    assert (found.fix, found.remedy is None) == (None, False)


class TestFix:
    def fix(self, *paths: str, **changes: object) -> engine.Fixed:
        outcome = check(*paths, fix=True, **changes)
        return engine.fix(outcome, Settings(fix=True, **changes))  # type: ignore[arg-type]

    def test_new_texts_are_given_and_nothing_is_written(self) -> None:
        write("a.py", NAP)
        fixed = self.fix()
        assert fixed.files == {
            "a.py": b"import asyncio\nimport time\n\n\nasync def nap():\n    await asyncio.sleep(1)\n"
        }
        assert (fixed.fixed, fixed.remaining.diagnostics) == (1, ())
        assert Path("a.py").read_text(encoding="utf-8") == NAP

    def test_bytes_elsewhere_stay(self) -> None:
        text = "\ufeff" + NAP.replace("\n", "\r\n") + "# caf\u00e9\x0c\r\n"
        write("a.py", text)
        (data,) = self.fix().files.values()
        assert data.decode() == text.replace("import time\r\n", "import asyncio\r\nimport time\r\n").replace(
            "time.sleep", "await asyncio.sleep"
        )

    def test_one_pass_shows_the_next_what_it_changed(self) -> None:
        """A helper that becomes asynchronous, or a call that moves to a thread, changes what others find."""
        write("helper.py", HELPER)
        write("caller.py", CALLER + "    wait()\n")
        fixed = self.fix()
        assert list(fixed.files) == ["caller.py"]
        assert fixed.remaining.diagnostics == ()
        assert fixed.fixed == 2

    def test_only_files_that_were_asked_for_are_touched(self) -> None:
        write("a.py", NAP)
        write("b.py", NAP)
        assert list(self.fix("a.py").files) == ["a.py"]

    def test_broken_files_are_left_alone(self) -> None:
        write("a.py", NAP)
        write("b.py", "def f(:\n")
        fixed = self.fix()
        assert list(fixed.files) == ["a.py"]
        assert codes(fixed.remaining) == ["b.py:1 invalid-syntax"]

    def test_file_that_parses_but_does_not_compile_is_left_alone(self) -> None:
        write("a.py", NAP + "    return\n    global nap\n    nap = await nap()\n")
        write("b.py", NAP + "    x = 1\n    global x\n")
        fixed = self.fix()
        assert list(fixed.files) == ["a.py"]
        assert fixed.remaining.warnings == ("b.py: does not compile, nothing was fixed there",)
        assert codes(fixed.remaining) == ["b.py:5 LSA105"]

    def test_fix_that_the_file_s_encoding_cannot_hold(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Only a plugin's fix can contain such text."""
        write("a.py", "# coding: ascii\n" + NAP)
        outcome = check(fix=True)
        (found,) = outcome.diagnostics
        fix = Fix("x", Applicability.SAFE, (Edit(Position(6, 5), Position(6, 5), "x = 'é'; "),))
        changed = msgspec.structs.replace(outcome, diagnostics=(msgspec.structs.replace(found, fix=fix),))
        fixed = engine.fix(changed, Settings(fix=True))
        assert fixed.files == {}
        assert fixed.remaining.warnings == ("a.py: a fix does not fit into ascii, it was left out",)

    def test_fixes_that_undo_each_other_come_to_an_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        write("a.py", "x = 1\n")
        texts = cycle([b"x = 2\n", b"x = 1\n"])
        monkeypatch.setattr("loopsafe.fixes.together.fix_once", lambda *_: ({"a.py": next(texts)}, []))
        monkeypatch.setattr(engine, "_MOST_PASSES", 3)
        assert self.fix().remaining.warnings == ("a.py: after 3 passes there are still fixes; please report this",)

    def test_nothing_to_do(self) -> None:
        write("a.py", "x = 1\n")
        fixed = self.fix()
        assert (fixed.files, fixed.fixed) == ({}, 0)
