"""Coroutines that wait for threads: a queue, a future, a thread's end.

Fixed by: --fix
BlockBuster sees it.
"""

import os
import queue
import threading
import time
from concurrent.futures import ThreadPoolExecutor

DELAY = float(os.environ["DELAY"])
results: "queue.Queue[str]" = queue.Queue()
pool = ThreadPoolExecutor(2)


def work(name: str) -> str:
    time.sleep(DELAY)
    results.put(name)
    return name.upper()


async def take() -> str:
    pool.submit(work, "queue")
    return results.get()


async def wait_for_future() -> str:
    future = pool.submit(work, "future")
    value = future.result()
    results.get()
    return value


async def wait_for_thread() -> int:
    thread = threading.Thread(target=work, args=("thread",))
    thread.start()
    thread.join()
    return results.qsize()


async def main() -> None:
    print(await take())
    print(await wait_for_future())
    print(await wait_for_thread())
