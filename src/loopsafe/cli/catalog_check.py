"""`loopsafe catalog check`: whether the catalogue is right, by labelled entry points and by what cannot well be so.

Reading it as a whole is the first check: a mistake in any file ends the command with its place.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from loopsafe.catalog import Catalog, Fact, When
from loopsafe.cli.arguments import Parser
from loopsafe.cli.catalog import add_settings, open_catalog, read_catalog_settings
from loopsafe.cli.catalog_entries import Verdict, correct, judge, read_corrections, read_entries
from loopsafe.cli.output import write_text
from loopsafe.config import Settings
from loopsafe.model import Effect, LoopsafeError
from loopsafe.records import is_asynchronous

USAGE: Final = "[OPTIONS] [ENTRIES]..."
_NO_MISTAKE: Final = frozenset({Effect.WAIT, Effect.RUN_LOOP, Effect.DRIVE_LOOP})
"""What waits for a thread, or runs a loop, may well be called `Async…`."""


def add_arguments(parser: Parser) -> None:
    """Add the flags of `catalog check`."""
    parser.add_argument("entries", nargs="*", type=Path, metavar="ENTRIES", help="files of labelled entry points")
    parser.add_argument("--package", action="append", help="judge the entries of this package only")
    parser.add_argument("--corrections", type=Path, metavar="FILE", help="labels that replace others")
    parser.add_argument("--list", action="store_true", help="print each entry that is missed or falsely blocking")
    add_settings(parser)


def run(options: argparse.Namespace) -> int:
    """Print the figures; exit with 1 if anything is missed, falsely blocking or suspicious."""
    settings = read_catalog_settings(options)
    suspicious = list(find_suspicious(open_catalog(settings)))
    verdicts = _judge(options, settings) if options.entries else []
    lines = [*_draw_table(verdicts), *(_draw_wrong(verdicts) if options.list else ()), *_draw_suspicious(suspicious)]
    write_text(sys.stdout, "".join(f"{line}\n" for line in lines))
    return int(bool(suspicious) or not all(verdict.is_right for verdict in verdicts))


def find_suspicious(catalog: Catalog) -> Iterator[tuple[str, Fact]]:
    """Synchronous members of asynchronous classes that the catalogue declares blocking, by their full names."""
    for cls in sorted(record.name for _, file in catalog.files() for record in file.classes):
        if not is_asynchronous(cls):
            continue
        for member in sorted(catalog.members(cls)):
            name = f"{cls}.{member}"
            if not catalog.is_async(name):
                facts = (fact for when in When for fact in catalog.facts(name, when))
                yield from ((name, fact) for fact in facts if fact.effect not in _NO_MISTAKE)


def _judge(options: argparse.Namespace, settings: Settings) -> list[Verdict]:
    corrections = read_corrections(options.corrections) if options.corrections else {}
    entries = correct((entry for path in options.entries for entry in read_entries(path)), corrections)
    wanted = [entry for entry in entries if not options.package or entry.package in options.package]
    if not wanted:
        raise LoopsafeError(f"no entries in {', '.join(map(str, options.entries))} to judge")
    return judge(wanted, settings)


def _draw_table(verdicts: Sequence[Verdict]) -> Iterator[str]:
    if not verdicts:
        return
    names = sorted({verdict.entry.package for verdict in verdicts})
    width = max(map(len, ("package", *names)))
    yield f"{'package':{width}}  {'found':>14}  {'missed':>6}  {'falsely blocking':>16}"
    for name in names:
        yield _draw_row(name, width, [verdict for verdict in verdicts if verdict.entry.package == name])
    yield _draw_row("total", width, verdicts)


def _draw_row(name: str, width: int, verdicts: Sequence[Verdict]) -> str:
    reported = [one.is_reported for one in verdicts if one.entry.blocks]
    wrong = _share([one.is_reported for one in verdicts if not one.entry.blocks])
    return f"{name:{width}}  {_share(reported):>14}  {reported.count(False):>6}  {wrong:>16}"


def _share(reported: Sequence[bool]) -> str:
    share = f"{sum(reported) / len(reported):.0%}" if reported else ""
    return f"{sum(reported)}/{len(reported)} {share:>4}"


def _draw_wrong(verdicts: Sequence[Verdict]) -> Iterator[str]:
    for title, blocks in (("missed", True), ("falsely blocking", False)):
        wrong = [one for one in verdicts if one.entry.blocks is blocks and not one.is_right]
        if wrong:
            yield f"\n{title}"
        for one in wrong:
            yield f"  {one.entry.package}: {one.entry.text}" + (f"  [{one.call}]" if one.call else "")


def _draw_suspicious(suspicious: Sequence[tuple[str, Fact]]) -> Iterator[str]:
    if not suspicious:
        yield "No synchronous method of an asynchronous class is said to block."
        return
    yield "Synchronous methods of asynchronous classes that are said to block, probably by mistake:"
    rows: dict[tuple[str, str], list[str]] = {}
    for name, fact in suspicious:
        cls, _, member = name.rpartition(".")
        rows.setdefault((cls, fact.effect.value), []).append(member)
    for (cls, effect), members in rows.items():
        yield f"  {cls} ({effect}): {', '.join(members)}"
