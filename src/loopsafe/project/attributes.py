"""Attributes that are set once, by the constructor: of an object that was seen being made, they are known for good.

Stage: infer. Says which they are, and which of them decide a branch somewhere; what they hold is for `members`.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from loopsafe.project.entities import Class, Code
from loopsafe.project.values import Instance
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference

_MOST_STORES: Final = 40
"""A name that is stored to in more places is too common to look at each of them; most such are set more than once."""
_INIT: Final = "__init__"


class Attributes:
    """Answers `is_set_once(cls, name)` and `decisive(cls)`."""

    def __init__(self, inference: Inference) -> None:
        self._inference: Final = inference
        self._once: Final[dict[tuple[Class, str], bool]] = {}
        self._outside: Final[dict[str, bool]] = {}
        self._decisive: Final[dict[Class, frozenset[str]]] = {}

    def is_fixed(self, instance: Instance, name: str) -> bool:
        """Whether an attribute of an object that was seen being made holds what the constructor gave it."""
        cls = instance.cls
        if instance.made is None or not isinstance(cls, Class):
            return False
        return name in instance.kept or self.is_set_once(cls, name)

    def is_set_once(self, cls: Class, name: str) -> bool:
        """Whether only the constructor of a class gives its objects an attribute, and no code outside changes it."""
        known = self._once.get((cls, name))
        if known is None:
            known = self._once[cls, name] = self._is_set_in_constructor(cls, name) and not self.is_set_outside(name)
        return known

    def _is_set_in_constructor(self, cls: Class, name: str) -> bool:
        owners = [owner for owner in self._inference.hierarchy.order(cls) if isinstance(owner, Class)]
        stores = [code for owner in owners for code, _ in owner.stores.get(name, ())]
        if not stores:
            return any(field.name == name for field in self._inference.fields.of(cls))
        return [code.scope.name for code in stores] == [_INIT]

    def is_set_outside(self, name: str) -> bool:
        """Whether some object that is not called `self` is given the attribute: it may be one of any class."""
        known = self._outside.get(name)
        if known is None:
            places = list(islice(self._inference.index.stores(name), _MOST_STORES + 1))
            known = self._outside[name] = len(places) > _MOST_STORES or not all(
                _is_self(module.code(scope), module.scopes[scope].nodes[ref]) for module, scope, ref in places
            )
        return known

    def decisive(self, cls: Class) -> frozenset[str]:
        """Attributes that decide a branch in a method of a class or in a function that it hands them to."""
        known = self._decisive.get(cls)
        if known is None:
            self._decisive[cls] = frozenset()
            found: set[str] = set()
            for code in cls.methods.values():
                found |= _tested(code)
                found |= self._handed_on(code)
            known = self._decisive[cls] = frozenset(found)
        return known

    def _handed_on(self, code: Code) -> set[str]:
        scope = code.scope
        found: set[str] = set()
        for _, node in scope.each_call():
            names = _own_attributes(scope, node)
            if not names:
                continue
            callees = self._inference.value(self._inference.generic_frame(code), node.func)
            for callee in self._inference.calls.functions(callees):
                decisive = self._inference.deciders.parameters(callee.code)
                params = callee.code.scope.params
                skipped = 1 if callee.receiver is not None and callee.kind != "static" else 0
                wanted = {index - skipped for index in decisive} | {params[index].name for index in decisive}
                found |= {name for place, name in names.items() if place in wanted}
        return found


def _tested(code: Code) -> set[str]:
    """The attributes of its object that a method tests."""
    nodes = code.scope.nodes
    found: set[str] = set()
    for branch in code.scope.branches:
        pending = [ref for ref, _ in branch.tested]
        while pending:
            node = nodes[ref] if (ref := pending.pop()) >= 0 else None
            match node:
                case ir.Attr(value=value, name=name) if value >= 0 and nodes[value] == ir.Param(0):
                    found.add(name)
                case ir.Narrow(value) | ir.Declared(value=value):
                    pending.append(value)
                case ir.Compare(_, left, right):
                    pending += [left, right]
    return found


def _own_attributes(scope: ir.Scope, call: ir.Call) -> dict[int | str | None, str]:
    """The arguments of a call, by position or keyword, that are attributes of the method's own object."""
    handed: list[tuple[int | str | None, ir.Ref]] = [*enumerate(call.args), *call.keywords]
    found: dict[int | str | None, str] = {}
    for place, ref in handed:
        node = scope.nodes[ref] if ref >= 0 else None
        if isinstance(node, ir.Attr) and node.value >= 0 and scope.nodes[node.value] == ir.Param(0):
            found[place] = node.name
    return found


def _is_self(code: Code, node: ir.Node) -> bool:
    """Whether a store is one of a method to its own object."""
    assert isinstance(node, ir.StoreAttr)
    target = code.scope.nodes[node.object] if node.object >= 0 else None
    is_method = code.parent.scope.kind == ir.ScopeKind.CLASS
    return (is_method and target == ir.Param(0)) or target == ir.Name("self")
