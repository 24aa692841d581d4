"""`loopsafe catalog list`: one line for each file of the catalogue."""

from __future__ import annotations

import argparse
import sys
from typing import Final

import msgspec

from loopsafe.catalog.loader import CatalogText
from loopsafe.catalog.schema import KINDS, CatalogFile
from loopsafe.cli.arguments import Parser
from loopsafe.cli.catalog import add_settings, open_catalog, origin, read_catalog_settings
from loopsafe.cli.output import write_text

USAGE: Final = "[OPTIONS]"
_ALL: Final = "all"


class _Row(msgspec.Struct, frozen=True):
    """A file, as the JSON shows it."""

    name: str
    kind: str
    """distribution, module or framework"""
    versions: str | None
    facts: int
    origin: str
    """shipped, generated, or the file's path"""
    packages: tuple[str, ...]
    source: str
    file: str
    package_version: str | None
    built: str | None


def add_arguments(parser: Parser) -> None:
    """Add the flags of `catalog list`."""
    parser.add_argument("--output-format", choices=("text", "json"), default="text", help="text [default] or json")
    add_settings(parser)


def run(options: argparse.Namespace) -> int:
    """Print the list; a later file wins over those before it, so files of the same name keep their order."""
    catalog = open_catalog(read_catalog_settings(options))
    rows = sorted((_make_row(text, file) for text, file in catalog.files()), key=lambda row: row.name.lower())
    if options.output_format == "json":
        write_text(sys.stdout, msgspec.json.format(msgspec.json.encode(rows)).decode() + "\n")
    else:
        write_text(sys.stdout, _draw(rows))
    return 0


def count_facts(file: CatalogFile) -> int:
    """How many names the file gives an effect; a class with `every` counts once."""
    return sum(len(call.name) for call in file.call) + sum(record.every is not None for record in file.classes)


def kind_of(file: CatalogFile) -> str:
    """What the file describes: distribution, module or framework."""
    return next(kind for kind in KINDS if getattr(file, kind))


def _make_row(text: CatalogText, file: CatalogFile) -> _Row:
    return _Row(
        file.subject,
        kind_of(file),
        file.versions,
        count_facts(file),
        origin(text),
        file.packages,
        file.source,
        text.path,
        file.package_version,
        None if file.built is None else file.built.isoformat(),
    )


def _draw(rows: list[_Row]) -> str:
    table = [("NAME", "KIND", "VERSIONS", "FACTS", "FROM")]
    table += [(row.name, row.kind, row.versions or _ALL, str(row.facts), row.origin) for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "".join(
        f"{name:<{widths[0]}}  {kind:<{widths[1]}}  {versions:<{widths[2]}}  {facts:>{widths[3]}}  {place}\n"
        for name, kind, versions, facts, place in table
    )
