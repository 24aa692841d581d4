"""An insert that fails in the database: the exception reaches the same handler, nothing is kept.

Fixed by: --fix
"""

import os

import psycopg2


async def open_account(name: str) -> str:
    connection = psycopg2.connect(os.environ["DATABASE_URL"])
    try:
        with connection:
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO orders (customer, amount) VALUES (%s, 1)", (name,))
                cursor.execute("INSERT INTO accounts (name, balance) VALUES (%s, 0)", (name,))
    except psycopg2.errors.UniqueViolation as error:
        return f"{name}: {error.diag.constraint_name}"
    finally:
        connection.close()
    return f"{name} is new"


async def orders() -> list[str]:
    connection = psycopg2.connect(os.environ["DATABASE_URL"])
    cursor = connection.cursor()
    cursor.execute("SELECT customer FROM orders ORDER BY customer")
    names = [row[0] for row in cursor.fetchall()]
    cursor.close()
    connection.close()
    return names


async def main() -> None:
    print(await open_account("eve"))
    print(await open_account("ada"))
    print(await orders())
