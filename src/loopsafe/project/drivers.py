"""Coroutine functions that the project itself runs step by step, in synchronous code: no event loop is there to block.

Stage: propagate. A driver calls what it is given and takes the steps by hand: `job().__await__()`, then `next`. What is
handed to it, decorated or prepared by its module, or awaited by nothing but such functions is driven.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Final

from loopsafe.project.entities import Code, Module
from loopsafe.project.standings import gifts
from loopsafe.project.values import Function
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference

_STEPS: Final = "__await__"
_FARTHEST: Final = 4
"""A scheduler that hands a job on to a scheduler that hands it on: real ones have two of them."""


class Drivers:
    """Answers `driven`."""

    def __init__(self, inference: Inference) -> None:
        self._inference: Final = inference

    @cached_property
    def driven(self) -> frozenset[Code]:
        """The coroutine functions that no event loop runs; none in a project without a driver."""
        found: set[Code] = set()
        for driver, index in self._drivers():
            names = set(self._prepared(driver.module))
            found.update(self._handed(driver, index, 0))
            found.update(code for code in self._coroutine_functions() if self._is_of(code, driver.module, names))
        pending = list(found)
        while pending:
            for code in self._awaited(pending.pop()):
                if code not in found and self._is_run_only_by(code, found):
                    found.add(code)
                    pending.append(code)
        return frozenset(found)

    def _drivers(self) -> Iterator[tuple[Code, int]]:
        """Synchronous functions that step through what one of their parameters gives when called, and which that is."""
        for module, scope, ref in self._inference.index.calls(_STEPS):
            code = module.code(scope)
            nodes = code.scope.nodes
            call = nodes[ref]
            func = nodes[call.func] if isinstance(call, ir.Call) else None
            job = nodes[func.value] if isinstance(func, ir.Attr) and func.value >= 0 else None
            called = nodes[job.func] if isinstance(job, ir.Call) and job.func >= 0 else None
            if isinstance(called, ir.Param) and not code.scope.is_async and not code.scope.is_generator:
                yield code, called.index

    def _handed(self, code: Code, index: int, depth: int) -> Iterator[Code]:
        """The coroutine functions that calls give a parameter, also through a parameter of the caller."""
        for frame, ref in gifts(self._inference, code, index):
            node = frame.code.scope.nodes[ref] if ref >= 0 else None
            if isinstance(node, ir.Param) and depth < _FARTHEST:
                yield from self._handed(frame.code, node.index, depth + 1)
            for value in self._inference.value(frame, ref):
                if isinstance(value, Function) and value.code.is_coroutine:
                    yield value.code

    def _coroutine_functions(self) -> Iterator[Code]:
        """Those at the top of the project's modules."""
        for module in self._inference.modules.by_path.values():
            if module.summary is not None and module.summary.has_async:
                for index, scope in enumerate(module.scopes):
                    if scope.is_async and scope.parent == 0 and scope.kind == ir.ScopeKind.FUNCTION:
                        yield module.code(index)

    def _is_of(self, code: Code, module: Module, names: set[str]) -> bool:
        """Whether a driver's module decorates a function, or prepares functions of that name."""
        if code.scope.name in names:
            return True
        frame = code.module.frame
        for ref in code.maker.decorators:
            node = frame.code.scope.nodes[ref] if ref >= 0 else None
            values = self._inference.value(frame, node.func if isinstance(node, ir.Call) else ref)
            if any(isinstance(value, Function) and value.code.module is module for value in values):
                return True
        return False

    def _prepared(self, module: Module) -> Iterator[str]:
        """The names of attributes of unknown objects that are given to a function of a driver's module."""
        for name in module.scopes[0].bindings:
            for other, scope, ref in self._inference.index.calls(name):
                frame = self._inference.generic_frame(other.code(scope))
                nodes = frame.code.scope.nodes
                call = nodes[ref]
                given = [nodes[one] for one in call.args if one >= 0] if isinstance(call, ir.Call) else []
                handed = [node for node in given if isinstance(node, ir.Attr)]
                if handed and isinstance(call, ir.Call):
                    callees = self._inference.value(frame, call.func)
                    if any(isinstance(callee, Function) and callee.code.module is module for callee in callees):
                        yield from (node.name for node in handed)

    def _awaited(self, code: Code) -> Iterator[Code]:
        frame = self._inference.generic_frame(code)
        for node in code.scope.nodes:
            call = code.scope.nodes[node.value] if isinstance(node, ir.Await) and node.value >= 0 else None
            for callee in self._inference.value(frame, call.func) if isinstance(call, ir.Call) else ():
                if isinstance(callee, Function) and callee.code.is_coroutine:
                    yield callee.code

    def _is_run_only_by(self, code: Code, driven: set[Code]) -> bool:
        callers = [module.code(scope) for module, scope, _ in self._inference.callers.calls_of(code)]
        return bool(callers) and all(caller in driven for caller in callers)
