"""What the outcome of a test means for the nodes around it.

Stage: infer. Knows no values: who asks says what is known of their truth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from loopsafe.summary import ir

STRING_TESTS: Final = frozenset({"startswith", "endswith"})
"""Methods that compare a string with another."""
_RARE: Final = 10
"""What it weighs that a caller must pass one particular string, or that something must fail.

Any other outcome of a test weighs one; that a value is not one particular string, nothing.
"""


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


def obstacles(scope: ir.Scope, branches: tuple[ir.Branch, ...]) -> Iterator[tuple[tuple[ir.NodeRange, ...], int]]:
    """What may keep nodes of a scope from being evaluated, with its weight: tests with an open outcome, failures."""
    for branch in branches:
        particular = [(_is_particular(scope, ref), positive, ref) for ref, positive in branch.tested]
        wanted = [(truth is positive, ref) for truth, positive, ref in particular if truth is not None]
        weight = _RARE if any(_is_passed(scope, ref) for _, ref in wanted) else 1
        is_alone = len(particular) == 1 and bool(wanted)
        yield side(branch, True), weight if any(is_wanted for is_wanted, _ in wanted) else int(not is_alone)
        yield side(branch, False), weight if is_alone and not wanted[0][0] else int(not is_alone)
    for handler in scope.handlers:
        yield (handler.body,), _RARE


def _is_particular(scope: ir.Scope, ref: ir.Ref) -> bool | None:
    """The truth value that a test has for few strings only: `mode == "w"`, `name.startswith("_")`."""
    match scope.nodes[ref]:
        case ir.Compare("==" | "!=" as operator, _, right):
            return operator == "==" if _is_string(scope, right) else None
        case ir.Compare("in" | "not in" as operator, _, right):
            node = scope.nodes[right] if right >= 0 else None
            is_list = isinstance(node, ir.Display) and all(_is_string(scope, one) for one in node.elements)
            return operator == "in" if is_list else None
        case ir.Call(func=func, args=(_,)) if func >= 0:
            callee = scope.nodes[func]
            return True if isinstance(callee, ir.Attr) and callee.name in STRING_TESTS else None
    return None


def _is_passed(scope: ir.Scope, ref: ir.Ref) -> bool:
    """Whether a value follows from what the caller passes, rather than from the object's or the program's state."""
    pending, seen = [ref], {ref}
    while pending:
        ref = pending.pop()
        sources: tuple[ir.Ref, ...] = ()
        match scope.nodes[ref] if ref >= 0 else None:
            case ir.Param(index) if index > 0 or scope.params[0].name not in ("self", "cls"):
                return True
            case ir.Attr(value) | ir.Narrow(value) | ir.Element(value) | ir.Item(value) | ir.Next(value):
                sources = (value,)
            case ir.Declared(value=value):
                sources = (value,)
            case ir.Compare(_, left, right):
                sources = (left, right)
            case ir.Phi(options):
                sources = options
            case ir.Call(func=func, args=args):
                sources = (func, *args)
        pending += set(sources) - seen
        seen.update(sources)
    return False


def _is_string(scope: ir.Scope, ref: ir.Ref) -> bool:
    node = scope.nodes[ref] if ref >= 0 else None
    return isinstance(node, ir.Const) and isinstance(node.value, str)
