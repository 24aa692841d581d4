"""Which parameters decide a branch: those that a test looks at, here or in a function that they are handed on to.

Stage: infer. Says where the value of an argument matters; what it decides is for `branches`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

from loopsafe.project.arguments import Place, handed
from loopsafe.project.entities import Code
from loopsafe.project.fields import iterations
from loopsafe.project.leaves import Inside, Leaf, inside, looked_at, meant, name_of
from loopsafe.project.values import Function
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference

_DEEPEST: Final = 3
"""A parameter that is handed on decides through so many functions."""

_Onward: TypeAlias = "list[tuple[Code, dict[int, frozenset[Leaf]]]]"
"""Functions that are called, and which of its leaves the caller gives for each of their parameters."""


class Deciders:
    """Answers `parameters(code)`, and `dictionaries(code)`."""

    def __init__(self, inference: Inference) -> None:
        self._inference: Final = inference
        self._known: Final[dict[tuple[Code, int], frozenset[Leaf]]] = {}
        self._provisional: Final[dict[tuple[Code, int], frozenset[Leaf]]] = {}
        """The same while it is being found out what a function calls, for which these may be asked in turn."""
        self._shared: Final[dict[frozenset[Leaf], frozenset[Leaf]]] = {}
        """One set for all functions that are decided by the same: they are many, and nearly all alike."""
        self._onward: Final[dict[Code, _Onward]] = {}
        self._pending: Final[set[Code]] = set()
        self._parameters: Final = lru_cache(maxsize=None)(_parameters)
        self._dictionaries: Final = lru_cache(maxsize=None)(_dictionaries)

    def parameters(self, code: Code) -> frozenset[int]:
        """The parameters whose plain values decide a branch, here or in a function that they are handed on to."""
        return self._parameters(self._deciding(code, _DEEPEST))

    def dictionaries(self, code: Code) -> frozenset[int]:
        """The same, and those of which a key decides one."""
        return self._dictionaries(self._deciding(code, _DEEPEST))

    @property
    def is_settled(self) -> bool:
        """Whether the answers are final: it is not just being found out what some function calls."""
        return not self._pending

    def _deciding(self, code: Code, depth: int) -> frozenset[Leaf]:
        """Also the variables of enclosing functions that do, through so many functions."""
        key = (code, depth)
        known = self._known.get(key, self._provisional.get(key))
        if known is None:
            found = self._find_further(code, depth) if depth else _tested(code.scope) | self._stored(code)
            known = self._same(found)
            (self._known if self.is_settled else self._provisional)[key] = known
        return known

    def _find_further(self, code: Code, depth: int) -> set[Leaf]:
        """What decides a branch here, or in a function that is made here or called."""
        found = {*self._deciding(code, 0), *self._captured(code, depth)}
        for callee, places in self._handed_on(code):
            decisive = self._deciding(callee, depth - 1)
            found.update(*(leaves for index, leaves in places.items() if index in decisive))
            found.update(*(inside(leaves) for index, leaves in places.items() if Inside(index) in decisive))
        return found

    def _captured(self, code: Code, depth: int) -> set[Leaf]:
        """What functions made in this one look at: parameters of this one, or variables further out."""
        found: set[Leaf] = set()
        names = {param.name: index for index, param in enumerate(code.scope.params)}
        for inner in code.inner:
            leaves = self._deciding(inner, depth - 1)
            found |= {names.get(leaf, leaf) for leaf in leaves if isinstance(leaf, str)}
        return found

    def _stored(self, code: Code) -> set[Leaf]:
        """The parameters of a constructor that become attributes which decide a branch in a method."""
        owner = self._inference.generic_frame(code.parent).owner if code.scope.name == "__init__" else None
        decisive = self._inference.attributes.decisive(owner) if owner is not None else ()
        found: set[Leaf] = set()
        for ref in code.scope.stores if decisive else ():
            node = code.scope.nodes[ref]
            if isinstance(node, ir.StoreAttr) and node.name in decisive:
                found |= looked_at(code.scope, node.value, set())
        return found

    def _handed_on(self, code: Code) -> _Onward:
        known = self._onward.get(code)
        if known is None:
            if code in self._pending:
                return []
            self._pending.add(code)
            try:
                known = list(self._find_handed_on(code))
            finally:
                self._pending.discard(code)
                if not self._pending:
                    self._provisional.clear()
            if self._inference.is_settled:
                self._onward[code] = known
        return known

    def _find_handed_on(self, code: Code) -> Iterator[tuple[Code, dict[int, frozenset[Leaf]]]]:
        scope = code.scope
        for _, node in scope.each_call():
            given = {place: leaves for place, ref in handed(node) if (leaves := self._same(_given(code, ref)))}
            spread = {leaf for name, ref in node.keywords if name is None for leaf in inside(meant(scope, ref, set()))}
            if not given and not spread:
                continue
            callees = self._inference.value(self._inference.generic_frame(code), node.func)
            for callee in self._inference.calls.functions(callees):
                places = {index: given[place] for index, place in _taken(callee, given)}
                params = range(len(callee.code.scope.params) if spread else 0)
                if every := {**dict.fromkeys(params, self._same(spread)), **places}:
                    yield callee.code, every
                for override in self._inference.members.substitutes(callee) if places else ():
                    yield override.code, {index: self._same(inside(leaves)) for index, leaves in places.items()}

    def _same(self, leaves: Collection[Leaf]) -> frozenset[Leaf]:
        found = frozenset(leaves)
        return self._shared.setdefault(found, found)


def _tested(scope: ir.Scope) -> set[Leaf]:
    """What tests look at, and what attributes are read by name."""
    found: set[Leaf] = set()
    for branch in scope.branches:
        for ref, _ in branch.tested:
            found |= looked_at(scope, ref, set())
    for _, iterated in iterations(scope):
        found |= looked_at(scope, iterated.value, set())
    for _, node in scope.each_call():
        if len(node.args) > 1 and name_of(scope, node.func) == "getattr":
            found |= looked_at(scope, node.args[1], set())
    return found


def _given(code: Code, ref: ir.Ref) -> set[Leaf]:
    """What a call hands on of what callers give, be it to a function around."""
    return {leaf for leaf in meant(code.scope, ref, set()) if not isinstance(leaf, str) or _is_captured(code, leaf)}


def _is_captured(code: Code, name: str) -> bool:
    """Whether a variable from outside is one of a function around."""
    outer = code.parent
    while outer.index:
        if outer.scope.kind != ir.ScopeKind.CLASS and name in outer.scope.bindings:
            return True
        outer = outer.parent
    return False


def _taken(callee: Function, given: Collection[Place]) -> Iterator[tuple[int, Place]]:
    """The parameters of a function that take one of those arguments, and which."""
    skipped = 1 if callee.receiver is not None and callee.kind != "static" else 0
    for index, param in enumerate(callee.code.scope.params):
        yield from ((index, place) for place in (index - skipped, param.name) if place in given)


def _parameters(leaves: frozenset[Leaf]) -> frozenset[int]:
    return frozenset(leaf for leaf in leaves if isinstance(leaf, int))


def _dictionaries(leaves: frozenset[Leaf]) -> frozenset[int]:
    return frozenset(leaf.param if isinstance(leaf, Inside) else leaf for leaf in leaves if not isinstance(leaf, str))
