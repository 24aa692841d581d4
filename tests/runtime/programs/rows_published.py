"""Rows of a cursor that are handed on with `await`, one by one.

Fixed by: --fix
"""

import asyncio
import os

import psycopg2


async def publish(queue: asyncio.Queue, customer: str) -> None:
    connection = psycopg2.connect(os.environ["DATABASE_URL"])
    cursor = connection.cursor()
    cursor.execute("SELECT amount FROM slow_orders WHERE customer = %s ORDER BY amount", (customer,))
    for (amount,) in cursor.fetchall():
        await queue.put(amount)
    connection.close()
    await queue.put(None)


async def main() -> None:
    queue: asyncio.Queue = asyncio.Queue(1)
    task = asyncio.create_task(publish(queue, "zoe"))
    while (amount := await queue.get()) is not None:
        print(amount)
    await task
