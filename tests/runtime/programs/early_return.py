"""A worker that returns early from its transaction when there is nothing to do.

Fixed by: --fix --unsafe-fixes
"""

import os
from contextlib import asynccontextmanager

from psycopg2.pool import ThreadedConnectionPool

pool = ThreadedConnectionPool(1, 4, os.environ["DATABASE_URL"])


@asynccontextmanager
async def borrow():
    connection = pool.getconn()
    try:
        yield connection
    finally:
        pool.putconn(connection)


async def run_next() -> str:
    async with borrow() as conn:
        with conn.cursor() as cursor:
            cursor.execute("SELECT id, name FROM jobs WHERE state = 'pending' ORDER BY id LIMIT 1 FOR UPDATE")
            row = cursor.fetchone()
            if row is None:
                conn.rollback()
                return "nothing to do"
            cursor.execute("UPDATE jobs SET state = 'done' WHERE id = %s", (row[0],))
        conn.commit()
    return row[1]


async def main() -> None:
    async with borrow() as conn:
        with conn.cursor() as cursor:
            cursor.execute("INSERT INTO jobs (name, state) VALUES ('resize', 'pending')")
        conn.commit()
    print(await run_next())
    print(await run_next())
