"""The catalogue: which names block, what calls return, which functions mean something to the analysis.

Last part of the catalogue stage. A file is decoded when a name of its packages is first asked for; answers
are kept. Knows nothing of any project.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain, islice
from pathlib import Path
from types import MappingProxyType
from typing import Final

import msgspec

from loopsafe.catalog.aliases import Aliases
from loopsafe.catalog.loader import CatalogText, decode, hash_of, lies_in, read_added, read_shipped
from loopsafe.catalog.schema import Affinity, CatalogFile, ClassRecord, Fact, Role, When, may_be_of_every, merge_classes
from loopsafe.catalog.types import UNKNOWN, InvalidType, Named, TypeExpr, awaitable, parse_type
from loopsafe.catalog.versions import select
from loopsafe.model import LoopsafeError

_MAX_ALIAS_STEPS: Final = 8
_NO_VERSIONS: Final[Mapping[str, str]] = MappingProxyType({})


def load(
    packages: Collection[str] | None = None, extra: Sequence[Path] = (), versions: Mapping[str, str] = _NO_VERSIONS
) -> Catalog:
    """The shipped catalogue plus the folders (or files) of `extra`, of which each wins over those before it.

    `packages` are the top-level packages that the project imports, which bound `property_names`; None means
    all. Every file is within reach in either case, since one costs nothing until a name of it is looked up.
    `versions` are those of installed distributions, by normalised name.
    """
    added = [text for path in extra for text in read_added(path)]
    return Catalog(select([*read_shipped(), *added], versions), packages)


class Catalog:
    """Everything that catalogue files say, by canonical qualified name.

    What a later file says of a name replaces what earlier ones say of it: of its effects (a `[[call]]` of any moment,
    `quiet`, `fluent`, `asynchronous`, `attributes`), of its type, of its role; of a class, key by key. What people say,
    be it of a base class, comes before what was generated.
    """

    def __init__(self, texts: Sequence[CatalogText], packages: Collection[str] | None = None) -> None:
        self.texts: Final = tuple(texts)
        """The files that hold; a later one wins."""
        self._packages = None if packages is None else frozenset((*packages, "builtins"))
        self._pending: dict[str, list[tuple[str, int]]] = {}
        for index, text in enumerate(texts):
            for package in text.packages:
                self._pending.setdefault(_top(package), []).append((package, index))
        self._packages_by_top = {top: [package for package, _ in items] for top, items in self._pending.items()}
        self._files: dict[int, CatalogFile] = {}
        self._added: set[int] = set()
        self._said: dict[str, tuple[Fact, ...]] = {}
        """What people say of the effects of a name; nothing at all may be said of it as well."""
        self._worked_out: dict[str, tuple[Fact, ...]] = {}
        """What generated files say of them."""
        self._facts: dict[tuple[str, When], tuple[Fact, ...]] = {}
        self._classes: dict[str, ClassRecord] = {}
        self._members: dict[str, set[str]] = {}
        self._every: dict[str, Fact] = {}
        self._returns: dict[str, str] = {}
        self._guessed: dict[str, str] = {}
        self._async: set[str] = set()
        self._aliases: Final = Aliases()
        self._roles: dict[str, Role] = {}
        self._meanings: dict[str, Role | None] = {}
        self._canonical: dict[str, str] = {}
        self._found: dict[tuple[str, str], str | None] = {}
        self._linear: dict[str, tuple[str, ...]] = {}
        self._types: dict[str, TypeExpr] = {}
        self._given: dict[str, TypeExpr | None] = {}
        self._attributes: dict[tuple[str, str], TypeExpr | None] = {}

    @cached_property
    def digest(self) -> str:
        """Hash over the bytes of all files, for cache keys."""
        state = hashlib.blake2b(digest_size=16)
        for text in self.texts:
            state.update(text.digest or hash_of(text.data))
        return state.hexdigest()

    @cached_property
    def property_names(self) -> frozenset[str]:
        """Last parts of the names of all facts that reading an attribute triggers."""
        names: set[str] = set()
        for index, text in enumerate(self.texts):
            if not self._is_imported(text) or not text.has_properties:
                continue
            for call in self._file(index).call:
                if call.when is When.PROPERTY:
                    names.update(name.rpartition(".")[2] for name in call.name)
        return frozenset(names)

    def files(self) -> Iterator[tuple[CatalogText, CatalogFile]]:
        """Every file that holds, with what it says."""
        return ((text, self._file(index)) for index, text in enumerate(self.texts))

    def imported_files(self) -> Iterator[CatalogFile]:
        """What the files say that speak of packages which the project imports."""
        return (self._file(index) for index, text in enumerate(self.texts) if self._is_imported(text))

    def members(self, cls: str) -> frozenset[str]:
        """The members of a class and its bases of which anything is said."""
        return frozenset().union(*(self._members.get(base, ()) for base in self.linear(cls)))

    def canonical(self, name: str) -> str:
        """The catalogue's own name of an object, module or member; a name without alias is its own."""
        known = self._canonical.get(name)
        if known is None:
            known = self._canonical[name] = self._follow(name)
        return known

    def facts(self, name: str, when: When = When.CALL) -> tuple[Fact, ...]:
        """The effects of a canonical name at one moment, those of a method also by its class's bases."""
        found = self._facts.get((name, when))
        if found is None:
            self._decode_for(name)
            facts = (fact for fact in self._find_facts(name) if fact.when is when)
            found = self._facts[name, when] = tuple(self._with_defaults(fact, name) for fact in facts)
        return found

    def find(self, cls: str, attr: str) -> str | None:
        """Qualified name of an attribute at the first class, from `cls` upwards, that is known to have it."""
        key = (cls, attr)
        if key not in self._found:
            owner = self._find_owner(cls, attr)
            self._found[key] = None if owner is None else f"{owner}.{attr}"
        return self._found[key]

    def is_class(self, name: str) -> bool:
        """Is this the canonical name of a class that the catalogue describes?"""
        self._decode_for(name)
        return name in self._classes

    def bases(self, cls: str) -> tuple[str, ...]:
        """Canonical names of the direct bases that the catalogue gives a class."""
        self._decode_for(cls)
        record = self._classes.get(cls)
        return tuple(self.canonical(base) for base in record.bases) if record else ()

    def linear(self, cls: str) -> tuple[str, ...]:
        """The class and all its bases in order of look-up."""
        known = self._linear.get(cls)
        if known is None:
            self._linear[cls] = (cls,)  # ends a cycle in the data
            order = dict.fromkeys(reversed([cls, *chain.from_iterable(map(self.linear, self.bases(cls)))]))
            known = self._linear[cls] = tuple(reversed(order))
        return known

    def returns(self, name: str) -> TypeExpr | None:
        """What calling a function, method or class gives; a coroutine function's is `typing.Awaitable[…]`."""
        if name not in self._given:
            self._given[name] = self._find_return(name)
        return self._given[name]

    def attribute(self, cls: str, attr: str) -> TypeExpr | None:
        """Type of an attribute or property; `__getattr__` answers for names of which nothing is known."""
        key = (cls, attr)
        if key not in self._attributes:
            self._attributes[key] = self._find_attribute(cls, attr)
        return self._attributes[key]

    def role(self, name: str) -> Role | None:
        """The meaning of a canonical name, that of a method also by its class's bases."""
        if name not in self._meanings:
            self._decode_for(name)
            self._meanings[name] = self._roles.get(name) or self._roles.get(self._inherited(name) or "")
        return self._meanings[name]

    def affinity(self, cls: str) -> Affinity | None:
        """How the instances of a class are bound to threads."""
        return next((record.affinity for record in self._records(cls) if record.affinity is not None), None)

    def binds_late(self, cls: str) -> tuple[int, int] | None:
        """Of a class that belongs to an event loop: since which Python one may be made where none runs."""
        since = next((record.binds_late for record in self._records(cls) if record.binds_late is not None), None)
        return None if since is None else (3, int(since.partition(".")[2]))

    def twin(self, cls: str) -> str | None:
        """The asynchronous equivalent of a class."""
        return next((record.twin for record in self._records(cls) if record.twin is not None), None)

    def _records(self, cls: str) -> Iterator[ClassRecord]:
        """What is said of the class and of its bases, in order of look-up."""
        return (self._classes[base] for base in self.linear(cls) if base in self._classes)

    def is_async(self, name: str) -> bool:
        """Is this a coroutine function, or a method of which a call has to be awaited?"""
        self._decode_for(name)
        return name in self._async or self._find_sayer(name) in self._async

    def describes(self, module: str) -> bool:
        """Is there a file that speaks of this module, or of the package that it lies in?"""
        return any(lies_in(module, package) for package in self._packages_by_top.get(_top(module), ()))

    def _is_imported(self, text: CatalogText) -> bool:
        return self._packages is None or not self._packages.isdisjoint(map(_top, text.packages))

    def _decode_for(self, name: str) -> None:
        package = name.partition(".")[0]
        if package in self._pending:
            self._decode_pending(package, name)

    def _decode_pending(self, top: str, name: str) -> None:
        due = {index for package, index in self._pending[top] if lies_in(name, package)}
        added = [self._file(index) for index in sorted(self._with_related(due) - self._added)]
        added.sort(key=lambda file: not file.is_generated)  # people have the last word
        self._added |= due
        for file in added:
            self._aliases.add(file)
        for file in added:
            self._add(file)
        later = [item for item in self._pending[top] if item[1] not in self._added]
        if later:
            self._pending[top] = later
        else:
            del self._pending[top]

    def _with_related(self, due: set[int]) -> set[int]:
        """Adds to the files those that may speak of the same names: in which order they come decides who wins."""
        todo = sorted(due)
        while todo:
            for package in self.texts[todo.pop()].packages:
                for other, index in self._pending.get(_top(package), ()):
                    if index not in due and (lies_in(other, package) or lies_in(package, other)):
                        due.add(index)
                        todo.append(index)
        return due

    def _file(self, index: int) -> CatalogFile:
        file = self._files.get(index)
        if file is None:
            file = self._files[index] = decode(self.texts[index])
        return file

    def _add(self, file: CatalogFile) -> None:
        returns = {self._aliases.home(name): text for name, text in file.returns.items()}
        roles = {self._aliases.home(name): role for name, role in file.roles.items()}
        coroutines = [self._aliases.home(name) for name in file.asynchronous]
        (self._guessed if file.is_generated else self._returns).update(returns)
        self._roles.update(roles)
        self._know(chain(roles, returns))
        said: dict[str, list[Fact]] = {name: [] for name in (*coroutines, *map(self._aliases.home, file.quiet))}
        for record in file.classes:
            self._add_class(record, file, said, coroutines)
        for call in file.call:
            owner = call.owner and self._aliases.home(call.owner)
            for attr in call.name:
                name = f"{owner}.{attr}" if owner else self._aliases.home(attr)
                fact = Fact(
                    name, call.effect, call.when, call.unless, call.replacement, call.twin, call.affinity, file.source,
                    via=call.via,
                )  # fmt: skip
                said.setdefault(name, []).append(fact)
        self._know(said)
        table = self._worked_out if file.is_generated else self._said
        table.update((name, tuple(facts)) for name, facts in said.items())
        self._async.difference_update(said)
        self._async.update(coroutines)

    def _know(self, names: Iterable[str]) -> None:
        """Note that classes have these members."""
        for name in names:
            owner, _, attr = name.rpartition(".")
            self._members.setdefault(owner, set()).add(attr)

    def _add_class(
        self, record: ClassRecord, file: CatalogFile, said: dict[str, list[Fact]], coroutines: list[str]
    ) -> None:
        name = self._aliases.home(record.name)
        known = self._classes.get(name)
        whole = self._classes[name] = record if known is None else merge_classes(known, record)
        self._members.setdefault(name, set()).update(record.returns)
        returns = self._guessed if file.is_generated else self._returns
        returns.update((f"{name}.{attr}", text) for attr, text in record.returns.items())
        returns.update((f"{name}.{attr}", "Self") for attr in record.fluent)
        for attr in (*record.fluent, *record.attributes, *record.quiet, *record.asynchronous):
            said[f"{name}.{attr}"] = []
        coroutines += [f"{name}.{attr}" for attr in record.asynchronous]
        if record.every is not None:
            self._every[name] = Fact(name, record.every, When.CALL, whole.unless, source=file.source, is_general=True)

    def _follow(self, name: str) -> str:
        for _ in range(_MAX_ALIAS_STEPS):
            self._decode_for(name)
            home = self._aliases.home(name)
            if home == name:
                break
            name = home
        return name

    def _find_owner(self, cls: str, attr: str) -> str | None:
        """The first class that describes the attribute, else the first whose methods all have an effect."""
        for base in self.linear(cls):
            if attr in self._members.get(base, ()):
                return base
        if not may_be_of_every(attr):
            return None
        return next((base for base in self.linear(cls) if base in self._every), None)

    def _find_facts(self, name: str) -> tuple[Fact, ...]:
        """What people say of a name, else what they say of all methods of its class, else what was worked out.

        But that calling it is harmless, or only makes something to iterate or to await, is better worked out.
        """
        sayer = self._find_sayer(name)
        if sayer in self._said:
            return self._said[sayer]
        found = self._worked_out.get(sayer or "")
        if found is None or any(fact.when is When.CALL for fact in found):
            return self._by_class(name) or found or ()
        return found

    def _by_class(self, name: str) -> tuple[Fact, ...]:
        """What a class, or the first base that does, says of all its methods of which nothing is said."""
        cls, _, attr = name.rpartition(".")
        bases = (base for base in self.linear(cls) if base in self._every and may_be_of_every(attr))
        return tuple(msgspec.structs.replace(self._every[base], name=f"{base}.{attr}") for base in islice(bases, 1))

    def _find_sayer(self, name: str) -> str | None:
        """The name itself, or that of the first base's member, of whose effects anything is said."""
        tables = (self._said, self._worked_out)
        return next((each for table in tables for each in self._overridden(name) if each in table), None)

    def _overridden(self, name: str) -> Iterator[str]:
        """The name, and if it is a member's, those of the bases' members that it stands for."""
        cls, _, attr = name.rpartition(".")
        return (f"{base}.{attr}" for base in self.linear(cls)) if cls in self._classes else iter((name,))

    def _with_defaults(self, fact: Fact, name: str) -> Fact:
        """The fact as met under a name, with what the name's class, or a base of it, says of all its members."""
        if fact.twin is not None and fact.affinity is not None:
            return fact
        cls = name.rpartition(".")[0]
        twin, affinity = fact.twin or self.twin(cls), fact.affinity or self.affinity(cls)
        if twin == fact.twin and affinity is fact.affinity:
            return fact
        return msgspec.structs.replace(fact, twin=twin, affinity=affinity)

    def _inherited(self, name: str) -> str | None:
        """Where a class member is declared, if the name is one's and a base declares it."""
        cls, _, attr = name.rpartition(".")
        if cls not in self._classes:
            return None
        found = self.find(cls, attr)
        return None if found == name else found

    def _find_return(self, name: str) -> TypeExpr | None:
        """A class that says only what a method does keeps the type of its base's."""
        self._decode_for(name)
        tables = (self._returns, self._guessed)
        found = ((each, table[each]) for table in tables for each in self._overridden(name) if each in table)
        owner, text = next(found, (name, None))
        if self.is_async(name):
            return awaitable(self._type(text, owner) if text else UNKNOWN)
        if text is None or owner in self._async:  # what overrides a coroutine function is none
            return Named(name) if name in self._classes else None
        return self._type(text, owner)

    def _find_attribute(self, cls: str, attr: str) -> TypeExpr | None:
        found = self.find(cls, attr)
        if found is not None:
            record = self._classes.get(found.rpartition(".")[0])
            text = record.attributes.get(attr) if record else None
            return self._type(text, found) if text else None
        if not attr.startswith("__") and self.find(cls, "__getattr__"):
            return self.returns(f"{cls}.__getattr__")
        return None

    def _type(self, text: str, name: str) -> TypeExpr:
        known = self._types.get(text)
        if known is None:
            try:
                known = self._types[text] = parse_type(text, self.canonical)
            except InvalidType as error:
                raise LoopsafeError(f"catalogue entry of `{name}`: {error}") from error
        return known


def _top(package: str) -> str:
    return package.partition(".")[0]
