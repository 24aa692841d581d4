"""What an object keeps of what its constructor gave it: only where nobody can have changed it."""

from __future__ import annotations

from pathlib import Path

import pytest

from loopsafe import engine
from loopsafe.config.settings import Settings

CLASS = """
import functools

import redis


def connected(function):
    @functools.wraps(function)
    def connect(self, *rest):
        self.attach(CLIENT)
        return function(self, *rest)
    return connect


CLIENT = redis.Redis()


class Plain:
    def attach(self, remote: redis.Redis | None = None):
        self.remote = remote

    def get(self, key):
        self.asked += 1
        if self.remote is not None:
            return self.remote.get(key)
        return self.near.get(key)


class TwoLevels(Plain):
    kind = "two"

    def __init__(self, remote: redis.Redis | None = None):
        self.near = {}
        self.remote = remote
        self.asked = 0

    def put(self, key, value):
        self.near[key] = value

    @property
    def size(self):
        return len(self.near)
"""
HANDLER = """

async def handler(name):
    return tokens.get(name)
"""

KEPT = {
    "used where it is made": "tokens = TwoLevels()\ntokens.put('a', 1)\n"
    "if tokens.size or not tokens:\n    print(tokens.near)",
    "of a declared variable": "tokens: 'TwoLevels' = TwoLevels(None)",
    "by two names": "tokens = pages = TwoLevels()\nothers = tokens\n"
    "def size():\n    mine = others\n    return mine.size",
    "in a nested function": "tokens = TwoLevels()\n"
    "def outer():\n    mine = tokens\n    def inner():\n        return mine.get('a')\n    return inner()",
    "of a class": "class Base:\n    _tokens = TwoLevels()\n    def __init__(self):\n"
    "        self.shared = Base._tokens\n    def get(self, key):\n        return self.shared.get(key)\ntokens = Base()",
    "another is attached": "tokens = TwoLevels()\npages = TwoLevels()\npages.attach(CLIENT)\npages.remote = CLIENT",
    "another of that name is not a variable": "tokens = TwoLevels()\n"
    "def start(tokens):\n    tokens.attach(CLIENT)\nstart(TwoLevels())",
    "another attribute is set": "tokens = TwoLevels()\ntokens.asked = 1\ndel tokens.near",
    "of a function": "def start():\n    local = TwoLevels()\n    return local.get('a')\nclass Start:\n"
    "    def __init__(self):\n        self.levels = TwoLevels()\n    def get(self, key):\n"
    "        return self.levels.get(key)\ntokens = Start()",
}
ESCAPED = {
    "attached": "tokens = TwoLevels()\ntokens.attach(CLIENT)",
    "set": "tokens = TwoLevels()\ndef start():\n    tokens.remote = CLIENT",
    "set with others": "tokens = TwoLevels()\ndef start():\n    tokens.remote, other = CLIENT, 1",
    "attached by another name": "tokens = TwoLevels()\nothers = tokens\ndef start():\n"
    "    mine = others\n    mine.attach(CLIENT)",
    "one of two": "tokens = TwoLevels()\npages = TwoLevels()\ndef start(flag):\n"
    "    mine = tokens if flag else pages\n    mine.attach(CLIENT)",
    "or another": "tokens = TwoLevels()\ndef start(mine=None):\n    mine = mine or tokens\n    mine.attach(CLIENT)",
    "by a walrus": "tokens = TwoLevels()\ndef start():\n    if (mine := tokens).size:\n        mine.attach(CLIENT)",
    "by a global variable": "tokens = TwoLevels()\nother = None\ndef start():\n    global other\n    other = tokens\n"
    "def later():\n    other.attach(CLIENT)",
    "by a variable of a function": "tokens = TwoLevels()\ndef start():\n    mine = tokens\n    def inner():\n"
    "        mine.attach(CLIENT)\n    inner()",
    "by a global variable that the module reads": "tokens = TwoLevels()\nother = None\ndef start():\n"
    "    global other\n    other = tokens\nstart()\nother.attach(CLIENT)",
    "by a nonlocal variable": "tokens = TwoLevels()\ndef start():\n    mine = None\n    def inner():\n"
    "        nonlocal mine\n        mine = tokens\n    inner()\n    mine.attach(CLIENT)",
    "bound method": "tokens = TwoLevels()\nattach = tokens.attach\nattach(CLIENT)",
    "looped over": "tokens = TwoLevels()\nfor each in [tokens, TwoLevels()]:\n    each.attach(CLIENT)",
    "in a tuple": "tokens = TwoLevels()\nall_of_them = (tokens,)\nfor each in all_of_them:\n    each.attach(CLIENT)",
    "in a dictionary": "tokens = TwoLevels()\ncaches = {}\ncaches['a'] = tokens\ncaches['a'].attach(CLIENT)",
    "a key of an item": "class Listed(TwoLevels):\n    def put(self, key, value):\n        found[self] = 1\n"
    "found = {}\ntokens = Listed()\ntokens.put('a', 1)\nfor each in found:\n    each.attach(CLIENT)",
    "a key": "tokens = TwoLevels()\ndef start():\n    for each in {tokens: 1}:\n        each.attach(CLIENT)",
    "appended": "tokens = TwoLevels()\ncaches = []\ncaches.append(tokens)\ncaches[0].attach(CLIENT)",
    "comprehended": "tokens = TwoLevels()\n[each.attach(CLIENT) for each in (tokens,)]",
    "passed": "def start(cache):\n    cache.attach(CLIENT)\ntokens = TwoLevels()\nstart(tokens)",
    "passed by name": "def start(cache):\n    cache.attach(CLIENT)\ntokens = TwoLevels()\nstart(cache=tokens)",
    "a default": "tokens = TwoLevels()\ndef start(cache=tokens):\n    cache.attach(CLIENT)",
    "returned": "tokens = TwoLevels()\ndef mine():\n    return tokens\nmine().attach(CLIENT)",
    "of a lambda": "tokens = TwoLevels()\nmine = lambda: tokens\nmine().attach(CLIENT)",
    "yielded": "tokens = TwoLevels()\ndef mine():\n    yield tokens\nnext(mine()).attach(CLIENT)",
    "of a generator expression": "tokens = TwoLevels()\nfor each in (tokens for _ in '1'):\n    each.attach(CLIENT)",
    "matched": "tokens = TwoLevels()\ndef start():\n    match tokens:\n        case TwoLevels() as each:\n"
    "            each.attach(CLIENT)",
    "set by its name": "tokens = TwoLevels()\nsetattr(tokens, 'remote', CLIENT)",
    "its dictionary": "tokens = TwoLevels()\ntokens.__dict__['remote'] = CLIENT",
    "made anew": "tokens = TwoLevels()\ntokens.__init__(CLIENT)",
    "all variables": "tokens = TwoLevels()\ndef start():\n    globals()['tokens'].attach(CLIENT)",
    "in an attribute": "class Start:\n    def __init__(self):\n        self.mine = tokens\n    def start(self):\n"
    "        self.mine.attach(CLIENT)\ntokens = TwoLevels()",
    "in an attribute asked for": "class Start:\n    def __init__(self):\n        self.mine = tokens\ndef start(it):\n"
    "    getattr(it, 'mine').attach(CLIENT)\ntokens = TwoLevels()",
    "read by a property": "class Read:\n    def __init__(self):\n        self.remote = None\n    @property\n"
    "    def remote(self):\n        return self.client\n    @remote.setter\n    def remote(self, value):\n"
    "        self.client = value\n    def start(self):\n        self.client = CLIENT\n    def get(self, key):\n"
    "        if self.remote is not None:\n            return self.remote.get(key)\ntokens = Read()\ntokens.start()",
    "in a property": "class Start:\n    @property\n    def mine(self):\n        return self._it\n    @mine.setter\n"
    "    def mine(self, value):\n        self._it = value\n    def start(self):\n        self.mine = tokens\n"
    "        self._it.attach(CLIENT)\ntokens = TwoLevels()",
    "in an attribute of something": "def start(it):\n    it.mine = tokens\n    it.other.attach(CLIENT)\n"
    "tokens = TwoLevels()",
    "by a method": "class Lazy(TwoLevels):\n    def put(self, key, value):\n        self.start()\n"
    "    def start(self):\n        self.remote = CLIENT\ntokens = Lazy()\ntokens.put('a', 1)",
    "by a method of its base": "class Lazy(TwoLevels):\n    def put(self, key, value):\n"
    "        super().attach(CLIENT)\ntokens = Lazy()\ntokens.put('a', 1)",
    "by a nested function of a method": "class Lazy(TwoLevels):\n    def put(self, key, value):\n        def later():\n"
    "            self.remote = CLIENT\n        later()\ntokens = Lazy()\ntokens.put('a', 1)",
    "by a function that a method passes it to": "def start(cache):\n    cache.attach(CLIENT)\n"
    "class Lazy(TwoLevels):\n    def put(self, key, value):\n        start(self)\ntokens = Lazy()\ntokens.put('a', 1)",
    "by its constructor": "class Lazy(Plain):\n    def __init__(self):\n        self.remote = None\n"
    "        self.attach(CLIENT)\ntokens = Lazy()",
    "by a function of its constructor": "class Lazy(Plain):\n    def __init__(self):\n        self.remote = None\n"
    "        def later():\n            self.remote = CLIENT\n        later()\ntokens = Lazy()",
    "registered by its constructor": "caches = []\nclass Lazy(Plain):\n    def __init__(self):\n"
    "        self.remote = None\n        caches.append(self)\ntokens = Lazy()\ncaches[0].attach(CLIENT)",
    "by a special method": "class Lazy(TwoLevels):\n    def __len__(self):\n        self.attach(CLIENT)\n"
    "        return 1\ntokens = Lazy()\nlen(tokens)",
    "by a property": "class Lazy(TwoLevels):\n    @property\n    def client(self):\n        return self.remote\n"
    "    @client.setter\n    def client(self, value):\n        self.remote = value\n"
    "tokens = Lazy()\ntokens.client = CLIENT",
    "by a decorator": "class Lazy(TwoLevels):\n    @connected\n    def put(self, key, value):\n        pass\n"
    "tokens = Lazy()\ntokens.put('a', 1)",
    "a method that returns it": "class Chained(TwoLevels):\n    def put(self, key, value):\n        return self\n"
    "tokens = Chained()\ntokens.put('a', 1).attach(CLIENT)",
    "entered": "class Entered(TwoLevels):\n    def __enter__(self):\n        return self\n"
    "    def __exit__(self, *_):\n        pass\ntokens = Entered()\nwith tokens as mine:\n    mine.attach(CLIENT)",
    "a method from elsewhere": "tokens = TwoLevels()\ndef put(self, key, value):\n    self.remote = CLIENT\n"
    "TwoLevels.put = put\ntokens.put('a', 1)",
    "a new method from elsewhere": "tokens = TwoLevels()\ndef start(self):\n    self.remote = CLIENT\n"
    "TwoLevels.start = start\ntokens.start()",
    "by the constructor of another": "class Next(Plain):\n    def __init__(self):\n        self.remote = None\n"
    "        tokens.remote = CLIENT\ntokens = Next()\nNext()",
    "of an enumeration": "import enum\nclass Caches(enum.Enum):\n    MINE = TwoLevels()\n"
    "    def get(self, key):\n        return self.value.get(key)\n"
    "Caches.MINE.value.attach(CLIENT)\ntokens = Caches.MINE",
    "a decorated class": "import registry\n@registry.add\nclass Lazy(TwoLevels):\n    pass\ntokens = Lazy()",
    "an unknown base": "import elsewhere\nclass Lazy(TwoLevels, elsewhere.Base):\n    pass\ntokens = Lazy()",
    "one object of a class": "class One(TwoLevels):\n    def __new__(cls):\n        return pages\npages = object()\n"
    "tokens = One()\npages.attach(CLIENT)",
}
ELSEWHERE = {
    "imported": "from app import tokens\ntokens.attach(CLIENT)",
    "imported under another name": "from app import tokens as mine\ndef start():\n    mine.remote = CLIENT",
    "in its module": "import app\napp.tokens.attach(CLIENT)",
    "imported and passed": "from app import tokens\nprint(start(tokens))",
    "all imported": "from app import *\ntokens.attach(CLIENT)",
    "asked of its module": "import app\ngetattr(app, 'tokens').attach(CLIENT)",
}


def is_found(tmp_path: Path, body: str, other: str = "") -> bool:
    """Whether the object called `tokens` may have a client, going by the findings."""
    (tmp_path / "app.py").write_text(f"{CLASS}\n\n{body}\n{HANDLER}")
    (tmp_path / "other.py").write_text(f"import redis\n\nCLIENT = redis.Redis()\n{other}\n")
    outcome = engine.check([str(tmp_path)], Settings(root=str(tmp_path), use_cache=False))
    codes = [one.code for one in outcome.diagnostics if one.code.startswith(("LSA1", "invalid"))]
    assert set(codes) <= {"LSA112"}
    return bool(codes)


@pytest.mark.parametrize("body", KEPT.values(), ids=KEPT.keys())
def test_what_nobody_changes_is_kept(tmp_path: Path, body: str) -> None:
    assert not is_found(tmp_path, body)


@pytest.mark.parametrize("body", ESCAPED.values(), ids=ESCAPED.keys())
def test_what_somebody_may_change_is_open(tmp_path: Path, body: str) -> None:
    assert is_found(tmp_path, body)


@pytest.mark.parametrize("other", ELSEWHERE.values(), ids=ELSEWHERE.keys())
def test_other_modules_may_change_it(tmp_path: Path, other: str) -> None:
    assert is_found(tmp_path, "tokens = TwoLevels()", other)


def test_other_modules_may_read_it(tmp_path: Path) -> None:
    other = "import app\nfrom app import tokens as mine\ndef read():\n    return mine.get('a') or app.tokens.size"
    assert not is_found(tmp_path, "tokens = TwoLevels()", other)
