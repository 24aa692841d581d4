"""The JSON schema for editors: it accepts what the loader accepts and refuses what people get wrong."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from loopsafe.catalog.json_schema import make_json_schema
from loopsafe.catalog.loader import FOLDERS, CatalogText, decode, find_rules, read_folder
from loopsafe.model import LoopsafeError

jsonschema = pytest.importorskip("jsonschema")
if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SCHEMA = make_json_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
TEXTS = [text for folder in FOLDERS for text in read_folder(find_rules() / folder)]
RIGHT = """\
distribution = "acme"
source = "s"
[[call]]
name = ["acme.f"]
effect = "network"
unless = [{ name = "x", equals = 1.5 }, { method = "done" }, { position = 0 }]
[[class]]
name = "acme.A"
every = "file"
unless = [{ name = "x" }]
[roles]
"acme.g" = { role = "offloader", callable = 0 }
"""


def problems(text: str) -> list[Any]:
    data = json.loads(json.dumps(tomllib.loads(text), default=str))  # editors take a date for its text
    return list(VALIDATOR.iter_errors(data))


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: "/".join(Path(text.path).with_suffix("").parts[-2:]))
def test_shipped_files_are_accepted(text: CatalogText) -> None:
    assert problems(text.data.decode()) == []


def test_generated_keys_are_accepted() -> None:
    head = 'distribution = "acme"\nsource = "s"\nversions = ">=2"\npackage_version = "2.1"\nbuilt = 2026-11-20\n'
    call = '[[call]]\nname = ["acme.f"]\neffect = "file"\nvia = ["io.open"]\n'
    assert problems(f'{head}source_hash = "0f"\n{call}') == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param('source = "s"', "", id="no source"),
        pytest.param('source = "s"', 'source = ""', id="an empty source"),
        pytest.param('distribution = "acme"', "", id="about nothing"),
        pytest.param('distribution = "acme"', 'distribution = "acme"\nmodule = "acme"', id="about two things"),
        pytest.param('distribution = "acme"', 'module = "acme"\nversions = ">=3.10"', id="versions of a module"),
        pytest.param('distribution = "acme"', 'distribution = "acme"\ncolour = 1', id="an unknown key"),
        pytest.param('distribution = "acme"', 'distribution = "acme"\nimport = "acme"', id="a text for a list"),
        pytest.param('"network"', '"nettwork"', id="an unknown effect"),
        pytest.param('["acme.f"]', '"acme.f"', id="a name for a list of names"),
        pytest.param('name = ["acme.f"]', "", id="a call without names"),
        pytest.param('{ method = "done" }', "{ equals = 1 }", id="a guard without an argument"),
        pytest.param("{ position = 0 }", '{ position = "0" }', id="a position that is no number"),
        pytest.param('effect = "network"', 'effect = "network"\nwhne = "call"', id="a misspelled key"),
        pytest.param('effect = "network"', 'effect = "network"\nwhen = "called"', id="an unknown moment"),
        pytest.param('every = "file"', "", id="what cancels nothing"),
        pytest.param('role = "offloader"', 'role = "offload"', id="an unknown role"),
        pytest.param('role = "offloader", callable = 0', "callable = 0", id="a role without a role"),
    ],
)
def test_it_refuses_what_the_loader_refuses(tmp_path: Path, old: str, new: str) -> None:
    text = RIGHT.replace(old, new, 1)
    (tmp_path / "acme.toml").write_text(text, encoding="utf-8")
    (read,) = read_folder(tmp_path)
    with pytest.raises(LoopsafeError):
        decode(read)
    assert problems(text)


def test_every_key_is_described() -> None:
    tables = {name: table for name, table in SCHEMA["$defs"].items() if "properties" in table}
    assert tables.keys() == {"CatalogFile", "CallRecord", "ClassRecord", "ShapeRecord", "Guard", "Role"}
    bare = [f"{name}.{key}" for name, table in tables.items() for key, value in table["properties"].items()
            if not value.get("description")]  # fmt: skip
    assert bare == []


def test_it_has_no_null() -> None:
    assert '"null"' not in json.dumps(SCHEMA)
