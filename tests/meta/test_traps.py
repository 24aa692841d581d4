"""Every case that was judged before the rules were written has a fixture that names it in its story."""

from __future__ import annotations

import re
from typing import Final

from . import places

JUDGED: Final = {
    *(f"A{n}" for n in range(1, 46)),  # calls that block
    *(f"B{n}" for n in range(1, 21)),  # async without need
    *("C1", "C2", "C3", "C8", "C9", "C10", "C13"),  # coroutines never awaited
    *(f"D{n}" for n in (1, 2, 3, 4, 5, 6, 7, 13)),  # loops inside loops
}


def test_every_judged_case_has_a_fixture() -> None:
    paths = (places.FIXTURES / "rules").rglob("*.py")
    stories = [path.read_text(encoding="utf-8").split("\n", 1)[0] for path in paths]
    named = {name for story in stories for name in re.findall(r"\b[A-D]\d+\b", story)}
    assert not JUDGED - named
