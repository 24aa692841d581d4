"""Our own checks, rules and formats, registered like any plugin's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from loopsafe.checks import Check, shipped_checks
from loopsafe.plugins.hookspecs import hookimpl
from loopsafe.rulebook import shipped_folder


@hookimpl
def loopsafe_checks() -> Sequence[Check]:
    return shipped_checks()


@hookimpl
def loopsafe_rules() -> Sequence[Path]:
    return [shipped_folder()]
