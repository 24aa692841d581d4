"""Stage suppress: what follows the word `noqa`, read exactly as ruff reads it.

Nothing here knows where the comment stands or what it suppresses.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

NOQA: Final = re.compile(r"#\s*noqa", re.IGNORECASE)
"""The beginning of a directive for a row, at any `#` of a comment."""
_CODE: Final = re.compile(r"[A-Z]+[0-9]+")
_LETTERS: Final = re.compile(r"[A-Z]+")

_NO_CODES: Final = "expected a comma-separated list of codes (e.g., `# noqa: F401, F841`)."
_NO_COLON: Final = "expected `:` followed by a comma-separated list of codes (e.g., `# noqa: F401, F841`)."
_BAD_CODE: Final = "expected code to consist of uppercase letters followed by digits only (e.g. `F401`)"
_EMPTY_ITEM: Final = "expected rule code between commas"
_JOINED: Final = "expected comma or space delimiter between codes"


class NoqaError(Exception):
    """The comment suppresses nothing; the text says why."""


class Codes(NamedTuple):
    """What a directive lists."""

    codes: tuple[str, ...] | None
    """None means every code."""
    end: int
    """Where the directive ends in the text."""
    warnings: tuple[str, ...] = ()


def read_codes(text: str, start: int) -> Codes:
    """Read the codes that follow `noqa`, which ends at `start` in `text`, or raise `NoqaError`."""
    position = start
    if position == len(text) or text[position] == "#":
        return Codes(None, start)
    if text[position].isspace():
        position = _skip_blanks(text, position)
        if not text.startswith(":", position):
            return Codes(None, start)
    elif text[position] != ":":
        raise NoqaError(_NO_COLON)
    return _read_list(text, position + 1)


def _read_list(text: str, position: int) -> Codes:
    codes: list[str] = []
    warnings: list[str] = []
    end = position
    is_joined = False
    while True:
        position = _skip_blanks(text, position)
        if text.startswith(",", position):
            warnings.append(_EMPTY_ITEM)
            position += 1
            continue
        match = _CODE.match(text, position)
        if match is None:
            if is_joined and _LETTERS.match(text, position):
                raise NoqaError(_BAD_CODE)
            break  # the first word that is no code begins the reason
        codes.append(match[0])
        position = end = match.end()
        following = text[position : position + 1]
        is_joined = "A" <= following <= "Z"
        if following == ",":
            position += 1
        elif is_joined:
            warnings.append(_JOINED)
        elif following and following != "#" and not following.isspace():
            raise NoqaError(_BAD_CODE)
    if not codes:
        raise NoqaError(_NO_CODES)
    return Codes(tuple(codes), end, tuple(warnings))


def _skip_blanks(text: str, position: int) -> int:
    while position < len(text) and text[position].isspace():
        position += 1
    return position
