"""An argument parser that complains in the words of ruff's.

Knows no flag of any command.
"""

from __future__ import annotations

import argparse
import re
import sys
from typing import NoReturn


class Parser(argparse.ArgumentParser):
    """The parser of one command; `usage` is the line that follows "Usage:"."""

    def __init__(self, usage: str, description: str) -> None:
        super().__init__(usage=usage, description=description, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        unknown = re.match(r"unrecognized arguments: (\S+)", message)
        empty = re.match(r"argument (?:-\w/)?(?P<flag>--[\w-]+): expected one argument", message)
        bad = re.match(r"argument (?:-\w/)?(?P<flag>--[\w-]+): invalid \w+(?: \w+)*: (?P<value>.*)", message)
        missing = re.match(r"the following arguments are required: (.*)", message)
        if unknown:
            flag = unknown[1].partition("=")[0]
            message = f"unexpected argument '{flag}' found\n\n  tip: to pass '{flag}' as a value, use '-- {flag}'"
        elif empty:
            message = f"a value is required for '{empty['flag']}' but none was supplied"
        elif bad:
            message = f"invalid value {bad['value']} for '{bad['flag']}'"
        elif missing:
            message = f"the following required arguments were not provided:\n  <{missing[1]}>"
        sys.stderr.write(f"error: {message}\n\nUsage: {self.usage}\n\nFor more information, try '--help'.\n")
        raise SystemExit(2)


def add_ignored(parser: Parser) -> None:
    """Add the global flags that mean nothing to a command which checks nothing."""
    for flags in (("-v", "--verbose"), ("-q", "--quiet"), ("-s", "--silent"), ("--isolated",)):
        parser.add_argument(*flags, action="store_true", help=argparse.SUPPRESS)
    for flag in ("--color", "--config"):
        parser.add_argument(flag, help=argparse.SUPPRESS)
