"""Finds plugins and puts together what they offer; refuses what does not fit, naming the package."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pluggy

from loopsafe.model import LoopsafeError
from loopsafe.plugins import hookspecs
from loopsafe.rulebook import Rule, read_rules

if TYPE_CHECKING:
    from loopsafe.checks import Check
    from loopsafe.report import Format


class Extensions(msgspec.Struct, frozen=True):
    """Everything that plugins, ours included, offer."""

    checks: tuple[Check, ...]
    """Primary ones first, each group by its codes."""
    rules: Mapping[str, Rule]
    catalogs: tuple[Path, ...]
    """Folders of plugins; the shipped catalogue is always there."""
    formats: tuple[Format, ...]


@cache
def load_extensions() -> Extensions:
    """Load all plugins that are installed under the entry point group `loopsafe`.

    Raises LoopsafeError that names the plugin which cannot be loaded, has unknown hooks, or clashes with another.
    """
    from loopsafe.plugins import shipped

    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(shipped, "loopsafe")
    try:
        manager.load_setuptools_entrypoints(hookspecs.PROJECT)
        manager.check_pending()
    except Exception as error:  # a plugin is foreign code: whatever it raises is its author's to read
        raise LoopsafeError(f"a plugin cannot be loaded: {error}") from error
    return _collect(manager)


def _collect(manager: pluggy.PluginManager) -> Extensions:
    rules = read_rules(sorted({folder for folders in manager.hook.loopsafe_rules() for folder in folders}))
    checks: list[Check] = [check for group in manager.hook.loopsafe_checks() for check in group]
    for check in checks:
        for code in check.codes:
            if code not in rules:
                raise LoopsafeError(f"a plugin's check reports {code}, of which no rule document is known")
    checks.sort(key=lambda check: (check.is_secondary, check.codes))
    catalogs = sorted({folder for folders in manager.hook.loopsafe_catalogs() for folder in folders})
    formats = [form for group in manager.hook.loopsafe_formats() for form in group]
    return Extensions(tuple(checks), rules, tuple(catalogs), tuple(sorted(formats, key=lambda form: form.name)))
