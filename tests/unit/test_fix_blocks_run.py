"""Blocks that have moved, run with real files, databases and threads: same results, and nothing on the loop."""

from __future__ import annotations

import asyncio
import builtins
import gc
import sqlite3
import textwrap
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from loopsafe import engine
from loopsafe.config.settings import Settings

PROGRAMS = {
    "a file is read": """
        async def scenario(folder):
            with open(folder + "/data.txt") as file:
                lines = file.readlines()
            await asyncio.sleep(0)
            return [line.strip() for line in lines]
        """,
    "a file is copied line by line": """
        async def scenario(folder):
            count = 0
            with open(folder + "/data.txt") as old, open(folder + "/copy.txt", "w") as new:
                for line in old:
                    if not line.strip():
                        continue
                    new.write(line.upper())
                    count += 1
            return count
        """,
    "a missing file": """
        async def scenario(folder):
            try:
                with open(folder + "/missing.txt") as file:
                    return file.read()
            except FileNotFoundError as error:
                return type(error).__name__
        """,
    "an exception leaves the block": """
        async def scenario(folder):
            with open(folder + "/data.txt") as file:
                number = int(file.readline())
            return number
        """,
    "an early return": """
        async def scenario(folder):
            with open(folder + "/data.txt") as file:
                if file.readline().startswith("o"):
                    return "early"
                rest = file.read()
            return rest
        """,
    "a name that goes in and comes out": """
        async def scenario(folder):
            total = 40
            for _ in range(2):
                with open(folder + "/data.txt") as file:
                    while piece := file.read(3):
                        total += len(piece)
            return total
        """,
    "a transaction": """
        async def scenario(folder):
            db = sqlite3.connect(folder + "/data.db")
            try:
                db.execute("INSERT INTO t VALUES (3)")
                total = sum(row[0] for row in db.execute("SELECT x FROM t"))
                db.commit()
            finally:
                db.close()
            await asyncio.sleep(0)
            return total
        """,
    "a transaction that fails": """
        async def scenario(folder):
            try:
                with sqlite3.connect(folder + "/data.db") as db:
                    db.execute("INSERT INTO t VALUES (3)")
                    db.execute("INSERT INTO missing VALUES (3)")
            except sqlite3.OperationalError as error:
                message = str(error)
            return message
        """,
    "a cursor": """
        async def scenario(folder):
            db = None
            found = []
            try:
                db = sqlite3.connect(folder + "/data.db")
                cursor = db.cursor()
                cursor.execute("SELECT x FROM t ORDER BY x")
                for (x,) in cursor:
                    found.append(x)
            finally:
                if db is not None:
                    db.close()
            return found
        """,
    "a factory and a context manager": """
        @contextlib.contextmanager
        def session(path):
            db = sqlite3.connect(path)
            try:
                yield db
                db.commit()
            finally:
                db.close()


        async def scenario(folder):
            with session(folder + "/data.db") as db:
                db.execute("INSERT INTO t VALUES (5)")
            with session(folder + "/data.db") as db:
                row = db.execute("SELECT max(x) FROM t").fetchone()
            return row
        """,
    "a context variable is seen in the thread": """
        CURRENT = contextvars.ContextVar("CURRENT")


        async def scenario(folder):
            CURRENT.set("here")
            with open(folder + "/data.txt") as file:
                text = CURRENT.get() + file.readline()
            return text.strip()
        """,
    "private names, super and closures": """
        class Base:
            def __init__(self, folder):
                self.__path = folder + "/data.txt"

            async def read(self, keep):
                with open(self.__path) as file:
                    lines = sorted((line.strip() for line in file), key=lambda line: (line in keep, line))
                return [line for line in lines if line]


        async def scenario(folder):
            return await Base(folder).read({"one"})
        """,
}

HEAD = "import asyncio\nimport contextlib\nimport contextvars\nimport sqlite3\n\n\n"


def fix(text: str, folder: Path) -> str:
    program = folder / "program.py"
    program.write_text(text)
    settings = Settings(select=("ALL",), use_cache=False, unsafe_fixes=True, fix=True, root=str(folder))
    fixed = engine.fix(engine.check([str(program)], settings), settings)
    assert not fixed.remaining.diagnostics
    return next(iter(fixed.files.values())).decode()


def run(text: str, folder: Path) -> tuple[object, dict[str, object]]:
    """What a program gives or raises, and what it leaves behind, in a folder that is set up anew."""
    for path in folder.glob("*.*"):
        path.unlink()
    (folder / "data.txt").write_text("one\ntwo\n\nthree\n")
    with closing(sqlite3.connect(folder / "data.db")) as db:
        db.execute("CREATE TABLE t (x)")
        db.execute("INSERT INTO t VALUES (1)")
        db.commit()
    space: dict[str, Any] = {}
    exec(compile(text, "program", "exec"), space)
    result: object
    try:
        result = asyncio.run(space["scenario"](str(folder)))
    except ValueError as error:
        result = repr(error)
    with closing(sqlite3.connect(folder / "data.db")) as db:
        rows = db.execute("SELECT x FROM t").fetchall()
    left = {path.name: path.read_text() for path in folder.glob("*.txt")}
    space.clear()
    gc.collect()  # what the program left open is closed here, not in another test
    return result, {**left, "rows": rows}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # some leave a connection open
@pytest.mark.parametrize("name", PROGRAMS)
def test_moved_blocks_do_the_same_off_the_loop(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = HEAD + textwrap.dedent(PROGRAMS[name]).strip("\n") + "\n"
    (tmp_path / "code").mkdir()
    (tmp_path / "data").mkdir()
    fixed = fix(text, tmp_path / "code")
    assert "    def _" in fixed
    expected = run(text, tmp_path / "data")
    on_loop: list[str] = []

    def watch(function: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*args: Any, **kwargs: Any) -> Any:
            if threading.current_thread() is threading.main_thread() and is_running():
                on_loop.append(function.__name__)
            return function(*args, **kwargs)

        return watched

    monkeypatch.setattr(builtins, "open", watch(open))
    monkeypatch.setattr(sqlite3, "connect", watch(sqlite3.connect))
    assert run(fixed, tmp_path / "data") == expected
    assert not on_loop


def is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
