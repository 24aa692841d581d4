"""The source of one distribution: which files of an environment belong to it, and which packages they make up.

Reads the distribution's own list of files (`RECORD`); imports nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from importlib.metadata import Distribution, distributions
from typing import Final

import msgspec

from loopsafe.catalog.versions import normalise
from loopsafe.model import LoopsafeError

_NOT_PUBLIC: Final = frozenset(
    {"test", "tests", "testing", "conftest", "docs", "examples", "benchmarks", "cli", "__main__"}
)
"""Parts of a package that no one calls from outside."""


class Package(msgspec.Struct, frozen=True):
    """A distribution as it is installed."""

    name: str
    version: str
    folder: str
    """Where it is installed, absolute."""
    imports: tuple[str, ...]
    """The packages and modules that it brings; dotted below a namespace package."""
    files: tuple[str, ...]
    """Its modules, absolute paths, sorted."""


def find_package(name: str, folders: Sequence[str]) -> Package:
    """The distribution of that name. Raises LoopsafeError if it is not installed there, or has no Python source."""
    for distribution in distributions(path=list(folders)):
        found = distribution.metadata["Name"]
        if found is not None and normalise(found) == normalise(name):
            return _read(found, distribution)
    where = ", ".join(folders) or "no environment was found"
    raise LoopsafeError(f"{name} is not installed ({where}); name an environment with `--python`, or use `--from-pypi`")


def _read(name: str, distribution: Distribution) -> Package:
    folder = os.path.realpath(str(distribution.locate_file("")))
    listed = {file.as_posix() for file in distribution.files or ()}
    modules = sorted(path for path in listed if path.endswith(".py") and not path.startswith("..") and _is_public(path))
    if not modules:
        raise LoopsafeError(f"{name} {distribution.version} has no Python source in {folder}; describe it by hand")
    imports = _tops(modules)
    files = tuple(path for module in modules if os.path.isfile(path := os.path.join(folder, *module.split("/"))))
    return Package(name, distribution.version, folder, imports, files)


def _is_public(path: str) -> bool:
    parts = path.removesuffix(".py").split("/")
    return _NOT_PUBLIC.isdisjoint(parts) and not any(part.startswith("test_") for part in parts)


def _tops(modules: Iterable[str]) -> tuple[str, ...]:
    """The outermost packages: a folder without `__init__.py` is a namespace that others share."""
    packages = {path.rpartition("/")[0] for path in modules if path.endswith("/__init__.py")}
    tops = set()
    for path in modules:
        parts = path.removesuffix(".py").split("/")
        folders = ["/".join(parts[:depth]) for depth in range(1, len(parts))]
        top = next((folder for folder in folders if folder in packages), "/".join(parts))
        tops.add(top.replace("/", "."))
    return tuple(sorted(tops))
