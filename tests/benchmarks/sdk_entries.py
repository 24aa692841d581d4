"""What the catalogue says of labelled entry points of SDKs: found, missed, and blocking by mistake.

    python tests/benchmarks/sdk_entries.py ENTRIES... [--package NAME]... [--corrections FILE] [--list]

Every entry becomes an async function of its own, every package a module; one run of the engine over them gives the
verdicts. An entry is judged by its last statement, and there by the outermost expression alone: `get("u").json()` asks
about `json`, not about `get`. Any finding of the LSA1 and LSA3 groups counts, whatever its kind.
Format of the files: `[package]`, `@pkgs` and `@imports` lines, then `B:` (blocks) or `N:` (does not), which may carry
a list of effects before the colon; ` ; ` separates statements. Corrections change labels:
`package | entry | B or N | why`.
"""

from __future__ import annotations

import argparse
import ast
import tempfile
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from loopsafe import engine
from loopsafe.config.settings import Settings
from loopsafe.model import Span

CORRECTIONS = Path(__file__).with_name("sdk_corrections.txt")


class Entry(NamedTuple):
    """One labelled entry point."""

    package: str
    blocks: bool
    text: str
    imports: tuple[str, ...]


class Verdict(NamedTuple):
    entry: Entry
    is_reported: bool
    call: str
    """Where the reported chain of calls ends."""


def read_entries(path: Path) -> Iterator[Entry]:
    package, imports = "", ()
    for row, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        head, _, rest = line.partition(" ")
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("["):
            package, imports = line.strip("[] "), ()
        elif head == "@pkgs":
            imports += tuple(f"import {name}" for name in rest.split() if name.isidentifier())
        elif head == "@imports":
            imports += tuple(part.strip() for part in rest.split(";"))
        elif line[0] in "BN" and ": " in line:
            yield Entry(package, line[0] == "B", line.partition(": ")[2].strip(), imports)
        elif not head.startswith("@"):
            raise SystemExit(f"{path}:{row}: neither a label nor a header: {line}")


def read_corrections(path: Path) -> dict[tuple[str, str], bool]:
    rows = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip() and line[0] != "#"]
    parts = [[part.strip() for part in row.split(" | ")] for row in rows]
    return {(package, text): label == "B" for package, text, label, _ in parts}


def correct(entries: Iterable[Entry], corrections: dict[tuple[str, str], bool]) -> list[Entry]:
    return [entry._replace(blocks=corrections.get((entry.package, entry.text), entry.blocks)) for entry in entries]


def write_function(entry: Entry, number: int) -> str:
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
    return "\n".join(rows)


def judged_spans(function: ast.AsyncFunctionDef) -> set[Span]:
    """The places at which a finding speaks of what the entry asks about."""
    last: ast.AST = function
    while isinstance(last, ast.AsyncFunctionDef | ast.With | ast.For) and not isinstance(last.body[-1], ast.Pass):
        last = last.body[-1]
    if isinstance(last, ast.With):
        return {span_of(item.context_expr) for item in last.items}
    if isinstance(last, ast.For):
        return {span_of(last.iter)}
    assert isinstance(last, ast.Expr | ast.Assign), ast.dump(last)
    spans = {span_of(last.value)}
    if isinstance(last.value, ast.Call) and isinstance(last.value.func, ast.Name):
        spans |= {span_of(argument) for argument in last.value.args}  # list(lines()): to iterate is what is asked
    return spans


def span_of(node: ast.expr) -> Span:
    assert node.end_lineno is not None and node.end_col_offset is not None
    return Span(node.lineno, node.col_offset + 1, node.end_lineno, node.end_col_offset + 1)


def judge(entries: list[Entry]) -> list[Verdict]:
    """Run the engine over all entries at once."""
    places: dict[tuple[str, Span], int] = {}
    with tempfile.TemporaryDirectory() as folder:
        for package in dict.fromkeys(entry.package for entry in entries):
            numbers = [number for number, entry in enumerate(entries) if entry.package == package]
            imports = dict.fromkeys(row for number in numbers for row in entries[number].imports)
            text = "\n".join([*imports, *(write_function(entries[number], number) for number in numbers)])
            path = Path(folder, f"entries_of_{package.replace('.', '_').replace('-', '_')}.py")
            path.write_text(text + "\n", encoding="utf-8")
            functions = [node for node in ast.parse(text).body if isinstance(node, ast.AsyncFunctionDef)]
            for number, function in zip(numbers, functions, strict=True):
                places.update(((path.name, span), number) for span in judged_spans(function))
        settings = Settings(select=("LSA1", "LSA3"), use_cache=False, ignore_noqa=True, root=folder)
        calls: dict[int, str] = {}
        for found in engine.check([folder], settings).diagnostics:
            number = places.get((Path(found.path).name, found.span), -1)
            calls.setdefault(number, found.chain[-1].call if found.chain else found.message)
    return [Verdict(entry, number in calls, calls.get(number, "")) for number, entry in enumerate(entries)]


def show(verdicts: list[Verdict], lists_all: bool) -> None:
    names = sorted({verdict.entry.package for verdict in verdicts})
    print(f"{'package':24}{'found':>12}{'falsely blocking':>20}")
    for name in names:
        print_row(name, [verdict for verdict in verdicts if verdict.entry.package == name])
    print_row("total", verdicts)
    for title, blocks, is_reported in (("missed", True, False), ("falsely blocking", False, True)):
        wrong = [one for one in verdicts if one.entry.blocks is blocks and one.is_reported is is_reported]
        if wrong and lists_all:
            print(f"\n{title}")
            rows = (f"{one.entry.package}: {one.entry.text}{f'  [{one.call}]' if one.call else ''}" for one in wrong)
            print(textwrap.indent("\n".join(rows), "  "))


def print_row(name: str, verdicts: list[Verdict]) -> None:
    blocking = [one.is_reported for one in verdicts if one.entry.blocks]
    others = [one.is_reported for one in verdicts if not one.entry.blocks]
    shares = [f"{sum(part) / len(part):.0%}" if part else "" for part in (blocking, others)]
    found, wrong = f"{sum(blocking)}/{len(blocking)}", f"{sum(others)}/{len(others)}"
    print(f"{name:24}{found:>12}{shares[0]:>6}{wrong:>14}{shares[1]:>6}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("files", nargs="+", type=Path, help="files of labelled entries")
    parser.add_argument("--package", action="append", help="judge these packages only")
    parser.add_argument("--corrections", type=Path, default=CORRECTIONS, help="labels that are known to be wrong")
    parser.add_argument("--list", action="store_true", help="print what was missed or wrongly reported")
    options = parser.parse_args()
    corrections = read_corrections(options.corrections) if options.corrections.is_file() else {}
    entries = correct((entry for path in options.files for entry in read_entries(path)), corrections)
    wanted = [entry for entry in entries if not options.package or entry.package in options.package]
    show(judge(wanted), options.list)


if __name__ == "__main__":
    main()
