"""An order is read and stored with a connection of its own.

Fixed by: --fix
"""

import asyncio
import os

import psycopg2


async def place_order(customer: str, amount: int) -> int:
    connection = psycopg2.connect(os.environ["DATABASE_URL"])
    try:
        cursor = connection.cursor()
        cursor.execute("INSERT INTO orders (customer, amount) VALUES (%s, %s) RETURNING id", (customer, amount))
        number = cursor.fetchone()[0]
        connection.commit()
    finally:
        connection.close()
    return number


async def total_of(customer: str) -> int:
    total = 0
    with psycopg2.connect(os.environ["DATABASE_URL"]) as connection:
        with connection.cursor() as cursor:
            cursor.execute("SELECT amount FROM slow_orders WHERE customer = %s", (customer,))
            # small amounts are not worth the trouble
            for (amount,) in cursor:
                if amount < 3:
                    continue
                total += amount

    connection.close()
    return total


async def main() -> None:
    numbers = await asyncio.gather(*(place_order("ada", amount) for amount in (1, 20, 300)))
    print(sorted(numbers))
    print(await total_of("ada"))
