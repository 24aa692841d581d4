"""Modules of installed packages that the catalogue says nothing about, read when a name of theirs is first needed.

Stage: link. They are looked into, never reported on: only what the project calls in them matters. Where a package is
not installed, or too much would have to be read, its names stay unknown.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from loopsafe.project.entities import Module
from loopsafe.summary import ir

_SUFFIXES: Final = (".py", ".pyi")
_MOST_MODULES: Final = 1_500
"""A project that leads further into its dependencies would wait for what few of its calls can need."""

Load: TypeAlias = Callable[[str], "ir.ModuleSummary | None"]
"""Gives the summary of the file at a path; None if it cannot be read."""


class Libraries:
    """The installed packages as modules, by absolute name and by place."""

    def __init__(self, folders: Sequence[str], load: Load, is_described: Callable[[str], bool]) -> None:
        """`folders` are absolute; modules that the catalogue speaks of, as `is_described` tells, are left to it."""
        self._folders: Final = tuple(folders)
        self._load: Final = load
        self._is_described: Final = is_described
        self._modules: Final[dict[str, Module | None]] = {}
        self._by_name: Final[dict[str, Module | None]] = {}
        self._loaded = 0

    def resolve(self, name: str) -> Module | None:
        """The module of an absolute name."""
        if name not in self._by_name:
            candidates = () if self._is_described(name) else self._folders
            found = (self.below(folder, name) for folder in candidates)
            self._by_name[name] = next((module for module in found if module is not None), None)
        return self._by_name[name]

    def below(self, folder: str, name: str) -> Module | None:
        """The module of a name relative to a folder, which is itself meant by the empty name."""
        path = os.path.join(folder, *name.split(".")) if name else folder
        if path not in self._modules:
            self._modules[path] = self._find(path)
        return self._modules[path]

    def _find(self, path: str) -> Module | None:
        for stem, is_package in ((os.path.join(path, "__init__"), True), (path, False)):
            for file in (stem + suffix for suffix in _SUFFIXES):
                if os.path.isfile(file):
                    return self._read(file, path, is_package)
        return None

    def _read(self, file: str, path: str, is_package: bool) -> Module | None:
        top = next(folder for folder in self._folders if path.startswith(folder + os.sep))
        name = os.path.relpath(path, top).replace(os.sep, ".")
        if self._loaded >= _MOST_MODULES or self._is_described(name):
            return None
        self._loaded += 1
        summary = self._load(file)
        return None if summary is None else Module(file, name, is_package, summary, is_library=True)


NO_LIBRARIES: Final = Libraries((), lambda _: None, lambda _: True)
