"""Finds plugins and puts together what they offer; refuses what does not fit, naming the plugin.

Knows nothing of what a check, a catalogue or a format does.
"""

from __future__ import annotations

import importlib.metadata
import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import pluggy

from loopsafe.model import LoopsafeError
from loopsafe.plugins import hookspecs
from loopsafe.plugins.guards import guard_check, guard_format
from loopsafe.rulebook import Rule, read_rules

if TYPE_CHECKING:
    from loopsafe.checks import Check
    from loopsafe.report import Format

_OURS: Final = "loopsafe"
_OUR_PREFIX: Final = "LSA"


class Extensions(msgspec.Struct, frozen=True):
    """Everything that plugins, ours included, offer."""

    checks: tuple[Check, ...]
    """Primary ones first, each group by its codes."""
    rules: Mapping[str, Rule]
    catalogs: tuple[Path, ...]
    """Folders of plugins; the shipped catalogue is always there."""
    formats: tuple[Format, ...]
    plugins: tuple[str, ...] = ()
    """Name, distribution and version of each plugin but ours."""
    folders: tuple[Path, ...] = ()
    """Where their code lies."""
    documents: tuple[tuple[str, Path], ...] = ()
    """The folders of rule documents, each with the name of its plugin."""


@cache
def load_extensions() -> Extensions:
    """Load all plugins that are installed under the entry point group `loopsafe`.

    Raises LoopsafeError that names the plugin which cannot be loaded, has unknown hooks, or clashes with another.
    """
    from loopsafe.plugins import shipped

    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(shipped, _OURS)
    entries = importlib.metadata.entry_points(group=hookspecs.PROJECT)
    installed = sorted(entries, key=lambda entry: (entry.name, entry.value))
    plugins = [_describe(entry) for entry in installed]
    folders = [_register(manager, entry) for entry in installed]
    return _collect(manager, plugins, sorted(set(folders)))


def _describe(entry: importlib.metadata.EntryPoint) -> str:
    return entry.name if entry.dist is None else f"{entry.name} of {entry.dist.name} {entry.dist.version}"


def _register(manager: pluggy.PluginManager, entry: importlib.metadata.EntryPoint) -> Path:
    """Import a plugin and check its hooks; return where its code lies."""
    try:
        plugin = entry.load()
        manager.register(plugin, entry.name)
        manager.check_pending()
    except Exception as error:  # a plugin is foreign code: whatever it raises is its author's to read
        raise _error(_describe(entry), f"cannot be loaded: {type(error).__name__}: {error}") from error
    unmarked = [name for name in dir(plugin) if _is_unmarked_hook(manager, plugin, name)]
    if unmarked:
        raise _error(_describe(entry), f"{unmarked[0]} lacks the decorator `loopsafe.plugins.hookimpl`")
    module = plugin if inspect.ismodule(plugin) else sys.modules[type(plugin).__module__]
    path = Path(module.__file__ or ".")
    return path.parent if path.name == "__init__.py" else path


def _is_unmarked_hook(manager: pluggy.PluginManager, plugin: object, name: str) -> bool:
    return name.startswith(f"{hookspecs.PROJECT}_") and manager.parse_hookimpl_opts(plugin, name) is None


def _collect(manager: pluggy.PluginManager, plugins: list[str], folders: list[Path]) -> Extensions:
    rules: dict[str, Rule] = {}
    owners: dict[str, str] = {}
    documents = [(plugin, _folder(plugin, folder)) for plugin, folder in _offers(manager, "loopsafe_rules")]
    for plugin, folder in documents:
        for code, rule in read_rules([folder]).items():
            if code in owners:
                raise _error(plugin, f"code {code} is already taken by plugin `{owners[code]}`")
            if plugin != _OURS and code.startswith(_OUR_PREFIX):
                raise _error(plugin, f"code {code} begins with {_OUR_PREFIX}, which is kept for loopsafe's own rules")
            owners[code] = plugin
            rules[code] = rule
    catalogs = [_folder(plugin, folder) for plugin, folder in _offers(manager, "loopsafe_catalogs")]
    return Extensions(
        tuple(_checks(manager, owners)),
        dict(sorted(rules.items())),
        tuple(sorted(catalogs)),
        tuple(_formats(manager)),
        tuple(plugins),
        tuple(folders),
        tuple(documents),
    )


def _checks(manager: pluggy.PluginManager, owners: Mapping[str, str]) -> list[Check]:
    checks: list[Check] = []
    for plugin, offered in _offers(manager, "loopsafe_checks"):
        check = guard_check(plugin, offered, is_ours=plugin == _OURS)
        for code in check.codes:
            if owners.get(code) != plugin:
                raise _error(plugin, f"a check reports {code}, of which the plugin has no rule document")
        checks.append(check)
    return sorted(checks, key=lambda check: (check.is_secondary, check.codes))


def _formats(manager: pluggy.PluginManager) -> list[Format]:
    formats: dict[str, Format] = {}
    for plugin, offered in _offers(manager, "loopsafe_formats"):
        form = guard_format(plugin, offered)
        if form.name in formats:
            raise _error(plugin, f"a format called `{form.name}` is there already")
        formats[form.name] = form
    return [formats[name] for name in sorted(formats)]


def _offers(manager: pluggy.PluginManager, hook: str) -> Iterator[tuple[str, object]]:
    """What the plugins return from a hook, item by item, ours first, the others by name."""
    implementations = getattr(manager.hook, hook).get_hookimpls()
    for one in sorted(implementations, key=lambda one: (one.plugin_name != _OURS, one.plugin_name)):
        try:
            offered: Iterable[object] = list(one.function())
        except Exception as error:
            raise _error(one.plugin_name, f"{hook} failed: {type(error).__name__}: {error}") from error
        for item in offered:
            yield one.plugin_name, item


def _folder(plugin: str, offered: object) -> Path:
    if not isinstance(offered, Path):
        raise _error(plugin, f"{offered!r} is no `pathlib.Path` of a folder")
    if not offered.is_dir():
        raise _error(plugin, f"{offered} is no folder")
    return offered


def _error(plugin: str, message: str) -> LoopsafeError:
    return LoopsafeError(f"plugin {plugin if ' ' in plugin else f'`{plugin}`'}: {message}")
