"""What is put into containers that objects and modules hold: `self.clients[name] = x`, `found.append(x)`.

Stage: infer. The order of statements does not count: a container may hold whatever is put into it anywhere.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import msgspec

from loopsafe.project.entities import Class, Code, Frame, Module
from loopsafe.project.values import Instance, Value, Values, unite
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference

_KINDS: Final = frozenset({"builtins.list", "builtins.dict", "builtins.set"})
_READING: Final = frozenset({"get", "setdefault", "pop"})
_MOST_ADDITIONS: Final = 16
"""A container that is filled in more places than this holds a mixture."""


class Containers:
    """Completes the element types of containers that were made elsewhere, empty or in part."""

    def __init__(self, inference: Inference) -> None:
        self._inference: Final = inference
        self._of_class = lru_cache(maxsize=None)(self._find_in_class)
        self._of_module = lru_cache(maxsize=None)(self._find_in_module)

    def attribute(self, cls: Class, name: str, values: Values) -> Values:
        """A container that objects of a class hold under that name."""
        if not _has_container(values):
            return values
        places = [
            (self._inference.generic_frame(code), ref)
            for owner in self._inference.hierarchy.order(cls)
            if isinstance(owner, Class)
            for code, ref in self._of_class(owner).get(name, ())
        ]
        return self._completed(values, places)

    def variable(self, module: Module, name: str, values: Values) -> Values:
        """A container that a module holds under that name."""
        if not _has_container(values):
            return values
        places = [(self._inference.generic_frame(code), ref) for code, ref in self._of_module(module).get(name, ())]
        return self._completed(values, places)

    def _completed(self, values: Values, places: list[tuple[Frame, ir.Ref]]) -> Values:
        if not places or len(places) > _MOST_ADDITIONS:
            return values
        added = unite(*[self._inference.value(frame, ref) for frame, ref in places])
        return tuple(_with_elements(value, added) for value in values) if added else values

    def _find_in_class(self, cls: Class) -> dict[str, list[tuple[Code, ir.Ref]]]:
        found: dict[str, list[tuple[Code, ir.Ref]]] = {}
        for code in cls.methods.values():
            for container, value in code.scope.additions:
                target = code.scope.nodes[container]
                if isinstance(target, ir.Attr) and _is_self(code, target.value):
                    found.setdefault(target.name, []).append((code, value))
        return found

    def _find_in_module(self, module: Module) -> dict[str, list[tuple[Code, ir.Ref]]]:
        found: dict[str, list[tuple[Code, ir.Ref]]] = {}
        for index in range(len(module.scopes)):
            code = module.code(index)
            for container, value in code.scope.additions:
                target = code.scope.nodes[container]
                if isinstance(target, ir.Name):
                    found.setdefault(target.name, []).append((code, value))
        return found


def additions_behind(scope: ir.Scope, ref: ir.Ref) -> list[ir.Ref]:
    """What a function puts into the container, made elsewhere, of which it returns an item: `return pool[key]`."""
    if not scope.additions:
        return []
    node = scope.nodes[ref]
    while isinstance(node, ir.Return | ir.Narrow | ir.Declared) and node.value >= 0:
        node = scope.nodes[node.value]
    if isinstance(node, ir.Call) and node.func >= 0:
        node = scope.nodes[node.func]  # `pool.get(key)`
    is_item = isinstance(node, ir.Item) or (isinstance(node, ir.Attr) and node.name in _READING)
    wanted = _spelling(scope, node.value) if is_item and isinstance(node, ir.Item | ir.Attr) else None
    return [value for container, value in scope.additions if wanted and _spelling(scope, container) == wanted]


def _spelling(scope: ir.Scope, ref: ir.Ref) -> str | None:
    """A variable from outside a function, or an attribute of the method's object, as the text has it."""
    node = scope.nodes[ref] if ref >= 0 else None
    match node:
        case ir.Name(name=name):
            return name
        case ir.Attr(value=value, name=name) if value >= 0 and scope.nodes[value] == ir.Param(0):
            return f"self.{name}"
    return None


def _is_self(code: Code, ref: ir.Ref) -> bool:
    node = code.scope.nodes[ref] if ref >= 0 else None
    return isinstance(node, ir.Param) and node.index == 0


def _has_container(values: Values) -> bool:
    return any(isinstance(value, Instance) and value.cls in _KINDS for value in values)


def _with_elements(value: Value, added: Values) -> Value:
    if not isinstance(value, Instance) or value.cls not in _KINDS:
        return value
    return msgspec.structs.replace(value, args=(unite(*value.args, added),))
