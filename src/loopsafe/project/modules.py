"""Which file an import means.

Stage: link. Reads nothing itself: it knows the paths of the files that were discovered, and asks `libraries` for those
of installed packages. Python looks along `sys.path`; which
folders those are for a file cannot be known, so they are taken from the layout: the nearest folders above the file that
are no packages themselves (a script's own folder, a source root), then the configured source roots.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from loopsafe.project.entities import Module
from loopsafe.project.libraries import NO_LIBRARIES, Libraries
from loopsafe.summary import ir

_INIT: Final = "__init__"
_SUFFIXES: Final = (".py", ".pyi")


class Modules:
    """The project's modules by path and, as seen from another module, by name."""

    def __init__(
        self,
        summaries: Mapping[str, ir.ModuleSummary],
        root: str,
        sources: Iterable[str],
        libraries: Libraries = NO_LIBRARIES,
    ) -> None:
        """`summaries` by absolute path; `root` and `sources` are absolute folders."""
        self._libraries: Final = libraries
        self._root: Final = root
        self._sources: Final = tuple(sources)
        self._files: Final = {_stem(path): path for path in sorted(summaries, reverse=True)}
        self._folders: Final = {folder for path in summaries for folder in _ancestors(path, root)}
        self._packages: Final = {os.path.dirname(stem) for stem in self._files if os.path.basename(stem) == _INIT}
        self.by_path: Final[dict[str, Module]] = {}
        for path in sorted(summaries):
            stem = _stem(path)
            is_package = os.path.basename(stem) == _INIT
            self.by_path[path] = Module(path, self._dotted_name(stem), is_package, summaries[path])
        self._namespaces: Final[dict[str, Module]] = {}
        self._roots_of = lru_cache(maxsize=None)(self._find_roots)
        self._absolute = lru_cache(maxsize=None)(self._find_absolute)

    def __iter__(self) -> Iterable[Module]:
        return iter(self.by_path.values())

    def resolve(self, importer: Module, name: str, level: int) -> Module | None:
        """The module that an import statement of `importer` names; None if it is not within reach."""
        folder = importer.folder
        if level == 0:
            found = None if importer.is_library else self._absolute(folder, name)
            return found or self._libraries.resolve(name)
        if not importer.is_package or importer.summary is not None:
            level -= 1
        for _ in range(level):
            folder = os.path.dirname(folder)
        return self._libraries.below(folder, name) if importer.is_library else self._below(folder, name)

    def installed(self, name: str) -> Module | None:
        """The module of that absolute name among the installed packages."""
        return self._libraries.resolve(name)

    def submodule(self, package: Module, name: str) -> Module | None:
        """`package.name`, if that is a module."""
        if not package.is_package:
            return None
        folder = package.folder
        return self._libraries.below(folder, name) if package.is_library else self._below(folder, name)

    def _find_absolute(self, folder: str, name: str) -> Module | None:
        for root in self._roots_of(folder):
            module = self._below(root, name)
            if module is not None:
                return module
        return None

    def _find_roots(self, folder: str) -> tuple[str, ...]:
        roots = []
        while True:
            if folder not in self._packages:
                roots.append(folder)
            else:
                roots.clear()  # a folder inside a package is part of it, with or without `__init__.py`
            parent = os.path.dirname(folder)
            if folder == self._root or parent == folder or not folder.startswith(self._root):
                break
            folder = parent
        return tuple(dict.fromkeys([*roots, *self._sources, self._root]))

    def _below(self, folder: str, name: str) -> Module | None:
        path = f"{folder}{os.sep}{name.replace('.', os.sep)}" if name else folder
        file = self._files.get(f"{path}{os.sep}{_INIT}") or self._files.get(path)
        if file is not None:
            return self.by_path[file]
        if path in self._folders and name:
            return self._namespace(path)
        return None

    def _namespace(self, folder: str) -> Module:
        module = self._namespaces.get(folder)
        if module is None:
            module = self._namespaces[folder] = Module(folder, self._dotted_name(folder), True, None)
        return module

    def _dotted_name(self, stem: str) -> str:
        """A module's name from its outermost package, or from the root or source folder that it lies in."""
        if os.path.basename(stem) == _INIT:
            stem = os.path.dirname(stem)
        parts = [os.path.basename(stem)]
        folder = os.path.dirname(stem)
        tops = {self._root, *self._sources}
        while folder not in tops and os.path.dirname(folder) != folder and folder.startswith(self._root):
            parts.append(os.path.basename(folder))
            folder = os.path.dirname(folder)
        return ".".join(reversed(parts))


def _stem(path: str) -> str:
    base, suffix = os.path.splitext(path)
    return base if suffix in _SUFFIXES else path


def _ancestors(path: str, root: str) -> list[str]:
    folders = []
    folder = os.path.dirname(path)
    while folder.startswith(root) and folder != root:
        folders.append(folder)
        folder = os.path.dirname(folder)
    return folders
