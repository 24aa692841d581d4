"""What a plugin may offer. Order never shows: everything is sorted before use."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pluggy

if TYPE_CHECKING:
    from loopsafe.checks import Check
    from loopsafe.report import Format

PROJECT: Final = "loopsafe"
hookspec: Final = pluggy.HookspecMarker(PROJECT)
hookimpl: Final = pluggy.HookimplMarker(PROJECT)


@hookspec
def loopsafe_catalogs() -> Sequence[Path]:
    """Folders of TOML files in the catalogue's schema; their entries win over shipped ones."""
    return ()


@hookspec
def loopsafe_checks() -> Sequence[Check]:
    """Checks, whose codes must be documented in a folder of `loopsafe_rules`."""
    return ()


@hookspec
def loopsafe_rules() -> Sequence[Path]:
    """Folders of rule documents, one per code."""
    return ()


@hookspec
def loopsafe_formats() -> Sequence[Format]:
    """Output formats, by names that are not taken."""
    return ()
