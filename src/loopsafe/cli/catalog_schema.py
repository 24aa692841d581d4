"""`loopsafe catalog schema`: the JSON schema of catalogue files."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Final

from loopsafe.catalog.json_schema import make_json_schema
from loopsafe.cli.arguments import Parser
from loopsafe.cli.output import write_text

USAGE: Final = "[OPTIONS]"


def add_arguments(parser: Parser) -> None:
    """`catalog schema` has no flags of its own."""


def run(options: argparse.Namespace) -> int:
    """Print it."""
    write_text(sys.stdout, json.dumps(make_json_schema(), ensure_ascii=False, indent=2) + "\n")
    return 0
