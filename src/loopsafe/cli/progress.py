"""How far a long run is, on one row of the terminal that is gone afterwards.

Shows nothing where standard error is no terminal, and nothing in the first second.
"""

from __future__ import annotations

import sys
import time
from typing import Final

_DELAY: Final = 1.0
_INTERVAL: Final = 0.1
_CLEAR: Final = "\r\x1b[K"


class Progress:
    """A row on standard error that tells what is being done."""

    def __init__(self) -> None:
        self._next = time.monotonic() + _DELAY
        self._is_shown = False

    def __call__(self, what: str, done: int, total: int | None = None) -> None:
        """Show that `done` of `total` steps of `what` are done."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _INTERVAL
            self._is_shown = True
            count = f"{done}" if total is None else f"{done}/{total}"
            sys.stderr.write(f"{_CLEAR}{what} {count}")
            sys.stderr.flush()

    def clear(self) -> None:
        """Take the row away."""
        if self._is_shown:
            self._is_shown = False
            sys.stderr.write(_CLEAR)
            sys.stderr.flush()
