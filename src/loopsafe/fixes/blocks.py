"""Stage fix: which statements belong together because they work on one object, and may move as one block.

Takes for each object the smallest run of statements of one suite that holds its findings and every other mention of it;
around what cannot move the run is split. Whether names can come in and go out is not asked here.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from loopsafe.fixes.dataflow import stored
from loopsafe.fixes.endings import always_leaves, has_return, what_follows
from loopsafe.fixes.obstacles import AWAITS, Scene, find_obstacle, is_value, root_name
from loopsafe.fixes.places import Around, Refusal, walk_scope
from loopsafe.fixes.ties import Object, Objects, Path, Tied, path_of, suite_of
from loopsafe.model import CODES, Effect, RemedyKind

_FARTHEST: Final = 5
"""So many statements may move for no other reason than the `return` behind them."""


class Block(NamedTuple):
    """Consecutive statements of one suite."""

    path: Path
    """Down to the suite, with the number of the first statement."""
    last: int
    returns: bool
    """Control leaves the coroutine wherever it leaves the block, so that what the block returns can be handed on."""
    stands_for: str | None = None
    """A name that the coroutine returns next in any case: what the block returns can as well be assigned to it."""
    rest: ast.Return | None = None
    """The `return` that control comes to after the block, in an outer suite: the block takes a copy of it along."""
    loop: ast.For | None = None
    """The loop that comes next and stays: the block gives out what it goes through as well."""

    @property
    def suite(self) -> list[ast.stmt]:
        return suite_of(self.path[-1])

    @property
    def first(self) -> int:
        return self.path[-1].nth

    @property
    def statements(self) -> list[ast.stmt]:
        return self.suite[self.first : self.last + 1]

    def holds(self, path: Path) -> bool:
        """Tell whether the statement at the end of `path` is one of the block's, or within one."""
        depth = len(self.path) - 1
        return (
            len(path) > depth
            and all(one == other for one, other in zip(self.path[:depth], path[:depth], strict=True))
            and path[depth].node is self.path[depth].node
            and path[depth].field == self.path[depth].field
            and self.first <= path[depth].nth <= self.last
        )


class Layout(NamedTuple):
    """What becomes of the tied findings of one coroutine; those of no block are off-loaded alone, if at all."""

    blocks: list[Block]
    refused: dict[int, str]
    """Findings that can only move as part of a block, and why there is none."""


class _Ways(NamedTuple):
    """The statements that have something to do with an object."""

    findings: list[Path]
    uses: list[Path]

    def inside(self, depth: int, numbers: Collection[int]) -> list[_Ways]:
        """Return what lies deeper within the statements of these numbers, if findings do, by suites."""
        groups: dict[tuple[int, str], _Ways] = {}
        for path in self.findings:
            if path[depth].nth in numbers and len(path) > depth + 1:
                groups.setdefault(_suite_key(path[depth + 1]), _Ways([], [])).findings.append(path)
        for path in self.uses:
            if len(path) > depth + 1 and _suite_key(path[depth + 1]) in groups:
                groups[_suite_key(path[depth + 1])].uses.append(path)
        return list(groups.values())


class Planner:
    """Lays out one coroutine."""

    def __init__(self, scene: Scene, findings: Sequence[Tied]) -> None:
        self._scene: Final = scene
        around = Around(scene.function, "body", 0)
        self._objects: Final = Objects(scene.function.body, around, scene.tree, scene.local_names)
        self._findings: Final = findings
        self._paths: Final = {one.number: path_of(one.place) for one in findings}

    def lay_out(self) -> Layout:
        """Return the blocks, outer ones only, and what can be fixed in no other way but is in none."""
        blocks: list[Block] = []
        refused: dict[int, str] = {}
        for one in self._objects.find(self._findings):
            reason = self._try_plan(one, blocks)
            if reason is not None:
                refused.update({finding.number: reason for finding in one.findings})
        return Layout(self._unite(blocks), refused)

    def _try_plan(self, one: Object, blocks: list[Block]) -> str | None:
        """Add the blocks of `one` to `blocks`, or return why there is none."""
        try:
            blocks += self._plan(one)
        except Refusal as refusal:
            return str(refusal)
        return None

    def _plan(self, one: Object) -> list[Block]:
        return self._split(
            _Ways([self._paths[finding.number] for finding in one.findings], self._objects.uses(one)), one
        )

    def _split(self, ways: _Ways, one: Object) -> list[Block]:
        """Return the blocks that hold the findings at the end of `ways`, as far as there are any."""
        path, last = _common_suite([*ways.findings, *ways.uses])
        depth = len(path) - 1
        suite = suite_of(path[-1])
        used = {way[depth].nth for way in (*ways.findings, *ways.uses)}
        found = {nth: find_obstacle(suite[nth], self._scene) for nth in range(path[-1].nth, last + 1)}
        obstacles = {nth: why for nth, why in found.items() if why is not None}
        if one.is_thread_bound and obstacles:
            raise Refusal(f"the uses of its object have to move together, but {min(obstacles.items())[1]}")
        blocks = []
        for start, end in _segments(path[-1].nth, last, obstacles):
            kept = [nth for nth in range(start, end + 1) if nth in used]
            loop = self._find_loop(suite, end + 1, one) if kept else None
            if loop is not None and not any(map(has_return, suite[kept[0] : end + 1])):
                blocks += self._worth(Block((*path[:-1], path[-1]._replace(nth=kept[0])), end, False, loop=loop), one)
            elif kept:
                blocks += self._settle(path, kept[0], kept[-1], end, ways, one)
        self._require_split(suite, obstacles, one)
        for inner in ways.inside(depth, obstacles):
            blocks += self._split(inner, one)
        return blocks

    def _find_loop(self, suite: list[ast.stmt], nth: int, one: Object) -> ast.For | None:
        """Return the loop at a place if a call on the object gives what it goes through."""
        match suite[nth : nth + 1]:
            case [ast.For(iter=ast.Call(lineno=row, end_lineno=end) as value) as loop] if row == end == loop.lineno:
                is_found = any(finding.place.node is value and _is_of_unit(finding) for finding in one.findings)
                return loop if is_found else None
        return None

    def _require_split(self, suite: list[ast.stmt], obstacles: Mapping[int, str], one: Object) -> None:
        """Refuse to tear a `with` block from the object that it opens, unless there is an `await` in it."""
        for nth, reason in obstacles.items():
            if reason != AWAITS and self._opens(suite[nth], one):
                raise Refusal(f"the `with` block has to move to the thread as a whole, but {reason}")

    def _opens(self, statement: ast.stmt, one: Object) -> bool:
        items = statement.items if isinstance(statement, ast.With) else []
        return any(self._scene.tree.span(item.context_expr) in one.makers for item in items)

    def _settle(self, path: Path, first: int, last: int, limit: int, ways: _Ways, one: Object) -> list[Block]:
        """Return the blocks of a run in which nothing is in the way but, perhaps, a `return`."""
        suite = suite_of(path[-1])
        start = (*path[:-1], path[-1]._replace(nth=first))
        leaving = [nth for nth in range(first, last + 1) if has_return(suite[nth])]
        if not leaving:
            is_returned = last + 1 < len(suite) and self._hands_on(suite[first : last + 1], suite[last + 1])
            return self._worth(Block(start, last + is_returned, is_returned), one)
        for end in range(last, min(self._reach(path, limit), last + _FARTHEST) + 1):
            block = self._close(start, end)
            if block is not None:
                return self._worth(block, one)
        if one.is_thread_bound:
            raise Refusal("the uses of its object have to move together, but a `return` is among them")
        blocks = []
        self._require_split(suite, dict.fromkeys(leaving, "a `return` leaves it"), one)
        depth = len(path) - 1
        used = {way[depth].nth for way in (*ways.findings, *ways.uses)}
        for begin, end in _segments(first, last, leaving):
            kept = [nth for nth in range(begin, end + 1) if nth in used]
            if kept:
                blocks += self._worth(Block((*path[:-1], path[-1]._replace(nth=kept[0])), kept[-1], False), one)
        for inner in ways.inside(depth, leaving):
            blocks += self._split(inner, one)
        return blocks

    def _close(self, start: Path, end: int) -> Block | None:
        """Return the block up to `end` if its `return`s can be handed on."""
        suite = suite_of(start[-1])
        statements = suite[start[-1].nth : end + 1]
        if self._scene.is_generator:
            return None
        if always_leaves(statements):
            return Block(start, end, True)
        following = what_follows(start) if end == len(suite) - 1 else None
        if following is None:
            return None
        if not following:
            return Block(start, end, True)
        match following[0]:
            case ast.Return(value=ast.Name(id=name)) if name in stored(statements):
                return Block(start, end, False, name)
            case ast.Return(value=value) as rest if value is None or is_value(value, self._scene):
                return Block(start, end, True, rest=rest)
        return None

    def _hands_on(self, statements: list[ast.stmt], following: ast.stmt) -> bool:
        """Tell whether the coroutine returns nothing but what `statements` have assigned, directly after them."""
        match following:
            case ast.Return(value=ast.Name(id=name)):
                return not self._scene.is_generator and name in stored(statements)
        return False

    def _reach(self, path: Path, limit: int) -> int:
        """Return how far a run may be drawn out to take in the `return` at its end."""
        suite = suite_of(path[-1])
        while limit + 1 < len(suite) and find_obstacle(suite[limit + 1], self._scene) is None:
            limit += 1
        return limit

    def _worth(self, block: Block, one: Object) -> list[Block]:
        """Leave out a block of calls that can as well be off-loaded where they stand, one by one."""
        inside = [finding for finding in one.findings if block.holds(self._paths[finding.number])]
        inside += [finding for finding in one.findings if block.loop and finding.place.node is block.loop.iter]
        is_unit = len(inside) > 1 and (any(map(_is_of_unit, inside)) or all(one.bond.is_own for one in inside))
        if is_unit or any(not _is_single(finding, block) for finding in inside):
            return [block]
        return [block] if any(self._is_worked_on(finding, block, one) for finding in inside) else []

    def _is_worked_on(self, finding: Tied, block: Block, one: Object) -> bool:
        """Tell whether a file that is opened is then given to some function, which will read or write it there."""
        if finding.code not in CODES[Effect.FILE] or self._scene.tree.span(finding.place.node) not in one.makers:
            return False
        for node in walk_scope(block.statements):
            if isinstance(node, ast.Call) and root_name(node.func) not in self._scene.local_names:
                given = [*node.args, *(keyword.value for keyword in node.keywords)]
                names = {value.id for value in given if isinstance(value, ast.Name)}
                if finding.place.node in given or names & one.names:
                    return True
        return False

    def _unite(self, blocks: list[Block]) -> list[Block]:
        """Let an outer block stand for those within it, and one for two that overlap."""
        kept: list[Block] = []
        for block in sorted(blocks, key=lambda one: (len(one.path), one.suite[one.first].lineno)):
            for number, other in enumerate(kept):
                if other.holds(block.path) and (len(other.path) < len(block.path) or block.last <= other.last):
                    break
                if other.holds(block.path):
                    kept[number] = block._replace(path=other.path, returns=other.returns or block.returns)
                    break
            else:
                kept.append(block)
        return kept


def _is_of_unit(finding: Tied) -> bool:
    """Tell whether a call is one step of several that are meant as one: a transaction, the reading of a file."""
    return finding.code in (*CODES[Effect.DATABASE], *CODES[Effect.FILE])


def _is_single(finding: Tied, block: Block) -> bool:
    """Tell whether a finding may be off-loaded alone, as far as the block around it goes."""
    parent, field, _ = finding.place.parent
    if finding.kind is not RemedyKind.OFFLOAD or finding.bond.is_thread_bound:
        return False
    if isinstance(parent, ast.withitem) and field == "context_expr":
        return False
    return not (_is_of_unit(finding) and any(isinstance(one, ast.With) for one in block.statements))


def _suite_key(step: Around) -> tuple[int, str]:
    return id(step.node), step.field


def _common_suite(paths: list[Path]) -> tuple[Path, int]:
    """Return the path to the innermost suite that holds all `paths`, its first statement of theirs, and the last."""
    depth = 0
    while all(len(path) > depth + 1 for path in paths):
        if len({path[depth].nth for path in paths}) > 1:
            break
        if len({_suite_key(path[depth + 1]) for path in paths}) > 1:
            break
        depth += 1
    numbers = [path[depth].nth for path in paths]
    return (*paths[0][:depth], paths[0][depth]._replace(nth=min(numbers))), max(numbers)


def _segments(first: int, last: int, obstacles: Collection[int]) -> Iterator[tuple[int, int]]:
    """Yield the runs of numbers from `first` to `last` between the obstacles."""
    start = first
    for nth in range(first, last + 2):
        if nth > last or nth in obstacles:
            if start < nth:
                yield start, nth - 1
            start = nth + 1
