"""Where a name occurs: which modules call it, store to it, derive from it, define it.

Stage: link. Made of the heads of summaries, so that no body is decoded for a module in which the name does not occur.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import Final, TypeAlias

from loopsafe.project.entities import NAMED, Module
from loopsafe.project.modules import Modules
from loopsafe.summary import ir

Place: TypeAlias = tuple[Module, int, ir.Ref]
"""A node: module, scope, reference."""


class Index:
    """Look-ups by name over all modules."""

    def __init__(self, modules: Modules) -> None:
        self._modules: Final = modules

    def calls(self, name: str) -> Iterator[Place]:
        """Calls of something whose last name is that."""
        for module in self._called.get(name, ()):
            for scope, ref in module.calls.get(name, ()):
                yield module, scope, ref

    def stores(self, name: str) -> Iterator[Place]:
        """Stores to attributes of that name."""
        for module in self._stored.get(name, ()):
            for scope, ref in module.attribute_stores.get(name, ()):
                yield module, scope, ref

    def mentioning(self, name: str) -> Sequence[Module]:
        """Modules that read an attribute of that name, or import something of it."""
        return tuple(dict.fromkeys([*self._mentioned.get(name, ()), *self._called.get(name, ())]))

    def nodes_named(self, names: AbstractSet[str]) -> Iterator[tuple[Module, int, list[ir.Ref]]]:
        """The nodes that read, import or define something of one of these names, by module and scope."""
        for module in self._modules.by_path.values():
            makers = [(scope.parent, scope.maker) for scope in module.scopes if scope.name in names]
            if not makers and not _may_name(module, names):
                continue
            for index, scope in enumerate(module.scopes):
                found = [ref for ref, node in enumerate(scope.nodes) if node.__class__ in NAMED and node.name in names]
                found += [ref for parent, ref in makers if parent == index]
                if found:
                    yield module, index, found

    def deriving(self, name: str) -> Sequence[Module]:
        """Modules where some class has a base of that last name."""
        return self._derived.get(name, ())

    def with_methods(self, names: Collection[str]) -> Iterator[tuple[Module, int]]:
        """Class scopes that define all these methods themselves."""
        candidates = [self._methods.get(name, []) for name in names]
        for module in min(candidates, key=len, default=[]):
            for index in module.class_scopes:
                if all(name in module.scopes[index].bindings for name in names):
                    yield module, index

    @cached_property
    def implicit(self) -> frozenset[str]:
        """Names of properties and special methods that some class defines."""
        return frozenset(self._invert(lambda summary: summary.implicit))

    @cached_property
    def _called(self) -> dict[str, list[Module]]:
        return self._invert(lambda summary: summary.called)

    @cached_property
    def _stored(self) -> dict[str, list[Module]]:
        return self._invert(lambda summary: summary.stored)

    @cached_property
    def _mentioned(self) -> dict[str, list[Module]]:
        return self._invert(lambda summary: summary.mentioned)

    @cached_property
    def _derived(self) -> dict[str, list[Module]]:
        return self._invert(lambda summary: summary.overridden)

    @cached_property
    def _methods(self) -> dict[str, list[Module]]:
        return self._invert(lambda summary: summary.methods)

    def _invert(self, names: Callable[[ir.ModuleSummary], Collection[str]]) -> dict[str, list[Module]]:
        found: dict[str, list[Module]] = {}
        for module in self._modules.by_path.values():
            if module.summary is not None:
                for name in names(module.summary):
                    found.setdefault(name, []).append(module)
        return found


def _may_name(module: Module, names: AbstractSet[str]) -> bool:
    """Whether a module that has no function of these names calls, imports or reads one as an attribute, by its head.

    A variable of its own may have such a name too, but what it holds was named somewhere to get there.
    """
    head = module.summary
    if head is None:
        return False
    return "*" in head.mentioned or not (names.isdisjoint(head.called) and names.isdisjoint(head.mentioned))
