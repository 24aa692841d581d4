"""Where synchronous code starts event loops, and with which coroutines.

Stage: propagate. What happens on the loops is for `lifetimes`, whether it happens again for `repetition`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from loopsafe.catalog import RoleKind
from loopsafe.model import LOOP_EFFECTS
from loopsafe.project.decorators import role_of
from loopsafe.project.entities import Code, Frame
from loopsafe.project.roles import callable_name
from loopsafe.project.values import ClassObject, Coroutine, External, Method, Value
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference

_STARTERS: Final = ("run", "run_until_complete")
"""The last names of all functions that run a coroutine on a loop of its own."""
_DEEPEST: Final = 4
"""A helper that is given its coroutine by a helper that is given it by a helper: no one writes more."""


class Place(NamedTuple):
    """A node of a function."""

    code: Code
    ref: ir.Ref


class LoopRun(NamedTuple):
    """A call that runs a coroutine on a loop of its own, or hands it to a helper that does."""

    frame: Frame
    ref: ir.Ref
    coroutine: ir.Ref
    """The node of the coroutine, or of the coroutine function."""
    loop: ir.Ref
    """The node that makes the loop, where that is another one: runs on the same loop are one."""

    @property
    def place(self) -> Place:
        return Place(self.frame.code, self.ref)


class LoopRuns:
    """Answers which runs there are, and what they run."""

    def __init__(self, inference: Inference) -> None:
        self._inference: Final = inference

    @cached_property
    def all(self) -> tuple[LoopRun, ...]:
        """Every run in synchronous code, in the order of files and text."""
        found: list[LoopRun] = []
        for name in _STARTERS:
            for module, scope, ref in self._inference.index.calls(name):
                code = module.code(scope)
                if not code.scope.is_async:
                    found += self._runs_at(self._inference.generic_frame(code), ref)
        return tuple(sorted(dict.fromkeys(found), key=lambda run: (*run.frame.code.sort_key, run.ref)))

    def _runs_at(self, frame: Frame, ref: ir.Ref) -> Iterator[LoopRun]:
        node = frame.code.scope.nodes[ref]
        assert isinstance(node, ir.Call)
        given = node.args[0] if node.args and node.starred != 0 else next((one for _, one in node.keywords), None)
        if given is None:
            return
        for callee in self._inference.value(frame, node.func):
            name = callable_name(callee)
            if name is None or not self._starts_loop(callee, name):
                continue
            loop = self._new_loop(frame, node) if isinstance(callee, Method) else ref
            if loop is not None:
                yield from self._lifted(LoopRun(frame, ref, given, loop), 0)
                return

    def _starts_loop(self, callee: Value, name: str) -> bool:
        return isinstance(callee, External | Method) and any(
            fact.effect in LOOP_EFFECTS for fact in self._inference.catalog.facts(name)
        )

    def _new_loop(self, frame: Frame, node: ir.Call) -> ir.Ref | None:
        """Where the loop on which a method is called was made, if that is in the same function."""
        nodes = frame.code.scope.nodes
        func = nodes[node.func] if node.func >= 0 else None
        ref = func.value if isinstance(func, ir.Attr) else ir.UNKNOWN
        while ref >= 0:
            maker = nodes[ref]
            match maker:
                case ir.With(value=ref) | ir.Declared(value=ref) | ir.Narrow(value=ref):
                    continue
                case ir.Call():
                    callees = self._inference.value(frame, maker.func)
                    is_new = bool(callees) and all(
                        isinstance(one, External | ClassObject)
                        and role_of(self._inference, one) is not RoleKind.RUNNING_LOOP
                        for one in callees
                    )
                    return ref if is_new else None
            return None
        return None

    def _lifted(self, run: LoopRun, depth: int) -> Iterator[LoopRun]:
        """A run whose coroutine is a parameter happens at the calls that give it."""
        code, index = self._parameter(run.frame, run.coroutine)
        if code is None:
            yield run
            return
        if depth >= _DEEPEST or code.scope.is_async:
            return
        param = code.scope.params[index]
        for module, scope, ref in self._inference.callers.calls_of(code):
            caller = self._inference.generic_frame(module.code(scope))
            node = caller.code.scope.nodes[ref]
            assert isinstance(node, ir.Call)
            skipped = 1 if code.parent.scope.kind == ir.ScopeKind.CLASS and code.scope.params[0].name == "self" else 0
            position = index - skipped
            given = dict(node.keywords).get(param.name)
            if given is None and 0 <= position < len(node.args) and node.starred < 0:
                given = node.args[position]
            if given is not None and not caller.code.scope.is_async:
                yield from self._lifted(run._replace(frame=caller, ref=ref, coroutine=given, loop=ref), depth + 1)

    def _parameter(self, frame: Frame, ref: ir.Ref) -> tuple[Code | None, int]:
        """The function whose parameter a node is: its own scope's, or that of one around it."""
        node = frame.code.scope.nodes[ref] if ref >= 0 else None
        if isinstance(node, ir.Param):
            return frame.code, node.index
        closure = frame.closure if isinstance(node, ir.Name) else None
        while closure is not None and isinstance(node, ir.Name):
            scope = closure.code.scope
            if scope.kind == ir.ScopeKind.FUNCTION and node.name in scope.bindings:
                names = [param.name for param in scope.params]
                return (closure.code, names.index(node.name)) if node.name in names else (None, 0)
            closure = closure.closure
        return None, 0

    def calls_in(self, run: LoopRun) -> Iterator[ir.Ref]:
        """The calls that make the coroutines of a run, in the text of its own function."""
        nodes = run.frame.code.scope.nodes
        pending, seen = [run.coroutine], set()
        while pending:
            ref = pending.pop()
            node = nodes[ref] if ref >= 0 and ref not in seen else None
            seen.add(ref)
            match node:
                case ir.Call():
                    if any(isinstance(value, Coroutine) for value in self._inference.value(run.frame, ref)):
                        yield ref
                    else:
                        pending += node.args
                case ir.Phi(options=refs) | ir.Display(elements=refs):
                    pending += refs
                case ir.Next(value=ref) | ir.Narrow(value=ref) | ir.Declared(value=ref):
                    pending.append(ref)
