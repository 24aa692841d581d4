"""Several files about the same names: generated, shipped, of plugins, of the project; and about other versions."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

import pytest

from loopsafe.catalog import Affinity, Catalog, Fact, Named, When, load
from loopsafe.catalog import loader as loading
from loopsafe.catalog.loader import (
    FOLDERS,
    GENERATED,
    CatalogText,
    decode,
    pack_shipped,
    read_folder,
    read_shipped,
)
from loopsafe.catalog.schema import CatalogFile
from loopsafe.catalog.versions import select
from loopsafe.model import LoopsafeError

HEAD = 'distribution = "acme"\nsource = "{source}"\n'

GENERATED_TEXT = (
    HEAD.format(source="worked out")
    + """
package_version = "2.4.1"
built = 2026-11-20
source_hash = "0f1e"

[[class]]
name = "acme.Client"
bases = ["acme.Base"]
returns = { get = "acme.Reply", post = "acme.Reply" }
attributes = { url = "str", token = "str" }
asynchronous = ["aclose"]
affinity = "thread"

[[class]]
name = "acme.Base"

[[call]]
class = "acme.Client"
name = ["get", "post", "sign", "with_options", "url", "aclose_sync", "flush"]
effect = "network"
via = ["httpx.Client.request", "socket.recv"]

[[call]]
class = "acme.Client"
name = ["get"]
effect = "file"
when = "iter"

[[call]]
name = ["acme.connect"]
effect = "network"

[returns]
"acme.connect" = "acme.Client"
"""
)

WRITTEN_TEXT = (
    HEAD.format(source="read")
    + """
[[class]]
name = "acme.Client"
quiet = ["sign", "aclose"]
fluent = ["with_options"]
attributes = { url = "acme.Url" }
returns = { post = "bytes" }
asynchronous = ["flush"]
twin = "acme.AsyncClient"

[[call]]
class = "acme.Client"
name = ["get"]
effect = "database"
"""
)


def write(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(name="catalog")
def make_catalog(tmp_path: Path) -> Catalog:
    first = write(tmp_path / "first", "acme", GENERATED_TEXT)
    second = write(tmp_path / "second", "acme", WRITTEN_TEXT)
    return load(extra=[first, second])


def effects(catalog: Catalog, name: str, when: When = When.CALL) -> list[str]:
    return [fact.effect.value for fact in catalog.facts(name, when)]


class TestTwoFilesAboutOneName:
    def test_the_later_one_replaces_the_effects_of_a_name(self, catalog: Catalog) -> None:
        (fact,) = catalog.facts("acme.Client.get")
        assert (fact.effect.value, fact.source, fact.via) == ("database", "read", ())
        assert effects(catalog, "acme.Client.get", When.ITER) == []

    @pytest.mark.parametrize("member", ["sign", "with_options", "url", "flush"])
    def test_whatever_it_says_of_a_name_replaces_them(self, catalog: Catalog, member: str) -> None:
        assert effects(catalog, f"acme.Client.{member}") == []

    def test_a_type_alone_replaces_the_type_alone(self, catalog: Catalog) -> None:
        assert effects(catalog, "acme.Client.post") == ["network"]
        assert catalog.returns("acme.Client.post") == Named("builtins.bytes")

    def test_what_it_leaves_out_stays(self, catalog: Catalog) -> None:
        (fact,) = catalog.facts("acme.Client.aclose_sync")
        assert (fact.source, fact.via) == ("worked out", ("httpx.Client.request", "socket.recv"))
        assert effects(catalog, "acme.connect") == ["network"]
        assert catalog.returns("acme.connect") == Named("acme.Client")
        assert catalog.returns("acme.Client.get") == Named("acme.Reply")

    def test_coroutine_functions(self, catalog: Catalog) -> None:
        assert catalog.is_async("acme.Client.flush")
        assert not catalog.is_async("acme.Client.aclose")

    def test_a_class_is_put_together_key_by_key(self, catalog: Catalog) -> None:
        assert catalog.bases("acme.Client") == ("acme.Base",)
        assert catalog.affinity("acme.Client") is Affinity.THREAD
        assert catalog.twin("acme.Client") == "acme.AsyncClient"
        assert catalog.attribute("acme.Client", "url") == Named("acme.Url")
        assert catalog.attribute("acme.Client", "token") == Named("builtins.str")

    def test_defaults_of_the_class_hold_for_the_calls_of_both(self, catalog: Catalog) -> None:
        (fact,) = catalog.facts("acme.Client.aclose_sync")
        assert (fact.twin, fact.affinity) == ("acme.AsyncClient", Affinity.THREAD)

    def test_names_may_be_any_that_lead_to_the_same_thing(self, tmp_path: Path) -> None:
        own = """\
distribution = "requests"
source = "we"
quiet = ["requests.api.put"]
[[class]]
name = "requests.sessions.Session"
quiet = ["post"]
attributes = { shop = "str" }
[[call]]
class = "requests.sessions.Session"
name = ["get"]
effect = "wait"
[returns]
"requests.api.get" = "str"
"""
        catalog = load(extra=[write(tmp_path / "own", "requests", own)])
        assert catalog.canonical("requests.sessions.Session") == "requests.Session"
        assert effects(catalog, "requests.put") == effects(catalog, "requests.Session.post") == []
        assert effects(catalog, "requests.Session.get") == ["wait"]
        assert effects(catalog, "requests.Session.delete") == ["network"]
        assert catalog.attribute("requests.Session", "shop") == Named("builtins.str")
        assert catalog.returns("requests.get") == Named("builtins.str")

    def test_the_later_file_decides_what_is_the_home(self, tmp_path: Path) -> None:
        found = HEAD.format(source="a") + '[[class]]\nname = "acme._impl.Client"\naliases = ["acme.Client"]\n'
        found += '[[call]]\nclass = "acme._impl.Client"\nname = ["get", "put"]\neffect = "network"\n'
        told = HEAD.format(source="b") + '[[class]]\nname = "acme.Client"\naliases = ["acme._impl.Client"]\n'
        told += '[[call]]\nclass = "acme.Client"\nname = ["get"]\neffect = "file"\n'
        catalog = load(extra=[write(tmp_path / "a", "acme", found), write(tmp_path / "b", "acme", told)])
        assert catalog.canonical("acme._impl.Client.put") == "acme.Client.put"
        assert effects(catalog, "acme.Client.put") == ["network"]
        assert effects(catalog, "acme.Client.get") == ["file"]

    def test_what_gives_a_method_an_effect_keeps_the_type_of_its_base(self, tmp_path: Path) -> None:
        text = (
            HEAD.format(source="s")
            + """
[[class]]
name = "acme.Sub"
bases = ["acme.Base"]
[[class]]
name = "acme.Base"
asynchronous = ["aclose"]
returns = { get = "acme.Reply", aclose = "acme.Reply" }
[[call]]
class = "acme.Sub"
name = ["get", "aclose"]
effect = "network"
"""
        )
        found = load(extra=[write(tmp_path, "acme", text)])
        assert found.returns("acme.Sub.get") == Named("acme.Reply")
        assert found.returns("acme.Sub.aclose") is None

    def test_people_come_before_what_is_generated(self, tmp_path: Path) -> None:
        worked_out = (
            HEAD.format(source="worked out")
            + """
source_hash = "0f"
[[class]]
name = "acme._impl.Sub"
aliases = ["acme.Sub"]
bases = ["acme._impl.Base"]
returns = { get = "acme.Other" }
quiet = ["calm"]
[[class]]
name = "acme._impl.Base"
aliases = ["acme.Base"]
[[call]]
class = "acme._impl.Sub"
name = ["get", "put"]
effect = "wait"
[[call]]
class = "acme._impl.Sub"
name = ["scan"]
effect = "wait"
when = "iter"
"""
        )
        written = (
            HEAD.format(source="written")
            + """
[[class]]
name = "acme.Base"
every = "database"
returns = { get = "acme.Reply" }
[[call]]
class = "acme.Base"
name = ["get"]
effect = "network"
"""
        )
        found = load(extra=[write(tmp_path, "a", written), write(tmp_path, "b", worked_out)])
        assert found.canonical("acme._impl.Base") == "acme.Base"
        assert [effects(found, f"acme._impl.Sub.{name}") for name in ("get", "put", "calm", "scan")] == [
            ["network"],
            ["database"],
            [],
            [],
        ]
        assert [fact.effect.value for fact in found.facts("acme._impl.Sub.scan", When.ITER)] == ["wait"]
        assert found.returns("acme._impl.Sub.get") == Named("acme.Reply")

    def test_each_file_may_have_its_own_home_for_a_module(self, tmp_path: Path) -> None:
        early = '[[call]]\nname = ["acme._api.get"]\neffect = "wait"\n[aliases]\n"acme.get" = "acme._api.get"\n'
        late = '[[call]]\nname = ["acme.get"]\neffect = "network"\n[aliases]\n"acme._api" = "acme"\n'
        heads = [HEAD.format(source=source) for source in ("early", "late")]
        paths = [write(tmp_path, "a", heads[0] + early), write(tmp_path, "b", heads[1] + late)]
        for name in ("acme.get", "acme._api.get"):
            found = load(extra=paths)
            assert found.canonical(name) == "acme.get"
            assert effects(found, "acme.get") == ["network"]

    def test_a_function_may_have_the_name_of_its_module(self, tmp_path: Path) -> None:
        text = HEAD.format(source="s") + '[aliases]\n"acme.play" = "acme.play.play"\n'
        found = load(extra=[write(tmp_path, "acme", text)])
        assert [found.canonical(name) for name in ("acme.play", "acme.play.play", "acme.play.stop")] == [
            "acme.play.play",
            "acme.play.play",
            "acme.play.stop",
        ]

    def test_a_function_can_be_quiet(self, tmp_path: Path) -> None:
        first = write(tmp_path / "first", "acme", GENERATED_TEXT)
        second = write(tmp_path / "second", "acme", HEAD.format(source="read") + 'quiet = ["acme.connect"]\n')
        assert effects(load(extra=[first, second]), "acme.connect") == []

    def test_a_shipped_fact_can_be_taken_back(self, tmp_path: Path) -> None:
        own = write(tmp_path / "own", "time", 'module = "time"\nsource = "we"\nquiet = ["time.sleep"]\n')
        assert effects(load(), "time.sleep") == ["sleep"]
        assert effects(load(extra=[own]), "time.sleep") == []

    def test_order_of_looking_up_does_not_matter(self, tmp_path: Path) -> None:
        part = 'distribution = "a"\nimport = ["acme_core"]\nsource = "a"\n[returns]\n"acme_core.f" = "int"\n'
        write(tmp_path, "a", part)
        both = 'distribution = "b"\nimport = ["acme", "acme_core"]\nsource = "b"\n[returns]\n"acme_core.f" = "str"\n'
        write(tmp_path, "b", both)
        catalog = load(extra=[tmp_path])
        assert catalog.returns("acme.anything") is None
        assert catalog.returns("acme_core.f") == Named("builtins.str")


class TestInheritedDefaults:
    TEXT = (
        HEAD.format(source="s")
        + """
[[class]]
name = "acme.Client"
bases = ["acme.Mixin"]
twin = "acme.aio.Client"
affinity = "shared"
[[class]]
name = "acme.Special"
bases = ["acme.Client"]
[[class]]
name = "acme.Mixin"
[[call]]
class = "acme.Mixin"
name = ["get"]
effect = "network"
[[call]]
class = "acme.Mixin"
name = ["put"]
effect = "network"
twin = "acme.aput"
affinity = "main"
"""
    )

    @pytest.fixture(name="catalog")
    def make(self, tmp_path: Path) -> Catalog:
        return load(extra=[write(tmp_path / "own", "acme", self.TEXT)])

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("acme.Mixin.get", (None, None)),
            ("acme.Client.get", ("acme.aio.Client", Affinity.SHARED)),
            ("acme.Special.get", ("acme.aio.Client", Affinity.SHARED)),
            ("acme.Special.put", ("acme.aput", Affinity.MAIN)),
        ],
    )
    def test_the_receiver_decides(
        self, catalog: Catalog, name: str, expected: tuple[str | None, Affinity | None]
    ) -> None:
        (fact,) = catalog.facts(name)
        assert (fact.twin, fact.affinity) == expected


class TestShippedFiles:
    def test_generated_ones_come_first(self) -> None:
        assert FOLDERS[0] == GENERATED

    def test_a_generated_file_is_read_below_the_others(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write(tmp_path / "sdk", "acme", WRITTEN_TEXT)
        write(tmp_path / "sdk/generated", "acme", GENERATED_TEXT)
        monkeypatch.setattr(loading, "find_rules", lambda: tmp_path)
        assert effects(load(), "acme.Client.get") == ["database"]
        assert effects(load(), "acme.Client.aclose_sync") == ["network"]

    def test_hand_written_ones_do_not_contradict_each_other(self) -> None:
        seen: dict[str, str] = {}
        for text in read_shipped():
            if "generated" in text.path:
                continue
            for name in {name for call in decode(text).call for name in _full_names(call)}:
                assert seen.setdefault(name, text.path) == text.path, name

    def test_packed_ones_are_the_same(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        plain = read_shipped()
        (tmp_path / loading.PACKED).write_bytes(pack_shipped())
        monkeypatch.setattr(loading, "find_rules", lambda: tmp_path)
        packed = read_shipped()
        assert list(map(decode, packed)) == list(map(decode, plain))
        assert [(text.subject, text.packages, text.versions) for text in packed] == [
            (text.subject, text.packages, text.versions) for text in plain
        ]
        for text in (*plain, *packed):
            assert text.has_properties or When.PROPERTY not in {call.when for call in decode(text).call}
        assert {text.path for text in packed} == {
            str(tmp_path / Path(text.path).relative_to(loading.Path(loading.__file__).parents[3] / "rules"))
            for text in plain
        }
        assert len(load().facts("redis.Redis.get")) == 1

    def test_they_are_small_in_a_wheel(self) -> None:
        parts = [pack_shipped(), *(text.data for text in read_shipped())]
        assert sum(len(zlib.compress(part)) for part in parts) <= 1 << 20


def _full_names(call: object) -> list[str]:
    owner, names = getattr(call, "owner", None), getattr(call, "name", ())
    return [f"{owner}.{name}" if owner else name for name in names]


class TestVersions:
    @staticmethod
    def texts(tmp_path: Path, *ranges: str | None) -> list[CatalogText]:
        for index, versions in enumerate(ranges):
            line = "" if versions is None else f'versions = "{versions}"\n'
            write(tmp_path, str(index), HEAD.format(source=f"file {index}") + line)
        return list(read_folder(tmp_path))

    def chosen(self, tmp_path: Path, version: str | None, *ranges: str | None) -> list[int]:
        texts = self.texts(tmp_path, *ranges)
        found = select(texts, {} if version is None else {"acme": version})
        return [texts.index(text) for text in found]

    @pytest.mark.parametrize(
        ("version", "expected"),
        [
            ("1.9", [0]),
            ("2.0.1", [1]),
            ("3.0", [2]),
            ("3.0.dev1+local", [2]),
            ("4.2", [2]),
            ("0.1", [2]),
            ("odd", [2]),
            (None, [2]),
        ],
    )
    def test_the_range_that_has_the_version_else_the_newest(
        self, tmp_path: Path, version: str | None, expected: list[int]
    ) -> None:
        assert self.chosen(tmp_path, version, ">=1,<2", "==2.*", ">=3.0.dev0,<4") == expected

    @pytest.mark.parametrize(
        ("ranges", "expected"),
        [
            (("<2", ">=2"), [1]),
            ((">=10", ">=9,<10"), [0]),
            (("~=1.4", "<1.4"), [0]),
            (("==3.1", "!=3.1"), [0]),
            (("", "<1"), [0, 1]),
            ((">=2", ">=2", ">=1,<2"), [0, 1]),
        ],
    )
    def test_which_is_the_newest(self, tmp_path: Path, ranges: tuple[str, ...], expected: list[int]) -> None:
        assert self.chosen(tmp_path, None, *ranges) == expected

    def test_what_has_no_range_always_holds(self, tmp_path: Path) -> None:
        assert self.chosen(tmp_path, "1.0", None, ">=1,<2", ">=2", None) == [0, 1, 3]

    def test_folders_are_chosen_from_apart(self, tmp_path: Path) -> None:
        old = write(tmp_path / "old", "acme", HEAD.format(source="old") + 'versions = "<2"\n')
        new = write(tmp_path / "new", "acme", HEAD.format(source="new") + 'versions = ">=2"\n')
        texts = [*read_folder(old), *read_folder(new)]
        assert select(texts, {"acme": "3"}) == texts

    def test_names_of_distributions_are_compared_as_pip_does(self, tmp_path: Path) -> None:
        head = 'distribution = "Acme_Cloud.core"\nimport = ["acme"]\nsource = "s"\n'
        for name, versions in (("a", "<2"), ("b", ">=2")):
            write(tmp_path, name, f'{head}versions = "{versions}"\n')
        assert [Path(text.path).stem for text in select(list(read_folder(tmp_path)), {"acme-cloud-core": "1"})] == ["a"]

    def test_the_catalogue_follows_the_version(self, tmp_path: Path) -> None:
        for name, versions, effect in (("old", "<2", "file"), ("new", ">=2", "network")):
            call = f'[[call]]\nname = ["acme.send"]\neffect = "{effect}"\n'
            write(tmp_path, name, HEAD.format(source=name) + f'versions = "{versions}"\n{call}')
        old, new = (load(None, [tmp_path], {"acme": version}) for version in ("1.0", "2.0"))
        assert effects(old, "acme.send") == ["file"]
        assert effects(new, "acme.send") == effects(load(None, [tmp_path]), "acme.send") == ["network"]
        assert old.digest != new.digest

    def test_nothing_is_imported_without_ranges(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(__import__("sys").modules, "packaging.specifiers", None)
        assert self.chosen(tmp_path, "1.0", None) == [0]

    @pytest.mark.parametrize(
        ("line", "problem"),
        [
            ('versions = ">=2,<"', "3: versions: `>=2,<` is no range of versions; write it as pip does, `>=2,<3`"),
            ("versions = 2", "3: versions: Expected `str`, got `int`"),
        ],
    )
    def test_a_wrong_range_is_an_error(self, tmp_path: Path, line: str, problem: str) -> None:
        write(tmp_path, "acme", HEAD.format(source="s") + line + "\n")
        with pytest.raises(LoopsafeError, match=re.escape(f"acme.toml:{problem}")):
            load(extra=[tmp_path])

    def test_only_a_distribution_has_versions(self, tmp_path: Path) -> None:
        write(tmp_path, "acme", 'module = "acme"\nsource = "s"\nversions = ">=3.10"\n')
        with pytest.raises(LoopsafeError, match=r"acme\.toml:3: versions: only a distribution has versions"):
            load(extra=[tmp_path])


def test_keys_of_generated_files(tmp_path: Path) -> None:
    (text,) = read_folder(write(tmp_path, "acme", GENERATED_TEXT))
    file = decode(text)
    assert isinstance(file, CatalogFile)
    assert (file.package_version, str(file.built), file.source_hash) == ("2.4.1", "2026-11-20", "0f1e")


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    text = 'distribution = "acme"\r\nsource = "s"\r\n[[call]]\r\nname = ["acme.f"]\r\neffect = "file"\r\n'
    (tmp_path / "acme.toml").write_bytes(text.encode("utf-8-sig"))
    assert effects(load(extra=[tmp_path]), "acme.f") == ["file"]


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(LoopsafeError, match=r"none\.toml: no such file or folder"):
        load(extra=[tmp_path / "none.toml"])


def test_a_fact_without_a_path_has_none() -> None:
    assert all(isinstance(fact, Fact) and fact.via == () for fact in load().facts("time.sleep"))
