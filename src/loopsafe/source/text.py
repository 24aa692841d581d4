"""Stage read: one file's bytes as text, newlines never normalised, positions in code points.

Nothing here walks folders, tokenises or parses.
"""

from __future__ import annotations

import codecs
import io
import re
from hashlib import blake2b
from typing import Final

import msgspec

_BOM: Final = b"\xef\xbb\xbf"
_HEAD: Final = 4096
"""How far the first two rows are looked for; a coding cookie beyond that is no cookie that anybody wrote."""
_ROW_END: Final = re.compile(rb"\r\n|\n|\r")


class UnreadableSource(Exception):
    """A file that cannot be read as Python text; becomes an `E902` finding, never ends the run."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(path, message)
        self.path = path
        self.message = message

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class Source(msgspec.Struct, frozen=True):
    """One file, read once: its bytes and the text that they mean."""

    path: str
    """As shown to users: relative to the working directory if below it, else absolute."""
    data: bytes
    text: str
    """Decoded, without the byte order mark, newlines as they stand in the file."""
    encoding: str = "utf-8"
    """Codec name after PEP 263, in Python's spelling (`utf-8`, `iso-8859-1`, …)."""
    has_bom: bool = False
    newline: str = "\n"
    """The first newline of the file, `\\n` when it has none: what inserted rows should end in."""
    digest: str = ""
    """Hexadecimal BLAKE2b-128 of `data`."""

    def encode(self, text: str) -> bytes:
        """Return the bytes that a file with this one's encoding and byte order mark holds for `text`."""
        return (_BOM if self.has_bom else b"") + text.encode(self.encoding)


def read(path: str) -> Source:
    """Read and decode the file at `path`, or raise `UnreadableSource`."""
    try:
        with open(path, "rb", buffering=0) as file:
            data = file.read()
    except OSError as error:
        raise UnreadableSource(path, describe_os_error(error)) from error
    except ValueError as error:  # a null character in the path itself
        raise UnreadableSource(path, str(error)) from error
    return decode(path, data)


def describe_os_error(error: OSError) -> str:
    """Return the operating system's words for `error` in ruff's form."""
    return f"{error.strerror or error} (os error {error.errno})" if error.errno else str(error)


def decode(path: str, data: bytes) -> Source:
    """Return the `Source` for `data`, or raise `UnreadableSource` if it is not Python text."""
    if b"\0" in data:
        where = data.index(b"\0")
        raise UnreadableSource(path, f"contains a null byte at offset {where}: not a text file")
    has_bom = data.startswith(_BOM)
    encoding = _detect(path, data)
    body = data[len(_BOM) :] if has_bom else data
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as error:
        offset = error.start + (len(_BOM) if has_bom else 0)
        raise UnreadableSource(
            path, f"not valid {encoding}: byte 0x{body[error.start]:02x} at offset {offset} ({error.reason})"
        ) from error
    except (LookupError, ValueError) as error:
        raise UnreadableSource(path, f"cannot be decoded as {encoding}: {error}") from error
    if "\0" in text:  # some codecs can spell one without a null byte
        raise UnreadableSource(path, f"contains a null character at offset {text.index(chr(0))}")
    digest = blake2b(data, digest_size=16).hexdigest()
    return Source(path, data, text, encoding, has_bom, _first_newline(text), digest)


def _detect(path: str, data: bytes) -> str:
    head = _head(data)
    if b"coding" not in head:
        return "utf-8"
    from tokenize import detect_encoding  # costs a millisecond that files without a cookie do not pay

    try:
        encoding, _ = detect_encoding(iter(head.splitlines(keepends=True)).__next__)
    except SyntaxError as error:
        if "invalid or missing encoding" in str(error):
            return "utf-8"  # then decoding fails as well, and knows the offset
        raise UnreadableSource(path, str(error)) from error
    return "utf-8" if codecs.lookup(encoding).name.startswith("utf-8") else encoding


def _head(data: bytes) -> bytes:
    """Return the first two rows of `data`, where alone a coding cookie may stand."""
    ends = _ROW_END.finditer(data[:_HEAD])
    end = 0
    for _ in range(2):
        match = next(ends, None)
        if match is None:
            return data[:_HEAD]
        end = match.end()
    return data[:end]


def _first_newline(text: str) -> str:
    feed = text.find("\n")
    carriage = text.find("\r", 0, feed if feed >= 0 else len(text))
    if carriage < 0:
        return "\n"
    return "\r\n" if carriage + 1 == feed else "\r"


def rows(text: str) -> list[str]:
    """Return the rows of `text` with their ends, split only where Python and ruff see a new row.

    >>> rows("a\\x0cb\\r\\nc\\rd")
    ['a\\x0cb\\r\\n', 'c\\r', 'd']
    """
    return list(io.StringIO(text, newline=""))


def columns(row_text: str, byte_offset: int) -> int:
    """Return the 1-based code-point column of `ast`'s 0-based UTF-8 `byte_offset` within a row.

    >>> columns("é = 'é'; x", 11)
    10
    """
    if row_text.isascii():
        return byte_offset + 1
    return len(row_text.encode("utf-8", "surrogatepass")[:byte_offset].decode("utf-8", "replace")) + 1
