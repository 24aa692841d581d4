"""What a check is, for ours and for those of plugins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

import msgspec

from loopsafe.model import Diagnostic, Remedy, Span
from loopsafe.project import Project
from loopsafe.rulebook import Rule


class Context(msgspec.Struct, frozen=True):
    """What a check works with."""

    project: Project
    rules: Mapping[str, Rule]
    enabled: frozenset[str]
    """Codes that are wanted; a check may report others, they are dropped."""
    earlier: tuple[Diagnostic, ...] = ()
    """What the checks before this one found: one root cause, one finding."""
    offload: str = "auto"
    """The setting of that name: how remedies move calls to a thread."""

    def diagnostic(self, path: str, code: str, span: Span, message: str, remedy: Remedy | None = None) -> Diagnostic:
        """A plain diagnostic of a rule."""
        return Diagnostic(path, code, self.rules[code].name, message, span, remedy=remedy)


Run: TypeAlias = Callable[[Context], Iterable[Diagnostic]]


class Check(msgspec.Struct, frozen=True):
    """A function from a project to diagnostics, and the codes that they may have."""

    codes: tuple[str, ...]
    run: Run
    is_secondary: bool = False
    """It looks at what other checks have found, so it runs after them."""
