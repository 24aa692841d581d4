import os
from contextlib import contextmanager

import psycopg2


@contextmanager
def transaction():
    connection = psycopg2.connect(os.environ["DATABASE_URL"])
    try:
        with connection, connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


class Orders:
    def add(self, customer, amount):
        with transaction() as cursor:
            cursor.execute("INSERT INTO orders (customer, amount) VALUES (%s, %s)", (customer, amount))

    def amounts(self, customer):
        with transaction() as cursor:
            cursor.execute("SELECT amount FROM orders WHERE customer = %s ORDER BY id", (customer,))
            return [amount for (amount,) in cursor]

    def delete(self, customer):
        with transaction() as cursor:
            cursor.execute("DELETE FROM orders WHERE customer = %s", (customer,))
            return cursor.rowcount
