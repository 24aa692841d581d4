"""A repository whose tasks share one connection: its transaction must not be torn apart.

Fixed by: --fix --unsafe-fixes
"""

import asyncio
import os

import psycopg2


class Accounts:
    def __init__(self) -> None:
        self.connection = psycopg2.connect(os.environ["DATABASE_URL"])
        self.lock = asyncio.Lock()

    async def deposit(self, name: str, amount: int, *, keep: bool) -> None:
        async with self.lock:
            with self.connection.cursor() as cursor:
                cursor.execute("UPDATE accounts SET balance = balance + %s WHERE name = %s", (amount, name))
                cursor.execute("UPDATE accounts SET balance = balance + 1 WHERE name = %s", (name,))
                if keep:
                    self.connection.commit()
                else:
                    self.connection.rollback()

    async def balance(self, name: str) -> int:
        async with self.lock:
            cursor = self.connection.cursor()
            cursor.execute("SELECT balance FROM accounts WHERE name = %s", (name,))
            balance = cursor.fetchone()[0]
            cursor.close()
            return balance

    async def close(self) -> None:
        self.connection.close()


accounts = Accounts()


async def main() -> None:
    await asyncio.gather(accounts.deposit("ada", 10, keep=True), accounts.deposit("bob", 20, keep=False))
    print(await accounts.balance("ada"), await accounts.balance("bob"))
    await accounts.close()
