"""Names and types from outside the project, as the catalogue describes them, become values.

Stage: infer.
"""

from __future__ import annotations

import builtins
from functools import lru_cache
from typing import Final

from loopsafe.catalog import (
    AWAITABLE,
    Catalog,
    ElementType,
    Named,
    NoneType,
    SelfType,
    TypeExpr,
    Union,
)
from loopsafe.project.values import (
    NONE,
    NOTHING,
    Awaitable,
    ClassObject,
    External,
    Instance,
    Value,
    Values,
    unite,
)


class Externals:
    """The world outside the project."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog: Final = catalog
        self.named = lru_cache(maxsize=None)(self._named)

    def _named(self, name: str) -> External | ClassObject:
        """What a qualified name means."""
        name = self._catalog.canonical(name)
        return ClassObject(name) if self.is_class(name) else External(name)

    def is_class(self, name: str) -> bool:
        if self._catalog.is_class(name):
            return True
        package, _, last = name.partition(".")
        return package == "builtins" and isinstance(getattr(builtins, last, None), type)

    def has_member(self, module: str, name: str) -> bool:
        """Whether the catalogue speaks of `module.name`."""
        full = self._catalog.canonical(f"{module}.{name}")
        return bool(
            self._catalog.is_class(full)
            or self._catalog.facts(full)
            or self._catalog.returns(full)
            or self._catalog.role(full)
        )

    def instances(self, expression: TypeExpr | None, receiver: Value | None = None) -> Values:
        """The values that a type expression of the catalogue admits; `Self` is the receiver's class."""
        match expression:
            case Named(name, args):
                return self._instance(name, tuple(self.instances(arg, receiver) for arg in args))
            case Union(options):
                return unite(*[self.instances(option, receiver) for option in options])
            case SelfType():
                if isinstance(receiver, ClassObject):
                    return (Instance(receiver.cls, (), True),)
                return (receiver,) if receiver is not None else NOTHING
            case ElementType():
                return unite(*receiver.args) if isinstance(receiver, Instance) else NOTHING
            case NoneType():
                return (NONE,)
        return NOTHING

    def _instance(self, name: str, args: tuple[Values, ...]) -> Values:
        if name == AWAITABLE:
            return (Awaitable(args[0] if args else NOTHING, True),)
        if name == "builtins.type":
            return (
                tuple(ClassObject(value.cls) for value in args[0] if isinstance(value, Instance)) if args else NOTHING
            )
        return (Instance(name, args),)
