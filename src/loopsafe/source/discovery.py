"""Stage discover: from the paths that the user names to the sorted files to check.

Nothing here reads Python files. Folders are walked with `os.scandir`; symbolic links to folders are never
followed: what they lead to is either checked under its own name or not part of what was asked for.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

import msgspec

from loopsafe.config.settings import Settings
from loopsafe.source.gitignore import Stack, find_work_tree, is_ignored, load_above, push
from loopsafe.source.patterns import Exclusions
from loopsafe.source.text import describe_os_error

_SUFFIXES: Final = (".py", ".pyi")


class Discovery(msgspec.Struct, frozen=True):
    """What the named paths lead to; all paths as shown to users."""

    files: tuple[str, ...]
    missing: tuple[str, ...] = ()
    """Named paths that do not exist."""
    unreadable: tuple[tuple[str, str], ...] = ()
    """Folders that may not be listed, each with the operating system's message."""


def discover(paths: Sequence[str], settings: Settings) -> Discovery:
    """Find the files to check.

    A file named explicitly is taken whatever its suffix, and unless `force_exclude` even if excluded; a
    folder is walked for `*.py` and `*.pyi`.
    """
    walk = _Walk(settings)
    for path in paths:
        walk.start(path)
    return walk.finish()


def modules_in(folder: str) -> list[str]:
    """The names of the Python files that lie directly in a folder, sorted; none if it cannot be read."""
    try:
        return sorted(name for name in os.listdir(folder) if name.endswith((".py", ".pyi")))
    except OSError:
        return []


def show_path(path: str) -> str:
    """Return `path` as it is shown to users: relative to the working directory if below it, else absolute."""
    if path == "-":
        return path
    absolute, prefix = os.path.abspath(path), os.getcwd().rstrip(os.sep) + os.sep
    return absolute[len(prefix) :] if absolute.startswith(prefix) else absolute


def is_excluded(path: str, settings: Settings) -> bool:
    """Tell whether the settings exclude `path`, itself or by a folder above it; it need not exist."""
    root = os.path.abspath(settings.root)
    return Exclusions(settings.exclusions, root).covers(os.path.abspath(path), _top(root))


def _top(root: str) -> str:
    """Return where looking for excluded folders ends: at the root, or the working directory if above it."""
    here = os.getcwd()
    return here if root.startswith(here.rstrip(os.sep) + os.sep) else root


class _Walk:
    def __init__(self, settings: Settings) -> None:
        self._root = os.path.abspath(settings.root)
        self._exclusions = Exclusions(settings.exclusions, self._root)
        self._top = _top(self._root)
        self._force_exclude = settings.force_exclude
        self._respect_gitignore = settings.respect_gitignore
        self._files: set[str] = set()
        self._links: list[str] = []
        self._missing: set[str] = set()
        self._unreadable: dict[str, str] = {}

    def start(self, path: str) -> None:
        absolute = os.path.abspath(path)
        if not os.path.exists(absolute):
            self._missing.add(absolute)
        elif self._force_exclude and self._exclusions.covers(absolute, self._top):
            pass
        elif os.path.isdir(absolute):
            self._walk(absolute)
        else:
            self._files.add(absolute)

    def finish(self) -> Discovery:
        targets = set(self._files)
        # a link to a file that is checked anyway would report everything twice
        for link in sorted(self._links):
            target = os.path.realpath(link)
            if target not in targets:
                targets.add(target)
                self._files.add(link)
        prefix = os.getcwd().rstrip(os.sep) + os.sep

        def show(path: str) -> str:
            return path[len(prefix) :] if path.startswith(prefix) else path

        return Discovery(
            tuple(sorted(map(show, self._files))),
            tuple(sorted(map(show, self._missing))),
            tuple(sorted((show(path), message) for path, message in self._unreadable.items())),
        )

    def _walk(self, folder: str) -> None:
        """Collect the files below `folder`."""
        has_git = self._respect_gitignore and find_work_tree(folder) is not None
        todo: list[tuple[str, Stack]] = [(folder, load_above(folder) if has_git else ())]
        while todo:
            here, stack = todo.pop()
            try:
                with os.scandir(here) as entries:
                    found = list(entries)
            except OSError as error:
                self._unreadable[here] = describe_os_error(error)
                continue
            if has_git and any(entry.name == ".gitignore" for entry in found):
                stack = push(stack, here)
            todo += [(entry.path, stack) for entry in found if self._take(entry, stack)]

    def _take(self, entry: os.DirEntry[str], stack: Stack) -> bool:
        """Add a file to check; tell whether `entry` is a folder to walk."""
        name = entry.name
        is_folder = entry.is_dir(follow_symlinks=False)
        if not is_folder and not name.endswith(_SUFFIXES):
            return False
        if self._exclusions.has(entry.path, name) or (stack and is_ignored(stack, entry.path, name, is_folder)):
            return False
        if is_folder:
            return True
        if entry.is_symlink():
            if not entry.is_dir():
                self._links.append(entry.path)
        elif entry.is_file():  # not a socket or pipe, whose reading would never end
            self._files.add(entry.path)
        return False
