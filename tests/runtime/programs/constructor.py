"""A repository whose constructor connects, and makes an asyncio lock.

Fixed by: --fix
"""

import asyncio
import os

import psycopg2


class Accounts:
    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        connection = psycopg2.connect(os.environ["DATABASE_URL"])
        cursor = connection.cursor()
        cursor.execute("SELECT DISTINCT customer FROM slow_orders")
        self.names = [name for (name,) in cursor]
        connection.close()

    async def add(self, name: str) -> None:
        async with self.lock:
            self.names.append(name)


async def main() -> None:
    accounts = Accounts()
    await accounts.add("eve")
    print(accounts.names)
