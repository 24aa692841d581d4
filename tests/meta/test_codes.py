"""Every rule has a complete document, and fixtures that show it firing and staying quiet."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from loopsafe import model

from . import documents, places

DOCUMENTS = documents.read_all()
FIXTURE_FOLDERS = sorted(p for p in (places.FIXTURES / "rules").iterdir() if p.is_dir())
PLANNED: set[str] = set()
"""Rules that have fixtures before they have a document."""


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d.path.stem)
def test_front_matter_is_complete(document: documents.Document) -> None:
    front = document.front
    assert list(front) == ["code", "name", "default", "fix", "since", "message"]
    assert re.fullmatch(r"LSA\d{3}", front["code"])
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", front["name"])
    assert isinstance(front["default"], bool)
    assert front["fix"] in {"always", "sometimes", "never"}
    assert re.fullmatch(r"\d+\.\d+\.\d+", front["since"])
    assert front["message"] and "\n" not in front["message"]
    assert document.path.stem == f"{front['code']}-{front['name']}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d.path.stem)
def test_document_has_its_five_sections(document: documents.Document) -> None:
    assert tuple(document.sections) == documents.SECTIONS
    assert all(text.strip() for text in document.sections.values())
    assert len(document.examples()) == 2
    assert "```\n\nUse instead:\n```python" in document.sections["Example"]


def test_codes_and_names_are_unique() -> None:
    for key in ("code", "name"):
        values = [d.front[key] for d in DOCUMENTS]
        assert len(set(values)) == len(values)


def test_every_code_of_an_effect_is_documented() -> None:
    codes = {code for pair in model.CODES.values() for code in pair if code}
    assert codes <= {d.code for d in DOCUMENTS}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d.path.stem)
def test_rule_has_firing_and_quiet_fixtures(document: documents.Document) -> None:
    folder = places.FIXTURES / "rules" / document.code
    names = [p.name for p in folder.iterdir() if not p.name.endswith(".fixed.py") and p.name != "__pycache__"]
    assert any(name.startswith("quiet_") for name in names)
    assert any(not name.startswith("quiet_") for name in names)


@pytest.mark.parametrize("folder", FIXTURE_FOLDERS, ids=lambda p: p.name)
def test_fixtures_belong_to_a_rule(folder: Path) -> None:
    assert folder.name in {d.code for d in DOCUMENTS} | PLANNED


@pytest.mark.parametrize("folder", FIXTURE_FOLDERS, ids=lambda p: p.name)
def test_some_fixture_of_a_rule_gives_columns(folder: Path) -> None:
    texts = [p.read_text(encoding="utf-8") for p in folder.rglob("*.py")]
    is_planned = folder.name in PLANNED
    assert is_planned or any(re.search(rf"expect(-below)?: (.*, )?{folder.name} @\d", text) for text in texts)
