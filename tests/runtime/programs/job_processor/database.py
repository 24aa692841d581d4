import os
from contextlib import asynccontextmanager

from psycopg2.pool import ThreadedConnectionPool


class Database:
    def __init__(self) -> None:
        self.pool = ThreadedConnectionPool(1, 4, os.environ["DATABASE_URL"])

    @asynccontextmanager
    async def get_db_connection(self):
        connection = self.pool.getconn()
        try:
            yield connection
        finally:
            self.pool.putconn(connection)

    async def close(self) -> None:
        self.pool.closeall()
