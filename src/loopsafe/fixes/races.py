"""Stage fix, judgement: where another task may get in between a look at shared state and its change.

A guess by text, on the careful side: it only ever makes a fix unsafe.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import Final

from loopsafe.fixes.places import Around, Function, Place, walk_scope

_MUTATORS: Final = frozenset(
    {"add", "append", "appendleft", "clear", "discard", "extend", "insert", "pop", "popleft", "popitem",
     "remove", "setdefault", "update"}
)  # fmt: skip
_MISSES: Final = frozenset({"KeyError", "AttributeError", "IndexError", "LookupError"})
_LEAVES: Final = (ast.Return, ast.Raise, ast.Continue, ast.Break)


def find_races(place: Place) -> Iterator[str]:
    """Yield what another task could do while the call at `place` is awaited."""
    function = next((one for one, _ in place.functions()), None)
    if function is None:
        return
    steps = place.inside_coroutine()
    statement = next((step.node for step in steps if isinstance(step.node, ast.stmt)), None)
    if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        read = {ast.unparse(one) for one in ast.walk(statement.value) if isinstance(one, ast.Attribute | ast.Subscript)}
        if any(ast.unparse(one) in read for one in targets if isinstance(one, ast.Attribute | ast.Subscript)):
            yield "the target is read before the await and written after it"
    seen = _mentions(_looks(place, function))
    row = place.node.lineno if statement is None else statement.lineno
    if seen and seen & _changes(function, row):
        yield "what was checked before the await may have changed after it"


def _looks(place: Place, function: Function) -> list[ast.AST]:
    """Return the expressions that decide whether the call is reached."""
    looks: list[ast.AST] = []
    steps = (
        *place.inside_coroutine(),
        Around(function, "body", next(index for _, index in place.functions())),
    )
    caught = False
    for step in steps:
        if isinstance(step.node, ast.If | ast.While | ast.IfExp) and step.field in ("body", "orelse"):
            looks.append(step.node.test)
        if isinstance(step.node, ast.ExceptHandler) and step.field == "body":
            caught = bool(_names(step.node.type) & _MISSES)
        elif step.field == "handlers" and caught:
            looks += step.node.body if isinstance(step.node, ast.Try) else []
        block = getattr(step.node, step.field, None)
        if isinstance(block, list):
            looks += [
                one.test
                for one in block[: step.nth]
                if isinstance(one, ast.If)
                and any(isinstance(body[-1], _LEAVES) for body in (one.body, one.orelse) if body)
            ]
    return [*looks, *_origins(looks, function, place.node.lineno)]


def _origins(looks: list[ast.AST], function: Function, row: int) -> list[ast.AST]:
    """Return what the local names in `looks` were assigned from: `v = cache.get(k)` before `if v is None`."""
    names = {one.id for look in looks for one in ast.walk(look) if isinstance(one, ast.Name)}
    return [
        node.value
        for node in walk_scope(function.body)
        if isinstance(node, ast.Assign)
        and node.lineno < row
        and any(isinstance(target, ast.Name) and target.id in names for target in node.targets)
    ]


def _mentions(looks: Iterable[ast.AST]) -> set[str]:
    return {ast.unparse(one) for look in looks for one in ast.walk(look) if isinstance(one, ast.Name | ast.Attribute)}


def _changes(function: Function, row: int) -> set[str]:
    """Return the shared places that the coroutine changes from `row` on, spelled as in the source."""
    fresh, outer, changed = set[str](), set[str](), set[str]()
    for node in walk_scope(function.body):
        match node:
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                outer.update(names)
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if _is_fresh(value):
                fresh.add(name)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if _is_fresh(value):
                fresh.add(name)
    for node in walk_scope(function.body):
        if getattr(node, "end_lineno", 0) < row:
            continue
        match node:
            case ast.Attribute(ctx=ast.Store() | ast.Del()):
                changed.add(ast.unparse(node))
            case ast.Subscript(ctx=ast.Store() | ast.Del(), value=container):
                changed.add(ast.unparse(container))
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()) if name in outer:
                changed.add(name)
            case ast.Call(func=ast.Attribute(value=container, attr=name)) if name in _MUTATORS:
                changed.add(ast.unparse(container))
    return changed - fresh


def _is_fresh(value: ast.expr) -> bool:
    """Tell whether `value` makes a container that no other task can have."""
    if isinstance(value, ast.Call):
        return bool(_names(value.func) & {"dict", "list", "set", "defaultdict", "deque", "OrderedDict", "Counter"})
    return isinstance(value, ast.Dict | ast.List | ast.Set | ast.ListComp | ast.SetComp | ast.DictComp)


def _names(node: ast.expr | None) -> set[str]:
    """Return the last identifiers of a name, or of each name in a tuple."""
    match node:
        case ast.Tuple(elts=elements):
            return set[str]().union(*map(_names, elements))
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return {name}
    return set()
