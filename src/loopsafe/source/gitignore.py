"""Stage discover: what git ignores, from the `.gitignore` files of a work tree; git itself is never called.

Nothing here walks folders. An entry is only asked about when no folder above it is ignored, which is also why
a file below an ignored folder cannot be taken back.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

_PLAIN: Final = re.compile(r"[^!#*?\[\\/\s][^*?\[\\/]*/?")
_SUFFIX: Final = re.compile(r"\*\.[^*?\[\\/]+")


class _Group(NamedTuple):
    """Consecutive lines that all ignore, or all take back; the common simple ones need no expression."""

    ignores: bool
    names: frozenset[str]
    folders: frozenset[str]
    suffixes: tuple[str, ...]
    expression: re.Pattern[str] | None

    def has(self, path: str, name: str, is_folder: bool) -> bool:
        if name in self.names or (is_folder and name in self.folders) or name.endswith(self.suffixes):
            return True
        return self.expression is not None and self.expression.match(f"{path}/" if is_folder else path) is not None


class Ignores:
    """The rules of one `.gitignore` file, about everything below its folder."""

    def __init__(self, folder: str, lines: Iterable[str]) -> None:
        self._skip = len(folder.rstrip(os.sep)) + 1
        self._groups = _compile(lines)

    def decide(self, path: str, name: str, is_folder: bool) -> bool | None:
        """Return whether the absolute `path` is ignored, or None if this file says nothing about it."""
        relative = path[self._skip :].replace(os.sep, "/")
        for group in self._groups:
            if group.has(relative, name, is_folder):
                return group.ignores
        return None


Stack = tuple[Ignores, ...]
"""The files that speak about a folder, innermost first."""


def is_ignored(stack: Stack, path: str, name: str, is_folder: bool) -> bool:
    """Tell whether git ignores the absolute `path`, whose last part is `name`."""
    for ignores in stack:
        decision = ignores.decide(path, name, is_folder)
        if decision is not None:
            return decision
    return False


def find_work_tree(folder: str) -> str | None:
    """Return the root of the git work tree that `folder` lies in, None outside any."""
    while True:
        if os.path.exists(os.path.join(folder, ".git")):
            return folder
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent


def push(stack: Stack, folder: str, file: str = ".gitignore") -> Stack:
    """Return `stack` with the rules that `file`, below `folder`, has for `folder`."""
    try:
        text = Path(folder, file).read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return stack
    return (Ignores(folder, text.splitlines()), *stack)


def load_above(folder: str) -> Stack:
    """Return the rules that hold for the entries of `folder` from the files above it.

    Empty if `folder` itself is ignored: who names an ignored folder wants to see what is in it.
    """
    work_tree = find_work_tree(folder)
    if work_tree is None or folder == work_tree:
        return push((), folder, ".git/info/exclude") if work_tree else ()
    stack = push((), work_tree, ".git/info/exclude")
    here = work_tree
    for name in os.path.relpath(folder, work_tree).split(os.sep):
        stack = push(stack, here)
        here = os.path.join(here, name)
        if is_ignored(stack, here, name, True):
            return ()
    return stack


def _compile(lines: Iterable[str]) -> tuple[_Group, ...]:
    """Return the groups of a file's lines, last first: in git the last line that matches decides."""
    groups: list[_Group] = []
    run: list[str] = []
    takes_back = False
    for line in (line.rstrip(" \t\r\n") if not line.endswith("\\ ") else line for line in lines):
        if not line or line.startswith("#"):
            continue
        if line.startswith("!") != takes_back and run:
            groups.append(_group(run, not takes_back))
            run = []
        takes_back = line.startswith("!")
        run.append(line)
    if run:
        groups.append(_group(run, not takes_back))
    return tuple(reversed(groups))


def _group(lines: list[str], ignores: bool) -> _Group:
    names = {line for line in lines if _PLAIN.fullmatch(line)}
    suffixes = {line for line in lines if _SUFFIX.fullmatch(line)}
    rest = [line for line in lines if line not in names and line not in suffixes]
    expression = None
    if rest:
        from pathspec import GitIgnoreSpec  # most files have only names and suffixes

        patterns = [pattern.regex.pattern for pattern in GitIgnoreSpec.from_lines(rest).patterns if pattern.regex]
        # pathspec names a group in each expression, and a name may occur only once in the joined one
        joined = "|".join(f"(?:{pattern.replace('?P<ps_d>', '?:')})" for pattern in patterns)
        expression = re.compile(joined) if patterns else None
    return _Group(
        ignores,
        frozenset(name for name in names if not name.endswith("/")),
        frozenset(name[:-1] for name in names if name.endswith("/")),
        tuple(sorted(suffix[1:] for suffix in suffixes)),
        expression,
    )
