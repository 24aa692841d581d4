"""A report from SQLite, whose connections belong to the thread that makes them.

Fixed by: --fix
BlockBuster sees it.
"""

import os
import sqlite3
import time

DELAY = float(os.environ["DELAY"])


async def report(names: list[str]) -> list[tuple[str, int]]:
    connection = sqlite3.connect(":memory:")
    connection.create_function("nap", 0, lambda: time.sleep(DELAY) or 1)
    cursor = connection.cursor()
    cursor.execute("CREATE TABLE visits (name TEXT)")
    cursor.executemany("INSERT INTO visits VALUES (?)", [(name,) for name in names])
    connection.commit()
    rows = cursor.execute("SELECT name, count(*) * nap() FROM visits GROUP BY name ORDER BY name").fetchall()
    connection.close()
    return rows


async def main() -> None:
    for name, count in await report(["ada", "bob", "ada"]):
        print(name, count)
