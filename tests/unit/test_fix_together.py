"""Fixes that span files: in all of them or in none, whatever stands in their way."""

# ruff: noqa: E501  (a case is one row of a table)

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loopsafe import engine
from loopsafe.config.settings import Settings
from loopsafe.fixes.together import Located, apply_together, fix_once
from loopsafe.model import Applicability, Diagnostic, Edit, Fix, Position, Span
from loopsafe.report import Report
from loopsafe.report.json import FORMAT
from loopsafe.source.text import decode

SAFE, UNSAFE = Applicability.SAFE, Applicability.UNSAFE


def replace(column: int, end: int, content: str) -> Edit:
    return Edit(Position(1, column), Position(1, end), content)


def located(path: str, *edits: Edit, degree: Applicability = SAFE, **others: tuple[Edit, ...]) -> Located:
    elsewhere = tuple((f"{name}.py", parts) for name, parts in others.items())
    return Located(path, Fix("", degree, edits, elsewhere))


class TestApplyTogether:
    def test_one_fix_changes_all_its_files(self) -> None:
        fix = located("a.py", replace(1, 2, "X"), b=(replace(2, 3, "Y"),))
        result = apply_together({"a.py": "abc", "b.py": "abc"}, [fix])
        assert (result.texts, result.applied) == ({"a.py": "Xbc", "b.py": "aYc"}, (0,))

    def test_a_fix_that_has_to_wait_in_one_file_waits_in_all(self) -> None:
        first = located("b.py", replace(1, 3, "Z"))
        second = located("a.py", replace(1, 2, "X"), b=(replace(2, 3, "Y"),))
        result = apply_together({"a.py": "abc", "b.py": "abc"}, [first, second])
        assert (result.texts, result.applied) == ({"b.py": "Zc"}, (0,))

    def test_two_that_keep_each_other_out_do_not_both_wait(self) -> None:
        first = located("a.py", replace(1, 2, "X"), b=(replace(2, 3, "X"),))
        second = located("b.py", replace(1, 3, "YY"), a=(replace(1, 2, "Y"),))
        result = apply_together({"a.py": "abc", "b.py": "abc"}, [first, second])
        assert (result.texts, result.applied) == ({"a.py": "Xbc", "b.py": "aXc"}, (0,))

    def test_what_is_not_trusted_enough_is_applied_nowhere(self) -> None:
        fix = located("a.py", replace(1, 2, "X"), degree=UNSAFE, b=(replace(2, 3, "Y"),))
        texts = {"a.py": "abc", "b.py": "abc"}
        assert apply_together(texts, [fix]).texts == {}
        assert len(apply_together(texts, [fix], UNSAFE).texts) == 2


class TestFixOnce:
    def diagnostic(self, path: str, edit: Edit, **others: tuple[Edit, ...]) -> Diagnostic:
        return Diagnostic(path, "LSA999", "x", "x", Span(1, 1, 1, 2), fix=located(path, edit, **others).fix)

    def test_a_file_that_would_break_keeps_the_others_as_they_are(self) -> None:
        sources = {name: decode(name, b"abc\n") for name in ("a.py", "b.py", "c.py")}
        torn = self.diagnostic("a.py", replace(1, 2, "x"), b=(replace(1, 2, "("),))
        whole = self.diagnostic("c.py", replace(1, 2, "x"))
        problems: dict[str, str] = {}
        changed, applied = fix_once([torn, whole], sources.get, SAFE, problems)
        assert changed == {"c.py": b"xbc\n"}
        assert applied == [whole]
        assert problems.keys() == {"b.py"}

    def test_a_file_that_cannot_be_read_any_more_ends_the_fix(self) -> None:
        fix = self.diagnostic("a.py", replace(1, 2, "x"), b=(replace(1, 2, "y"),))
        assert fix_once([fix], {"a.py": decode("a.py", b"abc")}.get, SAFE, {}) == ({}, [])


TEXT = "async def slug(title):\n    return title.lower()\n"
PAGE = "import asyncio\nimport text\n\n\nasync def show(title):\n    await asyncio.sleep(0)\n    print(await text.slug(title))\n"


def fix(folder: Path, *paths: str) -> engine.Fixed:
    settings = Settings(select=("LSA201",), use_cache=False, unsafe_fixes=True, root=str(folder))
    return engine.fix(engine.check([str(folder / path) for path in paths or (".",)], settings), settings)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    (tmp_path / "text.py").write_text(TEXT)
    (tmp_path / "pages.py").write_text(PAGE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_callers_in_other_files_change_with_the_function(project: Path) -> None:
    fixed = fix(project)
    assert {path: data.decode() for path, data in fixed.files.items()} == {
        "text.py": TEXT.replace("async ", ""),
        "pages.py": PAGE.replace("await text", "text"),
    }
    assert [one.code for one in fixed.applied] == ["LSA201"]
    assert fixed.remaining.diagnostics == ()


@pytest.mark.parametrize(
    ("name", "addition"),
    [
        pytest.param("other.py", "import text\n\njob = text.slug('a')\n", id="a call that is not awaited"),
        pytest.param("other.py", "async def main(x):\n    await x.slug('a')\n", id="a call of something unknown"),
        pytest.param("other.py", "import text\n\n\ndef get(name='slug'):\n    return getattr(text, name)\n", id="the name in a string"),
        pytest.param("other.py", "from text import slug as s\n\n\nasync def main():\n    await s('a')\n", id="another name"),
    ],
)  # fmt: skip
def test_nothing_changes_when_a_caller_may_need_it(project: Path, name: str, addition: str) -> None:
    (project / name).write_text(addition)
    assert fix(project).files == {}


def test_nothing_changes_when_a_caller_is_not_checked(project: Path) -> None:
    assert fix(project, "text.py").files == {}
    assert fix(project, "text.py", "pages.py").files.keys() == {"text.py", "pages.py"}


def test_a_suppressed_finding_is_not_fixed(project: Path) -> None:
    (project / "text.py").write_text(TEXT.replace("title):\n", "title):  # noqa: LSA201\n"))
    assert fix(project).files == {}


def test_programs_are_told_not_to_apply_half_of_it(project: Path) -> None:
    outcome = engine.check(["."], Settings(select=("LSA201",), use_cache=False, root=str(project)))
    report = Report(outcome.diagnostics, outcome.sources, str(project))
    fix = json.loads(FORMAT.render(report))[0]["fix"]
    assert fix["applicability"] == "displayonly"
    assert fix["message"] == "Make `slug` a plain function, and stop awaiting it in 1 other file"


def test_the_progress_is_told(project: Path) -> None:
    told: list[str] = []
    settings = Settings(select=("LSA201",), use_cache=False, unsafe_fixes=True, root=str(project))
    outcome = engine.check(["."], settings, progress=lambda what, done, total: told.append(what))
    engine.fix(outcome, settings)
    assert {"Reading file", "Checking rule", "Fixing, pass"} <= set(told)
