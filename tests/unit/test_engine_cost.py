"""What an analysis costs grows with what it looks at, not with its square: measured as ratios, back to back."""

from __future__ import annotations

import time
from pathlib import Path

from loopsafe import engine
from loopsafe.config import Settings

BASE = """
class Entity:
    def update(self) -> None: ...
    async def refresh(self) -> None:
        self.update()
"""
MODULE = """
from base import Entity

class Sensor{number}(Entity):
    async def poll(self, other: Entity) -> None:
        other.update()
"""
CALLS = 40


def spend(folder: Path, modules: int) -> float:
    """CPU seconds of the quicker of two checks of a project whose classes might all override what the others call."""
    folder.mkdir()
    (folder / "base.py").write_text(BASE)
    for number in range(modules):
        (folder / f"sensor{number}.py").write_text(MODULE.format(number=number) + "        other.update()\n" * CALLS)
    settings = Settings(use_cache=False, root=str(folder))
    times = []
    for _ in range(2):
        start = time.process_time()
        engine.check([str(folder)], settings)
        times.append(time.process_time() - start)
    return min(times)


def test_subclasses_are_not_gone_through_at_each_call(tmp_path: Path) -> None:
    small = spend(tmp_path / "small", 100)
    assert spend(tmp_path / "large", 800) < 10 * small
