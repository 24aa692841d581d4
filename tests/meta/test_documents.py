"""The examples in the rule documents are run: the first fires its rule, the second is silent."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import documents

DOCUMENTS = documents.read_all()


def find_codes(folder: Path, text: str) -> list[str]:
    """The codes that all rules together report for a file of that text."""
    from loopsafe.config.settings import Settings
    from loopsafe.engine import check

    path = folder / "example.py"
    path.write_text(text, encoding="utf-8")
    settings = Settings(select=("ALL",), use_cache=False, root=str(folder))
    return [diagnostic.code for diagnostic in check([str(path)], settings).diagnostics]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d.path.stem)
def test_example_fires_its_rule_and_no_other(document: documents.Document, tmp_path: Path) -> None:
    assert set(find_codes(tmp_path, document.examples()[0])) == {document.code}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d.path.stem)
def test_what_to_use_instead_is_silent(document: documents.Document, tmp_path: Path) -> None:
    assert find_codes(tmp_path, document.examples()[1]) == []
