"""What earlier runs found out, in one file: summaries by content, and the findings of the last run.

A cache is a hint. It is decoded into typed values, never unpickled; whatever is damaged, foreign or of another version is
ignored without a word and written anew. Bodies are decoded one by one, when asked for.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Final

import msgspec

from loopsafe import __version__
from loopsafe.model import Diagnostic
from loopsafe.summary import FORMAT, ir

FOLDER: Final = ".loopsafe_cache"
_FILE: Final = "project.bin"
_MAGIC: Final = b"loopsafe cache 1\n"
_LENGTH_BYTES: Final = 8
_LARGEST: Final = 1 << 30
"""A larger file is not ours, or not worth reading."""
_IGNORE: Final = "# made by loopsafe\n*\n"


class Stamp(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How a file looked when it was last read: unchanged if size and time are."""

    size: int
    modified: int
    digest: str


class _Header(msgspec.Struct, frozen=True, array_like=True):
    key: str
    stamps: dict[str, Stamp]
    places: dict[str, tuple[int, int]]
    """Content digest to start and length of the encoded summary, counted from the end of the header."""
    findings_key: str
    findings: tuple[int, int]


_SUMMARY: Final = msgspec.msgpack.Decoder(ir.ModuleSummary)
_FINDINGS: Final = msgspec.msgpack.Decoder(tuple[Diagnostic, ...])
_ENCODER: Final = msgspec.msgpack.Encoder()


def version_key() -> str:
    """All that makes summaries of the same text differ."""
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return f"{__version__}/{FORMAT}/{python}"


def findings_key(parts: Mapping[str, str]) -> str:
    """One key for everything that findings depend on."""
    state = blake2b(digest_size=16)
    for name, value in sorted(parts.items()):
        state.update(f"{len(name)}:{name}{len(value)}:{value}".encode())
    return state.hexdigest()


class Cache:
    """The cache of one project. Not thread-safe; a process that writes replaces the file as a whole."""

    def __init__(self, folder: str | None) -> None:
        """`folder` holds the file; without one nothing is read or written."""
        self._path: Final = None if folder is None else Path(folder) / _FILE
        self._data = b""
        self._start = 0
        self._header = _Header(version_key(), {}, {}, "", (0, 0))
        if self._path is not None:
            self._load(self._path)

    def _load(self, path: Path) -> None:
        try:
            if path.stat().st_size > _LARGEST:
                return
            data = path.read_bytes()
            if not data.startswith(_MAGIC):
                return
            start = len(_MAGIC) + _LENGTH_BYTES
            end = start + int.from_bytes(data[len(_MAGIC) : start], "big")
            header = msgspec.msgpack.decode(data[start:end], type=_Header)
        except (OSError, msgspec.MsgspecError, ValueError, RecursionError):
            return
        if header.key == version_key():
            self._data, self._start, self._header = data, end, header

    def digest(self, path: str, status: os.stat_result) -> str | None:
        """The content digest of a file that has not changed since it was last read."""
        stamp = self._header.stamps.get(path)
        if stamp is None or (stamp.size, stamp.modified) != (status.st_size, status.st_mtime_ns):
            return None
        return stamp.digest if stamp.digest in self._header.places else None

    def summary(self, digest: str) -> ir.ModuleSummary | None:
        place = self._header.places.get(digest)
        if place is None:
            return None
        try:
            return _SUMMARY.decode(self._slice(place))
        except (msgspec.MsgspecError, RecursionError):
            return None

    def findings(self, key: str) -> tuple[Diagnostic, ...] | None:
        """The findings of the last run if it was the same in all that matters."""
        if not key or key != self._header.findings_key:
            return None
        try:
            return _FINDINGS.decode(self._slice(self._header.findings))
        except (msgspec.MsgspecError, RecursionError):
            return None

    def _slice(self, place: tuple[int, int]) -> bytes:
        start, length = place
        return self._data[self._start + start : self._start + start + length]

    def save(
        self,
        stamps: Mapping[str, Stamp],
        summaries: Mapping[str, ir.ModuleSummary],
        key: str,
        findings: tuple[Diagnostic, ...],
    ) -> None:
        """Write the file anew; a folder that cannot be written to is no error."""
        if self._path is None:
            return
        bodies: list[bytes] = []
        places: dict[str, tuple[int, int]] = {}
        offset = 0
        for digest, summary in summaries.items():
            body = _ENCODER.encode(summary)
            places[digest] = (offset, len(body))
            bodies.append(body)
            offset += len(body)
        encoded = _ENCODER.encode(findings)
        header = _ENCODER.encode(_Header(version_key(), dict(stamps), places, key, (offset, len(encoded))))
        with contextlib.suppress(OSError):
            _write(self._path, [_MAGIC, len(header).to_bytes(_LENGTH_BYTES, "big"), header, *bodies, encoded])


def _write(path: Path, parts: list[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    ignore = path.parent / ".gitignore"
    if not ignore.exists():
        ignore.write_text(_IGNORE, encoding="utf-8")
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(parts)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
