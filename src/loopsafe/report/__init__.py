"""Stage report: findings as text for people and machines, one module per format, each a pure function.

Nothing here prints or reads files. A format is a module of this package with a `FORMAT`; the folder is the
list of them, and `parts` holds what several of them share.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from loopsafe.report.parts.format import Format, Report

__all__ = ["Format", "Report", "find", "names"]


@cache
def names() -> tuple[str, ...]:
    """Return the names of the formats in this package, sorted, without importing any of them."""
    modules = pkgutil.iter_modules(__path__)
    return tuple(sorted(module.name.replace("_", "-") for module in modules if not module.ispkg))


def find(name: str) -> Format | None:
    """Return the format called `name`, importing no other."""
    if name not in names():
        return None
    found = import_module(f"{__name__}.{name.replace('-', '_')}").FORMAT
    assert isinstance(found, Format)
    return found
