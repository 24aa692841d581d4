"""`loopsafe catalog show`: what the catalogue says of one distribution, class, function or attribute.

Nothing here decides anything: all answers are the catalogue's.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from itertools import groupby
from typing import Final

import msgspec

from loopsafe.catalog import AWAITABLE, UNKNOWN, Catalog, Fact, Guard, Named, When
from loopsafe.catalog.loader import CatalogText, lies_in
from loopsafe.catalog.schema import CatalogFile
from loopsafe.catalog.types import show_type
from loopsafe.catalog.versions import normalise
from loopsafe.cli.arguments import Parser
from loopsafe.cli.catalog import add_settings, open_catalog, origin, read_catalog_settings
from loopsafe.cli.catalog_list import kind_of
from loopsafe.cli.output import write_text
from loopsafe.model import LoopsafeError

USAGE: Final = "[OPTIONS] <NAME>"
_WHEN: Final = {
    When.CALL: "when called",
    When.ITER: "while iterated",
    When.ENTER: "on entering `with`",
    When.EXIT: "on leaving `with`",
    When.PROPERTY: "when read",
}
_LABEL: Final = 12
_MOST_ALIASES: Final = 8
"""In text; generated type stubs have a name for everything."""


class _Effect(msgspec.Struct, frozen=True):
    """One effect of a name, or of several members of a class alike."""

    names: tuple[str, ...]
    effect: str
    when: str
    unless: tuple[str, ...]
    replacement: str | None
    twin: str | None
    affinity: str | None
    via: tuple[str, ...]
    source: str
    """Of the file that says so: several may speak of one class."""


class _Place(msgspec.Struct, frozen=True):
    """A file that speaks of the name."""

    name: str
    kind: str
    versions: str | None
    origin: str
    source: str
    package_version: str | None


class _Shown(msgspec.Struct, frozen=True):
    """All that is said of a name, as the JSON shows it."""

    name: str
    """The one home of what was asked for, which may have been an alias."""
    kind: str
    """class, function, member, distribution, module or framework"""
    effects: tuple[_Effect, ...]
    asynchronous: tuple[str, ...] = ()
    """The name itself if calling it gives a coroutine; of a class, its coroutine methods."""
    returns: str | None = None
    members: dict[str, str] = {}
    """Of a class: attribute or method → its type, or what a call gives."""
    classes: tuple[str, ...] = ()
    """Of a distribution, module or framework."""
    bases: tuple[str, ...] = ()
    twin: str | None = None
    affinity: str | None = None
    role: str | None = None
    aliases: tuple[str, ...] = ()
    described: tuple[_Place, ...] = ()


def add_arguments(parser: Parser) -> None:
    """Add the flags of `catalog show`."""
    parser.add_argument("name", metavar="NAME", help="redis, supabase.Client, psycopg2.connect …")
    parser.add_argument("--output-format", choices=("text", "json"), default="text", help="text [default] or json")
    add_settings(parser)


def run(options: argparse.Namespace) -> int:
    """Print what is known; a name of which nothing is known is an error that names the nearest ones."""
    catalog = open_catalog(read_catalog_settings(options))
    shown = _find(catalog, options.name)
    if shown is None:
        near = _nearest(catalog, options.name)
        hint = f"; did you mean {', '.join(f'`{name}`' for name in near)}?" if near else ""
        raise LoopsafeError(f"the catalogue knows nothing of `{options.name}`{hint}")
    if options.output_format == "json":
        write_text(sys.stdout, msgspec.json.format(msgspec.json.encode(shown)).decode() + "\n")
    else:
        write_text(sys.stdout, "".join(f"{line}\n" for line in _draw(shown)))
    return 0


def _find(catalog: Catalog, name: str) -> _Shown | None:
    """A builtin needs no prefix; a distribution comes before a package of the same name."""
    files = [item for item in catalog.files() if normalise(item[1].subject) == normalise(name)]
    if files:
        return _show_files(catalog, files)
    for candidate in (name, f"builtins.{name}"):
        found = catalog.canonical(candidate)
        if _is_known(catalog, found):
            return _show_name(catalog, found)
    files = [item for item in catalog.files() if name in item[1].packages]
    return _show_files(catalog, files) if files else None


def _is_known(catalog: Catalog, name: str) -> bool:
    cls, _, attr = name.rpartition(".")
    if catalog.is_class(name) or (catalog.is_class(cls) and catalog.find(cls, attr) is not None):
        return True
    return bool(catalog.returns(name) or catalog.role(name) or catalog.is_async(name) or _facts(catalog, name))


def _show_name(catalog: Catalog, name: str) -> _Shown:
    is_class = catalog.is_class(name)
    cls, _, attr = name.rpartition(".")
    home = name if is_class else catalog.find(cls, attr) or name
    facts = [*_facts(catalog, name)]
    coroutines = [home] if catalog.is_async(name) else []
    members = sorted(catalog.members(name)) if is_class else []
    if is_class:
        facts += [fact for member in members for fact in _facts(catalog, f"{name}.{member}")]
        facts += [fact for fact in catalog.facts(f"{name}.any_other") if fact.is_general]
        coroutines += [member for member in members if catalog.is_async(f"{name}.{member}")]
    role = catalog.role(name)
    affinity = catalog.affinity(name) if is_class else None
    return _Shown(
        name,
        "class" if is_class else "member" if catalog.is_class(cls) else "function",
        tuple(_merge(facts, name if is_class else None)),
        tuple(coroutines),
        None if is_class else _type_of(catalog, name),
        {member: given for member in members if (given := _type_of(catalog, f"{name}.{member}"))},
        bases=catalog.linear(name)[1:],
        twin=catalog.twin(name) if is_class else None,
        affinity=None if affinity is None else affinity.value,
        role=None if role is None else role.role.value,
        aliases=tuple(sorted(_aliases(catalog, name))),
        described=tuple(_places(catalog, {home.rpartition(".")[0] if catalog.is_class(cls) else home, home})),
    )


def _type_of(catalog: Catalog, name: str) -> str | None:
    """The type of an attribute, or of what a call gives; a coroutine's is that of what is awaited."""
    cls, _, attr = name.rpartition(".")
    given = catalog.attribute(cls, attr) or catalog.returns(name)
    if isinstance(given, Named) and given.name == AWAITABLE:
        given = given.args[0]
    return None if given is None or given == UNKNOWN else show_type(given)


def _show_files(catalog: Catalog, files: Sequence[tuple[CatalogText, CatalogFile]]) -> _Shown:
    """What the files together say, and only that of which none takes it back."""
    names = dict.fromkeys(catalog.canonical(name) for _, file in files for name in _blocking_names(file))
    facts = [
        Fact(fact.name, fact.effect, fact.when, source=fact.source) for name in names for fact in _facts(catalog, name)
    ]
    classes = [record for _, file in files for record in file.classes]
    facts += [
        Fact(f"{record.name}.*", record.every, source=file.source)
        for _, file in files
        for record in file.classes
        if record.every is not None
    ]
    return _Shown(
        files[0][1].subject,
        kind_of(files[0][1]),
        tuple(_merge(facts, None)),
        classes=tuple(dict.fromkeys(catalog.canonical(record.name) for record in classes)),
        described=tuple(_place(text, file) for text, file in files),
    )


def _facts(catalog: Catalog, name: str) -> tuple[Fact, ...]:
    return tuple(fact for when in When for fact in catalog.facts(name, when) if not fact.is_general)


def _merge(facts: Iterable[Fact], cls: str | None) -> Iterator[_Effect]:
    """Facts that differ in nothing but the name stand together; members of a class by their own names."""

    def key(fact: Fact) -> tuple[str, ...]:
        parts = (fact.replacement, fact.twin, fact.affinity and fact.affinity.value, fact.source, *fact.via)
        return (fact.effect.value, fact.when.value, repr(fact.unless), *map(str, parts))

    for _, group in groupby(sorted(facts, key=key), key=key):
        alike = list(group)
        fact = alike[0]
        names = dict.fromkeys(_member_name(one, cls) for one in alike)
        yield _Effect(
            tuple(names), fact.effect.value, fact.when.value, tuple(map(_describe_guard, fact.unless)),
            fact.replacement, fact.twin, None if fact.affinity is None else fact.affinity.value, fact.via, fact.source,
        )  # fmt: skip


def _member_name(fact: Fact, cls: str | None) -> str:
    if cls is None or fact.name == cls:
        return fact.name
    return "every other public method" if fact.is_general else fact.name.rpartition(".")[2]


def _describe_guard(guard: Guard) -> str:
    keyword = f"`{guard.name}`" if guard.name else ""
    position = f"argument {guard.position + 1}" if guard.position is not None else ""
    what = " or ".join(filter(None, (keyword, position)))
    if guard.method is not None:
        if not what:
            return f"`{guard.method}` was true"
        what = f"{what} of `{guard.method}`"
    if guard.absent:
        return f"{what} is left out"
    if guard.equals is not None:
        return f"{what} is {guard.equals!r}"
    if guard.refers is not None:
        return f"{what} is `{guard.refers}`"
    if guard.instance:
        return f"{what} is an object of " + " or ".join(f"`{name}`" for name in guard.instance)
    if guard.begins:
        return f"{what} begins with " + " or ".join(f"`{text}`" for text in guard.begins)
    return f"{what} is given"


def _aliases(catalog: Catalog, name: str) -> Iterator[str]:
    for _, file in catalog.files():
        yield from (alias for alias, target in file.aliases.items() if target == name)
        yield from (alias for record in file.classes if record.name == name for alias in record.aliases)


def _places(catalog: Catalog, names: set[str]) -> Iterator[_Place]:
    for text, file in catalog.files():
        if any(lies_in(name, package) for name in names for package in file.packages) and names & set(_names(file)):
            yield _place(text, file)


def _place(text: CatalogText, file: CatalogFile) -> _Place:
    return _Place(file.subject, kind_of(file), file.versions, origin(text), file.source, file.package_version)


def _blocking_names(file: CatalogFile) -> Iterator[str]:
    return (f"{call.owner}.{name}" if call.owner else name for call in file.call for name in call.name)


def _names(file: CatalogFile) -> Iterator[str]:
    """Every name that a file speaks of, members by their class alone where it says nothing else of them."""
    yield from _blocking_names(file)
    yield from (call.owner for call in file.call if call.owner)
    for record in file.classes:
        yield from (record.name, *record.aliases)
    for names in (file.returns, file.asynchronous, file.quiet, file.aliases, file.roles):
        yield from names


def _nearest(catalog: Catalog, name: str) -> list[str]:
    known = {name for _, file in catalog.files() for name in (file.subject, *_names(file))}
    last = name.rpartition(".")[2]
    alike = [one for one in known if one[:1] == name[:1] or one.endswith(f".{last}")]
    return get_close_matches(name, sorted(alike), n=3, cutoff=0.7)


def _draw(shown: _Shown) -> Iterator[str]:
    yield f"{shown.name} ({shown.kind})"
    if shown.aliases:
        more = len(shown.aliases) - _MOST_ALIASES
        yield from _row("also", ", ".join(shown.aliases[:_MOST_ALIASES]) + (f" and {more} more" if more > 0 else ""))
    if shown.bases:
        yield from _row("bases", ", ".join(shown.bases))
    if shown.twin:
        yield from _row("twin", shown.twin)
    if shown.affinity:
        yield from _row("affinity", shown.affinity)
    if not shown.effects:
        yield from _row("blocks", "nothing that is known")
    for effect in shown.effects:
        yield from _draw_effect(effect, effect.names == (shown.name,))
        if len({one.source for one in shown.effects}) > 1:
            yield from _row("  from", effect.source)
    if shown.asynchronous:
        is_alone = shown.kind in ("function", "member")
        yield from _row("await", "what a call gives" if is_alone else ", ".join(shown.asynchronous))
    if shown.returns:
        yield from _row("returns", shown.returns)
    if shown.members:
        yield from _row("members", ", ".join(f"{name} → {given}" for name, given in shown.members.items()))
    if shown.classes:
        yield from _row("classes", ", ".join(shown.classes))
    if shown.role:
        yield from _row("role", shown.role)
    for place in shown.described:
        versions = f"{place.versions} of {place.name}" if place.versions else f"all of {place.name}"
        read = f", read from {place.package_version}" if place.package_version else ""
        yield from _row("versions", f"{versions}{read} ({place.origin})")
        yield from _row("source", place.source)


def _draw_effect(effect: _Effect, is_alone: bool) -> Iterator[str]:
    yield from _row("blocks", f"{effect.effect}, {_WHEN[When(effect.when)]}" + ("" if is_alone else ":"))
    if not is_alone:
        yield from _row("", ", ".join(effect.names))
    if effect.unless:
        yield from _row("  unless", "; ".join(effect.unless))
    if effect.replacement:
        yield from _row("  instead", f"await {effect.replacement}")
    if effect.twin:
        yield from _row("  twin", effect.twin)
    if effect.affinity:
        yield from _row("  affinity", effect.affinity)
    if effect.via:
        yield from _row("  via", " → ".join(effect.via))


def _row(label: str, text: str) -> list[str]:
    width = shutil.get_terminal_size((100, 24)).columns
    start = f"  {label:<{_LABEL}}"
    return textwrap.wrap(
        text, max(width, 60), initial_indent=start, subsequent_indent=" " * len(start),
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
