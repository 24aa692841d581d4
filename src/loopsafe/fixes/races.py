"""Stage fix, judgement: where another task may get in between a look at shared state and its change.

A guess by text, on the careful side: it only ever makes a fix unsafe.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from loopsafe.fixes.places import Around, Function, Place, walk_scope

_MUTATORS: Final = frozenset(
    {"add", "append", "appendleft", "clear", "discard", "extend", "insert", "pop", "popleft", "popitem",
     "remove", "setdefault", "update"}
)  # fmt: skip
_MISSES: Final = frozenset({"KeyError", "AttributeError", "IndexError", "LookupError"})
_LEAVES: Final = (ast.Return, ast.Raise, ast.Continue, ast.Break)


class History:
    """What one coroutine assigns and changes, read once for all its findings."""

    def __init__(self, function: Function) -> None:
        self.origins: dict[str, list[tuple[int, ast.expr]]] = {}
        """Local names, with the rows and values of their assignments."""
        self.changes: dict[str, int] = {}
        """Places that other tasks may see, spelled as in the source, with the last row that changes them."""
        outer, rebound = set[str](), dict[str, int]()
        for node in walk_scope(function.body):
            row: int = getattr(node, "end_lineno", 0)
            match node:
                case ast.Global(names=names) | ast.Nonlocal(names=names):
                    outer.update(names)
                case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                    rebound[name] = max(row, rebound.get(name, 0))
                case ast.Assign(targets=targets, value=value):
                    for name in [one.id for one in targets if isinstance(one, ast.Name)]:
                        self.origins.setdefault(name, []).append((node.lineno, value))
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                    self.origins.setdefault(name, []).append((node.lineno, value))
            place = _changed(node)
            if place is not None:
                self.changes[place] = max(row, self.changes.get(place, 0))
        self.fresh: frozenset[str] = frozenset(
            name for name, values in self.origins.items() if any(_is_fresh(value) for _, value in values)
        )
        """Containers of the coroutine's own."""
        for name in self.fresh:
            self.changes.pop(name, None)
        for name in outer & rebound.keys():
            self.changes[name] = max(rebound[name], self.changes.get(name, 0))
        self._leaving: dict[int, list[tuple[int, ast.expr]]] = {}

    def leaving(self, block: list[ast.stmt]) -> list[tuple[int, ast.expr]]:
        """Return the tests of a suite on which its end depends, each with its place in it."""
        known = self._leaving.get(id(block))
        if known is None:
            known = self._leaving[id(block)] = [
                (index, one.test)
                for index, one in enumerate(block)
                if isinstance(one, ast.If)
                and any(isinstance(body[-1], _LEAVES) for body in (one.body, one.orelse) if body)
            ]
        return known


def find_races(place: Place, histories: dict[Function, History], changes: Collection[str] = ()) -> Iterator[str]:
    """Yield what another task could do while the call at `place` is awaited; fill `histories` on the way.

    `changes` names the attributes and variables that the call itself changes.
    """
    function = next((one for one, _ in place.functions()), None)
    if function is None:
        return
    steps = place.inside_coroutine()
    statement = next((step.node for step in steps if isinstance(step.node, ast.stmt)), None)
    if statement is not None and _reads_its_target(statement):
        yield "the target is read before the await and written after it"
    if function not in histories:
        histories[function] = History(function)
    history = histories[function]
    looks = _looks(place, function, history)
    seen = _mentions([*looks, *_origins(looks, history, place.node.lineno)])
    row = place.node.lineno if statement is None else statement.lineno
    if any(history.changes.get(one, 0) >= row or one.rpartition(".")[2] in changes for one in seen):
        yield "what was checked before the await may have changed after it"


def _reads_its_target(statement: ast.AST) -> bool:
    match statement:
        case ast.Assign(targets=targets, value=value):
            pass
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            targets = [target]
        case _:
            return False
    shared = [ast.unparse(one) for one in targets if isinstance(one, ast.Attribute | ast.Subscript)]
    if not shared:
        return False
    read = {ast.unparse(one) for one in ast.walk(value) if isinstance(one, ast.Attribute | ast.Subscript)}
    return any(one in read for one in shared)


def _looks(place: Place, function: Function, history: History) -> list[ast.AST]:
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
            looks += [test for index, test in history.leaving(block) if index < step.nth]
    return looks


def _origins(looks: list[ast.AST], history: History, row: int) -> list[ast.AST]:
    """Return what the local names in `looks` were assigned from: `v = cache.get(k)` before `if v is None`."""
    names = {one.id for look in looks for one in ast.walk(look) if isinstance(one, ast.Name)}
    return [value for name in names for at, value in history.origins.get(name, []) if at < row]


def _mentions(looks: Iterable[ast.AST]) -> set[str]:
    return {ast.unparse(one) for look in looks for one in ast.walk(look) if isinstance(one, ast.Name | ast.Attribute)}


def _changed(node: ast.AST) -> str | None:
    """Return the attribute or container that `node` itself changes."""
    match node:
        case ast.Attribute(ctx=ast.Store() | ast.Del()):
            return ast.unparse(node)
        case ast.Subscript(ctx=ast.Store() | ast.Del(), value=container):
            return ast.unparse(container)
        case ast.Call(func=ast.Attribute(value=container, attr=name)) if name in _MUTATORS:
            return ast.unparse(container)
    return None


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
