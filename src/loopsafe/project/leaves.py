"""Which parameters and outer variables a node may be, or a test looks at, going by one scope's text.

Stage: infer. Knows no values.
"""

from __future__ import annotations

from typing import TypeAlias

from loopsafe.summary import ir

Leaf: TypeAlias = int | str
"""A parameter, by its index, or a variable from outside the function, by its name."""


def bare(scope: ir.Scope, ref: ir.Ref) -> ir.Ref:
    """The node that is narrowed, annotated or returned: an annotation says more of None than what is assigned."""
    while ref >= 0 and isinstance(node := scope.nodes[ref], ir.Narrow | ir.Declared | ir.Return):
        ref = node.value
    return ref


def name_of(scope: ir.Scope, ref: ir.Ref) -> str | None:
    """The name that a node reads, if it is none of a local variable."""
    node = scope.nodes[ref] if ref >= 0 else None
    return node.name if isinstance(node, ir.Name) else None


def meant(scope: ir.Scope, ref: ir.Ref, seen: set[ir.Ref]) -> set[Leaf]:
    """The parameters and outer variables that a node may be; `seen` are nodes that were looked at before."""
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
    return set()


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
