"""What the outcome of a test means for the nodes around it.

Stage: infer. Knows no values: who asks says what is known of their truth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from typing import Final, NamedTuple

from loopsafe.project.entities import Code
from loopsafe.project.leaves import bare, tested_for_presence
from loopsafe.summary import ir

STRING_TESTS: Final = frozenset({"startswith", "endswith"})
"""Methods that compare a string with another."""
_RARE: Final = 10
"""What it weighs that a caller must pass one particular string, or that something must fail.

Any other outcome of a test weighs one; that a value is not one particular string, nothing.
"""


class Obstacle(NamedTuple):
    """Something that may keep nodes from being evaluated."""

    ranges: tuple[ir.NodeRange, ...]
    weight: int
    is_rare: bool = False
    """It opens for few callers: those that pass one particular string."""
    is_once: bool = False
    """It opens the first time only."""


def side(branch: ir.Branch, outcome: bool) -> tuple[ir.NodeRange, ir.NodeRange]:
    """What runs only where a test comes out so: a block, and what follows the statement if only that leads there."""
    block = branch.body if outcome else branch.orelse
    return (block, branch.after if branch.outcome_after is outcome else (0, 0))


def is_in(ref: ir.Ref, ranges: tuple[ir.NodeRange, ...]) -> bool:
    """Whether a node is one of those."""
    return any(start <= ref < end for start, end in ranges)


def is_conditional(scope: ir.Scope, ref: ir.Ref) -> bool:
    """Whether a node of a scope may be left out."""
    ranges = [
        *(one for branch in scope.branches for one in (branch.body, branch.orelse, branch.after)),
        *(one for handler in scope.handlers for one in (handler.tried, handler.body, handler.after)),
        *(block.body for block in scope.blocks),
    ]
    return is_in(ref, tuple(ranges))


def outcome_of(branch: ir.Branch, truth: Callable[[ir.Ref], bool | None]) -> bool | None:
    """How a test comes out, going by the truth of the values that it looks at; None if that is open."""
    truths = [(truth(ref), positive) for ref, positive in branch.tested]
    if any(known is not None and known is not positive for known, positive in truths):
        return False
    return True if truths and all(known is not None for known, _ in truths) else None


def obstacles(code: Code, branches: tuple[ir.Branch, ...]) -> Iterator[Obstacle]:
    """What may keep nodes of a function from being evaluated: tests with an open outcome, failures."""
    changes = cache(partial(_changes, code))
    for branch in branches:
        first = _outcome_at_first(code.scope, branch, changes)
        for outcome, weight in zip((True, False), _weights(code.scope, branch), strict=True):
            yield Obstacle(side(branch, outcome), weight, is_rare=weight == _RARE, is_once=outcome is first)
    for handler in code.scope.handlers:
        yield Obstacle((handler.body,), _RARE)


def joined(ref: ir.Ref, obstacles: Iterable[Obstacle]) -> Obstacle:
    """Those that may keep a node from being evaluated, as one."""
    met = [one for one in obstacles if is_in(ref, one.ranges)]
    return Obstacle(
        tuple(part for one in met for part in one.ranges),
        sum(one.weight for one in met),
        any(one.is_rare for one in met),
        any(one.is_once for one in met),
    )


def first_time(scope: ir.Scope) -> Obstacle:
    """That the body of a function runs only once, because its result is kept."""
    return Obstacle(((0, len(scope.nodes)),), 0, is_once=True)


def _weights(scope: ir.Scope, branch: ir.Branch) -> tuple[int, int]:
    """What it weighs that a test holds, and that it does not."""
    particular = [(_is_particular(scope, ref), positive, ref) for ref, positive in branch.tested]
    wanted = [(truth is positive, ref) for truth, positive, ref in particular if truth is not None]
    weight = _RARE if any(_is_passed(scope, ref) for _, ref in wanted) else 1
    is_alone = len(particular) == 1 and bool(wanted)
    return (
        weight if any(is_wanted for is_wanted, _ in wanted) else int(not is_alone),
        weight if is_alone and not wanted[0][0] else int(not is_alone),
    )


def _outcome_at_first(scope: ir.Scope, branch: ir.Branch, changes: Callable[[str, bool], list[ir.Ref]]) -> bool | None:
    """How a test comes out only until what it leads to has been done: `if self.client is None: self.client = …`."""
    if len(branch.tested) != 1:
        return None
    ((ref, positive),) = branch.tested
    ref = bare(scope, tested_for_presence(scope, ref))
    tested = scope.nodes[ref] if ref >= 0 else None
    if not isinstance(tested, ir.Name | ir.Attr):
        return None
    done = changes(tested.name, isinstance(tested, ir.Attr))
    leads_there = any(is_in(ref, side(branch, not positive)) for ref in done)
    return not positive if leads_there else None


def _changes(code: Code, name: str, is_attribute: bool) -> list[ir.Ref]:
    """The nodes that store a variable or attribute, or an entry of it, or call by name what does in that module."""
    module = code.module
    stores = [
        *(module.attribute_stores if is_attribute else module.global_stores).get(name, ()),
        *module.entry_stores.get(name, ()),
    ]
    if not stores:
        return []
    here = [ref for index, ref in stores if index == code.index]
    makers = {module.scopes[index].name for index, _ in stores}
    return here + [ref for ref in code.scope.calls if _callee(code.scope, ref) in makers]


def _callee(scope: ir.Scope, ref: ir.Ref) -> str | None:
    """The last name of what a node calls."""
    call = scope.nodes[ref]
    func = scope.nodes[call.func] if isinstance(call, ir.Call) and call.func >= 0 else None
    return func.name if isinstance(func, ir.Name | ir.Attr) else None


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
            case ir.Call(func=func, args=args, keywords=keywords):
                sources = (func, *args, *[value for _, value in keywords])
        pending += set(sources) - seen
        seen.update(sources)
    return False


def _is_string(scope: ir.Scope, ref: ir.Ref) -> bool:
    node = scope.nodes[ref] if ref >= 0 else None
    return isinstance(node, ir.Const) and isinstance(node.value, str)
