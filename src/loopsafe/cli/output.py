"""Where text goes, in which encoding and whether in colour.

Nothing here knows what is printed. Rows keep their ends: no stream turns a `\\n` into something else.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TextIO

from loopsafe.model import LoopsafeError
from loopsafe.source.text import describe_os_error


class Output:
    """Standard output, or the file that `--output-file` names, and standard error."""

    def __init__(self, path: str | None, color: str) -> None:
        self._path = path
        self._is_begun = False
        self.color = _wants_color(color, None if path else sys.stdout)

    def out(self, text: str) -> None:
        """Print the result of the run."""
        if self._path is None:
            write_text(sys.stdout, text)
        elif text or not self._is_begun:
            self._append(self._path, text)

    def _append(self, path: str, text: str) -> None:
        data = text.encode("utf-8", "backslashreplace")
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            with Path(path).open("ab" if self._is_begun else "wb") as file:
                file.write(data)
        except OSError as error:
            raise LoopsafeError(f"Cannot write `{path}`: {describe_os_error(error)}") from None
        self._is_begun = True


def write_text(stream: TextIO, text: str) -> None:
    """Print `text`: in the terminal's encoding, else as UTF-8, which is what programs expect."""
    encoding = (stream.encoding or "utf-8") if stream.isatty() else "utf-8"
    write_bytes(stream, text.encode(encoding, "backslashreplace"))


def write_bytes(stream: TextIO, data: bytes) -> None:
    """Print `data` as it is."""
    stream.flush()
    buffer = getattr(stream, "buffer", None)
    if buffer is None:  # a stand-in without bytes below it, such as `io.StringIO`
        stream.write(data.decode("utf-8", "backslashreplace"))
    else:
        buffer.write(data)
        buffer.flush()


def warn(text: str, color: bool) -> None:
    """Print a warning to standard error."""
    head = "\x1b[1;33mwarning\x1b[0m\x1b[1m:\x1b[0m" if color else "warning:"
    write_text(sys.stderr, f"{head} {text}\n")


def _wants_color(when: str, stream: TextIO | None) -> bool:
    if when != "auto":
        return when == "always"
    if os.environ.get("FORCE_COLOR") or os.environ.get("CLICOLOR_FORCE", "0") != "0":
        return True
    if stream is None or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()
