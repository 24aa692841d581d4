"""What earlier runs found out, in one file: summaries by content, and the findings of the last run.

A cache is a hint. It is decoded into typed values, never unpickled; whatever is damaged, foreign or of another version
is ignored without a word and written anew. Bodies are decoded one by one, when asked for.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import tempfile
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Final
from zlib import crc32

import msgspec

from loopsafe import __version__
from loopsafe.model import Diagnostic
from loopsafe.summary import FORMAT, ir

FOLDER: Final = ".loopsafe_cache"
FILE: Final = "project.bin"
_MAGIC: Final = b"loopsafe cache 2\n"
_NUMBER_BYTES: Final = 8
_LARGEST: Final = 1 << 30
"""A larger file is not ours, or not worth reading."""
_COARSEST: Final = 2_000_000_000
"""Nanoseconds between two moments that every file system tells apart: what was written later than that before we look
may be written once more without its time of change showing it."""
_IGNORE: Final = "# made by loopsafe\n*\n"


class Stamp(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How a file looked when it was last read: unchanged if size and time are."""

    size: int
    modified: int
    digest: str


class _Place(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Where a body lies, counted from the end of the header, and its checksum: a flipped bit may well decode."""

    start: int
    length: int
    checksum: int


_NOWHERE: Final = _Place(0, 0, 0)


class _Header(msgspec.Struct, frozen=True, array_like=True):
    key: str
    stamps: dict[str, Stamp]
    places: dict[str, _Place]
    """Of each summary, by the digest of its text."""
    findings_key: str
    findings: _Place


_SUMMARY: Final = msgspec.msgpack.Decoder(ir.StoredSummary)
_FINDINGS: Final = msgspec.msgpack.Decoder(tuple[Diagnostic, ...])
_ENCODER: Final = msgspec.msgpack.Encoder()


def version_key() -> str:
    """All that makes summaries of the same text differ."""
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return f"{__version__}/{FORMAT}/{python}/{_own_code()}"


def findings_key(parts: Mapping[str, str]) -> str:
    """One key for everything that findings depend on."""
    state = blake2b(digest_size=16)
    for name, value in sorted(parts.items()):
        state.update(f"{len(name)}:{name}{len(value)}:{value}".encode("utf-8", "surrogatepass"))
    return state.hexdigest()


def cache_path(root: str, folder: str | None) -> str:
    """The cache's file for the project in `root`: there, or in a folder that several projects may share."""
    if folder is None:
        return os.path.join(root, FOLDER, FILE)
    absolute = os.path.abspath(root).encode("utf-8", "surrogatepass")
    return os.path.join(folder, f"{blake2b(absolute, digest_size=8).hexdigest()}.bin")


def code_stamp(folders: Iterable[Path]) -> str:
    """Changes whenever a Python file below one of the folders does, so that who writes a check sees what it does."""
    state = blake2b(digest_size=8)
    for path in sorted(path for folder in folders for path in _python_files(folder)):
        with contextlib.suppress(OSError):
            status = path.stat()
            state.update(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\0".encode("utf-8", "surrogatepass"))
    return state.hexdigest()


def _python_files(folder: Path) -> Iterator[Path]:
    return folder.rglob("*.py") if folder.is_dir() else iter((folder,))


def _own_code() -> str:
    """A version number says it all about a release, but not about a checkout that is being worked on."""
    package = Path(__file__).parent
    return "" if (package / "_rules").is_dir() else code_stamp([package])


class Cache:
    """The cache of one project. Not thread-safe; a process that writes replaces the file as a whole."""

    def __init__(self, path: str | None) -> None:
        """`path` is the file; without one nothing is read or written."""
        self._path: Final = None if path is None else Path(path)
        self._data = b""
        self._start = 0
        self._header = _Header(version_key() if path else "", {}, {}, "", _NOWHERE)
        if self._path is not None:
            self._load(self._path)

    @property
    def is_kept(self) -> bool:
        """Whether there is a file, so that it is worth asking what has changed since."""
        return self._path is not None

    def _load(self, path: Path) -> None:
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST:
                return
            data = path.read_bytes()
            if not data.startswith(_MAGIC):
                return
            checked = len(_MAGIC) + _NUMBER_BYTES
            start = checked + _NUMBER_BYTES
            end = start + int.from_bytes(data[checked:start], "big")
            if crc32(data[checked:end]) != int.from_bytes(data[len(_MAGIC) : checked], "big"):
                return
            header = msgspec.msgpack.decode(data[start:end], type=_Header)
        except (OSError, msgspec.MsgspecError, ValueError, OverflowError, RecursionError):
            return
        if header.key == self._header.key:
            self._data, self._start, self._header = data, end, header

    def digest(self, path: str, status: os.stat_result) -> str | None:
        """The content digest of a file that has not changed since it was last read."""
        stamp = self._header.stamps.get(path)
        if stamp is None or (stamp.size, stamp.modified) != (status.st_size, status.st_mtime_ns):
            return None
        return stamp.digest if stamp.digest in self._header.places else None

    def summary(self, digest: str) -> ir.ModuleSummary | None:
        """The summary of a text, if it is known and whole."""
        body = self._body(self._header.places.get(digest, _NOWHERE))
        try:
            return None if body is None else ir.ModuleSummary(*msgspec.structs.astuple(_SUMMARY.decode(body)))
        except (msgspec.MsgspecError, RecursionError):
            return None

    def findings(self, key: str) -> tuple[Diagnostic, ...] | None:
        """The findings of the last run if it was the same in all that matters."""
        body = self._body(self._header.findings) if key == self._header.findings_key else None
        try:
            return None if body is None else _FINDINGS.decode(body)
        except (msgspec.MsgspecError, RecursionError):
            return None

    def _body(self, place: _Place) -> bytes | None:
        start = self._start + place.start
        body = self._data[start : start + place.length]
        return body if body and crc32(body) == place.checksum else None

    def save(
        self,
        stamps: Mapping[str, Stamp],
        digests: Collection[str],
        summaries: Mapping[str, ir.ModuleSummary],
        found: tuple[str, tuple[Diagnostic, ...]] | None,
    ) -> None:
        """Write the file anew; a folder that cannot be written to is no error.

        It will hold what is known of the texts with those digests; those new to the cache must be among `summaries`.
        `found` is the key and the findings of the run; without it those in the file stay.
        """
        if self._path is None:
            return
        bodies = _Bodies()
        places: dict[str, _Place] = {}
        with contextlib.suppress(OSError, UnicodeEncodeError):  # names of files may hold bytes that are no text
            for digest in sorted(set(digests)):
                known = self._body(self._header.places.get(digest, _NOWHERE))
                if known is None and digest in summaries:
                    known = _ENCODER.encode(summaries[digest])
                if known is not None:
                    places[digest] = bodies.add(known)
            if found is not None:
                key, findings = found[0], bodies.add(_ENCODER.encode(found[1]))
            else:
                key, findings = self._header.findings_key, bodies.add(self._body(self._header.findings) or b"")
            latest = time.time_ns() - _COARSEST
            settled = {path: stamp for path, stamp in stamps.items() if stamp.modified < latest}
            header = _ENCODER.encode(_Header(self._header.key, settled, places, key, findings))
            checked = len(header).to_bytes(_NUMBER_BYTES, "big") + header
            _write(self._path, [_MAGIC, crc32(checked).to_bytes(_NUMBER_BYTES, "big"), checked, *bodies.parts])


class _Bodies:
    """Bodies in a row."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self._end = 0

    def add(self, body: bytes) -> _Place:
        place = _Place(self._end, len(body), crc32(body))
        self.parts.append(body)
        self._end += len(body)
        return place


def _write(path: Path, parts: list[bytes]) -> None:
    if not path.parent.is_dir():  # in a folder that was there before, others may have files that git must see
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.parent / ".gitignore").write_text(_IGNORE, encoding="utf-8")
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(parts)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
