"""Which objects a call makes for itself: whether moving it to a thread is safe depends on that."""

# ruff: noqa: E501  (a case is one row of a table)

from __future__ import annotations

from pathlib import Path

import pytest

from loopsafe import engine
from loopsafe.config.settings import Settings
from loopsafe.model import Applicability

HEAD = """
import asyncio
import atexit
import queue
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from functools import lru_cache

import psycopg2
import requests

URL = "postgresql://localhost/app"
shared = psycopg2.connect(URL)
opened = []
latest = None
stack = ExitStack()
waiting = queue.Queue()


@contextmanager
def transaction():
    connection = psycopg2.connect(URL)
    try:
        with connection, connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


@contextmanager
def borrowed():
    with shared.cursor() as cursor:
        yield cursor


@lru_cache
def kept():
    return psycopg2.connect(URL)


def recorded():
    connection = psycopg2.connect(URL)
    opened.append(connection)
    return connection


def insert(cursor, name):
    cursor.execute("INSERT INTO users VALUES (%s)", (name,))


class Users:
    def __init__(self, session=None, connection=None):
        self.session = session or requests.Session()
        self.connection = connection

    def store(self, value):
        self.connection.cursor().execute("INSERT INTO users VALUES (%s)", (value,))


class Api(requests.Session):
    pass


class OneApi(requests.Session):
    made = None

    def __new__(cls):
        cls.made = cls.made or super().__new__(cls)
        return cls.made


def work(name):
"""
TAIL = """

async def handler(name):
    return work(name)
"""


def degree_of(tmp_path: Path, body: str) -> Applicability:
    """How far the fix of the one call in a coroutine is trusted."""
    indented = "".join(f"    {line}\n" for line in body.splitlines())
    (tmp_path / "app.py").write_text(HEAD + indented + TAIL)
    settings = Settings(root=str(tmp_path), use_cache=False)
    outcome = engine.check([str(tmp_path)], settings)
    (found,) = (one for one in outcome.diagnostics if one.code.startswith("LSA11"))
    assert found.fix is not None, found
    return found.fix.applicability


SAFE = {
    "of a context manager": "with transaction() as cursor:\n    cursor.execute('SELECT 1')",
    "made and closed": "connection = psycopg2.connect(URL)\nconnection.cursor().execute('SELECT 1')\nconnection.close()",
    "handed to a helper": "with transaction() as cursor:\n    insert(cursor, name)\n    insert(name=name, cursor=cursor)",
    "bound to its thread": "with sqlite3.connect('app.db') as connection:\n"
    "    return connection.execute('SELECT 1').fetchall()",
    "closed by a wrapper": "with closing(sqlite3.connect('app.db')) as connection:\n    connection.execute('SELECT 1')",
    "a session": "with requests.Session() as session:\n    session.headers['X-Name'] = name\n    return session.get(URL)",
    "of a class of the project": "return Api().get(URL)",
    "one of two": "if name:\n    cursor = psycopg2.connect(URL).cursor()\nelse:\n"
    "    cursor = psycopg2.connect(URL).cursor('s')\ncursor.execute('SELECT 1')",
    "iterated by a generator expression": "cursor = psycopg2.connect(URL).cursor()\ncursor.execute('SELECT 1')\n"
    "return sum(number for (number,) in cursor)",
    "by a nested function": "def fetch(cursor):\n    return cursor.fetchone()\n"
    "with transaction() as cursor:\n    return fetch(cursor)",
    "asked by a function that calls itself": "if name:\n    return work(name[1:])\n"
    "with transaction() as cursor:\n    cursor.execute('SELECT 1')",
}
UNSAFE = {
    "of a module": "shared.cursor().execute('SELECT 1')",
    "of a context manager that lends it": "with borrowed() as cursor:\n    cursor.execute('SELECT 1')",
    "of a class that has one object": "return OneApi().get(URL)",
    "one of two is shared": "connection = shared if name else psycopg2.connect(URL)\n"
    "connection.cursor().execute('SELECT 1')",
    "of a factory that caches": "kept().cursor().execute('SELECT 1')",
    "of a factory that keeps it": "recorded().cursor().execute('SELECT 1')",
    "returned": "connection = psycopg2.connect(URL)\nconnection.cursor().execute('SELECT 1')\nreturn connection",
    "returned among others": "cursor = psycopg2.connect(URL).cursor()\ncursor.execute('SELECT 1')\nreturn name, cursor",
    "returned by a lazy expression": "cursor = psycopg2.connect(URL).cursor()\ncursor.execute('SELECT 1')\n"
    "return (row for row in cursor)",
    "put on a stack": "connection = sqlite3.connect('app.db')\nconnection.commit()\nstack.enter_context(connection)",
    "returned by a generator": "def rows(cursor):\n    yield from cursor\n"
    "cursor = psycopg2.connect(URL).cursor()\ncursor.execute('SELECT 1')\nfound = rows(cursor)\nreturn found",
    "put into a list": "connection = psycopg2.connect(URL)\nopened.append(connection)\nconnection.commit()",
    "put into a queue": "connection = psycopg2.connect(URL)\nconnection.commit()\nwaiting.put(connection)",
    "put into a variable of the module": "global latest\nlatest = psycopg2.connect(URL)\nlatest.commit()",
    "put into an attribute": "users = Users()\nusers.connection = psycopg2.connect(URL)\nusers.connection.commit()",
    "given to an object": "Users(connection=psycopg2.connect(URL)).store(name)",
    "of a default": "def inner(connection=shared):\n    connection.commit()\ninner()",
    "captured by a function": "connection = psycopg2.connect(URL)\n"
    "atexit.register(lambda: connection.close())\nconnection.commit()",
    "handed to a pool": "connection = psycopg2.connect(URL)\nconnection.commit()\n"
    "ThreadPoolExecutor().submit(insert, connection.cursor(), name)",
    "handed to a thread": "connection = psycopg2.connect(URL)\nconnection.commit()\n"
    "threading.Thread(target=connection.close).start()",
    "handed to nobody knows what": "connection = psycopg2.connect(URL)\nconnection.commit()\nname(connection)",
    "farther down than the shortest path": "requests.get(URL)\nwith borrowed() as cursor:\n    insert(cursor, name)",
}


@pytest.mark.parametrize("body", SAFE.values(), ids=SAFE.keys())
def test_what_a_call_makes_for_itself_moves_with_it(tmp_path: Path, body: str) -> None:
    assert degree_of(tmp_path, body) is Applicability.SAFE


@pytest.mark.parametrize("body", UNSAFE.values(), ids=UNSAFE.keys())
def test_what_others_may_have_is_in_doubt(tmp_path: Path, body: str) -> None:
    assert degree_of(tmp_path, body) is Applicability.UNSAFE
