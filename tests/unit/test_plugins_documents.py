"""docs/catalogue.md tells the whole of the schema, and its example is a catalogue."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from loopsafe import catalog
from loopsafe.catalog import schema
from loopsafe.catalog.types import FORMS
from loopsafe.model import Effect

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "catalogue.md").read_text(encoding="utf-8")
RECORDS = (schema.CatalogFile, schema.CallRecord, schema.ClassRecord, schema.Guard, schema.Role)
CLOSED_SETS = (Effect, schema.When, schema.Affinity, schema.RoleKind, schema.RoleResult)
PROSE = re.sub(r"```\w+\n.*?```", "", PAGE, flags=re.DOTALL)
WORDS = set(re.findall(r"[\w-]+", " ".join(re.findall(r"`([^`]+)`", PROSE))))


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_every_key_is_explained(record: type[msgspec.Struct]) -> None:
    assert {field.encode_name for field in msgspec.structs.fields(record)} <= WORDS


@pytest.mark.parametrize("kind", CLOSED_SETS, ids=lambda kind: kind.__name__)
def test_every_word_is_explained(kind: Any) -> None:
    assert {member.value for member in kind} <= WORDS


def test_every_form_of_type_is_explained() -> None:
    assert FORMS.keys() <= WORDS


def test_example_is_a_catalogue(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "parcels.toml").write_text(example, encoding="utf-8")
    loaded = catalog.load(extra=[tmp_path])
    assert [fact.effect for fact in loaded.facts("parcels.Client.orders", schema.When.CALL)] == [Effect.NETWORK]
    assert loaded.canonical("parcels.client.Client.ship") == "parcels.Client.ship"
    role = loaded.role("parcels.in_background")
    assert role is not None
    assert role.role is schema.RoleKind.OFFLOADER


def test_decisions_are_short() -> None:
    """Context, choice, consequence: at most ten lines of text."""
    for path in sorted((Path(__file__).resolve().parents[2] / "docs" / "decisions").glob("*.md")):
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line]
        assert re.match(rf"# {int(path.name[:4])}\. ", lines[0]), path
        parts = [line.split("**")[1] for line in lines if line.startswith("**")]
        assert parts == ["Context.", "Choice.", "Consequence."], path
        assert len(lines) <= 11, path
