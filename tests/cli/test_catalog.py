"""`loopsafe catalog`: what each subcommand prints, and what it says of mistakes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from loopsafe.catalog import When, load
from loopsafe.cli.catalog import COMMANDS
from loopsafe.cli.catalog_check import find_suspicious

from .conftest import Run

Catalog = Callable[..., Run]
Write = Callable[..., Path]

PARCELS = """\
distribution = "parcels"
source = "https://parcels.example/api"
versions = ">=2,<3"
package_version = "2.4.1"
built = 2026-11-20
source_hash = "5d41402a"

[[class]]
name = "parcels.Client"
aliases = ["parcels.client.Client"]
bases = ["parcels.Base"]
returns = { orders = "list[str]" }
attributes = { url = "str" }
asynchronous = ["aclose"]
twin = "parcels.AsyncClient"
affinity = "shared"

[[class]]
name = "parcels.Base"

[[call]]
class = "parcels.Client"
name = ["orders"]
effect = "network"
via = ["httpx.Client.request", "socket.recv"]
unless = [{ name = "cached", position = 0, equals = true }]

[[call]]
class = "parcels.Client"
name = ["ship"]
effect = "network"
unless = [{ name = "at", absent = true }]

[[call]]
class = "parcels.Base"
name = ["__iter__"]
effect = "file"
when = "iter"
unless = [{ method = "closed" }, { name = "mode", method = "__init__" }, { position = 0, refers = "os.devnull" }]

[returns]
"parcels.connect" = "parcels.Client | None"

[roles]
"parcels.spawn" = { role = "offloader", callable = 0 }
"""


@pytest.fixture
def catalog(loopsafe: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> Catalog:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    return lambda *arguments: loopsafe("catalog", *arguments)


@pytest.fixture
def project(write: Write) -> Path:
    """A project with a catalogue of its own."""
    write("pyproject.toml", '[tool.loopsafe]\ncatalogs = ["tools/blocking.toml"]\n')
    return write("tools/blocking.toml", PARCELS)


class TestHelp:
    def test_commands_are_listed(self, loopsafe: Callable[..., Run], catalog: Catalog) -> None:
        text = catalog("--help")
        assert (text.code, text.err) == (0, "")
        assert text.out.startswith("Look into the catalogue of what blocks\n\nUsage: loopsafe catalog [OPTIONS]")
        assert all(f"  {name:<6}  {words}\n" in text.out for name, words in COMMANDS.items())
        assert catalog("-h") == loopsafe("help", "catalog") == text
        assert catalog() == Run(2, "", text.out)
        assert "\n  catalog  Look into the catalogue" in loopsafe("help").out

    @pytest.mark.parametrize("name", COMMANDS)
    def test_every_command_has_help(self, loopsafe: Callable[..., Run], catalog: Catalog, name: str) -> None:
        text = catalog(name, "--help")
        assert (text.code, text.err) == (0, "")
        assert text.out.startswith(f"usage: loopsafe catalog {name} [OPTIONS]")
        assert loopsafe("help", "catalog", name) == text

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["nope"], "error: unrecognized subcommand 'nope'\n\nUsage: loopsafe catalog [OPTIONS] <COMMAND>\n"),
            (["--nope"], "error: unexpected argument '--nope' found\n"),
            (["list", "--nope"], "error: unexpected argument '--nope' found\n"),
            (["list", "x"], "error: unexpected argument 'x' found\n"),
            (["list", "--output-format", "xml"], "'xml'"),
            (["show"], "error: the following required arguments were not provided:\n  <NAME>\n"),
        ],
    )
    def test_mistakes(self, catalog: Catalog, arguments: list[str], words: str) -> None:
        run = catalog(*arguments)
        assert (run.code, run.out) == (2, "")
        assert words in run.err

    def test_global_options_stand_anywhere(self, loopsafe: Callable[..., Run], project: Path) -> None:
        expected = loopsafe("catalog", "list", "--isolated")
        assert loopsafe("--isolated", "catalog", "list") == expected
        assert loopsafe("catalog", "--isolated", "-q", "list", "--color", "never") == expected
        assert "parcels" not in expected.out


class TestList:
    def test_lines(self, catalog: Catalog, project: Path) -> None:
        lines = catalog("list").out.splitlines()
        assert lines[0].split() == ["NAME", "KIND", "VERSIONS", "FACTS", "FROM"]
        assert "parcels distribution >=2,<3 3 tools/blocking.toml" in [" ".join(line.split()) for line in lines]
        origins = [line.split()[-1] for line in lines if line.startswith("requests ")]
        assert origins == ["generated", "shipped"]  # the latter wins
        assert len({len(line.partition("  shipped")[0]) for line in lines if "  shipped" in line}) == 1

    def test_json(self, catalog: Catalog, project: Path) -> None:
        rows = json.loads(catalog("list", "--output-format", "json").out)
        assert [row for row in rows if row["name"] == "parcels"] == [
            {
                "name": "parcels",
                "kind": "distribution",
                "versions": ">=2,<3",
                "facts": 3,
                "origin": "tools/blocking.toml",
                "packages": ["parcels"],
                "source": "https://parcels.example/api",
                "file": str(project),
                "package_version": "2.4.1",
                "built": "2026-11-20",
            }
        ]
        assert {row["kind"] for row in rows} == {"distribution", "module", "framework"}


class TestShow:
    def test_class(self, catalog: Catalog, project: Path) -> None:
        assert catalog("show", "parcels.client.Client").out == (
            "parcels.Client (class)\n"
            "  also        parcels.client.Client\n"
            "  bases       parcels.Base\n"
            "  twin        parcels.AsyncClient\n"
            "  affinity    shared\n"
            "  blocks      file, while iterated:\n"
            "              __iter__\n"
            "    unless    `closed` was true; `mode` of `__init__` is given; argument 1 is `os.devnull`\n"
            "    twin      parcels.AsyncClient\n"
            "    affinity  shared\n"
            "  blocks      network, when called:\n"
            "              ship\n"
            "    unless    `at` is left out\n"
            "    twin      parcels.AsyncClient\n"
            "    affinity  shared\n"
            "  blocks      network, when called:\n"
            "              orders\n"
            "    unless    `cached` or argument 1 is True\n"
            "    twin      parcels.AsyncClient\n"
            "    affinity  shared\n"
            "    via       httpx.Client.request → socket.recv\n"
            "  await       aclose\n"
            "  members     orders → list[str], url → str\n"
            "  versions    >=2,<3 of parcels, read from 2.4.1 (tools/blocking.toml)\n"
            "  source      https://parcels.example/api\n"
        )

    def test_function_and_member(self, catalog: Catalog, project: Path) -> None:
        assert "\n  returns     parcels.Client | None\n" in catalog("show", "parcels.connect").out
        assert "\n  role        offloader\n" in catalog("show", "parcels.spawn").out
        member = catalog("show", "parcels.Client.orders").out
        assert member.startswith("parcels.Client.orders (member)\n  blocks      network, when called\n    unless")
        assert "\n  returns     list[str]\n" in member
        coroutine = catalog("show", "parcels.Client.aclose").out
        assert "\n  blocks      nothing that is known\n  await       what a call gives\n" in coroutine

    def test_distribution(self, catalog: Catalog, project: Path) -> None:
        text = catalog("show", "parcels").out
        assert text.startswith("parcels (distribution)\n  blocks      file, while iterated:\n")
        assert "\n              parcels.Client.orders, parcels.Client.ship\n" in text
        assert "\n  classes     parcels.Client, parcels.Base\n" in text

    @pytest.mark.parametrize(
        ("name", "line"),
        [
            ("psycopg2.connect", "  blocks      database, when called"),
            ("supabase.Client", "  twin        supabase.acreate_client"),
            ("redis.Redis.get", "    twin      redis.asyncio.Redis"),
            ("time.sleep", "    instead   await asyncio.sleep"),
            ("open", "builtins.open (function)"),
            ("Google_Cloud.Storage", "google-cloud-storage (distribution)"),
            ("google.cloud.storage", "google-cloud-storage (distribution)"),
            ("botocore.client.BaseClient", "              every other public method"),
        ],
    )
    def test_shipped_names(self, catalog: Catalog, name: str, line: str) -> None:
        run = catalog("show", name)
        assert (run.code, run.err) == (0, "")
        assert line in run.out.splitlines()

    def test_json(self, catalog: Catalog, project: Path) -> None:
        shown = json.loads(catalog("show", "parcels.Client.orders", "--output-format", "json").out)
        assert shown["effects"] == [
            {
                "names": ["parcels.Client.orders"],
                "effect": "network",
                "when": "call",
                "unless": ["`cached` or argument 1 is True"],
                "replacement": None,
                "twin": "parcels.AsyncClient",
                "affinity": "shared",
                "via": ["httpx.Client.request", "socket.recv"],
                "source": "https://parcels.example/api",
            }
        ]

    @pytest.mark.parametrize(
        ("name", "near"),
        [("psycop2.connect", "`psycopg2.connect`"), ("requets", "`requests`"), ("httpx.Cleint", "`httpx.Client`")],
    )
    def test_an_unknown_name_is_answered_with_the_nearest(self, catalog: Catalog, name: str, near: str) -> None:
        run = catalog("show", name)
        assert (run.code, run.out) == (2, "")
        assert run.err.startswith(f"loopsafe failed\n  Cause: the catalogue knows nothing of `{name}`; did you mean ")
        assert near in run.err

    def test_a_name_that_is_near_to_nothing(self, catalog: Catalog) -> None:
        run = catalog("show", "zzzzqqq.xx")
        assert run == (2, "", "loopsafe failed\n  Cause: the catalogue knows nothing of `zzzzqqq.xx`\n")


class TestCheck:
    ENTRIES = """\
# a comment
[parcels]
@pkgs parcels
@imports from parcels import Client
B: Client().orders()
B network: c = parcels.Client() ; c.orders()
B: for line in parcels.Client(): ;
B: list(parcels.Client())
B: parcels.unknown()
N: parcels.connect()
N: Client().orders(True)
N: with parcels.Client() as c: ;
"""

    def test_figures(self, catalog: Catalog, project: Path, write: Write) -> None:
        write("entries.txt", self.ENTRIES.replace("N: Client().orders(True)", "N: Client().orders()"))
        run = catalog("check", "entries.txt", "--list")
        assert run == (
            1,
            "package           found  missed  falsely blocking\n"
            "parcels        4/5  80%       1          1/3  33%\n"
            "total          4/5  80%       1          1/3  33%\n"
            "\n"
            "missed\n"
            "  parcels: parcels.unknown()\n"
            "\n"
            "falsely blocking\n"
            "  parcels: Client().orders()  [parcels.Client.orders]\n"
            "No synchronous method of an asynchronous class is said to block.\n",
            "",
        )

    def test_corrections(self, catalog: Catalog, project: Path, write: Write) -> None:
        write("entries.txt", self.ENTRIES)
        write("wrong.txt", "parcels | parcels.unknown() | N | it has never been there\n")
        run = catalog("check", "entries.txt", "--corrections", "wrong.txt")
        assert (run.code, run.err) == (0, "")
        assert "total          4/4 100%       0          0/4   0%\n" in run.out

    def test_packages(self, catalog: Catalog, project: Path, write: Write) -> None:
        write("entries.txt", self.ENTRIES + "[time]\n@pkgs time\nB: time.sleep(1)\nN: time.time()\n")
        out = catalog("check", "entries.txt", "--package", "time").out
        assert [line.split()[0] for line in out.splitlines()[:3]] == ["package", "time", "total"]
        assert catalog("check", "entries.txt", "--package", "none").code == 2

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("[a]\nnonsense\n", "entries.txt:2: neither `B: code`, `N: code`, `[package]` nor `@pkgs`: nonsense"),
            ("[a]\n\nB: f(\n", "entries.txt:3: '(' was never closed: f("),
            ("[a]\nB: del x\n", "entries.txt:2: the last statement must be an expression, `with` or `for`: del x"),
            ("", "no entries in entries.txt to judge"),
        ],
    )
    def test_mistakes(self, catalog: Catalog, write: Write, text: str, problem: str) -> None:
        write("entries.txt", text)
        assert catalog("check", "entries.txt") == (2, "", f"loopsafe failed\n  Cause: {problem}\n")

    def test_a_file_that_is_missing(self, catalog: Catalog) -> None:
        run = catalog("check", "none.txt")
        assert run.err == "loopsafe failed\n  Cause: Cannot read `none.txt`: No such file or directory (os error 2)\n"

    def test_a_mistake_in_the_catalogue(self, catalog: Catalog, project: Path) -> None:
        project.write_text(PARCELS.replace('"network"', '"nettwork"'), encoding="utf-8")
        run = catalog("check")
        assert (run.code, run.out) == (2, "")
        assert run.err.startswith(f"loopsafe failed\n  Cause: {project}:24: effect: Invalid enum value 'nettwork'")


class TestSuspicious:
    TEXT = """\
distribution = "acme"
source = "https://acme.example"
[[class]]
name = "acme.AsyncClient"
bases = ["acme.Mixin"]
asynchronous = ["fetch"]
[[class]]
name = "acme.aio.Pool"
bases = ["acme.Mixin"]
quiet = ["send"]
[[class]]
name = "acme.Mixin"
[[class]]
name = "acme.AsyncResult"
[[call]]
class = "acme.Mixin"
name = ["send", "fetch", "poll"]
effect = "network"
[[call]]
class = "acme.AsyncResult"
name = ["get"]
effect = "wait"
"""

    def test_synchronous_methods_of_asynchronous_classes(self, tmp_path: Path) -> None:
        (tmp_path / "acme.toml").write_text(self.TEXT, encoding="utf-8")
        found = list(find_suspicious(load(extra=[tmp_path / "acme.toml"])))
        assert [(name, fact.name) for name, fact in found] == [
            ("acme.AsyncClient.poll", "acme.Mixin.poll"),
            ("acme.AsyncClient.send", "acme.Mixin.send"),
            ("acme.aio.Pool.fetch", "acme.Mixin.fetch"),
            ("acme.aio.Pool.poll", "acme.Mixin.poll"),
        ]
        assert {fact.when for _, fact in found} == {When.CALL}

    def test_they_are_printed(self, catalog: Catalog, write: Write) -> None:
        write("loopsafe.toml", 'catalogs = ["own"]\n')
        write("own/acme.toml", self.TEXT)
        run = catalog("check")
        assert (run.code, run.err) == (1, "")
        assert run.out == (
            "Synchronous methods of asynchronous classes that are said to block, probably by mistake:\n"
            "  acme.AsyncClient (network): poll, send\n"
            "  acme.aio.Pool (network): fetch, poll\n"
        )

    def test_there_are_none_among_the_shipped(self, catalog: Catalog) -> None:
        assert catalog("check") == (0, "No synchronous method of an asynchronous class is said to block.\n", "")


def test_schema_is_json(catalog: Catalog) -> None:
    schema = json.loads(catalog("schema").out)
    assert schema["$defs"]["CatalogFile"]["properties"]["source"]["description"]
