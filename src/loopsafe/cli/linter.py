"""`loopsafe linter`: who brings rules, and with which letters their codes begin: loopsafe itself, and plugins."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import msgspec

from loopsafe.cli.arguments import Parser, add_ignored
from loopsafe.cli.output import write_text
from loopsafe.plugins import load_extensions
from loopsafe.rulebook import read_rules


class _Row(msgspec.Struct, frozen=True, order=True):
    """One linter, as the JSON shows it."""

    prefix: str
    name: str


def run(arguments: Sequence[str]) -> int:
    """Print the list and return the exit code."""
    parser = Parser("loopsafe linter [OPTIONS]", "List who brings rules.")
    parser.add_argument("--output-format", choices=("text", "json"), default="text", help="text [default] or json")
    add_ignored(parser)
    options = parser.parse_args(list(arguments))
    codes = {(code, plugin) for plugin, folder in load_extensions().documents for code in read_rules([folder])}
    rows = sorted({_Row(code.rstrip("0123456789"), plugin) for code, plugin in codes})
    if options.output_format == "json":
        write_text(sys.stdout, msgspec.json.format(msgspec.json.encode(rows), indent=2).decode() + "\n")
    else:
        width = max(len(row.prefix) for row in rows)
        write_text(sys.stdout, "".join(f"{row.prefix:>{width}} {row.name}\n" for row in rows))
    return 0
