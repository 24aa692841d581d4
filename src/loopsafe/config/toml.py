"""Reads TOML that people write, and finds the line that a complaint about it should name.

Knows no key of any file: configuration files and the catalogue's give their own.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from loopsafe.model import LoopsafeError

_AT_LINE: Final = re.compile(r"\s*\(at line (\d+), column \d+\)$")
_FIELD: Final = re.compile(r"field `([^`]+)`")
_PATH: Final = re.compile(r" - at `(?:key in )?\$([^`]*)`$")
_STEP: Final = re.compile(r"\.([\w-]+)|\[(\d+|\.\.\.)\]")


class Problem(NamedTuple):
    """What is wrong, with which key, on which line."""

    line: int
    key: str
    message: str


def parse(path: object, text: str) -> dict[str, Any]:
    """Decode TOML; `LoopsafeError` names the line of a mistake."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _AT_LINE.search(str(error))
        line = int(place[1]) if place else text.count("\n") + 1
        raise complaint(path, Problem(line, "", _AT_LINE.sub("", str(error)))) from None


def complaint(path: object, problem: Problem) -> LoopsafeError:
    """The error that tells the user."""
    line, key, message = problem
    return LoopsafeError(f"{path}:{line}: {key}: {message}" if key else f"{path}:{line}: {message}")


def locate(text: str, message: str, start: int = 0) -> Problem:
    """Find in the text what a `msgspec.ValidationError` with that message speaks of, from row `start` on."""
    place = _PATH.search(message)
    lines = text.splitlines()
    key = ""
    for word, index in _STEP.findall(place[1] if place else ""):
        if word:
            key = word
        elif index.isdigit():
            start = _nth_table(lines, key, int(index), start)
    field = _FIELD.search(message)
    key = field[1] if field else key
    words = _PATH.sub("", message).replace(" | null", "")  # which TOML does not have
    return Problem(line_of(text, key, start), key, words)


def line_of(text: str, key: str, start: int = 0) -> int:
    """Row of the first mention of a key or quoted name from a line on; that line's own if there is none."""
    lines = text.splitlines()
    word = re.escape(key)
    tests = (
        re.compile(rf'\s*(?:"{word}"|{word})\s*=').match,
        re.compile(rf'"{word}"|(?<![\w.-]){word}(?![\w.-])').search,
    )
    for is_mention in tests:
        for number in range(start, len(lines)):
            if is_mention(lines[number]):
                return number + 1
    return start + 1


def _nth_table(lines: Sequence[str], key: str, index: int, start: int) -> int:
    header = re.compile(rf"\s*\[\[\s*{re.escape(key)}\s*\]\]")
    found = [number for number, line in enumerate(lines) if number >= start and header.match(line)]
    return found[index] if index < len(found) else start
