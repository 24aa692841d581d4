"""Look-ups: aliases, bases, facts, types, roles and the rest, on a small catalogue and on the shipped one."""

from __future__ import annotations

from pathlib import Path

import pytest

from loopsafe.catalog import SELF, UNKNOWN, Affinity, Catalog, Guard, Named, RoleKind, RoleResult, When, load
from loopsafe.model import Effect

ACME = """\
distribution = "acme"
import = ["acme", "acme_core"]
source = "https://acme.example/docs"
asynchronous = ["acme.fetch"]

[[call]]
class = "acme.Base"
name = ["send", "ping"]
effect = "network"
unless = [{ name = "wait", position = 0, equals = false }]

[[call]]
class = "acme.Base"
name = ["__iter__"]
effect = "network"
when = "iter"

[[call]]
class = "acme.Base"
name = ["payload"]
effect = "file"
when = "property"

[[call]]
name = ["acme.call"]
effect = "sleep"
replacement = "acme.fetch"
affinity = "main"

[[class]]
name = "acme.Base"
aliases = ["acme_core.base.Base"]
affinity = "shared"
twin = "acme.AsyncClient"
returns = { send = "acme_core.base.Reply", copy = "Self" }
fluent = ["option"]
attributes = { payload = "bytes", parent = "Self" }

[[class]]
name = "acme.Client"
bases = ["acme_core.base.Base"]
quiet = ["ping"]

[[class]]
name = "acme.Mock"
bases = ["acme.Mixin", "acme.Client"]

[[class]]
name = "acme.Mixin"
bases = ["acme.Base"]
returns = { option = "int" }

[[class]]
name = "acme.AsyncClient"
asynchronous = ["send", "close"]
returns = { send = "acme.Reply" }

[[class]]
name = "acme.Reply"
returns = { __getattr__ = "acme.Reply" }
attributes = { text = "str" }

[returns]
"acme.call" = "acme.Reply | None"
"acme.fetch" = "acme.Reply"

[aliases]
"acme_core" = "acme"
"acme_core.base" = "acme"
"acme.invoke" = "acme.call"

[roles]
"acme.spawn" = { role = "offloader", callable = 0, keyword = "target", result = "future" }
"acme.Base.on" = { role = "keeps" }
"""


@pytest.fixture(name="catalog")
def _catalog(tmp_path: Path) -> Catalog:
    (tmp_path / "acme.toml").write_text(ACME, encoding="utf-8")
    return load(extra=[tmp_path])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("acme.Base", "acme.Base"),
        ("acme_core.base.Base", "acme.Base"),
        ("acme_core.base.Base.send", "acme.Base.send"),
        ("acme_core.base", "acme"),
        ("acme_core.anything.else", "acme.anything.else"),
        ("acme.invoke", "acme.call"),
        ("acme_core.invoke", "acme.call"),
        ("acme.invoked", "acme.invoked"),
        ("unheard.of", "unheard.of"),
        ("", ""),
    ],
)
def test_canonical(catalog: Catalog, name: str, expected: str) -> None:
    assert catalog.canonical(name) == expected
    assert catalog.canonical(name) == expected


def test_alias_cycle_ends(tmp_path: Path) -> None:
    content = 'distribution = "a"\nsource = "s"\n[aliases]\n"a.x" = "a.y"\n"a.y" = "a.x"\n'
    (tmp_path / "a.toml").write_text(content, encoding="utf-8")
    assert load(extra=[tmp_path]).canonical("a.x") in ("a.x", "a.y")


def test_fact_carries_what_the_file_says(catalog: Catalog) -> None:
    (fact,) = catalog.facts("acme.Base.send", When.CALL)
    assert fact.effect is Effect.NETWORK
    assert fact.unless == (Guard(name="wait", position=0, equals=False),)
    assert (fact.affinity, fact.twin) == (Affinity.SHARED, "acme.AsyncClient")
    (fact,) = catalog.facts("acme.call", When.CALL)
    assert (fact.replacement, fact.affinity) == ("acme.fetch", Affinity.MAIN)
    assert fact.source == "https://acme.example/docs"


def test_facts_are_separate_for_each_moment(catalog: Catalog) -> None:
    assert catalog.facts("acme.Base.__iter__", When.CALL) == ()
    assert len(catalog.facts("acme.Base.__iter__", When.ITER)) == 1
    assert catalog.facts("acme.unknown", When.CALL) == ()


def test_members_are_found_through_bases(catalog: Catalog) -> None:
    assert catalog.find("acme.Client", "send") == "acme.Base.send"
    assert catalog.facts("acme.Client.send", When.CALL) == catalog.facts("acme.Base.send", When.CALL)
    assert catalog.find("acme.Client", "nothing") is None
    assert catalog.find("not.known", "send") is None


def test_quiet_member_hides_the_base(catalog: Catalog) -> None:
    assert catalog.find("acme.Client", "ping") == "acme.Client.ping"
    assert catalog.facts("acme.Client.ping", When.CALL) == ()


def test_bases_are_linear_like_pythons(catalog: Catalog) -> None:
    assert catalog.bases("acme.Client") == ("acme.Base",)
    assert catalog.linear("acme.Mock") == ("acme.Mock", "acme.Mixin", "acme.Client", "acme.Base")
    assert catalog.returns("acme.Mock.option") == Named("builtins.int")


def test_base_cycle_ends(tmp_path: Path) -> None:
    classes = '[[class]]\nname = "a.X"\nbases = ["a.Y"]\n[[class]]\nname = "a.Y"\nbases = ["a.X"]\n'
    content = 'distribution = "a"\nsource = "s"\n' + classes
    (tmp_path / "a.toml").write_text(content, encoding="utf-8")
    assert load(extra=[tmp_path]).find("a.X", "nothing") is None


def test_returns(catalog: Catalog) -> None:
    reply = Named("acme.Reply")
    assert catalog.returns("acme.Client.send") == reply
    assert catalog.returns("acme.Client.copy") == SELF
    assert catalog.returns("acme.Client.option") == SELF
    assert catalog.returns("acme.Client") == Named("acme.Client")
    assert catalog.returns("acme.nothing") is None


def test_coroutine_functions(catalog: Catalog) -> None:
    assert catalog.returns("acme.fetch") == Named("typing.Awaitable", (Named("acme.Reply"),))
    assert catalog.returns("acme.AsyncClient.send") == Named("typing.Awaitable", (Named("acme.Reply"),))
    assert catalog.returns("acme.AsyncClient.close") == Named("typing.Awaitable", (UNKNOWN,))
    assert catalog.is_async("acme.fetch")
    assert catalog.is_async("acme.AsyncClient.close")
    assert not catalog.is_async("acme.Client.send")
    assert not catalog.is_async("acme.nothing")


def test_attributes(catalog: Catalog) -> None:
    assert catalog.attribute("acme.Client", "payload") == Named("builtins.bytes")
    assert catalog.attribute("acme.Client", "parent") == SELF
    assert catalog.attribute("acme.Client", "send") is None
    assert catalog.attribute("acme.Client", "nothing") is None
    assert catalog.attribute("acme.Reply", "text") == Named("builtins.str")
    assert catalog.attribute("acme.Reply", "made_up") == Named("acme.Reply")
    assert catalog.attribute("acme.Reply", "__len__") is None


def test_roles(catalog: Catalog) -> None:
    role = catalog.role("acme.spawn")
    assert role is not None
    assert (role.role, role.callable, role.keyword) == (RoleKind.OFFLOADER, 0, "target")
    assert role.result is RoleResult.FUTURE
    inherited = catalog.role("acme.Client.on")
    assert inherited is not None
    assert inherited.role is RoleKind.KEEPS
    assert catalog.role("acme.nothing") is None


def test_affinity_comes_from_bases(catalog: Catalog) -> None:
    assert catalog.affinity("acme.Client") is Affinity.SHARED
    assert catalog.affinity("acme.Reply") is None
    assert catalog.affinity("not.known") is None


def test_property_names_follow_the_imports(tmp_path: Path) -> None:
    (tmp_path / "acme.toml").write_text(ACME, encoding="utf-8")
    assert "payload" in load(extra=[tmp_path]).property_names
    assert "payload" in load({"acme_core"}, [tmp_path]).property_names
    assert "payload" not in load({"requests"}, [tmp_path]).property_names


def test_digest_follows_the_content(tmp_path: Path) -> None:
    plain = load().digest
    (tmp_path / "acme.toml").write_text(ACME, encoding="utf-8")
    extended = load(extra=[tmp_path]).digest
    assert len({plain, extended}) == 2
    assert load(["requests"]).digest == plain


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("requests.sessions.Session", "requests.Session"),
        ("requests.api.get", "requests.get"),
        ("posixpath.exists", "os.path.exists"),
        ("pathlib._local.Path", "pathlib.Path"),
        ("concurrent.futures.thread.ThreadPoolExecutor", "concurrent.futures.ThreadPoolExecutor"),
        ("asyncio.events.get_event_loop", "asyncio.get_event_loop"),
        ("asyncio.base_events.BaseEventLoop.run_forever", "asyncio.BaseEventLoop.run_forever"),
        ("collections.abc.Awaitable", "typing.Awaitable"),
        ("typing_extensions.List", "builtins.list"),
        ("supabase._async.client.create_client", "supabase.acreate_client"),
        ("supabase.client.Client", "supabase.Client"),
        ("psycopg2._psycopg.cursor", "psycopg2.extensions.cursor"),
    ],
)
def test_shipped_aliases(name: str, expected: str) -> None:
    assert load().canonical(name) == expected


def test_shipped_roles() -> None:
    catalog = load()
    loop = "asyncio.SelectorEventLoop"
    kinds = {
        "asyncio.to_thread": RoleKind.OFFLOADER,
        f"{loop}.run_in_executor": RoleKind.OFFLOADER,
        f"{loop}.call_soon": RoleKind.SCHEDULER,
        "asyncio.Task.add_done_callback": RoleKind.SCHEDULER,
        "threading.Timer": RoleKind.OFFLOADER,
        "builtins.sorted": RoleKind.CONSUMER,
        "functools.partial": RoleKind.PARTIAL,
        "fastapi.APIRouter.get": RoleKind.ROUTE,
        "fastapi.Depends": RoleKind.DEPENDS,
        "asgiref.sync.sync_to_async": RoleKind.OFFLOAD_DECORATOR,
        "contextlib.asynccontextmanager": RoleKind.ASYNCCONTEXTMANAGER,
    }
    found = {name: catalog.role(name) for name in kinds}
    assert {name: role.role for name, role in found.items() if role} == kinds


def test_shipped_affinity() -> None:
    catalog = load()
    assert catalog.affinity("sqlite3.Cursor") is Affinity.THREAD
    assert catalog.affinity("psycopg2.extras.RealDictCursor") is Affinity.SHARED
    assert catalog.affinity("httpx.AsyncClient") is Affinity.LOOP
    assert catalog.affinity("httpx.Client") is None
    assert catalog.affinity("supabase.Client") is None
