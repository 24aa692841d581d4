"""A client that waits between its attempts.

Fixed by: --fix
BlockBuster sees it.
"""

import asyncio
import os
import time

DELAY = float(os.environ["DELAY"])


class Flaky:
    def __init__(self, failures: int) -> None:
        self.failures = failures

    async def call(self) -> str:
        await asyncio.sleep(0)
        if self.failures:
            self.failures -= 1
            raise ConnectionError("try again")
        return "answered"


async def call_with_retries(service: Flaky, attempts: int = 3) -> str:
    for attempt in range(attempts):
        try:
            return await service.call()
        except ConnectionError as error:
            print(f"attempt {attempt}: {error}")
            time.sleep(DELAY)
    return "given up"


async def main() -> None:
    print(await call_with_retries(Flaky(1)))
