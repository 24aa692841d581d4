"""Stage fix: which names a statement of a function may still need, and which are sure to have a value.

Works on `ast` alone, within one function, backwards: a name is *live* where some way onwards reads it before it is
assigned. Where the answer is not sure a name counts as live, and as perhaps without a value.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from loopsafe.fixes.places import Comprehension, Function, Try, last_name

NameSet = frozenset[str]
NOTHING: Final[NameSet] = frozenset()
_SWALLOWING: Final = re.compile(r"suppress|ignor|swallow|catch|raises", re.IGNORECASE)


class _Exits(NamedTuple):
    """What is live where control goes when it leaves a statement other than by its end."""

    raised: NameSet = NOTHING
    returned: NameSet = NOTHING
    broken: NameSet = NOTHING
    continued: NameSet = NOTHING


class Liveness:
    """The live names of one function, read once for all its blocks."""

    def __init__(self, function: Function) -> None:
        self.before: Final[dict[ast.stmt, NameSet]] = {}
        self.after: Final[dict[ast.stmt, NameSet]] = {}
        self.caught: Final[dict[ast.stmt, NameSet]] = {}
        """What is live where an exception goes that leaves the statement."""
        self._block(function.body, NOTHING, _Exits())

    def _block(self, body: Sequence[ast.stmt], after: NameSet, exits: _Exits) -> NameSet:
        for statement in reversed(body):
            self.after[statement] = after
            self.caught[statement] = exits.raised
            after = self.before[statement] = self._statement(statement, after, exits) | exits.raised
        return after

    def _statement(self, node: ast.stmt, after: NameSet, exits: _Exits) -> NameSet:
        match node:
            case ast.Return(value=value):
                return live(value, exits.returned)
            case ast.Raise(exc=exc, cause=cause):
                return live(exc, live(cause, exits.raised))
            case ast.Break():
                return exits.broken
            case ast.Continue():
                return exits.continued
            case ast.If(test=test, body=body, orelse=orelse):
                return live(test, self._block(body, after, exits) | self._block(orelse, after, exits))
            case ast.While() | ast.For() | ast.AsyncFor():
                return self._loop(node, after, exits)
            case ast.With(items=items, body=body) | ast.AsyncWith(items=items, body=body):
                raised = exits.raised | after if any(map(is_swallowing, items)) else exits.raised
                inside = self._block(body, after, exits._replace(raised=raised))
                for item in reversed(items):
                    inside = live(item.context_expr, live(item.optional_vars, inside))
                return inside
            case ast.Match(subject=subject, cases=cases):
                return live(subject, after.union(*(self._case(case, after, exits) for case in cases)))
        if isinstance(node, Try):
            return self._try(node, after, exits)
        return live(node, after)

    def _case(self, case: ast.match_case, after: NameSet, exits: _Exits) -> NameSet:
        inside = live(case.guard, self._block(case.body, after, exits))
        return live(case.pattern, inside - stored([case.pattern]))

    def _loop(self, node: ast.While | ast.For | ast.AsyncFor, after: NameSet, exits: _Exits) -> NameSet:
        head, known = NOTHING, None
        otherwise = self._block(node.orelse, after, exits)
        while head != known:
            known = head
            inner = exits._replace(broken=after, continued=head)
            if isinstance(node, ast.While):
                head = live(node.test, self._block(node.body, head, inner) | otherwise)
            else:
                head = live(node.target, self._block(node.body, head, inner)) | otherwise
        return head if isinstance(node, ast.While) else live(node.iter, head)

    def _try(self, node: Try, after: NameSet, exits: _Exits) -> NameSet:
        if node.finalbody:
            ways = [self._block(node.finalbody, way, exits) for way in (after, *exits)]
            self._block(node.finalbody, after.union(*exits), exits)  # what is kept of it holds for all ways
            after, exits = ways[0], _Exits(*ways[1:])
        handled = exits.raised
        for handler in node.handlers:
            inside = self._block(handler.body, after, exits)
            handled |= live(handler.type, inside - {handler.name or ""})
        otherwise = self._block(node.orelse, after, exits)
        return self._block(node.body, otherwise, exits._replace(raised=handled))


def live(node: ast.AST | None, after: NameSet) -> NameSet:
    """Return the names that are live before `node`, an expression or simple statement, is evaluated."""
    match node:
        case None:
            return after
        case ast.Name(id=name, ctx=ast.Store()):
            return after - {name}
        case ast.Name(id=name):
            return after | {name}
        case ast.NamedExpr(target=target, value=value):
            return live(value, live(target, after))
        case ast.BoolOp(values=[first, *others]):
            rest = after
            for one in reversed(others):
                rest = live(one, rest) | after
            return live(first, rest)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return live(test, live(body, after) | live(orelse, after))
        case ast.AugAssign(target=target, value=value):
            return live(value, _as_read(target, live(target, after)))
        case ast.Assign(targets=[*targets], value=value):
            for one in targets:
                after = live(one, after)
            return live(value, after)
        case ast.AnnAssign(target=one, annotation=annotation, value=ast.expr() as value):
            return live(annotation, live(value, live(one, after)))
        case ast.AnnAssign(target=ast.Name(), annotation=annotation):
            return live(annotation, after)
    if isinstance(node, Comprehension | Function | ast.Lambda | ast.ClassDef):
        return (after - _definitely(node)) | free(node)
    if isinstance(node, ast.Import | ast.ImportFrom):
        return after - stored([node])
    for child in reversed(list(ast.iter_child_nodes(node))):
        after = live(child, after)
    return after


def _as_read(target: ast.expr, after: NameSet) -> NameSet:
    return after | {target.id} if isinstance(target, ast.Name) else after


def is_swallowing(item: ast.withitem) -> bool:
    """Tell, by its name, whether a context manager keeps exceptions from leaving its block."""
    return _SWALLOWING.search(last_name(item.context_expr)) is not None


def free(node: ast.AST) -> NameSet:
    """Return the names that `node` takes from around it."""
    match node:
        case ast.Name(id=name, ctx=ast.Load() | ast.Del()):
            return frozenset({name})
        case ast.Lambda(args=args, body=body):
            return _free_defaults(args) | (free(body) - _parameters(args))
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            outer = {name for one in ast.walk(node) for name in _declared(one)}
            inside = NOTHING.union(*map(free, node.body)) - ((_parameters(node.args) | stored(node.body)) - outer)
            around = [*node.decorator_list, *([node.returns] if node.returns else [])]
            return inside.union(_free_defaults(node.args), outer, *map(free, around))
    if isinstance(node, Comprehension):
        inside = NOTHING.union(*(free(child) for child in ast.iter_child_nodes(node)))
        return (inside - stored(one.target for one in node.generators)) | free(node.generators[0].iter)
    names = NOTHING.union(*(free(child) for child in ast.iter_child_nodes(node)))
    return names | _as_read(node.target, NOTHING) if isinstance(node, ast.AugAssign) else names


def stored(nodes: Iterable[ast.AST]) -> NameSet:
    """Return the names of the scope that `nodes` give a value, or take it from."""
    names = set[str]()
    pending: list[tuple[ast.AST, bool]] = [(node, False) for node in nodes]
    while pending:
        node, is_inner = pending.pop()
        names.update(_stored_by(node, is_inner))
        if isinstance(node, Function | ast.Lambda | ast.ClassDef):
            pending += [(child, is_inner) for child in _evaluated_outside(node)]
            continue
        is_inner = is_inner or isinstance(node, Comprehension)
        pending += [(child, is_inner) for child in ast.iter_child_nodes(node)]
    return frozenset(names)


def _stored_by(node: ast.AST, is_inner: bool) -> list[str]:
    """Return what `node` itself stores; within a comprehension only `:=` reaches the scope around it."""
    match node:
        case ast.NamedExpr(target=ast.Name(id=name)):
            return [name]
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()) if not is_inner:
            return [name]
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            return [name]
        case ast.MatchMapping(rest=str(name)):
            return [name]
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            return [alias.asname or alias.name.partition(".")[0] for alias in aliases]
    return []


def assigned_surely(body: Sequence[ast.stmt]) -> NameSet | None:
    """Return the names that have a value whenever control reaches the end of `body`; None if it never does."""
    names = NOTHING
    for statement in body:
        added = _sure(statement)
        if added is None:
            return None
        names = (names - _deleted(statement)) | added
    return names


def _sure(node: ast.stmt) -> NameSet | None:
    match node:
        case ast.Return() | ast.Raise() | ast.Break() | ast.Continue():
            return None
        case ast.If(body=body, orelse=orelse):
            return _meet([assigned_surely(body), assigned_surely(orelse)])
        case ast.With(items=items, body=body) | ast.AsyncWith(items=items, body=body):
            return _add(stored(one.optional_vars for one in items if one.optional_vars), assigned_surely(body))
        case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=finalbody):
            ends = [assigned_surely([*body, *orelse]), *(assigned_surely(one.body) for one in handlers)]
            return _add(assigned_surely(finalbody), _meet(ends))
        case ast.For() | ast.AsyncFor() | ast.While() | ast.Match() | ast.Delete():
            return NOTHING
    return _definitely(node)


def _definitely(node: ast.AST) -> NameSet:
    """Return what a simple statement, or a definition, stores for certain."""
    match node:
        case ast.Assign(targets=targets):
            return stored(targets)
        case ast.AnnAssign(target=target, value=value):
            return stored([target]) if value is not None else NOTHING
        case ast.AugAssign(target=target):
            return stored([target])
        case ast.Import() | ast.ImportFrom():
            return stored([node])
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return frozenset({name})
    return NOTHING


def _deleted(node: ast.stmt) -> NameSet:
    return frozenset(one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Del))


def _meet(ends: Sequence[NameSet | None]) -> NameSet | None:
    reached = [names for names in ends if names is not None]
    return frozenset.intersection(*reached) if reached else None


def _add(one: NameSet | None, other: NameSet | None) -> NameSet | None:
    return None if one is None or other is None else one | other


def _parameters(args: ast.arguments) -> NameSet:
    return frozenset(one.arg for one in ast.walk(args) if isinstance(one, ast.arg))


def _free_defaults(args: ast.arguments) -> NameSet:
    defaults = [*args.defaults, *(one for one in args.kw_defaults if one is not None)]
    annotations = [one.annotation for one in ast.walk(args) if isinstance(one, ast.arg) and one.annotation]
    return NOTHING.union(*map(free, [*defaults, *annotations]))


def _declared(node: ast.AST) -> list[str]:
    return node.names if isinstance(node, ast.Global | ast.Nonlocal) else []


def _evaluated_outside(node: Function | ast.Lambda | ast.ClassDef) -> list[ast.AST]:
    if isinstance(node, ast.ClassDef):
        return [*node.decorator_list, *node.bases, *node.keywords]
    defaults = [*node.args.defaults, *(one for one in node.args.kw_defaults if one is not None)]
    return [*defaults] if isinstance(node, ast.Lambda) else [*node.decorator_list, *defaults]
