"""Whether the runs of event loops that share an object come one after the other.

Stage: propagate. A run of which nothing says that it comes again is taken to be the only one: programs have one, under
`__main__`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from loopsafe.catalog import RoleKind
from loopsafe.project.conditions import is_in, side
from loopsafe.project.decorators import has_role, role_of
from loopsafe.project.entities import Code, Module
from loopsafe.project.origins import Life, Origins, Scene, Thing
from loopsafe.project.runs import LoopRun, Place
from loopsafe.project.values import Function
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference

_ENTRIES: Final = frozenset({"main", "cli", "run", "start", "serve", "app", "execute", "launch", "entrypoint"})
"""Functions of these names, if nobody calls them, are where a program begins, once."""
_ENTRY_STARTS: Final = ("test", "main_", "run_", "cmd_", "start_", "do_")
_MOST_PLACES: Final = 200
"""A run that is reached from more places than this belongs to a library of its own; the first ones tell enough."""
_ANY_TIME: Final = "nothing in the project calls the function that starts the loop, so others may, more than once"


class Again(NamedTuple):
    """Why there is more than one run."""

    runs: tuple[LoopRun, ...]
    """One that comes more than once, or two."""
    doubt: str | None = None


class Repetition:
    """Answers `again(thing, runs)`."""

    def __init__(self, inference: Inference, origins: Origins) -> None:
        self._inference: Final = inference
        self._origins: Final = origins
        self._outside: Final[dict[Code, str | None]] = {}

    def again(self, thing: Thing, runs: Collection[LoopRun]) -> Again | None:
        """Whether of the runs that use an object one comes after another while the object lives."""
        loops: dict[Place, LoopRun] = {}
        for run in runs:
            loops.setdefault(Place(run.frame.code, run.loop), run)
        distinct = list(loops.values())
        match thing.life:
            case Life.CALL:
                return self._in_functions(distinct, {run: {run.place: thing.ref} for run in distinct})
            case Life.OBJECT:
                return self._on_object(distinct)
        return self._in_process(distinct, thing.frame.code)

    def _in_process(self, runs: list[LoopRun], code: Code) -> Again | None:
        ways = {run: dict.fromkeys(self._ways(run.place), ir.UNKNOWN) for run in runs}
        again = self._in_functions(runs, ways)
        if again is None:  # a script that is run again makes anew what it makes itself
            others = {run: {place: ref for place, ref in ways[run].items() if place.code is not code} for run in runs}
            again = self._from_outside(runs, others)
        return again

    def _on_object(self, runs: list[LoopRun]) -> Again | None:
        """Runs in methods of one object: what counts is how often these are called on it."""
        ways: dict[LoopRun, dict[Place, ir.Ref]] = {}
        found: Again | None = None
        for run in runs:
            own = {run.place: ir.UNKNOWN}
            by_object: dict[Thing, dict[Place, ir.Ref]] = {}
            for place, receiver in self._calls_on_objects(run.frame.code):
                if receiver is None:
                    own[place] = ir.UNKNOWN
                else:
                    by_object.setdefault(receiver, {})[place] = receiver.ref
            ways[run] = own
            for places in by_object.values():
                found = found or self._in_functions([run], {run: places})
        return self._in_functions(runs, ways) or found or self._from_outside(runs, ways)

    def _calls_on_objects(self, code: Code) -> Iterator[tuple[Place, Thing | None]]:
        """The calls of a method; with the object if they are made on one, without if it is the caller's own."""
        for module, scope, ref in self._inference.callers.calls_of(code):
            caller = module.code(scope)
            frame = self._inference.generic_frame(caller)
            node = caller.scope.nodes[ref]
            func = caller.scope.nodes[node.func] if isinstance(node, ir.Call) and node.func >= 0 else None
            receiver = func.value if isinstance(func, ir.Attr) else ir.UNKNOWN
            if receiver >= 0 and caller.scope.nodes[receiver] == ir.Param(0) and caller.parent is code.parent:
                yield Place(caller, ref), None
            else:
                thing = self._origins.thing(Scene(frame, Life.CALL), receiver)
                if thing is not None and thing.frame is frame:
                    yield Place(caller, ref), thing._replace(given=())

    def _in_functions(self, runs: list[LoopRun], ways: dict[LoopRun, dict[Place, ir.Ref]]) -> Again | None:
        """Whether one function leads to two runs, or to one in a loop; places come with what makes the object there."""
        by_code: dict[Code, list[tuple[Place, LoopRun]]] = {}
        for run in runs:
            for place, maker in ways[run].items():
                scope = place.code.scope
                if _is_in_loop(scope, place.ref, maker):
                    return Again((run,))
                for other, first in by_code.get(place.code, ()):
                    if other.ref != place.ref and not is_exclusive(scope, other.ref, place.ref):
                        return Again((first,) if first == run else (first, run))
                by_code.setdefault(place.code, []).append((place, run))
        return None

    def _from_outside(self, runs: list[LoopRun], ways: dict[LoopRun, dict[Place, ir.Ref]]) -> Again | None:
        """Whether others than the project call the functions that lead to a run."""
        doubtful = None
        for run in runs:
            for place in ways[run]:
                doubt = self._called_again(place.code)
                if doubt == "":
                    return Again((run,))
                if doubt is not None and doubtful is None:
                    doubtful = Again((run,), doubt)
        return doubtful

    def _ways(self, place: Place) -> list[Place]:
        """A place, and the calls in synchronous code that lead to it."""
        found = {place: None}
        pending = [place]
        while pending and len(found) < _MOST_PLACES:
            code = pending.pop(0).code
            if code.scope.kind == ir.ScopeKind.FUNCTION:
                for module, scope, ref in self._inference.callers.calls_of(code):
                    other = Place(module.code(scope), ref)
                    if other not in found and not other.code.scope.is_async:
                        found[other] = None
                        pending.append(other)
        return list(found)

    def _called_again(self, code: Code) -> str | None:
        """Whether others than the project call a function again: empty if they surely do, else why they may."""
        if code not in self._outside:
            self._outside[code] = self._find_called_again(code)
        return self._outside[code]

    def _find_called_again(self, code: Code) -> str | None:
        scope = code.scope
        if scope.kind == ir.ScopeKind.MODULE:
            return "" if self._is_rerun(code.module) else None
        if scope.kind != ir.ScopeKind.FUNCTION:
            return None
        if has_role(self._inference, code, RoleKind.ROUTE) or has_role(self._inference, code, RoleKind.TASK):
            return ""
        handed = list(self._handed_over(code))
        if handed:
            return "" if any(handed) else None
        is_top = code.parent.scope.kind in (ir.ScopeKind.CLASS, ir.ScopeKind.MODULE)
        if not is_top or code.maker.decorators or self._inference.callers.calls_of(code):
            return None
        name = scope.name.strip("_")
        is_entry = name in _ENTRIES or name.startswith(_ENTRY_STARTS) or scope.name.startswith("__")
        return None if is_entry else _ANY_TIME

    def _is_rerun(self, module: Module) -> bool:
        """Whether a framework runs the module as a script, once for each thing that a user does."""
        roles = (self._inference.catalog.role(name) for name in module.summary.imports) if module.summary else ()
        return any(role is not None and role.role is RoleKind.RERUNS for role in roles)

    def _handed_over(self, code: Code) -> Iterator[bool]:
        """For each place where its module gives a function to others, whether they call it again and again."""
        for index, scope in enumerate(code.module.scopes):
            for ref, node in scope.each_call():
                for keyword, given in (*(("", one) for one in node.args), *node.keywords):
                    if self._is_function(code.module.code(index), given, code):
                        is_callback = (keyword or "").startswith("on_")
                        yield is_callback or (
                            _is_in_loop(scope, ref, ir.UNKNOWN) and self._is_offloaded(code.module.code(index), node)
                        )

    def _is_offloaded(self, code: Code, node: ir.Call) -> bool:
        """Whether a call runs what it is given in another thread."""
        callees = self._inference.value(self._inference.generic_frame(code), node.func)
        return any(role_of(self._inference, callee) is RoleKind.OFFLOADER for callee in callees)

    def _is_function(self, code: Code, ref: ir.Ref, function: Code) -> bool:
        node = code.scope.nodes[ref] if ref >= 0 else None
        is_named = isinstance(node, ir.MakeFunction) and node.scope == function.index
        if not is_named and getattr(node, "name", None) != function.scope.name:
            return False
        values = self._inference.value(self._inference.generic_frame(code), ref)
        return any(isinstance(value, Function) and value.code is function for value in values)


def _is_in_loop(scope: ir.Scope, ref: ir.Ref, maker: ir.Ref) -> bool:
    """Whether a node is evaluated again and again, without the maker."""
    return any(
        (block.head < 0 or isinstance(scope.nodes[block.head], ir.Next))
        and is_in(ref, (block.body,))
        and not is_in(maker, (block.body,))
        for block in scope.blocks
    )


def is_exclusive(scope: ir.Scope, first: ir.Ref, second: ir.Ref) -> bool:
    """Whether only one of two nodes is evaluated in one pass: they stand on different sides of a condition."""
    sides = [(side(branch, True), side(branch, False)) for branch in scope.branches]
    sides += [((handler.tried, (0, 0)), (handler.body, handler.after)) for handler in scope.handlers]
    return any(
        is_in(one, here) and is_in(other, there)
        for here, there in sides
        for one, other in ((first, second), (second, first))
    )
