"""Labelled entry points: their files, and whether the engine reports them.

Every entry becomes an async function of its own, every package a module; one run of the engine over all of them gives
the verdicts. An entry is judged by its last statement, and there by the outermost expression alone: `get("u").json()`
asks about `json`, not about `get`. Nothing here prints.
"""

from __future__ import annotations

import ast
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from loopsafe.cli.engine import Engine, load
from loopsafe.config import Selection, Settings
from loopsafe.model import LoopsafeError, Span
from loopsafe.source.text import describe_os_error

_BLOCKING: Final = ("LSA1", "LSA3")


class Entry(NamedTuple):
    """One labelled entry point."""

    package: str
    blocks: bool
    text: str
    imports: tuple[str, ...]
    place: str
    """File and row, for complaints."""


class Verdict(NamedTuple):
    """What the engine makes of an entry."""

    entry: Entry
    is_reported: bool
    call: str
    """Where the reported chain of calls ends."""

    @property
    def is_right(self) -> bool:
        return self.entry.blocks is self.is_reported


def read_entries(path: Path) -> Iterator[Entry]:
    """Read a file of entries.

    `[package]` begins a package, `@pkgs a b` imports modules for its entries, `@imports` gives whole import statements;
    `B: code` blocks and `N: code` does not, ` ; ` separates statements. Words between the letter and the colon, such as
    the effect, are for readers.
    """
    package = ""
    imports: tuple[str, ...] = ()
    for row, line in _rows(path):
        head, _, rest = line.partition(" ")
        label, colon, text = line.partition(": ")
        if line.startswith("["):
            package, imports = line.strip("[] "), ()
        elif head == "@pkgs":
            imports += tuple(f"import {name}" for name in rest.split() if name.isidentifier())
        elif head == "@imports":
            imports += tuple(part.strip() for part in rest.split(";"))
        elif colon and label[:1] in ("B", "N"):
            yield Entry(package, label[0] == "B", text.strip(), imports, f"{path}:{row}")
        elif not head.startswith("@"):
            raise LoopsafeError(f"{path}:{row}: neither `B: code`, `N: code`, `[package]` nor `@pkgs`: {line}")


def read_corrections(path: Path) -> dict[tuple[str, str], bool]:
    """Read labels that replace others: `package | entry | B or N | why`."""
    found = {}
    for row, line in _rows(path):
        parts = [part.strip() for part in line.split(" | ")]
        if len(parts) < 3 or parts[2] not in ("B", "N"):
            raise LoopsafeError(f"{path}:{row}: not of the form `package | entry | B or N | why`: {line}")
        found[parts[0], parts[1]] = parts[2] == "B"
    return found


def correct(entries: Iterable[Entry], corrections: Mapping[tuple[str, str], bool]) -> list[Entry]:
    """The entries with the corrected labels."""
    return [entry._replace(blocks=corrections.get((entry.package, entry.text), entry.blocks)) for entry in entries]


def judge(entries: list[Entry], settings: Settings, engine: Engine | None = None) -> list[Verdict]:
    """Run the engine, with the project's own catalogue and environment, over all entries at once."""
    with tempfile.TemporaryDirectory() as folder:
        places = _write_modules(entries, Path(folder))
        settings = msgspec.structs.replace(
            settings, configured=Selection(), select=_BLOCKING, use_cache=False, ignore_noqa=True, proposes_fixes=False,
            root=folder, exclude=(), extend_exclude=(),
        )  # fmt: skip
        calls: dict[int, str] = {}
        for found in (engine or load()).check([folder], settings).diagnostics:
            number = places.get((Path(found.path).name, found.span), -1)
            calls.setdefault(number, found.chain[-1].call if found.chain else found.message)
    return [Verdict(entry, number in calls, calls.get(number, "")) for number, entry in enumerate(entries)]


def _rows(path: Path) -> Iterator[tuple[int, str]]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise LoopsafeError(f"Cannot read `{path}`: {describe_os_error(error)}") from None
    except UnicodeDecodeError:
        raise LoopsafeError(f"Cannot read `{path}`: it is not UTF-8") from None
    rows = enumerate(text.splitlines(), start=1)
    return ((row, line) for row, line in rows if line.strip() and not line.startswith("#"))


def _write_modules(entries: list[Entry], folder: Path) -> dict[tuple[str, Span], int]:
    """Write a module for each package; return which entry is asked about at which place."""
    places: dict[tuple[str, Span], int] = {}
    for package in dict.fromkeys(entry.package for entry in entries):
        numbers = [number for number, entry in enumerate(entries) if entry.package == package]
        imports = dict.fromkeys(row for number in numbers for row in entries[number].imports)
        functions = [_write_function(entries[number], number) for number in numbers]
        text = "\n".join([*imports, *functions]) + "\n"
        path = folder / f"entries_of_{package.replace('.', '_').replace('-', '_')}.py"
        path.write_text(text, encoding="utf-8")
        nodes = [node for node in ast.parse(text).body if isinstance(node, ast.AsyncFunctionDef)]
        for number, node in zip(numbers, nodes, strict=True):
            places.update(((path.name, span), number) for span in _judged_spans(node, entries[number]))
    return places


def _write_function(entry: Entry, number: int) -> str:
    """The entry as the body of a coroutine function; what ends in a colon opens a block."""
    rows, depth = [f"async def entry_{number}():"], 1
    statements = [part.strip() for part in entry.text.split(" ; ")]
    if statements[-1] == ";":
        statements.pop()
    for text in (part.removesuffix(" ;") for part in statements):
        rows.append("    " * depth + text)
        depth += text.endswith(":")
    if rows[-1].endswith(":"):
        rows.append("    " * depth + "pass")
    text = "\n".join(rows)
    try:
        ast.parse(text)
    except SyntaxError as error:
        raise LoopsafeError(f"{entry.place}: {error.msg}: {entry.text}") from None
    return text


def _judged_spans(function: ast.AsyncFunctionDef, entry: Entry) -> set[Span]:
    """The places at which a finding speaks of what the entry asks about."""
    last: ast.AST = function
    while isinstance(last, ast.AsyncFunctionDef | ast.With | ast.For) and not isinstance(last.body[-1], ast.Pass):
        last = last.body[-1]
    if isinstance(last, ast.With):
        return {_span(item.context_expr) for item in last.items}
    if isinstance(last, ast.For):
        return {_span(last.iter)}
    if not isinstance(last, ast.Expr | ast.Assign):
        raise LoopsafeError(f"{entry.place}: the last statement must be an expression, `with` or `for`: {entry.text}")
    spans = {_span(last.value)}
    if isinstance(last.value, ast.Call) and isinstance(last.value.func, ast.Name):
        spans |= {_span(argument) for argument in last.value.args}  # list(lines()): to iterate is what is asked
    return spans


def _span(node: ast.expr) -> Span:
    assert node.end_lineno is not None and node.end_col_offset is not None
    return Span(node.lineno, node.col_offset + 1, node.end_lineno, node.end_col_offset + 1)
