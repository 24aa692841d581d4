"""Every case of moving a call that was judged before the fixes were written has a fixture that names it: F1 to F90."""

from __future__ import annotations

import re
from typing import Final

from . import places

JUDGED: Final = frozenset(range(1, 91))
TEXTS: Final = {79: "crlf", 80: "latin_1", 85: "syntax_error"}
"""Fixtures of texts are made by a program, and say nothing of cases."""
BY_TESTS: Final = frozenset({68})
"""What depends on a setting, which no fixture has: see tests/unit/test_fixes.py, by row."""


def test_every_judged_case_has_a_fixture() -> None:
    paths = [path for path in (places.FIXTURES / "rules").rglob("*.py") if not path.match("*.fixed.py")]
    texts = (path.read_text(encoding="utf-8") for path in paths)
    named = {int(number) for text in texts for number in _find_named(text)}
    assert not JUDGED - named - TEXTS.keys() - BY_TESTS
    assert all((places.FIXTURES / "text" / f"{name}.py").exists() for name in TEXTS.values())


def test_what_no_fixture_can_show_has_a_test() -> None:
    text = (places.ROOT / "tests" / "unit" / "test_fixes.py").read_text(encoding="utf-8")
    assert {int(number) for number in re.findall(r"^    \((\d+), ", text, re.MULTILINE)} >= BY_TESTS


def _find_named(text: str) -> list[str]:
    """Numbers of cases in comments and docstrings, ranges such as `F1 to F18` not counted."""
    return re.findall(r"\bF(\d{1,2})\b(?! to)", text)
