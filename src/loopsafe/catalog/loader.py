"""Reading catalogue files: where they lie, what their text decodes to, and what is wrong with it.

Builds no look-up tables; the only part of the catalogue that touches the disk.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NoReturn

import msgspec

from loopsafe.catalog.schema import KINDS, CatalogFile
from loopsafe.catalog.types import InvalidType, parse_type
from loopsafe.model import LoopsafeError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FOLDERS: Final = ("stdlib", "frameworks", "sdk")

_KIND = re.compile(r'^(?:distribution|module|framework)[ \t]*=[ \t]*["\']([^"\']+)["\']', re.MULTILINE)
_IMPORT = re.compile(r"^import[ \t]*=[ \t]*\[([^\]]*)\]", re.MULTILINE)
_QUOTED = re.compile(r'["\']([^"\']+)["\']')
_AT_LINE = re.compile(r"\s*\(at line (\d+), column \d+\)$")
_FIELD = re.compile(r"field `([^`]+)`")
_PATH = re.compile(r" - at `(?:key in )?\$([^`]*)`$")
_STEP = re.compile(r"\.(\w+)|\[(\d+|\.\.\.)\]")


class CatalogText(msgspec.Struct, frozen=True):
    """A catalogue file that was read but not decoded yet."""

    path: Path
    data: bytes
    packages: tuple[str, ...]
    """The packages that the file speaks about, found without decoding it."""

    @property
    def has_properties(self) -> bool:
        return b'"property"' in self.data


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
    return [text for folder in FOLDERS for text in read_folder(rules / folder)]


def read_folder(folder: Path) -> Iterator[CatalogText]:
    """The catalogue files of one folder, sorted by name; a path to a file stands for itself."""
    paths = [folder] if folder.is_file() else sorted(folder.glob("*.toml"))
    for path in paths:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise LoopsafeError(f"{path}: cannot be read: {error.strerror}") from error
        yield CatalogText(path, data, _scan_packages(data))


def decode(text: CatalogText) -> CatalogFile:
    """Decode and check one file; `LoopsafeError` names file, line and key."""
    content = text.data.decode("utf-8", "replace")
    try:
        raw = tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        place = _AT_LINE.search(str(error))
        line = int(place[1]) if place else content.count("\n") + 1
        raise LoopsafeError(f"{text.path}:{line}: {_AT_LINE.sub('', str(error))}") from error
    try:
        file = msgspec.convert(raw, CatalogFile)
    except msgspec.ValidationError as error:
        _fail_at(text.path, content, str(error))
    _check_shape(text.path, content, file)
    if not file.packages:
        file = msgspec.structs.replace(file, packages=text.packages)
    _check_names(text.path, content, file)
    return file


def check_types(text: CatalogText) -> None:
    """Parse every type expression of a file, which look-ups do only on demand."""
    file = decode(text)
    content = text.data.decode("utf-8", "replace")
    tables = [file.returns]
    for record in file.classes:
        tables += [record.returns, record.attributes]
    for key, value in [pair for table in tables for pair in table.items()]:
        _check_type(text.path, content, key, value)


def _check_type(path: Path, content: str, key: str, value: str) -> None:
    try:
        parse_type(value)
    except InvalidType as error:
        _fail(path, _line_of(content, key), key, str(error))


def lies_in(name: str, package: str) -> bool:
    """Is the qualified name that of the package or of something in it?"""
    return name == package or name.startswith(f"{package}.")


def _scan_packages(data: bytes) -> tuple[str, ...]:
    head = data[:4096].decode("utf-8", "replace")
    found = _IMPORT.search(head)
    if found:
        return tuple(_QUOTED.findall(found[1]))
    kind = _KIND.search(head)
    return (kind[1].partition(".")[0],) if kind else ()


def _check_shape(path: Path, content: str, file: CatalogFile) -> None:
    kinds = [kind for kind in KINDS if getattr(file, kind)]
    if len(kinds) != 1:
        key = kinds[1] if kinds else KINDS[0]
        _fail(path, _line_of(content, key), key, f"exactly one of {', '.join(KINDS)} is needed")
    if not file.source:
        _fail(path, _line_of(content, "source"), "source", "must say where the facts come from")
    guarded = [(call.name[0] if call.name else "unless", call.unless) for call in file.call]
    for name, guards in [*guarded, *((record.name, record.unless) for record in file.classes)]:
        if any(guard.name is None and guard.position is None and guard.method is None for guard in guards):
            _fail(path, _line_of(content, name), "unless", "needs the name or the position of an argument")
    for record in file.classes:
        if record.unless and record.every is None:
            _fail(path, _line_of(content, record.name), "unless", f"`{record.name}` has no `every` to cancel")


def _check_names(path: Path, content: str, file: CatalogFile) -> None:
    for key, name in _defined(file):
        if not any(lies_in(name, package) for package in file.packages):
            problem = f"`{name}` lies outside the file's `import` ({', '.join(file.packages)})"
            _fail(path, _line_of(content, key), key, problem)


def _defined(file: CatalogFile) -> Iterator[tuple[str, str]]:
    for call in file.call:
        if call.owner is not None:
            yield call.owner, call.owner
        else:
            yield from ((name, name) for name in call.name)
    for record in file.classes:
        yield from ((name, name) for name in (record.name, *record.aliases))
    for names in (file.returns, file.asynchronous, file.aliases, file.roles):
        yield from ((name, name) for name in names)


def _fail_at(path: Path, content: str, message: str) -> NoReturn:
    place = _PATH.search(message)
    lines = content.splitlines()
    start = 0
    key = ""
    for word, index in _STEP.findall(place[1] if place else ""):
        if word:
            key = word
        elif index.isdigit():
            start = _nth_table(lines, key, int(index), start)
    field = _FIELD.search(message)
    key = field[1] if field else key
    _fail(path, _line_of(content, key, start), key, _PATH.sub("", message))


def _nth_table(lines: Sequence[str], key: str, index: int, start: int) -> int:
    header = re.compile(rf"\s*\[\[\s*{re.escape(key)}\s*\]\]")
    found = [number for number, line in enumerate(lines) if number >= start and header.match(line)]
    return found[index] if index < len(found) else start


def _line_of(content: str, key: str, start: int = 0) -> int:
    """Row of the first mention of a key or quoted name from a line on; that line's own if there is none."""
    lines = content.splitlines()
    word = re.escape(key)
    tests: tuple[Callable[[str], object], ...] = (
        re.compile(rf'\s*(?:"{word}"|{word})\s*=').match,
        re.compile(rf'"{word}"|(?<![\w.-]){word}(?![\w.-])').search,
    )
    for is_mention in tests:
        for number in range(start, len(lines)):
            if is_mention(lines[number]):
                return number + 1
    return start + 1


def _fail(path: Path, line: int, key: str, message: str) -> NoReturn:
    raise LoopsafeError(f"{path}:{line}: {key}: {message}" if key else f"{path}:{line}: {message}")
