"""Two transfers at once, on connections of their own: one is rolled back, the other stays.

Fixed by: --fix
"""

import asyncio
import os

import psycopg2


async def transfer(sender: str, receiver: str, amount: int) -> str:
    connection = psycopg2.connect(os.environ["DATABASE_URL"])
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT txid_current()")
            transaction = cursor.fetchone()
            cursor.execute("UPDATE accounts SET balance = balance - %s WHERE name = %s", (amount, sender))
            cursor.execute("UPDATE accounts SET balance = balance + %s WHERE name = %s", (amount, receiver))
            cursor.execute("SELECT balance FROM accounts WHERE name = %s", (sender,))
            (left,) = cursor.fetchone()
            cursor.execute("SELECT txid_current()")
            assert cursor.fetchone() == transaction
        if left < 0:
            connection.rollback()
            return f"{sender} has not enough"
        connection.commit()
    finally:
        connection.close()
    return f"{sender} has {left} left"


async def balances() -> list[tuple[str, int]]:
    with psycopg2.connect(os.environ["DATABASE_URL"]) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT name, balance FROM accounts ORDER BY name")
        rows = cursor.fetchall()
    connection.close()
    return rows


async def main() -> None:
    print(await balances())
    print(*await asyncio.gather(transfer("ada", "bob", 70), transfer("cyd", "dan", 170)), sep="\n")
    print(await balances())
