"""Every case that was judged before the rules were written has a fixture that names it in its story."""

from __future__ import annotations

import re
from typing import Final

from . import places

JUDGED: Final = {
    *(f"A{n}" for n in range(1, 46)),  # calls that block
    *(f"B{n}" for n in range(1, 21)),  # async without need
    *(f"C{n}" for n in range(1, 30)),  # coroutines never awaited, tasks dropped
    *(f"D{n}" for n in (1, 2, 3, 4, 5, 6, 7)),  # loops inside loops
    *("D9", "D10", "D11", "D12", "D13"),  # what cannot be awaited, entered or iterated
    *(f"D{n}" for n in (14, 15, 16, 17, 18)),  # clients and locks that outlive their loop
}


def test_every_judged_case_has_a_fixture() -> None:
    paths = (places.FIXTURES / "rules").rglob("*.py")
    stories = [path.read_text(encoding="utf-8").split("\n", 1)[0] for path in paths]
    named = {name for story in stories for name in re.findall(r"\b[A-D]\d+\b", story)}
    assert not JUDGED - named
