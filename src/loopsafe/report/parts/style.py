"""Stage report: colours, as plain ANSI codes, and nothing at all when colour is off.

Nothing here decides whether a terminal wants colour.
"""

from __future__ import annotations

from typing import Final

_CODES: Final[dict[str, str]] = {
    "bold": "\x1b[1m",
    "dim": "\x1b[2m",
    "underline": "\x1b[4m",
    "cyan": "\x1b[36m",
    "error": "\x1b[1;91m",
    "frame": "\x1b[1;94m",
    "help": "\x1b[1;96m",
    "note": "\x1b[1;33m",
    "removed": "\x1b[31m",
    "added": "\x1b[32m",
}
_RESET: Final = "\x1b[0m"


class Style:
    """Paints text for a terminal, or leaves it alone."""

    def __init__(self, color: bool) -> None:
        self._color = color

    def __call__(self, role: str, text: str) -> str:
        """Return `text` in the colour of `role`, one of the keys of `_CODES`."""
        return f"{_CODES[role]}{text}{_RESET}" if self._color and text else text

    def marker(self) -> str:
        """Return the sign of a finding that `--fix` would fix."""
        return f"[{self('cyan', '*')}]"
