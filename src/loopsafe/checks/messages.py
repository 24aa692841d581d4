"""The words for what calls do, the same everywhere.

Messages name the thing by its source text, say what happens at run time, and what to do.
"""

from __future__ import annotations

from typing import Final

from loopsafe.catalog import Fact
from loopsafe.model import Effect

_DOES: Final[dict[Effect, str]] = {
    Effect.NETWORK: "waits for the network",
    Effect.DATABASE: "waits for the database",
    Effect.FILE: "reads or writes files",
    Effect.PROCESS: "waits for another process",
    Effect.SLEEP: "sleeps",
    Effect.WAIT: "waits for another thread",
    Effect.INPUT: "waits for the user",
    Effect.CPU: "computes for long",
    Effect.METADATA: "asks the file system",
    Effect.RUN_LOOP: "runs an event loop",
    Effect.DRIVE_LOOP: "runs an event loop",
}


_LOOP_RESULT: Final = "asyncio.run_coroutine_threadsafe.Future."
"""Where the methods are that wait for what an event loop does: on that loop itself in vain."""


def describe_direct(text: str, fact: Fact) -> str:
    """The message for a primitive called in a coroutine itself."""
    if fact.name.startswith(_LOOP_RESULT):
        return f"`{text}` {_does(fact)}, and blocks the event loop: await the coroutine instead"
    if fact.effect in (Effect.RUN_LOOP, Effect.DRIVE_LOOP):
        return f"`{text}` raises RuntimeError here, where an event loop is already running: await the coroutine instead"
    return f"`{text}` {_DOES[fact.effect]} and blocks the event loop: {_remedy(fact)}"


def describe_indirect(text: str, fact: Fact, hops: int) -> str:
    """The message for a call that leads to a primitive through synchronous code."""
    steps = "1 call" if hops == 1 else f"{hops} calls"
    if fact.effect in (Effect.RUN_LOOP, Effect.DRIVE_LOOP):
        return (
            f"`{text}` reaches `{fact.name}` through {steps}, which raises RuntimeError here, "
            "where an event loop is already running: await the coroutine instead"
        )
    twin = "" if fact.twin is None else f"; its asynchronous twin is `{fact.twin}`"
    return f"`{text}` blocks the event loop: through {steps} it reaches `{fact.name}`, which {_does(fact)}{twin}"


def _does(fact: Fact) -> str:
    is_for_loop = fact.name.startswith(_LOOP_RESULT)
    return "waits for a coroutine, in vain if this is its own loop" if is_for_loop else _DOES[fact.effect]


def _remedy(fact: Fact) -> str:
    if fact.replacement is not None:
        return f"await `{fact.replacement}` instead"
    if fact.twin is not None:
        return f"run it in a thread, or use `{fact.twin}`"
    return "run it in a thread"
