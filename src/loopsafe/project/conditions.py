"""What the outcome of a test means for the nodes around it.

Stage: infer. Knows no values: who asks says what is known of their truth.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from loopsafe.summary import ir

STRING_TESTS: Final = frozenset({"startswith", "endswith"})
"""Methods that compare a string with another."""


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


def special_case(scope: ir.Scope, branch: ir.Branch) -> bool | None:
    """The outcome that takes one particular string (`mode == "w"`, `name.startswith("_")`); None without such test."""
    kinds = [(_demands(scope, ref), positive) for ref, positive in branch.tested]
    if any(wanted is not None and wanted is positive for wanted, positive in kinds):
        return True
    if len(kinds) == 1 and kinds[0][0] is not None:
        return False
    return None


def _demands(scope: ir.Scope, ref: ir.Ref) -> bool | None:
    """The truth value that a comparison with a string has only for few strings."""
    match scope.nodes[ref]:
        case ir.Compare("==" | "!=" as operator, left, right):
            return operator == "==" if _is_string(scope, left) or _is_string(scope, right) else None
        case ir.Call(func=func, args=(argument,)) if func >= 0:
            callee = scope.nodes[func]
            is_test = isinstance(callee, ir.Attr) and callee.name in STRING_TESTS
            return True if is_test and _is_string(scope, argument) else None
    return None


def _is_string(scope: ir.Scope, ref: ir.Ref) -> bool:
    node = scope.nodes[ref] if ref >= 0 else None
    return isinstance(node, ir.Const) and isinstance(node.value, str)
