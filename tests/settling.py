"""All passes over one file with a stand-in for the linter, as `engine.fix` makes them over a project."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from loopsafe.fixes import attach
from loopsafe.fixes.together import fix_once
from loopsafe.model import Applicability, Diagnostic
from loopsafe.source.text import Source, decode


class Settled(NamedTuple):
    """A file after all passes."""

    source: Source
    fixed: list[Diagnostic]
    remaining: list[Diagnostic]
    problem: str | None
    """Why fixes were left out."""


def settle(
    source: Source,
    find: Callable[[Source], Sequence[Diagnostic]],
    wanted: Applicability = Applicability.SAFE,
) -> Settled:
    """Find and fix until nothing changes any more."""
    fixed: list[Diagnostic] = []
    problems: dict[str, str] = {}
    for _ in range(100):
        found = attach(source, find(source))
        changed, applied = fix_once(found, {source.path: source}.get, wanted, problems)
        if not changed:
            return Settled(source, fixed, found, problems.get(source.path))
        fixed += applied
        source = decode(source.path, changed[source.path])
    raise AssertionError("fixes undo each other")
