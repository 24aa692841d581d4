"""What this plugin offers to loopsafe. Hooks are called once per run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from loopsafe.plugins import hookimpl

if TYPE_CHECKING:
    from loopsafe.checks import Check
    from loopsafe.report import Format

_HERE = Path(__file__).parent


@hookimpl
def loopsafe_catalogs() -> Sequence[Path]:
    return [_HERE / "catalog"]


@hookimpl
def loopsafe_rules() -> Sequence[Path]:
    return [_HERE / "codes"]


@hookimpl
def loopsafe_checks() -> Sequence[Check]:
    from loopsafe_acme.coroutine_name import CHECK

    return [CHECK]


@hookimpl
def loopsafe_formats() -> Sequence[Format]:
    from loopsafe_acme.tally import FORMAT

    return [FORMAT]
