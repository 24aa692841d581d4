"""Stage fix: what is to be written, in values that the writers and `proof` share, and what becomes of a finding.

Nothing here does anything.
"""

from __future__ import annotations

import ast
import enum
from typing import NamedTuple

import msgspec

from loopsafe.model import Edit, Fix, Position


class Form(enum.Enum):
    """The shapes of a rewritten call."""

    DIRECT = "direct"
    """`off(f, a, k=v)`"""
    PARTIAL = "partial"
    """`off(partial(f, a, k=v))`, where the off-loader takes no keywords"""
    LAMBDA = "lambda"
    """`off(lambda: f(a, k=v))`, where reading the callee blocks as well"""
    WRAPPED = "wrapped"
    """`off(f)(a, k=v)`, where the off-loader gives a function"""
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
    is_wrapping: bool = False
    """The off-loader gives a function, which has to be called."""


class Group(NamedTuple):
    """Parentheses around an expression, and what else is in them."""

    start: Position
    end: Position
    tail: str
    """What is read from the expression's value: `.data`."""
    margin: str
    """The blanks in front of the row of `start`."""
    is_hanging: bool
    """The expression has rows of its own."""
    is_needed: bool
    """An `await` instead of the expression would need them."""


class Setting(NamedTuple):
    """Where the expression stands."""

    start: Position
    text: str
    """The expression's text, rows joined by `\\n`."""
    needs_space: bool
    """A word touches the expression from the left."""
    needs_parentheses: bool
    """The value is used on: `.attribute`, `[index]`, `(call)`."""
    is_awaited: bool = False
    """`await` stands in front of it already."""
    newline: str = "\n"
    """That of the file."""
    margin: str = ""
    """The blanks in front of its first row."""
    is_pinned: bool = False
    """A comment speaks to a tool about its first or last row, so rows have to stay."""
    group: Group | None = None


class Change(NamedTuple):
    """What one fix does to the tree of one statement."""

    holder: ast.stmt
    """A function that stands in no other, or a statement of the module outside functions."""
    old: ast.AST
    new: ast.AST | tuple[ast.stmt, ...]
    """What stands for `old` afterwards, a statement or several for a statement; parts of it may be the old nodes."""


class Rewriting(NamedTuple):
    """What one fix does to one file."""

    message: str
    edits: tuple[Edit, ...]
    """Sorted and disjoint; without the rows at the file's top."""
    changes: tuple[Change, ...]
    """What the edits mean."""
    modules: tuple[str, ...] = ()
    """What has to be imported."""
    variables: tuple[str, ...] = ()
    """Statements for the module, below its imports."""
    doubts: tuple[str, ...] = ()
    """Why the fix is unsafe."""
    elsewhere: tuple[tuple[str, tuple[Edit, ...]], ...] = ()
    """Proved edits of other files, by path."""


class Proposal(msgspec.Struct, frozen=True):
    """What becomes of one finding."""

    fix: Fix | None = None
    refusal: str | None = None
    """Why there is no fix, as the end of "not fixed: …"."""
    doubts: tuple[str, ...] = ()
    """Why the fix is unsafe, as far as the code around the call is the reason."""
