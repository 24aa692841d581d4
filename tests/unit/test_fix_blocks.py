"""Blocks that move to a thread: what they are called, how they are spelled, how far they are trusted, and why some stay."""

# ruff: noqa: E501  (a case is one row of a table)

from __future__ import annotations

import textwrap
from pathlib import Path

import msgspec
import pytest

from loopsafe import engine
from loopsafe.config.settings import Settings
from loopsafe.fixes import Proposal, apply, propose
from loopsafe.model import Applicability, Diagnostic
from loopsafe.source.text import Source, decode

HEAD = "import asyncio\nimport contextvars\nimport json\nimport sqlite3\nimport psycopg2\nimport requests\nfrom pathlib import Path\n\n\n"


def find(
    data: bytes, folder: Path, target: tuple[int, int] = (3, 10)
) -> tuple[Source, list[Diagnostic], list[Proposal]]:
    """Return a program's findings and what is proposed for each."""
    path = folder / "program.py"
    path.write_bytes(data)
    settings = Settings(select=("ALL",), use_cache=False, root=str(folder))
    found = [msgspec.structs.replace(one, fix=None) for one in engine.check([str(path)], settings).diagnostics]
    source = decode(str(path), data)
    return source, found, propose(source, found, target_version=target)


def fix(data: bytes, folder: Path, target: tuple[int, int] = (3, 10)) -> str:
    """Return the program with all its fixes, which must not clash."""
    source, _, proposals = find(data, folder, target)
    fixes = [one.fix for one in proposals]
    result = apply(source.text, fixes, Applicability.UNSAFE)
    assert result.applied == tuple(number for number, one in enumerate(fixes) if one is not None)
    compile(result.text, "fixed", "exec")
    return result.text


def program(body: str) -> bytes:
    return (HEAD + textwrap.dedent(body).strip("\n") + "\n").encode()


TRUSTED = [
    ("nothing but the thread changes", """
        async def f(path):
            with open(path) as file:
                rows = json.load(file)
            return len(rows)
     """, ()),
    ("a container of the coroutine's own is filled", """
        async def f(path):
            found = []
            with open(path) as file:
                found.append(file.read())
            return found
     """, ()),
    ("an attribute is assigned", """
        async def f(self, path):
            with open(path) as file:
                self.text = file.read()
     """, ("`self.text` is changed in another thread",)),
    ("a function of which nothing is known", """
        async def f(path, parse):
            with open(path) as file:
                tree = parse(file.read())
            return tree.root
     """, ("`parse` runs in another thread too",)),
    ("a connection from elsewhere", """
        async def f(conn: psycopg2.extensions.connection):
            with conn.cursor() as cur:
                cur.execute("SELECT 1")
                row = cur.fetchone()
            return row[0]
     """, ("the object may be in use elsewhere",)),
    ("an object that outlives the block", """
        async def f(path):
            with open(path) as file:
                header, body = file.readline(), file.readline()
                await asyncio.sleep(0)
            return header, body
     """, ("if the coroutine is cancelled, the thread may go on with an object that is being closed",)),
    ("in the cleanup", """
        async def f(path):
            try:
                await asyncio.sleep(0)
            finally:
                with open(path, "w") as file:
                    file.write("done")
     """, ("an `await` in `finally` can itself be cancelled",)),
    ("something was looked at before", """
        async def f(self, path):
            if self.rows is None:
                with open(path) as file:
                    rows = json.load(file)
                self.rows = rows
     """, ("what was checked before the await may have changed after it",)),
]  # fmt: skip


@pytest.mark.parametrize(("sentence", "body", "doubts"), TRUSTED, ids=[case[0] for case in TRUSTED])
def test_a_block_is_trusted_as_far_as_nothing_is_noticed(
    sentence: str, body: str, doubts: tuple[str, ...], tmp_path: Path
) -> None:
    _, _, proposals = find(program(body), tmp_path)
    moved = [one for one in proposals if one.fix is not None]
    assert moved
    assert {one.doubts for one in moved} == {doubts}
    assert {one.fix.applicability for one in moved if one.fix} == {
        Applicability.UNSAFE if doubts else Applicability.SAFE
    }
    assert len({one.fix for one in moved}) == 1, "all findings of a block carry the same fix"


REFUSED = [
    ("`break` or `continue` leaves it", "for path in paths:\n    with open(path) as file:\n        if file.read():\n            break"),
    ("a `return` leaves it", "with open(path) as file:\n    if flag:\n        return file.read()\n    text = file.read()\nawait asyncio.sleep(0)\nprint(text)"),
    ("there is a `yield` in between", "with open(path) as file:\n    yield file.read()"),
    ("`data` may have no value", "if flag:\n    data = 1\nwith open(path) as file:\n    if flag:\n        data = file.read()\nprint(data)"),
    ("`data` is still needed where an exception", "data = 1\ntry:\n    with open(path) as file:\n        data = file.read()\n        print(file.read())\nexcept OSError:\n    print(data)"),
    ("`data` belongs to an inner function", "data = 1\nshow = lambda: data\nwith open(path) as file:\n    data = file.read()\nshow()"),
    ("`data` belongs to an inner function", "with open(path) as file:\n    data = file.read()\n    show = lambda: data\nprint(show(), data)"),
    ("an inner function changes a variable", "data = 1\ndef change():\n    nonlocal data\n    data = 2\nwith open(path) as file:\n    print(file.read(), data)"),
    ("`data` is deleted", "with open(path) as file:\n    data = file.read()\n    if flag:\n        del data\nif not flag:\n    print(data)"),
    ("a variable of an outer scope is assigned", "global TOTAL\nwith open(path) as file:\n    TOTAL = file.read()"),
    ("shared state is read, and written later", "with open(path) as file:\n    self.total += len(file.read())"),
    ("StopIteration cannot leave a thread", "with open(path) as file:\n    first = next(file)\n    print(file.read())"),
    ("`put_nowait` belongs to the loop", "with open(path) as file:\n    self.queue.put_nowait(file.read())"),
    ("the coroutine looks at its own names", "with open(path) as file:\n    print(file.read(), locals())"),
    ("`super()` without arguments", "with open(path) as file:\n    super().update(file.read())"),
    ("`__class__` means the class", "with open(path) as file:\n    print(file.read(), __class__)"),
    ("a lock belongs to the thread", "with open(path) as file:\n    self.lock.acquire()\n    print(file.read())"),
    ("a lock would be held", "with self.lock:\n    with open(path) as file:\n        print(file.read())"),
    ("a coroutine function is defined there", "with open(path) as file:\n    async def inner(): pass\n    print(file.read())"),
    ("there is an `await` in between", "db = sqlite3.connect(path)\nawait asyncio.sleep(0)\ndb.execute('SELECT 1')"),
    ("leaves the block", "db = sqlite3.connect(path)\nself.db = db\ndb.execute('SELECT 1')"),
    ("leaves the block", "db = sqlite3.connect(path)\nreturn db, db.execute('SELECT 1')"),
    ("leaves the block", "db = sqlite3.connect(path)\nreturn map(str, db.execute('SELECT 1'))"),
    ("leaves the block", "db = sqlite3.connect(path)\nself.repository = Repository(db)\ndb.commit()"),
    ("used outside the block", "db = sqlite3.connect(path)\nrows = (row for row in db.execute('SELECT 1'))\nawait asyncio.sleep(0)\nprint(list(rows))"),
    ("used outside the block", "db = sqlite3.connect(path)\ndb.commit()\npair = (db, 1)\nawait asyncio.sleep(0)\nprint(pair)"),
    ("the exception that is being handled", "try:\n    await asyncio.sleep(0)\nexcept ValueError:\n    with open(path, 'w') as file:\n        file.write('x')\n        raise"),
    ("needs the loop, or a thread of its own", "self.db.execute('SELECT 1')\nself.db.commit()"),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "body"), REFUSED)
def test_a_block_stays_where_moving_it_would_show(reason: str, body: str, tmp_path: Path) -> None:
    inside = textwrap.indent(body, "        ")
    text = f"TOTAL = 0\n\n\nclass A(dict):\n    def __init__(self):\n        self.db = sqlite3.connect('a')\n\n    async def f(self, path, paths, flag):\n{inside}\n"
    _, found, proposals = find((HEAD + text).encode(), tmp_path)
    assert found
    assert not [one for one in proposals if one.fix is not None]
    assert any(reason in (one.refusal or "") for one in proposals), [one.refusal for one in proposals]


def test_looking_at_the_names_before_the_block_does_not_matter(tmp_path: Path) -> None:
    text = "async def fetch(path):\n    given = dict(locals())\n    with open(path) as file:\n        return file.read(), given"
    assert "def _fetch():" in fix(program(text), tmp_path)
    loop = (
        text.replace("    given", "    while path:\n      given")
        .replace("    with", "      with")
        .replace("return file.read(), ", "text = file.read(), ")
    )
    assert "def _" not in fix(program(loop.replace("        text", "          text")), tmp_path)


NAMED = [
    ("_load_users", "async def load_users(path):\n    with open(path) as file:\n        return json.load(file)"),
    ("_load", "async def _load_async(path):\n    with open(path) as file:\n        return json.load(file)"),
    ("_read_rows", "async def handler(path):\n    with open(path) as file:\n        rows = json.load(file)\n    print(rows)"),
    ("_read_config", "async def main(config_path):\n    with open(config_path) as file:\n        print(file.read())"),
    ("_write_report", "async def run(report_file: Path, rows):\n    with report_file.open('w') as file:\n        json.dump(rows, file)"),
    ("_update_jobs", "async def run(dsn):\n    conn = psycopg2.connect(dsn)\n    conn.cursor().execute('UPDATE jobs SET x = 1')\n    conn.commit()"),
    ("_fetch_row", "async def run(dsn):\n    conn = psycopg2.connect(dsn)\n    cur = conn.cursor()\n    cur.execute('SELECT * FROM jobs')\n    row = cur.fetchone()\n    conn.close()\n    print(row)"),
    ("_read_file", "async def print(path):\n    with open(path) as file:\n        _print = file.read()\n        return _print"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "body"), NAMED)
def test_the_function_is_named_after_what_it_does(name: str, body: str, tmp_path: Path) -> None:
    assert f"    def {name}(" in fix(program(body), tmp_path)


def test_indentation_and_newlines_are_kept(tmp_path: Path) -> None:
    text = "import asyncio\r\nimport json\r\n\r\n\r\nasync def f(path):\r\n\twith open(path) as file:\r\n\t\trows = json.load(\r\n\t\t\tfile)\r\n\tprint(rows)"
    assert fix(text.encode(), tmp_path) == (
        "import asyncio\r\nimport json\r\n\r\n\r\nasync def f(path):\r\n\tdef _read_rows():\r\n\t\twith open(path) as file:\r\n"
        "\t\t\treturn json.load(\r\n\t\t\t\tfile)\r\n\r\n\trows = await asyncio.to_thread(_read_rows)\r\n\tprint(rows)"
    )


def test_two_blanks_stay_two_blanks_and_no_newline_is_added_at_the_end(tmp_path: Path) -> None:
    text = "import asyncio\n\n\nclass A:\n  async def fetch(self, path):\n    with open(path) as file:\n      return file.read()"
    assert fix(text.encode(), tmp_path) == (
        "import asyncio\n\n\nclass A:\n  async def fetch(self, path):\n    def _fetch():\n      with open(path) as file:\n"
        "        return file.read()\n\n    return await asyncio.to_thread(_fetch)"
    )


@pytest.mark.parametrize(
    ("head", "target", "call"),
    [
        ("import anyio\n", (3, 10), "return await anyio.to_thread.run_sync(_fetch)"),
        ("import trio\n", (3, 10), "return await trio.to_thread.run_sync(_fetch)"),
        ("import asyncio as aio\n", (3, 10), "return await aio.to_thread(_fetch)"),
        ("from asyncio import to_thread\n", (3, 10), "return await to_thread(_fetch)"),
        ("import asyncio\n", (3, 8), "return await asyncio.get_running_loop().run_in_executor(None, _fetch)"),
    ],
)
def test_the_off_loader_is_spelled_as_the_file_spells_it(
    head: str, target: tuple[int, int], call: str, tmp_path: Path
) -> None:
    text = f"{head}\n\nasync def fetch(path):\n    with open(path) as file:\n        return file.read()\n"
    assert call in fix(text.encode(), tmp_path, target)


def test_an_annotation_is_written_only_where_it_is_certain_and_wanted(tmp_path: Path) -> None:
    body = "    with open(path, 'w') as file:\n        file.write('x')\n"
    assert "def _store() -> None:" in fix(
        f"import asyncio\n\n\nasync def store(path) -> None:\n{body}".encode(), tmp_path
    )
    assert "def _store():" in fix(f"import asyncio\n\n\nasync def store(path):\n{body}".encode(), tmp_path)


def test_calls_of_clients_that_keep_nothing_move_one_by_one(tmp_path: Path) -> None:
    text = "async def f(session: requests.Session, url):\n    a = session.get(url)\n    b = session.get(a.text)\n    return b"
    result = fix(program(text), tmp_path)
    assert result.count("await asyncio.to_thread(session.get, ") == 2
    assert "def _" not in result


def test_a_call_that_awaits_is_no_part_of_a_block(tmp_path: Path) -> None:
    text = """
        async def f(conn: psycopg2.extensions.connection, job):
            with conn.cursor() as cur:
                cur.execute("SELECT 1")
                row = cur.fetchone()
                cur.execute("SELECT %s", (await job(row),))
        """
    result = fix(program(text), tmp_path)
    assert "row = await asyncio.to_thread(_" in result
    assert 'await asyncio.to_thread(cur.execute, "SELECT %s", (await job(row),))' in result
