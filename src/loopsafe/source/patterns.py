"""Stage discover: exclusion patterns, compiled once into a set of names and two expressions.

Nothing here touches the file system.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

_SPECIAL: Final = re.compile(r"[*?\[{\\]")
_GLOB: Final = re.compile(r"/\*\*/|^\*\*/|/\*\*$|\*+|\?|\[[!^]?\]?[^\]]*\]|\{[^{}]*\}|\\.|[^*?\[{\\/]+|.", re.DOTALL)


class Exclusions:
    """Patterns in ruff's sense: one without a slash names any part of a path, others are relative to `root`.

    As in ruff, `*` crosses slashes: `sub/*` excludes everything below `sub`.
    """

    def __init__(self, patterns: Sequence[str], root: str) -> None:
        cleaned = [pattern.replace(os.sep, "/").rstrip("/") for pattern in patterns]
        names = [pattern for pattern in cleaned if pattern and "/" not in pattern]
        self._names = frozenset(name for name in names if not _SPECIAL.search(name))
        self._name = _compile(translate(name) for name in names if _SPECIAL.search(name))
        self._path = _compile(_absolute([pattern for pattern in cleaned if "/" in pattern], root))

    def has(self, path: str, name: str) -> bool:
        """Tell whether the absolute `path`, whose last part is `name`, is excluded itself."""
        if name in self._names or (self._name is not None and self._name(name)):
            return True
        return self._path is not None and self._path(path.replace(os.sep, "/")) is not None

    def covers(self, path: str, root: str) -> bool:
        """Tell whether the absolute `path`, or a folder above it and below `root`, is excluded."""
        while path != root:
            folder, name = os.path.split(path)
            if self.has(path, name):
                return True
            if folder == path:
                break
            path = folder
        return False


def translate(glob: str) -> str:
    """Return the regular expression, for a full match, of a glob as ruff understands it.

    >>> import re
    >>> bool(re.fullmatch(translate("a/**/t_*.{py,pyi}"), "a/b/c/t_1.py"))
    True
    """
    return "".join(map(_translate_piece, _GLOB.findall(glob)))


def _translate_piece(piece: str) -> str:
    match piece[0], piece:
        case _, "/**/":
            return "(?:/|/.*/)"
        case _, "**/":
            return "(?:.*/)?"
        case _, "/**":
            return "/.*"
        case "*", _:
            return ".*"
        case "?", _:
            return "."
        case "[", _ if len(piece) > 2:
            body = piece[1:-1].replace("\\", r"\\").replace("[", r"\[")
            body = f"^{body[1:]}" if body[0] in "!^" else body
            return f"[{_escape_bracket(body)}]"
        case "{", _ if len(piece) > 2:
            return "(?:" + "|".join(map(translate, piece[1:-1].split(","))) + ")"
        case "\\", _ if len(piece) == 2:
            return re.escape(piece[1])
    return re.escape(piece)


def _escape_bracket(body: str) -> str:
    """Escape a `]` that stands first in a set, where a glob takes it literally."""
    lead = "^" if body.startswith("^") else ""
    rest = body[len(lead) :]
    return f"{lead}\\{rest}" if rest.startswith("]") else body


def _absolute(patterns: Iterable[str], root: str) -> Iterator[str]:
    prefix = re.escape(root.replace(os.sep, "/").rstrip("/"))
    for pattern in patterns:
        if os.path.isabs(pattern):
            yield translate(pattern)
        else:
            yield f"{prefix}/{translate(pattern.removeprefix('./'))}"


def _compile(expressions: Iterable[str]) -> Callable[[str], re.Match[str] | None] | None:
    joined = "|".join(f"(?:{expression})" for expression in expressions)
    return re.compile(joined, re.DOTALL).fullmatch if joined else None
