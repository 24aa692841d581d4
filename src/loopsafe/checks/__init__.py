"""Check: from the linked project to diagnostics. One module per rule or family; each holds a `CHECK`.

No check reads files, parses, or knows an SDK by name.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from loopsafe.checks.check import Check

__all__ = ["Check", "shipped_checks"]

_NO_CHECKS = frozenset({"bridges", "callers", "changes", "check", "messages", "offloading", "remedies", "threads"})


@cache
def shipped_checks() -> tuple[Check, ...]:
    """The checks of this package, by module name; the folder is the list of them."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name not in _NO_CHECKS)
    found = [import_module(f"{__name__}.{name}").CHECK for name in names]
    return tuple(found)
