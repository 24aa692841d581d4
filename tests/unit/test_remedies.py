"""Which calls may move to a thread: what needs its loop stays, what only knows of it does not."""

# ruff: noqa: E501  (a case is one row of a table)

from __future__ import annotations

from pathlib import Path

import pytest

from loopsafe import engine
from loopsafe.config.settings import Settings
from loopsafe.model import Confidence, Fix

HEAD = """
import asyncio

import aiohttp
import requests

URL = "https://example.org"


"""


def fix_of(folder: Path, text: str, **settings: object) -> Fix | None:
    """The fix of the one finding in a program."""
    (folder / "app.py").write_text(HEAD + text)
    chosen = Settings(root=str(folder), use_cache=False, ignore=("LSA4",), **settings)  # type: ignore[arg-type]
    (found,) = engine.check([str(folder)], chosen).diagnostics
    return found.fix


def degree_of(folder: Path, text: str, **settings: object) -> str | None:
    fix = fix_of(folder, text, **settings)
    return None if fix is None else fix.applicability.value


MAKER = """
class Accounts:
    def __init__(self):
        self.bound = {made}
        self.names = requests.get(URL).json()


async def main():
    return Accounts()
"""


@pytest.mark.parametrize(
    ("made", "target", "degree"),
    [
        pytest.param("asyncio.Lock()", (3, 10), "safe", id="a lock"),
        pytest.param("asyncio.Lock()", None, "safe", id="a lock, nothing said of the version"),
        pytest.param("asyncio.Lock()", (3, 9), None, id="a lock that asks for its loop when it is made"),
        pytest.param("asyncio.PriorityQueue()", (3, 12), "safe", id="a queue, by its base"),
        pytest.param("asyncio.PriorityQueue()", (3, 8), None, id="a queue of old"),
        pytest.param("aiohttp.ClientSession()", (3, 13), None, id="a client"),
        pytest.param("asyncio.Event().set", (3, 13), None, id="something is done with it"),
        pytest.param("asyncio.get_running_loop()", (3, 13), None, id="the loop itself"),
    ],
)
def test_what_binds_to_its_loop_late_may_be_made_in_a_thread(
    tmp_path: Path, made: str, target: tuple[int, int] | None, degree: str | None
) -> None:
    text = MAKER.format(made=f"{made}()" if made.endswith(".set") else made)
    assert degree_of(tmp_path, text, target_version=target) == degree


TELLER = """
def tell(loop: asyncio.AbstractEventLoop, done: asyncio.Event):
    requests.get(URL)
    loop.{told}


async def main(done: asyncio.Event):
    tell(asyncio.get_running_loop(), done)
"""


@pytest.mark.parametrize(
    ("told", "degree"),
    [
        pytest.param("call_soon_threadsafe(done.set)", "safe", id="what any thread may do"),
        pytest.param("call_soon(done.set)", None, id="what its own thread alone may do"),
        pytest.param("create_task(done.wait())", None, id="a task"),
    ],
)
def test_a_loop_may_be_handed_to_a_thread_that_only_tells_it_something(
    tmp_path: Path, told: str, degree: str | None
) -> None:
    assert degree_of(tmp_path, TELLER.format(told=told)) == degree


CLIENT = """
_names = None


def read():
    global _names
    _names = requests.get(URL).json()


class Client:
    names = None

    def __init__(self):
        self.cache = {{}}

    def load(self):
        self._fetch()

    def _fetch(self):
        self.names = requests.get(URL).json()

    def load_one(self, key):
        self.cache[key] = requests.get(URL).json()

    def ask(self):
        return requests.get(URL).json()

    async def run(self, key):
        {body}


async def main(client: Client):
    await client.run("a")
"""


@pytest.mark.parametrize(
    ("body", "degree"),
    [
        pytest.param("if self.names is None:\n            self.load()", "unsafe", id="made when first asked for"),
        pytest.param("if self.names:\n            return self.names\n        self.load()", "unsafe", id="left if it is there"),
        pytest.param("if key not in self.cache:\n            self.load_one(key)", "unsafe", id="a cache"),
        pytest.param("if _names is None:\n            read()", "unsafe", id="a variable of the module"),
        pytest.param("self.load()\n        if self.names:\n            return self.names", "safe", id="looked at afterwards"),
        pytest.param("if self.names is None:\n            self.ask()", "safe", id="nothing is changed"),
        pytest.param("if key is None:\n            self.load()", "safe", id="something else is looked at"),
    ],
)  # fmt: skip
def test_a_call_that_changes_what_was_looked_at_may_be_made_twice(tmp_path: Path, body: str, degree: str) -> None:
    assert degree_of(tmp_path, CLIENT.format(body=body)) == degree


@pytest.mark.parametrize(
    ("imported", "confidence"), [("", Confidence.CERTAIN), ("import nest_asyncio\n", Confidence.LIKELY)]
)
def test_where_loops_are_made_to_nest_a_nested_one_is_only_likely_to_fail(
    tmp_path: Path, imported: str, confidence: Confidence
) -> None:
    (tmp_path / "patch.py").write_text(imported)
    (tmp_path / "app.py").write_text(HEAD + "async def main():\n    asyncio.run(asyncio.sleep(1))\n")
    (found,) = engine.check([str(tmp_path)], Settings(root=str(tmp_path), use_cache=False)).diagnostics
    assert (found.code, found.confidence, bool(found.reason)) == ("LSA301", confidence, bool(imported))
