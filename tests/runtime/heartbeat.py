"""Runs a program beside a heartbeat: python heartbeat.py FOLDER REPORT [--blockbuster]

Runs `main()` of FOLDER/main.py, which prints its results, and writes the longest time between two heartbeats, in
seconds, to REPORT. With BlockBuster, what it takes for a blocking call on the loop raises in the program.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

INTERVAL = 0.01


class Heart:
    """Notes how long the loop takes between two turns."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def beat(self) -> None:
        last = time.perf_counter()
        while True:
            await asyncio.sleep(INTERVAL)
            now = time.perf_counter()
            self.longest = max(self.longest, now - last)
            last = now


async def watch(main: Callable[[], Awaitable[None]]) -> float:
    """Run `main` and return the longest stall."""
    heart = Heart()
    beating = asyncio.create_task(heart.beat())
    await asyncio.sleep(2 * INTERVAL)
    await main()
    await asyncio.sleep(2 * INTERVAL)  # what blocked up to the end shows in the next beat only
    beating.cancel()
    return heart.longest


def run() -> None:
    folder, report, *options = sys.argv[1:]
    sys.path.insert(0, folder)
    program = importlib.import_module("main")
    if "anyio" in sys.modules:
        importlib.import_module("anyio._backends._asyncio")  # as `anyio.run` does, before there is a loop
    if options:
        from blockbuster import BlockBuster

        BlockBuster().activate()
    Path(report).write_text(str(asyncio.run(watch(program.main))))


if __name__ == "__main__":
    run()
