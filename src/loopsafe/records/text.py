"""A record as the text of a catalogue file, made for being read in a diff.

One fact stands in one line where it fits, everything in a fixed order. Knows TOML's strings, arrays and tables, as far
as records need them; `catalog.loader` reads the result.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from loopsafe.catalog.schema import CallRecord, CatalogFile, ClassRecord, When

_WIDTH: Final = 120


def write_record(record: CatalogFile) -> str:
    """The whole file."""
    tables = [_head(record), *map(_call, record.call), *map(_class, record.classes)]
    for name, found in (("returns", record.returns), ("aliases", record.aliases)):
        if found:
            tables.append(_table(name, found))
    return "\n".join("".join(f"{line}\n" for line in table) for table in tables)


def _head(record: CatalogFile) -> Iterator[str]:
    yield f"distribution = {_quote(record.subject)}"
    yield from _array("import", record.packages)
    yield f"source = {_quote(record.source)}"
    if record.versions is not None:
        yield f"versions = {_quote(record.versions)}"
    if record.package_version is not None:
        yield f"package_version = {_quote(record.package_version)}"
    if record.built is not None:
        yield f"built = {record.built.isoformat()}"
    if record.source_hash is not None:
        yield f"source_hash = {_quote(record.source_hash)}"
    yield from _array("asynchronous", record.asynchronous)


def _call(call: CallRecord) -> Iterator[str]:
    yield "[[call]]"
    if call.owner is not None:
        yield f"class = {_quote(call.owner)}"
    yield from _array("name", call.name)
    yield f"effect = {_quote(call.effect.value)}"
    if call.when is not When.CALL:
        yield f"when = {_quote(call.when.value)}"
    yield from _array("via", call.via)


def _class(record: ClassRecord) -> Iterator[str]:
    yield "[[class]]"
    yield f"name = {_quote(record.name)}"
    for key in ("aliases", "bases", "fluent", "asynchronous", "quiet"):
        yield from _array(key, getattr(record, key))
    long = []
    for key, found in (("returns", record.returns), ("attributes", record.attributes)):
        line = f"{key} = {{ {', '.join(_pairs(found))} }}"
        if len(line) > _WIDTH:
            long.append((f"class.{key}", found))
        elif found:
            yield line
    for name, found in long:
        yield from _table(name, found)


def _table(name: str, found: Mapping[str, str]) -> Iterator[str]:
    yield f"[{name}]"
    yield from _pairs(found)


def _pairs(found: Mapping[str, str]) -> Iterator[str]:
    return (f"{_key(name)} = {_quote(text)}" for name, text in sorted(found.items()))


def _array(key: str, items: Sequence[str]) -> Iterator[str]:
    """In one line if it fits, else in as many as it takes."""
    if not items:
        return
    line = f"{key} = [{', '.join(map(_quote, items))}]"
    if len(line) <= _WIDTH:
        yield line
        return
    yield f"{key} = ["
    line = " "
    for item in map(_quote, items):
        if len(line) + len(item) + 2 > _WIDTH:
            yield line
            line = " "
        line += f" {item},"
    yield line
    yield "]"


def _key(name: str) -> str:
    return name if name.isascii() and name.isidentifier() else _quote(name)


def _quote(text: str) -> str:
    """What JSON escapes, TOML escapes alike."""
    return json.dumps(text, ensure_ascii=False)
