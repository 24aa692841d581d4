"""Classes of which every method has an effect, and files that describe a package inside a shared top level."""

from __future__ import annotations

from pathlib import Path

import pytest

from loopsafe.catalog import Affinity, Catalog, Guard, Named, When, load
from loopsafe.model import Effect, LoopsafeError

CLOUD = """\
distribution = "acme-cloud"
import = ["acme.cloud"]
source = "https://acme.example/cloud"

[[class]]
name = "acme.cloud.Client"
bases = ["acme.cloud.Base"]
every = "network"
twin = "acme.cloud.AsyncClient"
affinity = "shared"
quiet = ["close"]
fluent = ["with_options"]
asynchronous = ["aclose"]
attributes = { meta = "str" }
returns = { fetch = "bytes", list_all = "Iterator[bytes]", walk = "Iterator[bytes]" }

[[class]]
name = "acme.cloud.Base"
quiet = ["sign"]
returns = { label = "str" }

[[class]]
name = "acme.cloud.Special"
bases = ["acme.cloud.Client"]
quiet = ["guess"]

[[class]]
name = "acme.cloud.Cached"
bases = ["acme.cloud.Client"]
every = "file"

[[call]]
class = "acme.cloud.Client"
name = ["walk"]
effect = "network"
when = "iter"

[[call]]
class = "acme.cloud.Client"
name = ["store"]
effect = "file"
"""


@pytest.fixture(name="catalog")
def make_catalog(tmp_path: Path) -> Catalog:
    (tmp_path / "cloud.toml").write_text(CLOUD, encoding="utf-8")
    return load(extra=[tmp_path])


def effects(catalog: Catalog, name: str, when: When = When.CALL) -> list[str]:
    return [fact.effect.value for fact in catalog.facts(name, when)]


def test_a_method_of_which_nothing_is_said_has_the_effect(catalog: Catalog) -> None:
    assert catalog.find("acme.cloud.Client", "anything") == "acme.cloud.Client.anything"
    (fact,) = catalog.facts("acme.cloud.Client.anything")
    assert fact.name == "acme.cloud.Client.anything"
    assert fact.effect is Effect.NETWORK
    assert fact.twin == "acme.cloud.AsyncClient"
    assert fact.affinity is Affinity.SHARED
    assert fact.source == "https://acme.example/cloud"
    assert fact.is_general


def test_a_type_alone_does_not_make_a_method_harmless(catalog: Catalog) -> None:
    assert effects(catalog, "acme.cloud.Client.fetch") == ["network"]
    assert catalog.returns("acme.cloud.Client.fetch") == Named("builtins.bytes")


@pytest.mark.parametrize(
    "name", ["close", "with_options", "aclose", "meta", "sign", "label", "_send", "__len__", "store_async"]
)
def test_methods_that_are_described_otherwise_have_none(catalog: Catalog, name: str) -> None:
    found = catalog.find("acme.cloud.Client", name)
    assert found is None or effects(catalog, found) == []


def test_calls_of_the_file_say_what_their_methods_do(catalog: Catalog) -> None:
    (fact,) = catalog.facts("acme.cloud.Client.store")
    assert fact.effect is Effect.FILE
    assert not fact.is_general
    assert effects(catalog, "acme.cloud.Client.walk") == []
    assert effects(catalog, "acme.cloud.Client.walk", When.ITER) == ["network"]


@pytest.mark.parametrize("when", [when for when in When if when is not When.CALL])
def test_only_calls_have_the_effect(catalog: Catalog, when: When) -> None:
    assert effects(catalog, "acme.cloud.Client.anything", when) == []


def test_the_effect_is_inherited_and_may_be_taken_back(catalog: Catalog) -> None:
    assert catalog.find("acme.cloud.Special", "anything") == "acme.cloud.Client.anything"
    assert effects(catalog, "acme.cloud.Special.anything") == ["network"]
    assert effects(catalog, "acme.cloud.Special.guess") == []
    assert effects(catalog, "acme.cloud.Special.close") == []


def test_the_nearest_class_decides_of_what_effect(catalog: Catalog) -> None:
    assert effects(catalog, "acme.cloud.Cached.anything") == ["file"]
    assert effects(catalog, "acme.cloud.Cached.store") == ["file"]
    assert effects(catalog, "acme.cloud.Cached.close") == []


def test_answers_are_kept(catalog: Catalog) -> None:
    assert catalog.facts("acme.cloud.Special.anything") is catalog.facts("acme.cloud.Special.anything")


def test_other_classes_are_left_alone(catalog: Catalog) -> None:
    assert catalog.find("acme.cloud.Base", "anything") is None
    assert effects(catalog, "acme.cloud.Base.anything") == []
    assert effects(catalog, "acme.cloud.Unknown.anything") == []


def test_a_wrong_effect_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "cloud.toml"
    path.write_text(CLOUD.replace('every = "file"', 'every = "nothing"'), encoding="utf-8")
    with pytest.raises(LoopsafeError, match="every"):
        load(extra=[tmp_path]).is_class("acme.cloud.Client")


def test_arguments_cancel_the_effect(tmp_path: Path) -> None:
    guard = 'every = "network"\nunless = [{ name = "in_thread", equals = true }]'
    (tmp_path / "cloud.toml").write_text(CLOUD.replace('every = "network"', guard), encoding="utf-8")
    (fact,) = load(extra=[tmp_path]).facts("acme.cloud.Special.anything")
    assert fact.unless == (Guard(name="in_thread", equals=True),)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('every = "network"', 'every = "network"\nunless = [{ equals = true }]', "needs the name or the position"),
        ('quiet = ["sign"]', 'unless = [{ name = "x" }]', "`acme.cloud.Base` has no `every`"),
    ],
)
def test_a_wrong_guard_is_an_error(tmp_path: Path, old: str, new: str, problem: str) -> None:
    (tmp_path / "cloud.toml").write_text(CLOUD.replace(old, new), encoding="utf-8")
    with pytest.raises(LoopsafeError, match=problem):
        load(extra=[tmp_path]).is_class("acme.cloud.Client")


def describe(tmp_path: Path, stem: str, packages: str, body: str) -> None:
    head = f'distribution = "{stem}"\nimport = [{packages}]\nsource = "https://acme.example"\n'
    (tmp_path / f"{stem}.toml").write_text(head + body, encoding="utf-8")


def test_a_dotted_package_is_decoded_for_its_own_names(tmp_path: Path) -> None:
    describe(tmp_path, "a", '"acme.a"', '[[class]]\nname = "acme.a.Client"\n')
    describe(tmp_path, "b", '"acme.b"', '[[class]]\nname = "acme.b.Client"\n')
    catalog = load(extra=[tmp_path])
    assert catalog.is_class("acme.a.Client")
    assert "acme.b.Client" not in catalog._classes
    assert catalog.is_class("acme.b.Client")
    assert not catalog.is_class("acme.bb.Client")


def test_a_dotted_package_bounds_the_names_of_its_file(tmp_path: Path) -> None:
    describe(tmp_path, "a", '"acme.a"', '[[class]]\nname = "acme.ab.Client"\n')
    with pytest.raises(LoopsafeError, match=r"`acme\.ab\.Client` lies outside"):
        load(extra=[tmp_path])


def test_a_later_file_of_a_whole_top_level_wins_over_an_earlier_one_of_a_part(tmp_path: Path) -> None:
    describe(tmp_path, "a", '"acme.a"', '[returns]\n"acme.a.make" = "str"\n')
    describe(tmp_path, "z", '"acme"', '[returns]\n"acme.a.make" = "bytes"\n')
    catalog = load(extra=[tmp_path])
    assert not catalog.is_class("acme.other")
    assert catalog.returns("acme.a.make") == Named("builtins.bytes")


def test_an_import_of_the_top_level_counts_for_a_dotted_package(tmp_path: Path) -> None:
    describe(
        tmp_path,
        "a",
        '"acme.a"',
        '[[call]]\nclass = "acme.a.Row"\nname = ["odd_name"]\neffect = "network"\nwhen = "property"\n',
    )
    assert "odd_name" in load(["acme"], extra=[tmp_path]).property_names
    assert "odd_name" not in load(["other"], extra=[tmp_path]).property_names
