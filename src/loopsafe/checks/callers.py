"""Whether all that the project does with a function is known, and where it calls it.

For rewrites that have to reach every caller: one that cannot be told apart from a caller ends the search.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from loopsafe.model import Span
from loopsafe.project import Project
from loopsafe.project.entities import Code, Module
from loopsafe.project.project import node_span
from loopsafe.project.values import Function
from loopsafe.summary import ir

Call = tuple[str, Span]
"""File and place."""


class KnownCallers:
    """Answers `of(code)` for some functions, after one look at all modules."""

    def __init__(self, project: Project, functions: Collection[Code]) -> None:
        self._project: Final = project
        self._names: Final = frozenset(code.scope.name for code in functions)
        self._loose: Final[dict[str, list[tuple[Module, int, ir.Ref]]]] = {}
        """Mentions other than by calling: attributes and names that are read."""
        self._hidden: Final[set[str]] = set()
        """Names that stand in strings, or get another name on import."""
        if self._names:
            for module in project.modules.by_path.values():
                self._hidden.update(_strings(module, self._names))
            for module, index, refs in project.inference.index.nodes_named(self._names):
                self._look_through(module, index, refs)

    def of(self, code: Code) -> tuple[Call, ...] | None:
        """Every call of a function; None where there may be others, or one does not await it."""
        name = code.scope.name
        if name in self._hidden or any(self._may_mean(code, *place) for place in self._loose.get(name, ())):
            return None
        inference = self._project.inference
        found = []
        for module, index, ref in inference.index.calls(name):
            caller = module.code(index)
            node = caller.scope.nodes[ref]
            assert isinstance(node, ir.Call)
            if not self._may_mean(code, module, index, node.func):
                continue
            frame = inference.generic_frame(caller)
            values = inference.value(frame, node.func)
            is_meant = bool(values) and all(isinstance(one, Function) and one.code is code for one in values)
            if not is_meant or ref not in caller.awaited:
                return None
            found.append((module.path, node_span(frame, ref)))
        return tuple(found)

    def _look_through(self, module: Module, index: int, mentions: Collection[ir.Ref]) -> None:
        scope = module.scopes[index]
        called = {node.func for _, node in scope.each_call()}
        for ref in mentions:
            node = scope.nodes[ref]
            if ref not in called and isinstance(node, ir.Name | ir.Attr):
                self._loose.setdefault(node.name, []).append((module, index, ref))
        is_imported = any(isinstance(scope.nodes[ref], ir.Import) for ref in mentions)
        for name, refs in scope.bindings.items() if is_imported else ():
            self._hidden.update(old for old in _imported(scope, refs) if old != name and old in self._names)

    def _may_mean(self, code: Code, module: Module, index: int, ref: ir.Ref) -> bool:
        frame = self._project.inference.generic_frame(module.code(index))
        values = self._project.inference.value(frame, ref)
        return not values or any(isinstance(one, Function) and one.code is code for one in values)


def _strings(module: Module, names: Collection[str]) -> Iterator[str]:
    """The names among those that stand in strings."""
    for scope in module.scopes:
        texts = [node.value for node in scope.nodes if node.__class__ is ir.Const]
        yield from [text for text in texts if isinstance(text, str) and text in names]


def _imported(scope: ir.Scope, refs: Collection[ir.Ref]) -> Iterator[str]:
    for ref in refs:
        node = scope.nodes[ref] if ref >= 0 else None
        if isinstance(node, ir.Import) and node.name is not None:
            yield node.name
