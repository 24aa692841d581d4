"""Stage fix: what is to be written, in values that `rewriting` and `proof` both read, and what becomes of a finding.

Nothing here does anything.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

import msgspec

from loopsafe.model import Fix, Position


class Form(enum.Enum):
    """The shapes of a rewritten call."""

    DIRECT = "direct"
    """`off(f, a, k=v)`"""
    PARTIAL = "partial"
    """`off(partial(f, a, k=v))`, where the off-loader takes no keywords"""
    LAMBDA = "lambda"
    """`off(lambda: f(a, k=v))`, where reading the callee blocks as well"""
    REPLACE = "replace"
    """`g(a, k=v)`"""


class Recipe(NamedTuple):
    """What to write."""

    form: Form
    callee: str
    """The awaited function as it is spelled in this file: the off-loader, or the replacement."""
    leading: tuple[str, ...] = ()
    """Arguments of the off-loader in front of the callable."""
    partial: str = ""
    """`functools.partial` as it is spelled in this file."""


class Proposal(msgspec.Struct, frozen=True):
    """What becomes of one finding."""

    fix: Fix | None = None
    refusal: str | None = None
    """Why there is no fix, as the end of "not fixed: …"."""
    doubts: tuple[str, ...] = ()
    """Why the fix is unsafe, as far as the code around the call is the reason."""


class Setting(NamedTuple):
    """Where the expression stands."""

    start: Position
    text: str
    """The expression's text, rows joined by `\\n`."""
    needs_space: bool
    """A word touches the expression from the left."""
    needs_parentheses: bool
    """The value is used on: `.attribute`, `[index]`, `(call)`."""
