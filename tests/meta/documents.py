"""Reads the rule documents in `rules/codes` for the tests about them."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from . import places

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SECTIONS: Final = ("What it does", "Why is this bad?", "Example", "Fix safety", "References")


@dataclass(frozen=True)
class Document:
    """One rule document, taken apart."""

    path: Path
    front: dict[str, Any]
    sections: dict[str, str]

    @property
    def code(self) -> str:
        return str(self.front["code"])

    def examples(self) -> list[str]:
        """The Python blocks of the Example section: first what fires, then what to write instead."""
        return re.findall(r"```python\n(.*?)```", self.sections["Example"], flags=re.DOTALL)


def read(path: Path) -> Document:
    match = re.fullmatch(r"\+\+\+\n(.*?)\n\+\+\+\n(.*)", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert match, f"{path.name} does not begin with TOML between +++ lines"
    parts = re.split(r"^## (.*)\n", match[2], flags=re.MULTILINE)
    return Document(path, tomllib.loads(match[1]), dict(zip(parts[1::2], parts[2::2], strict=True)))


def read_all() -> list[Document]:
    return [read(path) for path in sorted((places.RULES / "codes").glob("*.md"))]
