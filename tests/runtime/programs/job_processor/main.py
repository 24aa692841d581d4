"""A job processor that takes its connections from a pool, through an asynchronous context manager.

Fixed by: --fix --unsafe-fixes
"""

import asyncio

from database import Database
from jobs import JobProcessor


async def main() -> None:
    processor = JobProcessor(Database())
    await asyncio.gather(*(processor.add(name) for name in ("resize", "encode", "mail")))
    print(sorted(await processor.pending()))
    print(len(set(await asyncio.gather(processor.run_next(), processor.run_next()))))
    print(await processor.counts())
    await processor.close()
