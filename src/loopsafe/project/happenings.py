"""What may happen at a node: a primitive that blocks, or another function that runs.

Stage: propagate. `effects` finds out what does.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from loopsafe.catalog import Fact
from loopsafe.project.entities import Frame
from loopsafe.summary import ir


class Run(NamedTuple):
    """Another function's frame runs."""

    frame: Frame
    doubt: str | None = None
    """Why it may not; no doubt where types are known."""
    is_one_of_many: bool = False
    """It is one of so many implementations that what is unusual about it says little of the call."""


class Primitive(NamedTuple):
    """Something of which the catalogue says that it blocks."""

    fact: Fact
    doubt: str | None = None


Happening: TypeAlias = Primitive | Run


class Site(NamedTuple):
    """A node at which something of interest happens."""

    ref: ir.Ref
    primitives: tuple[Primitive, ...]
    runs: tuple[Run, ...]
