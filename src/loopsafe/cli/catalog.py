"""`loopsafe catalog`: picks the subcommand, each a module beside this one, and opens the catalogue that they look into.

A module `catalog_<name>` has `USAGE`, `add_arguments(parser)` and `run(options)`, which returns the exit code.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Final

import msgspec

from loopsafe.catalog import Catalog, load
from loopsafe.catalog.loader import GENERATED, CatalogText, find_rules
from loopsafe.cli.arguments import Parser
from loopsafe.config import Settings, read_settings
from loopsafe.plugins import load_extensions
from loopsafe.source.discovery import show_path
from loopsafe.source.environment import find_environment

COMMANDS: Final = {
    "list": "List what the catalogue describes",
    "show": "Show what is known of a distribution, class or function",
    "check": "Compare the catalogue with entry points of which it is known whether they block",
    "build": "Work out what a package does from its source",
    "schema": "Print the JSON schema of catalogue files, for editors",
}
"""What each subcommand does."""
_USAGE: Final = """\
Look into the catalogue of what blocks

Usage: loopsafe catalog [OPTIONS] <COMMAND>

Commands:
{commands}

Options:
  -h, --help  Print help

For help with a specific command, see: `loopsafe catalog <command> --help`.
"""


def run(name: str | None, arguments: list[str]) -> int:
    """Run the subcommand called `name` and return the exit code."""
    if name not in COMMANDS:
        return _run_none(name)
    command = import_module(f"loopsafe.cli.catalog_{name}")
    parser = Parser(f"loopsafe catalog {name} {command.USAGE}", f"{COMMANDS[name]}.")
    command.add_arguments(parser)
    for flags in (("-v", "--verbose"), ("-q", "--quiet"), ("-s", "--silent")):
        parser.add_argument(*flags, action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--color", help=argparse.SUPPRESS)
    code: int = command.run(parser.parse_intermixed_args(arguments))
    return code


def add_settings(parser: Parser) -> None:
    """Add the flags that say whose catalogue is meant: a project's own files and versions are part of it."""
    parser.add_argument("--config", metavar="FILE", help="read this configuration file instead of the nearest one")
    parser.add_argument("--isolated", action="store_true", help="ignore all configuration files")
    parser.add_argument(
        "--python",
        metavar="PATH",
        help="interpreter or environment whose packages' versions count [default: VIRTUAL_ENV, .venv]",
    )


def read_catalog_settings(options: argparse.Namespace) -> Settings:
    """The settings of the project around the working directory."""
    settings = read_settings(["."], config=options.config, isolated=options.isolated)
    return msgspec.structs.replace(settings, python=options.python or settings.python)


def open_catalog(settings: Settings) -> Catalog:
    """The catalogue that a check with these settings uses: shipped, of plugins, and of the project."""
    environment = find_environment(settings.python, settings.root, os.environ)
    return load(None, [*load_extensions().catalogs, *map(Path, settings.catalogs)], environment.versions)


def origin(text: CatalogText) -> str:
    """Where a file of the catalogue comes from, in a word or by its path."""
    try:
        folder = Path(text.path).relative_to(find_rules()).parent.as_posix()
    except ValueError:
        return show_path(text.path)
    return "generated" if folder == GENERATED else "shipped"


def _run_none(name: str | None) -> int:
    usage = _USAGE.format(commands="\n".join(f"  {name:<6}  {text}" for name, text in COMMANDS.items()))
    if name in ("-h", "--help"):
        print(usage, end="")
        return 0
    if name is None:
        sys.stderr.write(usage)
    else:
        what = "unexpected argument" if name.startswith("-") else "unrecognized subcommand"
        sys.stderr.write(
            f"error: {what} '{name}'{' found' if name.startswith('-') else ''}\n\n"
            "Usage: loopsafe catalog [OPTIONS] <COMMAND>\n\nFor more information, try '--help'.\n"
        )
    return 2
