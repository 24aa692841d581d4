"""Which parameters and outer variables a node may be, or a test looks at, going by one scope's text.

Stage: infer. Knows no values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple, TypeAlias

from loopsafe.summary import ir

LOOKUPS: Final = frozenset({"get", "pop"})
"""Methods that give what a dictionary holds under a key, or something else if there is no such key."""


_STANDING_FOR: Final = frozenset({ir.Narrow, ir.Declared, ir.Return, ir.Phi})
"""Nodes that are what others are."""


class Inside(NamedTuple):
    """What a dictionary holds that a parameter is."""

    param: int


Leaf: TypeAlias = int | str | Inside
"""A parameter, by its index, or a variable from outside the function, by its name."""


def bare(scope: ir.Scope, ref: ir.Ref) -> ir.Ref:
    """The node that is narrowed, annotated or returned: an annotation says more of None than what is assigned."""
    while ref >= 0 and isinstance(node := scope.nodes[ref], ir.Narrow | ir.Declared | ir.Return):
        ref = node.value
    return ref


def sources(
    scope: ir.Scope,
    ref: ir.Ref,
    is_passed: Callable[[ir.Ref], bool],
    is_told: Callable[[ir.Narrow], bool] = lambda _: False,
) -> set[ir.Ref]:
    """The nodes that a node may stand for, past narrowing, annotations and joints, where the definitions are passed.

    Those of which a test has told enough are left out.
    """
    if ref < 0 or scope.nodes[ref].__class__ not in _STANDING_FOR:
        return {ref}  # as with most
    found: set[ir.Ref] = set()
    pending, seen = [ref], {ref}
    while pending:
        ref = pending.pop()
        ways: tuple[ir.Ref, ...] = ()
        match scope.nodes[ref] if ref >= 0 else None:
            case ir.Narrow(value) as node:
                ways = () if is_told(node) else (value,)
            case ir.Declared(value=value) | ir.Return(value):
                ways = (value,)
            case ir.Phi(options):
                ways = tuple(filter(is_passed, options))
            case _:
                found.add(ref)
        pending += [way for way in ways if way not in seen]
        seen.update(ways)
    return found


def name_of(scope: ir.Scope, ref: ir.Ref) -> str | None:
    """The name that a node reads, if it is none of a local variable."""
    node = scope.nodes[ref] if ref >= 0 else None
    return node.name if isinstance(node, ir.Name) else None


def tested_for_presence(scope: ir.Scope, tested: ir.Ref) -> ir.Ref:
    """The node that a test compares with `None`, or whose truth it looks at: if the test holds, it is not `None`."""
    node = scope.nodes[tested]
    return node.left if isinstance(node, ir.Compare) and is_test_for_none(scope, node) else tested


def is_test_for_none(scope: ir.Scope, node: ir.Compare) -> bool:
    """Whether a comparison is `value is not None`."""
    return node.operator == "is not" and node.right >= 0 and scope.nodes[node.right] == ir.Const(None)


def is_same(nodes: tuple[ir.Node, ...], left: ir.Ref, right: ir.Ref) -> bool:
    """Whether two nodes mean the same object, going by the text: `self.future` twice."""
    if left == right or min(left, right) < 0:
        return left == right
    match nodes[left], nodes[right]:
        case ir.Narrow(value=value), _:
            return is_same(nodes, value, right)
        case _, ir.Narrow(value=value):
            return is_same(nodes, left, value)
        case ir.Attr(value=one, name=name), ir.Attr(value=other, name=other_name):
            return name == other_name and is_same(nodes, one, other)
    return False


def meant(scope: ir.Scope, ref: ir.Ref, seen: set[ir.Ref]) -> set[Leaf]:
    """The parameters and outer variables that a node may be, or be an entry of; `seen` were looked at before."""
    node = scope.nodes[ref] if ref >= 0 and ref not in seen else None
    seen.add(ref)
    match node:
        case ir.Param(index):
            return {index}
        case ir.Name(name) if scope.parent:
            return {name}
        case ir.Narrow(value) | ir.Declared(value=value):
            return meant(scope, value, seen)
        case ir.Phi(options):
            return {leaf for option in options for leaf in meant(scope, option, seen)}
        case ir.Item(value):
            return inside(meant(scope, value, seen))
        case ir.Call(func=func) if func >= 0:
            callee = scope.nodes[func]
            is_lookup = isinstance(callee, ir.Attr) and callee.name in LOOKUPS
            return inside(meant(scope, callee.value, seen)) if is_lookup and isinstance(callee, ir.Attr) else set()
    return set()


def inside(leaves: Iterable[Leaf]) -> set[Leaf]:
    """What the parameters among them hold."""
    return {Inside(leaf) if isinstance(leaf, int) else leaf for leaf in leaves if not isinstance(leaf, str)}


def looked_at(scope: ir.Scope, ref: ir.Ref, seen: set[ir.Ref]) -> set[Leaf]:
    """The parameters and outer variables that a test looks at; `seen` are nodes that were looked at before."""
    node = scope.nodes[ref] if ref >= 0 and ref not in seen else None
    match node:
        case ir.Narrow(value) | ir.Declared(value=value) | ir.Attr(value):
            seen.add(ref)
            return looked_at(scope, value, seen)
        case ir.Compare(_, left, right):
            seen.add(ref)
            return looked_at(scope, left, seen) | looked_at(scope, right, seen)
        case ir.Call(func=func, args=(argument,)):
            seen.add(ref)
            callee = scope.nodes[func] if func >= 0 else None
            inner = looked_at(scope, callee.value, seen) if isinstance(callee, ir.Attr) else set()
            return inner | looked_at(scope, argument, seen)
    return meant(scope, ref, seen)
