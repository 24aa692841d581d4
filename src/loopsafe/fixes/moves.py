"""Stage fix: what a block takes in and gives out when it becomes a function of its own, or why it cannot.

Names that the block only reads come in by closure. Those that it assigns as well come in as parameters, those that
are still needed afterwards are returned. Knows nothing of text.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from loopsafe.fixes.blocks import Block
from loopsafe.fixes.dataflow import NOTHING, Liveness, NameSet, assigned_surely, free, is_swallowing, stored
from loopsafe.fixes.endings import what_follows
from loopsafe.fixes.obstacles import Scene
from loopsafe.fixes.places import Function, Refusal, last_name, walk_scope
from loopsafe.fixes.ties import Tied, find_named, path_of, suite_of
from loopsafe.model import Span


class Signature(NamedTuple):
    """How the new function is called."""

    parameters: tuple[str, ...]
    results: tuple[str, ...]
    """NameSet that get their values from what it returns."""
    hands_on: bool
    """The coroutine returns what it returns."""
    is_annotated: bool
    """`-> None` is certain, and the coroutine says as much of itself."""
    body: list[ast.stmt]
    """What becomes of the statements in the function."""
    is_folded: bool
    """The last of them was an assignment, and returns its value instead."""
    annotation: ast.expr | None = None
    """Of the assignment that was folded."""
    last_value: str = ""
    """The text of an expression that gives the last of the results, if that is no name of the block."""


def sign(block: Block, scene: Scene, liveness: Liveness) -> Signature:
    """Return the signature of the function that `block` becomes, or refuse."""
    statements = block.statements
    assigned = stored(statements)
    _require_undisturbed(block, scene, liveness, assigned)
    taken = assigned & liveness.before[statements[0]]
    given = NOTHING if block.returns else assigned & _needed_after(block, liveness)
    if block.stands_for is not None and given != {block.stands_for}:
        raise Refusal("a `return` leaves it, and more than one name is needed afterwards")
    for name in sorted(taken - _assigned_before(block, scene)):
        raise Refusal(f"`{name}` may have no value before the block")
    for node in walk_scope(statements):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Del) and node.id in taken | given:
            raise Refusal(f"`{node.id}` is deleted in the block")
    gives_value = _gives_value([*statements, *([block.rest] if block.rest else [])])
    hands_on = block.returns and (gives_value or not is_ending(block))
    is_annotated = scene.function.returns is not None and not (taken or given or gives_value)
    results = _in_order(given, statements)
    folded = _fold(statements, *results) if len(results) == 1 and not taken else None
    annotations = (
        node.annotation
        for node in walk_scope(statements)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id in results
    )
    return Signature(
        _in_order(taken, statements),
        results,
        hands_on,
        is_annotated,
        folded or [*statements, *([copy.copy(block.rest)] if block.rest else [])],
        folded is not None,
        next(annotations, None) if folded else None,
    )


def _needed_after(block: Block, liveness: Liveness) -> NameSet:
    loop, last = block.loop, block.statements[-1]
    if loop is None:
        return liveness.after[last]
    inside = [loop.target, *loop.body, *loop.orelse]  # what it goes through is not needed any more
    return (liveness.after[loop] | liveness.caught[loop]).union(*map(free, inside))


def _fold(statements: list[ast.stmt], name: str) -> list[ast.stmt] | None:
    """Return the statements with `return value` for `name = value` at their end, if that is all there is of it."""
    if sum(isinstance(node, ast.Name) and node.id == name for one in statements for node in ast.walk(one)) != 1:
        return None
    if len(statements) > 1 and statements[-2].end_lineno == statements[-1].lineno:
        return None
    match statements[-1]:
        case ast.AnnAssign(annotation=annotation) if any(isinstance(one, ast.Constant) for one in ast.walk(annotation)):
            return None  # a text would have to keep its quotes
        case (
            ast.Assign(targets=[ast.Name(id=target)], value=value)
            | ast.AnnAssign(target=ast.Name(id=target), value=ast.expr() as value)
        ) if target == name:
            return [*statements[:-1], ast.Return(value)]
        case ast.With(items=items, body=body) if not any(map(is_swallowing, items)):
            has_own_rows = body[0].lineno > (items[-1].context_expr.end_lineno or 0)
            inner = _fold(body, name) if has_own_rows else None
            if inner is not None:
                last = copy.copy(statements[-1])
                last.body = inner
                return [*statements[:-1], last]
    return None


def is_ending(block: Block) -> bool:
    """Tell whether the coroutine ends where the block does."""
    return block.last == len(block.suite) - 1 and what_follows(block.path) == []


def _require_undisturbed(block: Block, scene: Scene, liveness: Liveness, assigned: NameSet) -> None:
    """Refuse where someone else sees the names of the block while it runs, or after it has failed."""
    for name in sorted(assigned & liveness.caught[block.statements[0]]):
        raise Refusal(f"`{name}` is still needed where an exception of the block is caught")
    inside, outside = set[ast.AST](), list[ast.AST]()
    for node in walk_scope(block.statements):
        inside.add(node)
    is_repeated = any(isinstance(step.node, ast.For | ast.AsyncFor | ast.While) for step in block.path)
    end = block.statements[-1].end_lineno or 0
    for node in walk_scope(scene.function.body):
        is_inner = isinstance(node, Function | ast.Lambda | ast.GeneratorExp) and node not in inside
        if is_inner and (is_repeated or getattr(node, "lineno", 0) <= end):  # one made later sees what comes out
            outside.append(node)
    for name in sorted(assigned & NOTHING.union(*map(free, outside))):
        raise Refusal(f"`{name}` belongs to an inner function as well")
    kept = [node for node in inside if isinstance(node, Function | ast.Lambda)]
    if not block.returns:
        for name in sorted(assigned & liveness.after[block.statements[-1]] & NOTHING.union(*map(free, kept))):
            raise Refusal(f"`{name}` belongs to an inner function as well")
    read = NOTHING.union(*map(free, block.statements))
    for node in ast.walk(scene.function):
        if isinstance(node, ast.Nonlocal) and not read.isdisjoint(node.names):
            raise Refusal("an inner function changes a variable of the block")


def _assigned_before(block: Block, scene: Scene) -> NameSet:
    """Return the names that are sure to have a value where the block begins."""
    names = scene.parameters
    for depth, step in enumerate(block.path):
        names |= _bound_by_header(step.node, step.field)
        names |= assigned_surely(suite_of(step)[: step.nth]) or NOTHING
        if depth + 1 < len(block.path):
            statement = suite_of(step)[step.nth]
            names |= _bound_by_header(statement, block.path[depth + 1].field)
    nodes = walk_scope(scene.function.body)
    return names - {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Del)}


def _bound_by_header(node: ast.AST, field: str) -> NameSet:
    match node:
        case ast.For(target=target) | ast.AsyncFor(target=target) if field == "body":
            return stored([target])
        case ast.With(items=items) | ast.AsyncWith(items=items):
            return stored(item.optional_vars for item in items if item.optional_vars)
        case ast.ExceptHandler(name=str(name)):
            return frozenset({name})
    return NOTHING


def _gives_value(statements: Iterable[ast.stmt]) -> bool:
    return any(
        isinstance(node, ast.Return)
        and node.value is not None
        and not (isinstance(node.value, ast.Constant) and node.value.value is None)
        for node in walk_scope(statements)
    )


def _in_order(names: NameSet, statements: Iterable[ast.stmt]) -> tuple[str, ...]:
    """Return `names` in the order in which the text mentions them."""
    found = [(node.lineno, node.col_offset, name) for node, name in _mentions(statements) if name in names]
    ordered = dict.fromkeys(name for _, _, name in sorted(found))
    return (*ordered, *sorted(names - ordered.keys()))


def _mentions(statements: Iterable[ast.stmt]) -> Iterator[tuple[ast.stmt | ast.expr, str]]:
    for node in walk_scope(statements):
        if isinstance(node, ast.Name):
            yield node, node.id
        elif isinstance(node, ast.stmt):
            for name in stored([node]):
                if isinstance(node, Function | ast.ClassDef | ast.Import | ast.ImportFrom):
                    yield node, name


def require_kept_in_thread(block: Block, scene: Scene, findings: Collection[Tied], signature: Signature) -> None:
    """Refuse where an object that only its own thread may use would come in or get out.

    `findings` are those of the whole coroutine: also one that is not in the block may know such an object.
    """
    bound = frozenset(span for one in findings if one.bond.is_thread_bound for span in one.bond.makers)
    if not bound:
        return
    nodes = list(walk_scope(block.statements))
    present = {scene.tree.span(node) for node in nodes if isinstance(node, ast.expr)}
    named = list(find_named(walk_scope(scene.function.body), scene.tree))
    outer = {name for span, name in named if span in bound - present}
    inner = {name for span, name in named if span in bound & present}
    if any(isinstance(node, ast.Name) and node.id in outer - inner for node in nodes):
        raise Refusal("an object in it belongs to the thread that made it")
    for one in findings:
        if one.bond.is_thread_bound and block.holds(path_of(one.place)) and not present.issuperset(one.bond.makers):
            raise Refusal("an object in it belongs to the thread that made it")
    inner = _with_carriers(inner, bound, nodes, scene)
    for name in sorted(inner.intersection((*signature.parameters, *signature.results))):
        raise Refusal(f"`{name}` belongs to the thread that made it, and is used outside the block")
    if any(_carries(value, inner, bound, scene) for node in nodes for value in _handed_out(node)):
        raise Refusal("an object that belongs to its thread leaves the block")


def _with_carriers(names: set[str], bound: Collection[Span], nodes: list[ast.AST], scene: Scene) -> set[str]:
    """Return `names` with those that are assigned something that holds on to an object of theirs."""
    found = set(names)
    while True:
        more = {
            name
            for node in nodes
            if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr | ast.withitem | ast.FunctionDef)
            and any(_carries(value, found, bound, scene) for value in _values_of(node))
            for name in stored([node])
        }
        if more <= found:
            return found
        found |= more


def _values_of(node: ast.Assign | ast.AnnAssign | ast.NamedExpr | ast.withitem | ast.FunctionDef) -> list[ast.AST]:
    if isinstance(node, ast.FunctionDef):
        return [node]
    value = node.context_expr if isinstance(node, ast.withitem) else node.value
    return [value] if value is not None else []


_KEEPERS: Final = frozenset({"add", "append", "appendleft", "extend", "insert", "put", "setdefault", "update"})


def _handed_out(node: ast.AST) -> Sequence[ast.AST]:
    match node:
        case ast.Return(value=ast.expr() as value):
            return [value]
        case ast.Assign(targets=targets, value=value):
            return [value] if any(isinstance(one, ast.Attribute | ast.Subscript) for one in targets) else []
        case ast.AnnAssign(target=ast.Attribute() | ast.Subscript(), value=ast.expr() as value):
            return [value]
        case ast.Call(func=ast.Attribute(attr=name), args=args) if name in _KEEPERS:
            return args
    return []


def _carries(value: ast.AST, names: Collection[str], makers: Collection[Span], scene: Scene) -> bool:
    """Tell whether a value is an object that belongs to its thread, or holds on to one."""
    match value:
        case ast.Name(id=name):
            return name in names
        case ast.Call(func=func, args=args, keywords=keywords):
            if scene.tree.span(value) in makers:
                return True
            name = last_name(func)
            holds = name[:1].isupper() or name in _LAZY
            given = [*args, *(keyword.value for keyword in keywords)]
            return holds and any(_carries(one, names, makers, scene) for one in given)
        case ast.Attribute() | ast.Subscript() | ast.Compare():
            return False  # what is read from it is a value
        case ast.Lambda() | ast.GeneratorExp() | ast.FunctionDef():
            inside = (node for node in ast.walk(value) if isinstance(node, ast.Call))
            return bool(free(value).intersection(names)) or any(scene.tree.span(node) in makers for node in inside)
    return any(_carries(child, names, makers, scene) for child in ast.iter_child_nodes(value))


_LAZY: Final = frozenset({"enumerate", "filter", "iter", "map", "partial", "reversed", "zip"})
"""Functions that only use what they are given once their result is used."""
