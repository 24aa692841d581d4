"""Stage fix: which findings of a coroutine work on the same object, and where else it is mentioned.

Objects are told apart by the expressions that make them, as far as the coroutine makes them, and by their names else.
Says nothing of what may move.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from loopsafe.fixes.dataflow import NameSet, free, stored
from loopsafe.fixes.places import Around, Place, Tree, children
from loopsafe.model import Bond, Position, RemedyKind, Span

Path = tuple[Around, ...]
"""The suites from a function's body down to a statement, each with the statement's number in it."""


class Tied(NamedTuple):
    """A finding that has a bond."""

    number: int
    """Its place among the findings of the file."""
    code: str
    place: Place
    kind: RemedyKind
    bond: Bond


class Object(NamedTuple):
    """What some findings work on."""

    findings: list[Tied]
    names: set[str]
    """The local names, and dotted expressions, that stand for it."""
    makers: set[Span]

    @property
    def is_thread_bound(self) -> bool:
        return any(one.bond.is_thread_bound for one in self.findings)


class _Part(NamedTuple):
    """What one statement evaluates itself, its inner statements left out."""

    path: Path
    nodes: list[ast.AST]
    names: NameSet
    """The names of the coroutine, and dotted expressions, in it."""
    stored: NameSet

    @property
    def start(self) -> Position:
        statement = suite_of(self.path[-1])[self.path[-1].nth]
        return Position(statement.lineno, statement.col_offset)


class Objects:
    """The objects of one coroutine."""

    def __init__(self, body: list[ast.stmt], around: Around, tree: Tree, local_names: NameSet) -> None:
        """`around` leads to `body`, which is that of the coroutine."""
        self._tree: Final = tree
        self._local_names: Final = local_names
        self._parts: Final = list(_find_parts(body, around, ()))
        self._expressions: Final = {
            tree.span(node): (part, node)
            for part in self._parts
            for one in part.nodes
            for node in ast.walk(one)
            if isinstance(node, ast.Call)
        }
        self._bindings: Final = dict(self._find_bindings())

    def find(self, findings: Sequence[Tied]) -> list[Object]:
        """Group findings: by what makes their object, else by the text that stands for it."""
        objects: list[Object] = []
        for finding in findings:
            makers = set(finding.bond.makers)
            names = {self._bindings[span][0] for span in makers if span in self._bindings}
            receiver = _receiver(finding, self._tree, self._local_names) if finding.bond.is_receiver else None
            if receiver is not None:
                names.add(receiver)
            new = Object([finding], names, makers)
            for other in [one for one in objects if self._is_same(one, new)]:
                objects.remove(other)
                new = Object([*other.findings, *new.findings], other.names | new.names, other.makers | new.makers)
            objects.append(new)
        return self._join_derived(self._join_users(objects))

    def uses(self, one: Object) -> list[Path]:
        """Return the statements that mention an object."""
        return [part.path for part in self._of(one)]

    def _find_bindings(self) -> Iterator[tuple[Span, tuple[str, Position]]]:
        """Yield the expressions whose value gets a local name."""
        for part in self._parts:
            for span, name in find_named((inner for one in part.nodes for inner in ast.walk(one)), self._tree):
                yield span, (name, part.start)

    def _join_users(self, objects: list[Object]) -> list[Object]:
        """Add findings of which only their text tells what they work on: `load(conn)`."""
        known = [one for one in objects if one.names]
        for one in objects:
            if not one.names and not one.makers:
                names = {node.id for node in ast.walk(one.findings[0].place.node) if isinstance(node, ast.Name)}
                match = next((other for other in known if other.names & names), None)
                if match is None:
                    known.append(one)
                else:
                    match.findings.extend(one.findings)
        return [*known, *(one for one in objects if not one.names and one.makers)]

    def _is_same(self, one: Object, other: Object) -> bool:
        if one.makers & other.makers:
            return True
        # without a maker in the coroutine, the name is all there is
        return bool(one.names & other.names) and not (self._is_made(one) and self._is_made(other))

    def _is_made(self, one: Object) -> bool:
        return any(span in self._bindings and self._bindings[span][0] in one.names for span in one.makers)

    def _join_derived(self, objects: list[Object]) -> list[Object]:
        """Put together what is made from one another: `cursor = conn.cursor()`."""
        for one in objects:
            for other in objects:
                if one is not other and any(self._is_made_from(maker, other) for maker in one.makers):
                    joined = Object(
                        [*one.findings, *other.findings], one.names | other.names, one.makers | other.makers
                    )
                    return self._join_derived([joined, *(rest for rest in objects if rest not in (one, other))])
        return objects

    def _is_made_from(self, maker: Span, other: Object) -> bool:
        part, node = self._expressions.get(maker, (None, None))
        return node is not None and bool(_names_in(node) & other.names) and part in self._of(other)

    def _of(self, one: Object) -> list[_Part]:
        """Return the statements that mention an object, and not an earlier or later one of the same name."""
        makers = [self._bindings[span] for span in one.makers if span in self._bindings]
        own = {start for name, start in makers if name in one.names}
        own |= {part.start for part in self._parts if _is_alias(part, one.names)}
        stores = {part.start for part in self._parts if one.names & part.stored and not _gives_constant(part)} | own
        if not own:
            return [part for part in self._parts if one.names & part.names]
        return [
            part
            for part in self._parts
            if one.names & part.names
            and max((start for start in stores if start <= part.start), default=None) in (None, *own)
        ]


def suite_of(step: Around) -> list[ast.stmt]:
    """Return the list of statements that a step leads into."""
    suite: list[ast.stmt] = getattr(step.node, step.field)
    return suite


def path_of(place: Place) -> Path:
    """Return the suites from the body of the coroutine down to the statement that holds an expression."""
    inside = place.inside_coroutine()
    outwards = place.around[: len(inside) + 1]
    return tuple(step for step in reversed(outwards) if _is_suite(step))


def _is_suite(step: Around) -> bool:
    value = getattr(step.node, step.field, None)
    return isinstance(value, list) and bool(value) and isinstance(value[0], ast.stmt)


def _find_parts(suite: list[ast.stmt], step: Around, path: Path) -> Iterator[_Part]:
    for nth, statement in enumerate(suite):
        here = (*path, step._replace(nth=nth))
        nodes: list[ast.AST] = []
        for holder, field, child in _split_statement(statement):
            if isinstance(child, ast.AST):
                nodes.append(child)
            else:
                yield from _find_parts(child, Around(holder, field, 0), here)
        found = stored(nodes)
        yield _Part(here, nodes, found.union(*map(_names_in, nodes)), found)


def _split_statement(statement: ast.stmt) -> Iterator[tuple[ast.AST, str, ast.AST | list[ast.stmt]]]:
    """Yield the inner suites of a compound statement, and whatever else it holds."""
    if not isinstance(statement, _COMPOUND):
        yield statement, "", statement
        return
    pending: list[ast.AST] = [statement]
    while pending:
        node = pending.pop()
        suites = set[str]()
        for field, _, child in children(node):
            if isinstance(child, ast.stmt):
                if field not in suites:
                    suites.add(field)
                    yield node, field, getattr(node, field)
            elif isinstance(child, ast.ExceptHandler | ast.match_case):
                pending.append(child)
            else:
                yield node, field, child


_COMPOUND: Final = (
    ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Match, ast.Try,
    getattr(ast, "TryStar", ast.Try),
)  # fmt: skip


def find_named(nodes: Iterable[ast.AST], tree: Tree) -> Iterator[tuple[Span, str]]:
    """Yield the expressions that get a name among `nodes`, with it."""
    for node in nodes:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                pass
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                pass
            case ast.NamedExpr(target=ast.Name(id=name), value=value):
                pass
            case ast.withitem(context_expr=value, optional_vars=ast.Name(id=name)):
                pass
            case _:
                continue
        for result in _results(value):
            yield tree.span(result), name


def _results(value: ast.expr) -> Iterator[ast.expr]:
    """Yield the expressions whose value `value` may be."""
    yield value
    match value:
        case ast.IfExp(body=one, orelse=other):
            yield from _results(one)
            yield from _results(other)
        case ast.BoolOp(values=values):
            for one in values:
                yield from _results(one)
        case ast.NamedExpr(value=one):
            yield from _results(one)


def _receiver(finding: Tied, tree: Tree, local_names: NameSet) -> str | None:
    """Return the name or dotted text of the object that a finding works on, unless the expression makes it itself."""
    node: ast.expr = finding.place.node
    parent, field, _ = finding.place.parent
    is_itself = isinstance(parent, ast.withitem) or field == "iter"
    if not is_itself and isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        node = node.func.value
    elif not is_itself and isinstance(node, ast.Attribute):
        node = node.value
    makers = set(finding.bond.makers)
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and tree.span(node) in makers:
        if finding.bond.is_own:
            return None
        node = node.func.value
    if isinstance(node, ast.Name):
        return node.id if node.id in local_names and node.id not in ("self", "cls") else None
    return ast.unparse(node) if isinstance(node, ast.Attribute) and _is_dotted(node) else None


def _is_dotted(node: ast.expr) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _is_alias(part: _Part, names: Collection[str]) -> bool:
    match part.nodes:
        case [ast.Assign(targets=[ast.Name(id=name)], value=ast.Name(id=other))]:
            return name in names and other in names
    return False


def _gives_constant(part: _Part) -> bool:
    """Tell whether a statement only says that there is nothing yet: `conn = None`."""
    match part.nodes:
        case [ast.Assign(value=ast.Constant()) | ast.AnnAssign(value=ast.Constant() | None)]:
            return True
    return False


def _names_in(node: ast.AST) -> NameSet:
    dotted = (ast.unparse(one) for one in ast.walk(node) if isinstance(one, ast.Attribute) and _is_dotted(one))
    return free(node).union(dotted)
