"""The names of one thing: which of them is its home, under which is kept what files say of it by any.

Part of the catalogue stage; knows names alone, and reads no file.
"""

from __future__ import annotations

from typing import Final

from loopsafe.catalog.loader import lies_in
from loopsafe.catalog.schema import CatalogFile

_MOST_STEPS: Final = 8


class Aliases:
    """Alias → home, of modules, classes and functions; what lies in a thing has all of its names as well."""

    def __init__(self) -> None:
        self._homes: Final[dict[str, str]] = {}
        self._generated: Final[set[str]] = set()
        """The aliases that only generated files give."""

    def add(self, file: CatalogFile) -> None:
        """A later file decides which of two names is the other's home."""
        added = {**file.aliases, **{alias: record.name for record in file.classes for alias in record.aliases}}
        for alias, home in added.items():
            if self._homes.get(home) == alias:
                del self._homes[home]
        self._homes.update(added)
        if file.is_generated:
            self._generated.update(added)
        else:
            self._generated.difference_update(added)
            self._prefer(file)

    def _prefer(self, file: CatalogFile) -> None:
        """Names that people use of what generated files describe by another are its home."""
        functions = (name for call in file.call if call.owner is None for name in call.name)
        owners = (call.owner for call in file.call if call.owner is not None)
        for name in (*(record.name for record in file.classes), *owners, *functions, *file.returns):
            home = self._homes.pop(name, None) if name in self._generated else None
            if home is not None:
                self._generated.remove(name)
                self._homes[home] = name

    def home(self, name: str) -> str:
        """Where a name leads, as far as is known now.

        Where two files take each the other's name for the home, by whatever part of it, the shorter is.
        """
        if self._step(name) == name:
            return name
        seen: list[str] = []
        while name not in seen and len(seen) < _MOST_STEPS:
            seen.append(name)
            name = self._step(name)
        circle = seen[seen.index(name) :] if name in seen else [name]
        return min(circle, key=lambda each: (len(each), each))

    def _step(self, name: str) -> str:
        """The name with its longest part that is an alias replaced.

        A function named like its module, `acme.play.play`, may take the module's name, but not those of other parts.
        """
        prefix, rest = name, ""
        while prefix:
            home = self._homes.get(prefix)
            if home is not None and not (rest and lies_in(home, prefix)):
                return home + rest
            prefix, _, last = prefix.rpartition(".")
            rest = f".{last}{rest}"
        return name
