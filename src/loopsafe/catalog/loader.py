"""Reading catalogue files: where they lie, what their text decodes to, and what is wrong with it.

Builds no look-up tables; the only part of the catalogue that touches the disk.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NoReturn

import msgspec

from loopsafe.catalog.schema import CHOICES, KINDS, CatalogFile
from loopsafe.catalog.types import InvalidType, parse_type
from loopsafe.config.toml import Problem, complaint, line_of, locate, parse
from loopsafe.model import LoopsafeError

GENERATED: Final = "sdk/generated"
FOLDERS: Final = (GENERATED, "stdlib", "frameworks", "sdk")
"""What a later file says of a name replaces what an earlier one says: people know better than generators."""
PACKED: Final = "catalogue.msgpack"
"""In a wheel: all shipped files in one, decoded and checked when the wheel was built, since TOML is slow to read."""

_KIND: Final = re.compile(r'^(?:distribution|module|framework)[ \t]*=[ \t]*["\']([^"\']+)["\']', re.MULTILINE)
_IMPORT: Final = re.compile(r"^import[ \t]*=[ \t]*\[([^\]]*)\]", re.MULTILINE)
_VERSIONS: Final = re.compile(r'^versions[ \t]*=[ \t]*["\']([^"\']*)["\']', re.MULTILINE)
_QUOTED: Final = re.compile(r'["\']([^"\']+)["\']')
_FIRST_TABLE: Final = re.compile(rb"^[ \t]*\[", re.MULTILINE)


class CatalogText(msgspec.Struct, frozen=True, array_like=True):
    """A catalogue file that was read but not decoded yet."""

    path: str
    subject: str
    """What it is about: the name of a distribution, module or framework."""
    packages: tuple[str, ...]
    """The packages that the file speaks about."""
    versions: str | None
    """Of the distribution, for which it holds; None means all."""
    data: bytes
    is_packed: bool = False
    """The data are not TOML but `CatalogFile` in MessagePack, and right."""
    digest: bytes = b""
    """Of packed data."""

    @property
    def has_properties(self) -> bool:
        """Whether it may have facts about reading an attribute."""
        return any(mark in self.data for mark in _PROPERTY)


_PROPERTY: Final = (b'"property"', b"'property'", b"\xa8property")
"""The word as a value, in TOML and in MessagePack."""
_PACKED_TEXTS: Final = msgspec.msgpack.Decoder(list[CatalogText])
_PACKED_FILE: Final = msgspec.msgpack.Decoder(CatalogFile)


def find_rules() -> Path:
    """The folder of the shipped rules: in the wheel beside this package, in a checkout at its top."""
    package = Path(__file__).parents[1]
    for folder in (package / "_rules", package.parents[1] / "rules"):
        if folder.is_dir():
            return folder
    raise LoopsafeError(f"no rules found beside {package}; install loopsafe again")


def read_shipped() -> list[CatalogText]:
    """Every shipped catalogue file, sorted by folder and name."""
    rules = find_rules()
    try:
        packed = _PACKED_TEXTS.decode((rules / PACKED).read_bytes())
    except FileNotFoundError:  # a checkout
        return [text for folder in FOLDERS for text in read_folder(rules / folder)]
    return [msgspec.structs.replace(text, path=str(rules / text.path)) for text in packed]


def pack_shipped() -> bytes:
    """All shipped files, checked, in the form that `read_shipped` finds in a wheel."""
    rules = find_rules()
    return msgspec.msgpack.encode([_pack(text, rules) for folder in FOLDERS for text in read_folder(rules / folder)])


def _pack(text: CatalogText, rules: Path) -> CatalogText:
    check_types(text)
    path = Path(text.path).relative_to(rules).as_posix()
    data = msgspec.msgpack.encode(decode(text))
    return msgspec.structs.replace(text, path=path, data=data, is_packed=True, digest=hash_of(data))


def hash_of(data: bytes) -> bytes:
    """What tells one file's data from another's."""
    return hashlib.blake2b(data, digest_size=16).digest()


def read_added(path: Path) -> Iterator[CatalogText]:
    """The catalogue files in a folder that is not ours, or the one that is named; each is checked at once."""
    if not path.exists():
        raise LoopsafeError(f"{path}: no such file or folder")
    for text in read_folder(path):
        check_types(text)
        yield text


def read_folder(folder: Path) -> Iterator[CatalogText]:
    """The catalogue files of one folder, sorted by name; a path to a file stands for itself."""
    paths = [folder] if folder.is_file() else sorted(folder.glob("*.toml"))
    for path in paths:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise LoopsafeError(f"{path}: cannot be read: {error.strerror}") from None
        yield _scan(path, data)


def _scan(path: Path, data: bytes) -> CatalogText:
    """Find out without decoding what a file speaks about: that stands before its first table."""
    first = _FIRST_TABLE.search(data)
    head = data[: first.start() if first else None].decode("utf-8-sig", "replace")
    subject, packages, versions = _KIND.search(head), _IMPORT.search(head), _VERSIONS.search(head)
    name = subject[1] if subject else ""
    found = tuple(_QUOTED.findall(packages[1])) if packages else ()
    return CatalogText(str(path), name, found or (name.partition(".")[0],), versions[1] if versions else None, data)


def decode(text: CatalogText) -> CatalogFile:
    """Decode and check one file; `LoopsafeError` names file, line and key."""
    if text.is_packed:
        return _PACKED_FILE.decode(text.data)
    content = text.data.decode("utf-8-sig", "replace")
    raw = parse(text.path, content)
    try:
        file = msgspec.convert(raw, CatalogFile)
    except msgspec.ValidationError as error:
        raise complaint(text.path, _with_choices(locate(content, str(error)))) from None
    _check_shape(text.path, content, file)
    if not file.packages:
        file = msgspec.structs.replace(file, packages=text.packages)
    _check_names(text.path, content, file)
    return file


def _with_choices(problem: Problem) -> Problem:
    """Names what an enumeration allows, if the value is none of that."""
    allowed = CHOICES.get(problem.key)
    if allowed is None or not problem.message.startswith("Invalid enum value"):
        return problem
    return problem._replace(message=f"{problem.message}; allowed are {', '.join(item.value for item in allowed)}")


def check_types(text: CatalogText) -> None:
    """Parse every type expression of a file, which look-ups do only on demand."""
    file = decode(text)
    content = text.data.decode("utf-8", "replace")
    tables = [file.returns]
    for record in file.classes:
        tables += [record.returns, record.attributes]
    for key, value in [pair for table in tables for pair in table.items()]:
        _check_type(text.path, content, key, value)


def _check_type(path: str, content: str, key: str, value: str) -> None:
    try:
        parse_type(value)
    except InvalidType as error:
        _fail(path, content, key, str(error))


def lies_in(name: str, package: str) -> bool:
    """Is the qualified name that of the package or of something in it?"""
    return name == package or name.startswith(f"{package}.")


def _check_shape(path: str, content: str, file: CatalogFile) -> None:
    kinds = [kind for kind in KINDS if getattr(file, kind)]
    if len(kinds) != 1:
        _fail(path, content, kinds[1] if kinds else KINDS[0], f"exactly one of {', '.join(KINDS)} is needed")
    if not file.source:
        _fail(path, content, "source", "must say where the facts come from")
    if file.versions is not None and not file.distribution:
        _fail(path, content, "versions", "only a distribution has versions")
    guarded = [(call.name[0] if call.name else "unless", call.unless) for call in file.call]
    for name, guards in [*guarded, *((record.name, record.unless) for record in file.classes)]:
        if any(guard.name is None and guard.position is None and guard.method is None for guard in guards):
            _fail(path, content, name, "needs the name or the position of an argument", "unless")
    for record in file.classes:
        if record.unless and record.every is None:
            _fail(path, content, record.name, f"`{record.name}` has no `every` to cancel", "unless")


def _check_names(path: str, content: str, file: CatalogFile) -> None:
    for name in _defined(file):
        if not any(lies_in(name, package) for package in file.packages):
            _fail(path, content, name, f"`{name}` lies outside the file's `import` ({', '.join(file.packages)})")


def _defined(file: CatalogFile) -> Iterator[str]:
    for call in file.call:
        if call.owner is not None:
            yield call.owner
        else:
            yield from call.name
    for record in file.classes:
        yield from (record.name, *record.aliases)
    for names in (file.returns, file.asynchronous, file.quiet, file.aliases, file.roles):
        yield from names


def _fail(path: str, content: str, place: str, message: str, key: str | None = None) -> NoReturn:
    """Complain of the line that mentions `place`, and of the key, if that is another word."""
    raise complaint(path, Problem(line_of(content, place), key or place, message))
