"""A record: the catalogue file of a package, worked out of its source down to the primitives of the standard library.

Keeps what leads to something that blocks, and leaves out the rest: a name of which nothing is said is unknown, and
unknown is silent.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Final, TypeAlias

from loopsafe import source
from loopsafe.catalog import Affinity, Catalog
from loopsafe.catalog.loader import CatalogText, decode, lies_in, read_shipped
from loopsafe.catalog.schema import CallRecord, CatalogFile, ClassRecord, When
from loopsafe.catalog.versions import normalise
from loopsafe.model import Effect
from loopsafe.project import Libraries, Project, room_for_analysis
from loopsafe.project.entities import Class
from loopsafe.project.values import ClassKey, Instance
from loopsafe.records.api import find_api, is_asynchronous, is_public_name, members
from loopsafe.records.entries import STAYING, Cause, Causes, Entries, Entry
from loopsafe.records.notation import Notation
from loopsafe.records.packages import Package
from loopsafe.source.text import UnreadableSource
from loopsafe.summary import ir, summarise

Tell: TypeAlias = Callable[[str], None]

_FAR: Final = frozenset(Effect) - STAYING - {Effect.WAIT}
_WAITED_FOR: Final = "concurrent.futures."
"""Of what only waits, this alone is handed out by SDKs to be waited for."""
_ANY: Final = "any_method"
"""Stands for a method that no file names: of some classes every one blocks."""


def build(package: Package, folders: Sequence[str], today: datetime.date, tell: Tell = lambda _: None) -> CatalogFile:
    """The record of an installed package; `folders` hold the packages that it depends on.

    `tell` is told how far the work is.
    """
    with room_for_analysis():
        digest = blake2b(digest_size=16)
        summaries = {}
        for number, path in enumerate(package.files):
            tell(f"reading {number} of {len(package.files)} files")
            text = _read(path)
            if text is not None:
                digest.update(text.data)
                summaries[path] = summarise(text.text)
        shipped = read_shipped()
        own = [text for text in shipped if _overlaps(text.packages, package.imports)]
        known = Catalog([text for text in shipped if not _overlaps(text.packages, package.imports)])
        libraries = Libraries(folders, _summary, known.describes)
        tell(f"following the calls in {len(summaries)} files")
        draft = _Draft(Project(summaries, known, package.folder, (), libraries), _is_of_database(own))
        return CatalogFile(
            source=f"worked out from {package.name} {package.version} by `loopsafe catalog build`",
            distribution=normalise(package.name),
            packages=package.imports,
            call=tuple(draft.calls()),
            classes=tuple(draft.classes()),
            returns=draft.returns(),
            asynchronous=tuple(draft.asynchronous()),
            aliases=draft.aliases(),
            versions=_range(package.version),
            package_version=package.version,
            built=today,
            source_hash=digest.hexdigest(),
        )


class _Draft:
    """What is known of a package's entry points, cut down to what matters."""

    def __init__(self, project: Project, is_of_database: bool) -> None:
        self._project: Final = project
        self._is_of_database: Final = is_of_database
        self._notation: Final = Notation(project.inference)
        self._api: Final = find_api(project)
        entries = Entries(project)
        homes = set(self._api.aliases.values())
        self._functions: Final = {
            name: list(entries.of_function(name, function))
            for name, function in self._api.functions.items()
            if is_public_name(name) or name in homes
        }
        self._members: Final[dict[Class, dict[str, list[Entry]]]] = {
            cls: {name: list(entries.of_member(cls, name)) for name in members(project, cls)}
            for cls in self._api.classes.values()
        }
        every = [entry for group in self._groups() for entry in group]
        causes = Causes(project, every)
        self._shared: Final = self._find_shared()
        self._causes: Final = {id(entry): self._named(entry, causes.of(entry)) for entry in every}
        self._is_quiet: Final = causes.is_quiet
        self._outside: Final[dict[str, bool]] = {}
        self._texts: Final[dict[int, str | None]] = {}
        self._kept: Final = self._find_kept()

    def _groups(self) -> Iterator[list[Entry]]:
        yield from self._functions.values()
        for by_name in self._members.values():
            yield from by_name.values()

    def _named(self, entry: Entry, cause: Cause | None) -> Cause | None:
        """The cause as users would call it: who talks to a database over the network, waits for the database."""
        if cause is None or entry.owner in self._shared:
            return None
        is_query = self._is_of_database and cause.effect is Effect.NETWORK
        return cause._replace(effect=Effect.DATABASE) if is_query else cause

    # What matters

    def _find_shared(self) -> set[object]:
        """Classes that asynchronous ones have for a base: what their methods do depends on who inherits them."""
        order = self._project.inference.hierarchy.order
        meant = [cls for cls in self._members if is_asynchronous(cls.full_name)]
        return {base for cls in meant for base in order(cls)[1:] if not is_asynchronous(_key(base))}

    def _find_kept(self) -> set[ClassKey]:
        """Of the classes that users can get hold of those with something that blocks, or that lead to such."""
        mentions = {cls: self._mentioned(cls) for cls in self._members}
        within_reach = self._within_reach(mentions)
        kept: set[ClassKey] = {cls for cls in self._members if self._blocks(cls)}
        outside = {key for found in mentions.values() for key in found if self._matters_outside(key)}
        kept |= outside
        is_growing = True
        while is_growing:
            more = {cls for cls, found in mentions.items() if cls not in kept and not kept.isdisjoint(found)}
            kept |= more
            is_growing = bool(more)
        return {key for key in kept if isinstance(key, str) or key in within_reach}

    def _within_reach(self, mentions: Mapping[Class, set[ClassKey]]) -> set[ClassKey]:
        """Public classes, those that public functions give, and all that one gets to from these."""
        homes = {name for name in self._api.classes if is_public_name(name)} | set(self._api.aliases.values())
        pending: list[ClassKey] = [cls for name, cls in self._api.classes.items() if name in homes]
        for entries in self._functions.values():
            pending += [key for entry in entries for key in self._notation.names(entry.gives)]
        found = set(pending)
        while pending:
            key = pending.pop()
            more = mentions.get(key, set()) - found if isinstance(key, Class) else set()
            found |= more
            pending += more
        return found

    def _mentioned(self, cls: Class) -> set[ClassKey]:
        found: set[ClassKey] = set(self._project.inference.hierarchy.order(cls)[1:])
        for entries in self._members[cls].values():
            for entry in entries:
                found |= self._notation.names(entry.gives)
        return found

    def _blocks(self, cls: Class) -> bool:
        return any(self._causes[id(entry)] is not None for group in self._members[cls].values() for entry in group)

    def _matters_outside(self, key: ClassKey) -> bool:
        """Whether a class of another package, or of Python, has something that blocks wherever it is met."""
        if not isinstance(key, str):
            return False
        found = self._outside.get(key)
        if found is None:
            found = self._outside[key] = self._blocks_outside(self._project.catalog.canonical(key))
        return found

    def _blocks_outside(self, cls: str) -> bool:
        known = self._project.catalog
        if not known.is_class(cls) or known.affinity(cls) is Affinity.LOOP:
            return False
        names = [f"{cls}.{member}" for member in (*known.members(cls), _ANY)]
        effects = {fact.effect for name in names for when in When for fact in known.facts(name, when)}
        return not effects.isdisjoint(_FAR) or (Effect.WAIT in effects and cls.startswith(_WAITED_FOR))

    def _is_kept(self, key: ClassKey) -> bool:
        return key in self._kept or self._matters_outside(key)

    # The parts of the record

    def calls(self) -> Iterator[CallRecord]:
        """Functions and members that block; those for the same reason share a table."""
        tables: dict[tuple[str | None, When, Cause], list[str]] = {}
        for entry in (entry for group in self._functions.values() for entry in group):
            cause = self._causes[id(entry)]
            if cause is not None:
                tables.setdefault((None, entry.when, _without_itself(cause, entry.name)), []).append(entry.name)
        for cls, by_name in self._members.items():
            for entry in (entry for group in by_name.values() for entry in group if cls in self._kept):
                cause = self._causes[id(entry)]
                if cause is not None and self._inherited(cls, entry) != cause.effect:
                    own = _without_itself(cause, f"{cls.full_name}.{entry.name}")
                    tables.setdefault((cls.full_name, entry.when, own), []).append(entry.name)
        records = [
            CallRecord(tuple(sorted(set(names))), cause.effect, owner, when, via=cause.via)
            for (owner, when, cause), names in tables.items()
        ]
        yield from sorted(records, key=lambda record: (record.owner or "", record.name, record.when))

    def _inherited(self, cls: Class, entry: Entry) -> object | None:
        """The effect that a base's record says the member has."""
        for base in self._order(cls):
            if isinstance(base, Class):
                for other in self._members.get(base, {}).get(entry.name, ()):
                    cause = self._causes[id(other)]
                    if other.when is entry.when and cause is not None:
                        return cause.effect
            elif facts := self._project.catalog.facts(f"{base}.{entry.name}", entry.when):
                return facts[0].effect
        return None

    def classes(self) -> Iterator[ClassRecord]:
        other_names: dict[str, list[str]] = {}
        for alias, home in self._api.aliases.items():
            other_names.setdefault(home, []).append(alias)
        for cls in sorted((key for key in self._kept if isinstance(key, Class)), key=_key):
            entries = [entry for group in self._members[cls].values() for entry in group]
            yield self._class(cls, entries, other_names.get(cls.full_name, ()))

    def _class(self, cls: Class, entries: Sequence[Entry], aliases: Sequence[str]) -> ClassRecord:
        returns: dict[str, str] = {}
        attributes: dict[str, str] = {}
        fluent = []
        for entry in entries:
            text = self._text(cls, entry)
            if text is None or entry.when is When.ITER or self._is_said_before(cls, entry, text):
                continue
            if entry.when is When.PROPERTY:
                attributes[entry.name] = text
            elif text == "Self" and entry.when is When.CALL and not entry.is_async and self._is_quiet(entry):
                fluent.append(entry.name)
            else:
                returns[entry.name] = text
        own = cls.code.scope.bindings
        return ClassRecord(
            cls.full_name,
            aliases=tuple(sorted(aliases)),
            bases=tuple(map(_key, self._bases(cls))),
            returns=returns,
            fluent=tuple(fluent),
            attributes=attributes,
            asynchronous=tuple(entry.name for entry in entries if entry.is_async and entry.name in own),
            quiet=tuple(self._quiet(cls, entries)),
        )

    def _bases(self, cls: Class) -> list[ClassKey]:
        """The bases that a record gives: what is asynchronous inherits nothing from what is not, as that may block."""
        bases = self._project.inference.hierarchy.bases(cls)
        return [
            base for base in bases if self._is_kept(base) and (is_asynchronous(_key(base)) or not self._is_async(cls))
        ]

    def _order(self, cls: Class) -> Iterator[ClassKey]:
        """The bases that a record gives, theirs included."""
        for base in self._bases(cls):
            yield base
            if isinstance(base, Class):
                yield from self._order(base)

    def _text(self, cls: Class, entry: Entry) -> str | None:
        """The type that a member gives. What an asynchronous class gives is asynchronous, or unknown.

        Of what it shares with synchronous ones nothing is known at all: either kind may be meant.
        """
        key = id(entry)
        if key not in self._texts:
            self._texts[key] = self._find_text(cls, entry)
        return self._texts[key]

    def _find_text(self, cls: Class, entry: Entry) -> str | None:
        if entry.gives and all(isinstance(value, Instance) and value.cls is cls for value in entry.gives):
            return "Self"
        if cls in self._shared:
            return None
        return self._notation.write(entry.gives, self._is_kept_async if self._is_async(cls) else self._is_kept)

    def _is_async(self, cls: Class) -> bool:
        return is_asynchronous(cls.full_name)

    def _is_kept_async(self, key: ClassKey) -> bool:
        return is_asynchronous(_key(key)) and self._is_kept(key)

    def _is_said_before(self, cls: Class, entry: Entry, text: str) -> bool:
        """Whether a base's record gives the member's type already."""
        for base in self._order(cls):
            if isinstance(base, Class):
                for other in self._members.get(base, {}).get(entry.name, ()):
                    known = self._text(base, other) if other.when is entry.when else None
                    if known is not None:
                        return known == text
        return False

    def _quiet(self, cls: Class, entries: Sequence[Entry]) -> Iterator[str]:
        """Members that a base's record says block, and that do not here."""
        loud = {entry.name for entry in entries if not self._is_quiet(entry)}
        for entry in entries:
            if entry.name not in loud and not entry.is_async and self._inherited(cls, entry) is not None:
                yield entry.name

    def returns(self) -> dict[str, str]:
        found = {}
        for name, entries in self._functions.items():
            text = self._notation.write(entries[0].gives, self._is_kept)
            if text is not None:
                found[name] = text
        return found

    def asynchronous(self) -> Iterator[str]:
        given = self.returns()
        return (name for name, entries in self._functions.items() if entries[0].is_async and name in given)

    def aliases(self) -> dict[str, str]:
        """Other names of functions that the record speaks of, and of classes outside; its own classes have theirs."""
        spoken = {*self.returns(), *self.asynchronous()}
        spoken |= {name for record in self.calls() if record.owner is None for name in record.name}
        return {
            name: home
            for name, home in self._api.aliases.items()
            if home in spoken or (home not in self._api.classes and self._matters_outside(home))
        }


def _without_itself(cause: Cause, name: str) -> Cause:
    """A path need not begin with the name that it is about."""
    return cause._replace(via=cause.via[1:]) if cause.via[:1] == (name,) and len(cause.via) > 1 else cause


def _key(key: ClassKey) -> str:
    return key.full_name if isinstance(key, Class) else key


def _is_of_database(own: Sequence[CatalogText]) -> bool:
    """Whether people have described the package as the client of a database."""
    files = [file for file in map(decode, own) if not file.is_generated]
    effects = {call.effect for file in files for call in file.call}
    effects |= {record.every for file in files for record in file.classes if record.every is not None}
    return Effect.DATABASE in effects and Effect.NETWORK not in effects


def _overlaps(packages: Sequence[str], others: Sequence[str]) -> bool:
    return any(lies_in(one, other) or lies_in(other, one) for one in packages for other in others)


def _range(version: str) -> str | None:
    """The versions that a record may be taken to hold for: those of the same major number."""
    major = version.partition(".")[0]
    return f">={major},<{int(major) + 1}" if major.isdecimal() else None


def _read(path: str) -> source.Source | None:
    try:
        return source.read(path)
    except UnreadableSource:
        return None


def _summary(path: str) -> ir.ModuleSummary | None:
    text = _read(path)
    return None if text is None else summarise(text.text)
