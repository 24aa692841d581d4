"""Which parameters decide a branch: those that a test looks at, here or in a function that they are handed on to.

Stage: infer. Says where the value of an argument matters; what it decides is for `branches`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from loopsafe.project.entities import Code
from loopsafe.project.fields import iterations
from loopsafe.project.leaves import Leaf, looked_at, meant, name_of
from loopsafe.project.values import Function
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference

_DEEPEST: Final = 3
"""A parameter that is handed on decides through so many functions."""


class Deciders:
    """Answers `parameters(code)`."""

    def __init__(self, inference: Inference) -> None:
        self._inference: Final = inference
        self._decisive: Final[dict[Code, frozenset[Leaf]]] = {}
        self._parameters: Final = lru_cache(maxsize=None)(_parameters)

    def parameters(self, code: Code) -> frozenset[int]:
        """The parameters whose plain values decide a branch, here or in a function that they are handed on to."""
        return self._parameters(self._deciding(code, 0))

    def _deciding(self, code: Code, depth: int) -> frozenset[Leaf]:
        """Also the variables of enclosing functions that do."""
        known = self._decisive.get(code)
        if known is None:
            tested = frozenset(self._tested(code.scope))
            self._decisive[code] = tested  # ends the recursion of functions that call one another
            known = tested | self._stored(code)
            if depth < _DEEPEST:
                known |= self._handed_on(code, depth) | self._captured(code, depth)
            self._decisive[code] = known
        return known

    def _tested(self, scope: ir.Scope) -> set[Leaf]:
        found: set[Leaf] = set()
        for branch in scope.branches:
            for ref, _ in branch.tested:
                found |= looked_at(scope, ref, set())
        for _, iterated in iterations(scope):
            found |= looked_at(scope, iterated.value, set())
        return found

    def _handed_on(self, code: Code, depth: int) -> set[Leaf]:
        scope = code.scope
        found: set[Leaf] = set()
        for _, node in scope.each_call():
            if len(node.args) > 1 and name_of(scope, node.func) == "getattr":
                found |= looked_at(scope, node.args[1], set())
            if not any(meant(scope, ref, set()) for ref in (*node.args, *[ref for _, ref in node.keywords])):
                continue
            frame = self._inference.generic_frame(code)
            for callee in self._inference.calls.functions(self._inference.value(frame, node.func)):
                found |= self._matched(scope, node, callee, depth)
        return found

    def _captured(self, code: Code, depth: int) -> set[Leaf]:
        """What functions made in this one look at: parameters of this one, or variables further out."""
        found: set[Leaf] = set()
        names = {param.name: index for index, param in enumerate(code.scope.params)}
        for inner in code.inner:
            leaves = self._deciding(inner, depth + 1)
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

    def _matched(self, scope: ir.Scope, node: ir.Call, callee: Function, depth: int) -> set[Leaf]:
        decisive = [leaf for leaf in self._deciding(callee.code, depth + 1) if isinstance(leaf, int)]
        names = {callee.code.scope.params[index].name for index in decisive}
        skipped = 1 if callee.receiver is not None and callee.kind != "static" else 0
        found: set[Leaf] = set()
        for position, ref in enumerate(node.args):
            if position + skipped in decisive:
                found |= meant(scope, ref, set())
        for name, ref in node.keywords:
            if name in names:
                found |= meant(scope, ref, set())
        return found


def _parameters(leaves: frozenset[Leaf]) -> frozenset[int]:
    return frozenset(leaf for leaf in leaves if isinstance(leaf, int))
