"""Records: what is worked out of a package's source, and what is rather left out."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from loopsafe.catalog.loader import decode, read_folder
from loopsafe.catalog.schema import CatalogFile
from loopsafe.records import build, find_package, is_asynchronous, write_record

TODAY = datetime.date(2026, 11, 21)
PARCELS = {
    "parcels/__init__.py": "from parcels.client import AsyncClient, Client, connect\n",
    "parcels/client.py": """\
import time
import requests
from parcels.order import Endpoint, Order

class Base:
    def request(self, path):
        raise NotImplementedError

    def orders(self):
        return self.request("/orders")

class Client(Base):
    def request(self, path):
        return requests.get(path)

    def __enter__(self):
        return self

    def __exit__(self, *details):
        requests.post("/close")

    def order(self, number) -> Order:
        self.request(number)
        return Order()

    def with_name(self, name) -> "Client":
        return self

    def ship_async(self):
        requests.post("/ship")

    @property
    def endpoint(self):
        return Endpoint(self)

    def tail(self):
        while True:
            yield requests.get("/tail")

    def _hidden(self):
        time.sleep(1)

class AsyncClient(Base):
    async def request(self, path):
        return None

    def leave(self):
        time.sleep(1)

    @property
    def endpoint(self):
        return Endpoint(self)

def connect() -> Client:
    return Client()
""",
    "parcels/order.py": """\
from __future__ import annotations
import time
import typing
if typing.TYPE_CHECKING:
    from parcels.client import Base

class Order:
    @property
    def label(self):
        time.sleep(1)

    def cancel(self):
        _retry(lambda: None)

class Endpoint:
    def __init__(self, parent: Base):
        self.parent = parent

    def create(self):
        return self.parent.request("/create")

def _retry(function):
    _wait()

def _wait():
    _pause()

def _pause():
    time.sleep(1)
""",
    "parcels/cli/main.py": "import time\ndef main():\n    time.sleep(1)\n",
}
TEXT = """\
distribution = "parcels"
import = ["parcels"]
source = "worked out from Parcels 2.4.1 by `loopsafe catalog build`"
versions = ">=2,<3"
package_version = "2.4.1"
built = 2026-11-21
source_hash = "HASH"

[[call]]
class = "parcels.client.Client"
name = ["__exit__"]
effect = "network"
when = "exit"
via = ["requests.post"]

[[call]]
class = "parcels.client.Client"
name = ["order", "orders"]
effect = "network"
via = ["parcels.client.Client.request", "requests.get"]

[[call]]
class = "parcels.client.Client"
name = ["request"]
effect = "network"
via = ["requests.get"]

[[call]]
class = "parcels.client.Client"
name = ["tail"]
effect = "network"
when = "iter"
via = ["requests.get"]

[[call]]
class = "parcels.order.Order"
name = ["cancel"]
effect = "sleep"
via = ["parcels.order._pause", "time.sleep"]

[[class]]
name = "parcels.client.AsyncClient"
aliases = ["parcels.AsyncClient"]
asynchronous = ["request"]

[[class]]
name = "parcels.client.Client"
aliases = ["parcels.Client"]
fluent = ["with_name"]
attributes = { endpoint = "parcels.order.Endpoint" }
[class.returns]
__enter__ = "Self"
order = "parcels.order.Order"
orders = "requests.Response"
request = "requests.Response"
tail = "Iterator[requests.Response]"

[[class]]
name = "parcels.order.Endpoint"
returns = { create = "requests.Response" }

[[class]]
name = "parcels.order.Order"

[returns]
"parcels.client.connect" = "parcels.client.Client"

[aliases]
"parcels.connect" = "parcels.client.connect"
"""


def install(site: Path, files: dict[str, str]) -> None:
    info = {
        "Parcels-2.4.1.dist-info/METADATA": "Metadata-Version: 2.1\nName: Parcels\nVersion: 2.4.1\n",
        "Parcels-2.4.1.dist-info/RECORD": "".join(f"{name},,\n" for name in files),
    }
    for name, text in {**files, **info}.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text, encoding="utf-8")


def make(site: Path, files: dict[str, str]) -> CatalogFile:
    install(site, files)
    return build(find_package("parcels", [str(site)]), [str(site)], TODAY)


def blocking(record: CatalogFile) -> set[str]:
    return {f"{call.owner}.{name}" if call.owner else name for call in record.call for name in call.name}


def test_record_as_text(tmp_path: Path) -> None:
    record = make(tmp_path, PARCELS)
    assert record.source_hash is not None
    assert write_record(record).replace(record.source_hash, "HASH") == TEXT


def test_text_is_read_as_it_was_meant(tmp_path: Path) -> None:
    long = [f"get_{name}_of_the_whole_long_list" for name in "abcdefghij"]
    methods = "".join(f"    def {name}(self): return Long()\n" for name in long)
    slow = "    def slow(self): time.sleep(1)\n"
    record = make(tmp_path, {"parcels.py": f"import time\nclass Long:\n{methods}{slow}class Other(Long):\n{methods}"})
    path = tmp_path / "parcels.toml"
    path.write_text(write_record(record), encoding="utf-8")
    (text,) = read_folder(path)
    assert decode(text) == record
    assert max(map(len, path.read_text(encoding="utf-8").splitlines())) <= 120


def test_what_inherits_from_both_kinds_says_nothing_of_the_base(tmp_path: Path) -> None:
    text = "import time\nclass Mixin:\n    def go(self): time.sleep(1)\n"
    found = blocking(make(tmp_path, {"parcels.py": f"{text}class Sync(Mixin): pass\nclass AsyncOne(Mixin): pass\n"}))
    assert found == {"parcels.Sync.go"}


def test_asynchronous_ways_to_what_blocks_count_for_nothing(tmp_path: Path) -> None:
    text = "from parcels.aio import helper\ndef go(): helper()\n"
    record = make(
        tmp_path, {"parcels/__init__.py": text, "parcels/aio.py": "import time\ndef helper(): time.sleep(1)\n"}
    )
    assert "parcels.go" not in blocking(record)


def test_what_a_constructor_does_is_not_said_of_those_who_call_it(tmp_path: Path) -> None:
    text = """\
import requests
class Client:
    def __init__(self, connects=True):
        if connects:
            requests.get("u")
    def get(self): requests.get("u")
def connect(**options): return Client(**options)
"""
    assert blocking(make(tmp_path, {"parcels.py": text})) == {"parcels.Client.get"}


def test_pause_between_tries_is_not_what_matters(tmp_path: Path) -> None:
    text = """\
import os, time, requests
class Old:
    def send(self): return None
class New:
    def send(self): return requests.get("u")
def fetch():
    sender = New() if os.getenv("NEW") else Old()
    sender.send()
    time.sleep(1)
"""
    (call,) = (call for call in make(tmp_path, {"parcels.py": text}).call if "parcels.fetch" in call.name)
    assert (call.effect.value, call.via[-1]) == ("network", "requests.get")


def test_module_keeps_its_name_from_a_function_of_that_name(tmp_path: Path) -> None:
    files = {
        "parcels/__init__.py": "from parcels.ship import ship, pack\n",
        "parcels/ship.py": "import time\ndef ship(): time.sleep(1)\ndef pack(): time.sleep(1)\n",
    }
    record = make(tmp_path, files)
    assert record.aliases == {"parcels.pack": "parcels.ship.pack"}
    assert blocking(record) == {"parcels.ship.ship", "parcels.ship.pack"}


def test_iterators_of_each_other_come_to_an_end(tmp_path: Path) -> None:
    text = """\
class There:
    def __iter__(self): return Back()
class Back:
    def __iter__(self): return There()
def walk():
    for place in There():
        place.visit()
"""
    assert blocking(make(tmp_path, {"parcels.py": text})) == set()


def test_generator_that_gives_itself_comes_to_an_end(tmp_path: Path) -> None:
    text = "import time\ndef walk():\n    time.sleep(1)\n    yield walk()\n"
    assert make(tmp_path, {"parcels.py": text}).returns == {}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("redis.asyncio.Redis", True),
        ("httpx.AsyncClient", True),
        ("postgrest._async.client.Client", True),
        ("asyncio.Runner", False),
        ("celery.result.AsyncResult", False),
        ("redis.Redis", False),
    ],
)
def test_names_of_what_is_asynchronous(name: str, expected: bool) -> None:
    assert is_asynchronous(name) is expected
