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
from loopsafe.catalog.loader import lies_in, read_shipped
from loopsafe.catalog.schema import CallRecord, CatalogFile, ClassRecord, When
from loopsafe.project import Libraries, Project, room_for_analysis
from loopsafe.project.entities import Class
from loopsafe.project.values import ClassKey, Instance
from loopsafe.records.api import find_api, is_public_name, members
from loopsafe.records.entries import Cause, Causes, Entries, Entry
from loopsafe.records.notation import Notation
from loopsafe.records.packages import Package
from loopsafe.source.text import UnreadableSource
from loopsafe.summary import ir, summarise

Tell: TypeAlias = Callable[[str], None]

_TOO_COMMON: Final = ("builtins.", "typing.", "collections.", "datetime.", "abc.", "enum.")
"""Types that lead nowhere."""


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
        known = Catalog([text for text in read_shipped() if not _overlaps(text.packages, package.imports)])
        libraries = Libraries(folders, _summary, known.describes)
        tell(f"following the calls in {len(summaries)} files")
        draft = _Draft(Project(summaries, known, package.folder, (), libraries))
        return CatalogFile(
            source=f"worked out from {package.name} {package.version} by `loopsafe catalog build`",
            distribution=package.name,
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

    def __init__(self, project: Project) -> None:
        self._project: Final = project
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
        self._causes: Final = {id(entry): causes.of(entry) for entry in every}
        self._kept: Final = self._find_kept()

    def _groups(self) -> Iterator[list[Entry]]:
        yield from self._functions.values()
        for by_name in self._members.values():
            yield from by_name.values()

    # What matters

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
        if not isinstance(key, str) or key.startswith(_TOO_COMMON):
            return False
        known = self._project.catalog
        name = known.canonical(key)
        return known.is_class(name) and known.affinity(name) is not Affinity.LOOP

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
        for (owner, when, cause), names in tables.items():
            yield CallRecord(tuple(sorted(set(names))), cause.effect, owner, when, via=cause.via)

    def _inherited(self, cls: Class, entry: Entry) -> object | None:
        """The effect that a base's record says the member has."""
        for base in self._project.inference.hierarchy.order(cls)[1:]:
            if isinstance(base, Class):
                for other in self._members.get(base, {}).get(entry.name, ()):
                    cause = self._causes[id(other)]
                    if other.when is entry.when and cause is not None:
                        return cause.effect
            elif facts := self._project.catalog.facts(f"{base}.{entry.name}", entry.when):
                return facts[0].effect
        return None

    def classes(self) -> Iterator[ClassRecord]:
        for cls, by_name in self._members.items():
            if cls in self._kept:
                yield self._class(cls, [entry for group in by_name.values() for entry in group])

    def _class(self, cls: Class, entries: Sequence[Entry]) -> ClassRecord:
        bases = self._project.inference.hierarchy.bases(cls)
        returns: dict[str, str] = {}
        attributes: dict[str, str] = {}
        for entry in entries:
            text = "Self" if entry.gives == (Instance(cls),) else self._notation.write(entry.gives, self._is_kept)
            if text is not None and entry.when is not When.ITER and not self._is_said_before(cls, entry):
                (attributes if entry.when is When.PROPERTY else returns)[entry.name] = text
        own = cls.code.scope.bindings
        return ClassRecord(
            cls.full_name,
            bases=tuple(_key(base) for base in bases if self._is_kept(base)),
            returns=returns,
            attributes=attributes,
            asynchronous=tuple(entry.name for entry in entries if entry.is_async and entry.name in own),
            quiet=tuple(self._quiet(cls, entries)),
        )

    def _is_said_before(self, cls: Class, entry: Entry) -> bool:
        """Whether a base's record gives the member's type already."""
        for base in self._project.inference.hierarchy.order(cls)[1:]:
            for other in self._members.get(base, {}).get(entry.name, ()) if isinstance(base, Class) else ():
                same = other.gives == entry.gives or (other.gives, entry.gives) == ((Instance(base),), (Instance(cls),))
                if base in self._kept and same:
                    return True
        return False

    def _quiet(self, cls: Class, entries: Sequence[Entry]) -> Iterator[str]:
        """Members that a base's record says block, and that do not here."""
        blocking = {entry.name for entry in entries if self._causes[id(entry)] is not None}
        for entry in entries:
            if entry.name not in blocking and not entry.is_async and self._inherited(cls, entry) is not None:
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
        """Other names of what the record speaks of."""
        spoken = {record.name for record in self.classes()} | self.returns().keys()
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
