from database import Database


class JobProcessor:
    def __init__(self, database: Database) -> None:
        self.database = database

    async def add(self, name: str) -> None:
        async with self.database.get_db_connection() as conn:
            with conn.cursor() as cursor:
                cursor.execute("INSERT INTO jobs (name, state) VALUES (%s, 'pending')", (name,))
            conn.commit()

    async def pending(self) -> list[str]:
        async with self.database.get_db_connection() as conn:
            with conn.cursor() as cursor:
                cursor.execute("SELECT name FROM jobs WHERE state = 'pending' ORDER BY id")
                rows = cursor.fetchall()
            conn.commit()
            return [name for (name,) in rows]

    async def run_next(self) -> str:
        async with self.database.get_db_connection() as conn:
            try:
                with conn.cursor() as cursor:
                    cursor.execute(
                        "SELECT id, name FROM jobs WHERE state = 'pending' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"
                    )
                    row = cursor.fetchone()
                    if row is not None:
                        cursor.execute("UPDATE jobs SET state = 'done' WHERE id = %s", (row[0],))
                conn.commit()
            except Exception:
                conn.rollback()
                raise
        return row[1] if row is not None else "nothing to do"

    async def counts(self) -> dict[str, int]:
        counts = {}
        async with self.database.get_db_connection() as conn:
            with conn.cursor() as cursor:
                for state in ("pending", "done"):
                    cursor.execute("SELECT count(*) FROM jobs WHERE state = %s", (state,))
                    counts[state] = cursor.fetchone()[0]
            conn.commit()
        return counts

    async def close(self) -> None:
        await self.database.close()
