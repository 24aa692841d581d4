"""`loopsafe catalog build`: work records out of installed packages, or of packages from PyPI."""

from __future__ import annotations

import argparse
import datetime
import os
import sys
import tempfile
from pathlib import Path
from typing import Final

from loopsafe.catalog.schema import CatalogFile
from loopsafe.cli.arguments import Parser
from loopsafe.model import LoopsafeError
from loopsafe.source.environment import find_environment

USAGE: Final = "[OPTIONS] [PACKAGES]..."


def add_arguments(parser: Parser) -> None:
    """Add the flags of the subcommand."""
    parser.add_argument("packages", nargs="*", metavar="PACKAGES", help="names of installed distributions")
    parser.add_argument(
        "--from-pypi",
        action="append",
        default=[],
        metavar="NAME==VERSION",
        help="download this one, with what it depends on, and look into it without installing it",
    )
    parser.add_argument("--output", metavar="FOLDER", help="write one file for each package there, not to stdout")
    parser.add_argument(
        "--python", metavar="PATH", help="interpreter or environment to look into [default: VIRTUAL_ENV, .venv]"
    )


def run(options: argparse.Namespace) -> int:
    """Build and write; returns the exit code. Raises LoopsafeError for packages that are not there."""
    if not options.packages and not options.from_pypi:
        raise LoopsafeError("no package named; give names of installed distributions, or `--from-pypi NAME==VERSION`")
    if options.packages:
        folders = find_environment(options.python, ".", os.environ).folders
        for name in options.packages:
            _write(_build(name, folders, options), options.output)
    for requirement in options.from_pypi:
        from loopsafe.records.download import download

        with tempfile.TemporaryDirectory(prefix="loopsafe-") as folder:
            _tell(options, f"{requirement}: downloading")
            site = download(requirement, folder)
            name = requirement.partition("==")[0].partition("[")[0].strip()
            _write(_build(name, (site,), options), options.output)
    return 0


def _build(name: str, folders: tuple[str, ...], options: argparse.Namespace) -> CatalogFile:
    from loopsafe.records import build, find_package

    package = find_package(name, folders)
    today = datetime.datetime.now(datetime.timezone.utc).date()
    return build(package, folders, today, lambda text: _tell(options, f"{package.name} {package.version}: {text}"))


def _write(record: CatalogFile, output: str | None) -> None:
    from loopsafe.records import write_record

    text = write_record(record)
    if output is None:
        print(text, end="")
        return
    folder = Path(output)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{record.subject}.toml"
    path.write_text(text, encoding="utf-8")
    print(f"{path}: {len(record.call)} tables of calls, {len(record.classes)} classes", file=sys.stderr)


def _tell(options: argparse.Namespace, text: str) -> None:
    """Progress, for whoever sits in front of it."""
    if sys.stderr.isatty() and not (options.quiet or options.silent):
        sys.stderr.write(f"\r\x1b[K{text}\r")
        sys.stderr.flush()
