"""Hostile and generated code: inference ends, says nothing wrong, and does not cost more than its size explains."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from loopsafe import engine
from loopsafe.config import Settings

MANY: Final = 3_000
"""Classes or functions; homeassistant, one of the largest open programs, has about that many entities."""
_MOST_GROWTH: Final = 8.0
"""Twice the code may take so many times as long: quadratic would be 4, and small runs are noisy."""

IMPORT: Final = "import time\n\n"


def chain_of_classes(count: int) -> str:
    rows = ["class C0:\n    def work(self):\n        time.sleep(1)\n"]
    rows += [f"class C{number}(C{number - 1}):\n    pass\n" for number in range(1, count)]
    return IMPORT + "\n".join(rows) + f"\nasync def main():\n    C{count - 1}().work()\n"


def wide_hierarchy(count: int) -> str:
    rows = ["class Base:\n    def work(self): ...\n"]
    rows += [f"class C{number}(Base):\n    def work(self):\n        time.sleep(1)\n" for number in range(count)]
    return IMPORT + "\n".join(rows) + "\nasync def main(base: Base):\n    base.work()\n"


def diamonds(count: int) -> str:
    rows = ["class L0:\n    def work(self):\n        time.sleep(1)\n\nclass R0(L0): ...\n"]
    rows += [f"class L{n}(L{n - 1}): ...\nclass R{n}(L{n - 1}, R{n - 1}): ...\n" for n in range(1, min(count, 200))]
    return IMPORT + "\n".join(rows) + "\nasync def main():\n    L0().work()\n"


def chain_of_functions(count: int) -> str:
    rows = ["def f0():\n    time.sleep(1)\n"]
    rows += [f"def f{number}():\n    return f{number - 1}()\n" for number in range(1, count)]
    return IMPORT + "\n".join(rows) + f"\nasync def main():\n    f{count - 1}()\n"


def mutual_recursion(count: int) -> str:
    rows = [
        f"def f{number}(x):\n    if x:\n        time.sleep(1)\n    return f{(number * 7 + 1) % count}([x])\n"
        for number in range(count)
    ]
    return IMPORT + "\n".join(rows) + "\nasync def main(x):\n    f0(x)\n"


def huge_union(count: int) -> str:
    rows = [f"class C{number}:\n    def work(self):\n        time.sleep(1)\n" for number in range(count)]
    union = " | ".join(f"C{number}" for number in range(min(count, 900)))
    return IMPORT + "\n".join(rows) + f"\nasync def main(one: '{union}'):\n    one.work()\n    time.sleep(1)\n"


def growing_values(count: int) -> str:
    rows = [f"    x = (x, [x], {{'{number}': x}}, lambda: x)\n" for number in range(min(count, 400))]
    return IMPORT + "async def main(x):\n" + "".join(rows) + "    x[0]()\n    time.sleep(1)\n"


def many_records(count: int) -> str:
    head = "from dataclasses import dataclass\n\n@dataclass\nclass Record:\n    number: int\n    work: object = None\n"
    run = "    def run(self):\n        if self.number and self.work is None:\n            time.sleep(1)\n"
    rows = ", ".join(f"Record({number})" for number in range(count))
    calls = f"    for row in ROWS:\n        row.run()\n    Record({count}).run()\n"
    return f"{IMPORT}{head}{run}\nROWS = [{rows}]\n\nasync def main():\n{calls}"


def values_used_twice(count: int) -> str:
    rows = "    x = x.join(x)\n    y = find(y, y, y, y, y)\n" * count
    tests = "    if x or y == 'a':\n        time.sleep(1)\n    if y == 'b':\n        time.sleep(1)\n"
    return IMPORT + f"def walk(x, y):\n{rows}{tests}\nasync def main(x):\n    walk('a', x)\n"


def many_ways_to_call(count: int) -> str:
    rows = [f"class C{number}: ...\n" for number in range(count)]
    call = "async def main{0}():\n    walk(C{0}(), C{1}())\n\n"
    calls = [call.format(number, count - number - 1) for number in range(count)]
    walk = "def walk(a, b):\n    time.sleep(1)\n    return walk(b, a)\n\n"
    return IMPORT + walk + "".join(rows) + "\n" + "".join(calls)


SHAPES: Final[dict[Callable[[int], str], int | None]] = {
    chain_of_classes: None,  # an ancestor too far away is unknown
    wide_hierarchy: 1,
    diamonds: 1,
    chain_of_functions: 1,
    mutual_recursion: 1,
    huge_union: 1,
    growing_values: 1,
    many_records: 1,
    values_used_twice: 1,
    many_ways_to_call: MANY,
}
"""Each with the findings in it; None where the bounds leave something out."""


def spend(folder: Path, text: str) -> tuple[float, int]:
    """Check a text; the CPU seconds and the number of findings."""
    (folder / "main.py").write_text(text, encoding="utf-8")
    started = time.process_time()
    settings = Settings(root=str(folder), use_cache=False, select=("LSA1",), proposes_fixes=False)
    found = engine.check([str(folder)], settings).diagnostics
    return time.process_time() - started, len(found)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_ends(tmp_path: Path, shape: Callable[[int], str]) -> None:
    """And twice as much of it takes about twice as long."""
    spend(tmp_path, shape(10))
    half, _ = spend(tmp_path, shape(MANY // 2))
    whole, found = spend(tmp_path, shape(MANY))
    wanted = SHAPES[shape]
    assert wanted is None or found == wanted
    assert whole < max(half, 0.05) * _MOST_GROWTH, f"{half:.2f} s became {whole:.2f} s"
