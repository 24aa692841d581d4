"""What the outcome of a test means for the nodes around it.

Stage: infer. Knows no values: who asks says what is known of their truth.
"""

from __future__ import annotations

from collections.abc import Callable

from loopsafe.summary import ir


def side(branch: ir.Branch, outcome: bool) -> tuple[ir.NodeRange, ir.NodeRange]:
    """What runs only where a test comes out so: a block, and what follows the statement if only that leads there."""
    block = branch.body if outcome else branch.orelse
    return (block, branch.after if branch.outcome_after is outcome else (0, 0))


def is_in(ref: ir.Ref, ranges: tuple[ir.NodeRange, ...]) -> bool:
    """Whether a node is one of those."""
    return any(start <= ref < end for start, end in ranges)


def outcome_of(branch: ir.Branch, truth: Callable[[ir.Ref], bool | None]) -> bool | None:
    """How a test comes out, going by the truth of the values that it looks at; None if that is open."""
    truths = [(truth(ref), positive) for ref, positive in branch.tested]
    if any(known is not None and known is not positive for known, positive in truths):
        return False
    return True if truths and all(known is not None for known, _ in truths) else None
