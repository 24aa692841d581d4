"""Stage report: what a format is and what it is given.

Nothing here knows a particular format.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Protocol

import msgspec

from loopsafe.model import Applicability, Diagnostic, Fix


class Text(Protocol):
    """What a format needs of a file; a `Source` fits."""

    @property
    def text(self) -> str:
        """The decoded text, newlines as they stand."""


class Report(msgspec.Struct, frozen=True):
    """All that a format may say something about."""

    diagnostics: tuple[Diagnostic, ...]
    """Sorted by path and place."""
    sources: Callable[[str], Text | None]
    """The text of a path that a diagnostic names, None if it could not be read."""
    cwd: str
    """Absolute path that relative ones start from."""
    fixed: int = 0
    unsafe_fixes: bool | None = None
    color: bool = False

    def absolute(self, path: str) -> str:
        """Return the absolute form of a path as shown to users; `-`, standard input, stays as it is."""
        if path == "-":
            return path
        return os.path.normpath(os.path.join(self.cwd, path))

    def is_applicable(self, fix: Fix | None) -> bool:
        """Tell whether `--fix`, with the other flags as they are, would apply `fix`."""
        return is_applicable(fix, self.unsafe_fixes)


class Format(msgspec.Struct, frozen=True):
    """One output format."""

    name: str
    render: Callable[[Report], str]
    """Returns everything that goes to standard output, with its last newline if there is to be one."""
    is_text: bool = False
    """A summary for people may follow."""


def is_applicable(fix: Fix | None, unsafe_fixes: bool | None) -> bool:
    """Tell whether `--fix` would apply `fix`."""
    if fix is None:
        return False
    if fix.applicability is Applicability.UNSAFE:
        return unsafe_fixes is True
    return fix.applicability is Applicability.SAFE
