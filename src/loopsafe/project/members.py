"""Attributes: `value.name` for every kind of value.

Stage: infer. An object's attribute is what its class, in method resolution order, or any assignment to it says; the
first definition of a method wins, assignments are united.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Final

import msgspec

from loopsafe.catalog import RoleKind
from loopsafe.project.arguments import Arguments
from loopsafe.project.decorators import has_role, has_unknown_decorator
from loopsafe.project.entities import Class, Code, Frame, Module
from loopsafe.project.leaves import bare
from loopsafe.project.values import (
    NONE,
    NOTHING,
    Awaitable,
    ClassKey,
    ClassObject,
    Constant,
    External,
    Function,
    Instance,
    Method,
    ModuleObject,
    Super,
    Value,
    Values,
    unite,
)
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference

_MOST_FOREIGN_STORES: Final = 40
"""An attribute name stored in more places than this from outside is too common to look at each of them."""
_MOST_SUBCLASSES: Final = 24
"""What more descendants of a class have under one name says nothing about the one at hand."""


class Members:
    """Answers `get(value, name)`."""

    def __init__(self, inference: Inference) -> None:
        self._inference: Final = inference
        self._attributes: Final[dict[tuple[Instance, str], Values]] = {}
        self._abstract: Final[dict[Code, bool]] = {}
        self._stores: Final[dict[str, list[tuple[Frame, ir.StoreAttr]]]] = {}

    def get(self, value: Value, name: str) -> Values:
        """What `value.name` may be; reading a property calls it."""
        found = self.find(value, name)
        for member in found:
            if isinstance(member, Function) and member.kind == "property":
                return self._inference.each(found, self._read_property)
        return found

    def _read_property(self, member: Value) -> Values:
        if isinstance(member, Function) and member.kind == "property":
            return self._inference.calls.result(member, Arguments.of())
        return (member,)

    def find(self, value: Value, name: str) -> Values:
        """The same, but a property is given as its function."""
        match value:
            case Instance(cls):
                if isinstance(cls, Class):
                    return self._of_instance(value, cls, name)
                return self._of_external(value, cls, name)
            case ClassObject(cls):
                return self._of_class(value, cls, name)
            case ModuleObject(module):
                found = self._inference.names.exported(module, name)
                return found if found is not None else NOTHING
            case External(full_name):
                return (self._inference.externals.named(f"{full_name}.{name}"),)
            case Super(cls, receiver):
                return self._behind(cls, receiver, name)
            case Awaitable(cls=cls):
                return self._of_external(Instance(cls), cls, name)
            case Function(code) if name == "__name__":
                return (Constant(code.scope.name),)
            case Constant() if name == "value":  # of an enumeration's member, which stands for what it is defined as
                return (value,)
        return NOTHING

    def properties(self, instance: Instance, name: str) -> Iterator[Function]:
        """The properties that reading an attribute of an object may call."""
        if isinstance(instance.cls, Class) and self._is_defined(instance.cls, name):
            for member in self.find(instance, name):
                if isinstance(member, Function) and member.kind == "property":
                    yield member

    def _is_defined(self, cls: Class, name: str) -> bool:
        """Whether the body of a class, of one of its bases or subclasses, has something of that name."""
        hierarchy = self._inference.hierarchy
        owners = (owner for owner in hierarchy.order(cls) if isinstance(owner, Class))
        return any(name in owner.code.scope.bindings for owner in owners) or bool(hierarchy.defining(cls, name))

    # Classes of the project

    def _of_instance(self, instance: Instance, cls: Class, name: str) -> Values:
        key = (instance, name)
        known = self._attributes.get(key)
        if known is None:
            found = self._search(instance, cls, name)
            if not found and not instance.is_exact:
                found = self._in_subclasses(cls, name)
            if not found and not name.startswith("__"):
                found = self._fallback(instance, cls, name)
            known = found
            if self._inference.is_settled:
                self._attributes[key] = known
        return known

    def _search(self, instance: Instance, cls: Class, name: str) -> Values:
        order = self._inference.hierarchy.order(cls)
        given = self._inference.fields.value(instance, cls, name)
        found: list[Values] = [given or NOTHING]
        general = NOTHING
        for owner in order:
            if not isinstance(owner, Class):
                external = self._of_external(instance, owner, name)
                if self._is_general(external):
                    general = general or external  # said of every method there may be: any other answer is better
                elif external and not any(found):
                    return external
                continue
            values = self._in_body(owner, name) if given is None else NOTHING
            if any(isinstance(value, Function) for value in values):
                if not any(found):
                    return tuple(_bound(value, instance) for value in values)
                continue
            found.append(values)
            if name in owner.stores:
                found.append(self._stored(instance, owner, name))
            if name in owner.fillings:
                found.append(self._filled(owner, name))
        united = self._inference.containers.attribute(cls, name, unite(*found))
        if not any(value != NONE for value in united) and name not in instance.kept:
            united = unite(united, self._stored_from_outside(cls, name))
        return united or general

    def _is_general(self, values: Values) -> bool:
        return any(
            isinstance(value, Method) and any(fact.is_general for fact in self._inference.catalog.facts(value.name))
            for value in values
        )

    def _in_body(self, owner: Class, name: str) -> Values:
        refs = owner.code.scope.bindings.get(name)
        return self._inference.values(owner.frame, refs) if refs else NOTHING

    def _stored(self, instance: Instance, owner: Class, name: str) -> Values:
        """What the class's own methods assign to `self.name`."""
        found = []
        for code, node in owner.stores[name]:
            if name in instance.kept and code.scope.name != "__init__":
                continue
            frame = self._method_frame(code, owner, instance)
            if frame is not None and self._is_self(code, node):
                ref = bare(code.scope, node.value) if name in instance.kept else node.value
                found.append(self._inference.value(frame, ref))
        return unite(*found)

    def _filled(self, owner: Class, name: str) -> Values:
        """What the class's validators put into the mapping that becomes the object's attributes."""
        inference = self._inference
        return unite(
            *[
                inference.value(inference.generic_frame(code), ref)
                for code, ref in owner.fillings[name]
                if has_role(inference, code, RoleKind.VALIDATOR)
            ]
        )

    def _method_frame(self, code: Code, owner: Class, instance: Instance) -> Frame | None:
        if instance.made is not None and instance.made.code is code:
            return instance.made
        if code.parent is owner.code:
            return self._inference.frame(code, owner.frame, ((instance,),))
        return self._inference.generic_frame(code)

    def _is_self(self, code: Code, node: ir.StoreAttr) -> bool:
        target = code.scope.nodes[node.object] if node.object >= 0 else None
        if isinstance(target, ir.Param):
            return target.index == 0 and code.parent.scope.kind == ir.ScopeKind.CLASS
        return isinstance(target, ir.Name) and target.name == "self"

    def _stored_from_outside(self, cls: ClassKey, name: str) -> Values:
        """What other code assigns to the attribute of such an object."""
        inference = self._inference
        found = []
        for frame, node in self._foreign_stores(name):
            targets = inference.value(frame, node.object)
            owners = [target.cls for target in targets if isinstance(target, Instance | ClassObject)]
            if any(inference.hierarchy.is_subclass(cls, owner) for owner in owners):
                found.append(inference.value(frame, node.value))
        return unite(*found)

    def stored_in_module(self, module: Module, name: str) -> Values:
        """What code that imports a module assigns to a variable of it: `state.client = Client()`."""
        value = self._inference.value
        stores = self._foreign_stores(name)
        return unite(
            *[value(frame, node.value) for frame, node in stores if ModuleObject(module) in value(frame, node.object)]
        )

    def _foreign_stores(self, name: str) -> list[tuple[Frame, ir.StoreAttr]]:
        """Assignments to an attribute of that name of anything but `self`; none if they are very many."""
        known = self._stores.get(name)
        if known is None:
            known = self._stores[name] = list(self._find_foreign_stores(name))
        return known

    def _find_foreign_stores(self, name: str) -> Iterator[tuple[Frame, ir.StoreAttr]]:
        places = list(islice(self._inference.index.stores(name), _MOST_FOREIGN_STORES + 1))
        for module, index, ref in places if len(places) <= _MOST_FOREIGN_STORES else ():
            node = module.scopes[index].nodes[ref]
            assert isinstance(node, ir.StoreAttr)
            if not self._is_self(module.code(index), node):
                yield self._inference.generic_frame(module.code(index)), node

    def _in_subclasses(self, cls: Class, name: str) -> Values:
        """A mixin uses what the classes that it is mixed into have."""
        subclasses = self._inference.hierarchy.defining(cls, name)
        if len(subclasses) > _MOST_SUBCLASSES:
            return NOTHING
        return unite(*[self._search(Instance(subclass), subclass, name) for subclass in subclasses])

    def _fallback(self, instance: Instance, cls: Class, name: str) -> Values:
        """`__getattr__` of the class."""
        methods = self._search(instance, cls, "__getattr__")
        arguments = Arguments.of((Constant(name),))
        return self._inference.each(methods, lambda method: self._inference.calls.result(method, arguments))

    def _of_class(self, value: ClassObject, cls: ClassKey, name: str) -> Values:
        if not isinstance(cls, Class):
            attribute = self._inference.catalog.attribute(cls, name)
            if attribute is not None:
                return self._inference.externals.instances(attribute, value)
            full = self._inference.catalog.find(cls, name)
            if full is not None:
                return (Method(full, value),)
            return (self._inference.externals.named(f"{cls}.{name}"),)
        for owner in self._inference.hierarchy.order(cls):
            if isinstance(owner, Class):
                found = self._in_body(owner, name)
                if found:
                    return tuple(_bound_to_class(member, value) for member in found)
            elif self._inference.catalog.find(owner, name) is not None:
                return self._of_class(value, owner, name)
        return self._stored_from_outside(cls, name)

    def _behind(self, cls: Class, receiver: Value, name: str) -> Values:
        """`super().name`"""
        start = receiver.cls if isinstance(receiver, Instance | ClassObject) else cls
        order = self._inference.hierarchy.order(start)
        rest = order[order.index(cls) + 1 :] if cls in order else self._inference.hierarchy.order(cls)[1:]
        for owner in rest:
            if isinstance(owner, Class):
                found = self._in_body(owner, name)
                if found:
                    if isinstance(receiver, ClassObject):
                        return tuple(_bound_to_class(member, receiver) for member in found)
                    return tuple(_exactly(_bound(member, receiver)) for member in found)
            elif isinstance(receiver, Instance):
                external = self._of_external(receiver, owner, name)
                if external:
                    return external
        return NOTHING

    # Overrides

    def implementations(self, function: Function) -> Iterator[Function]:
        """The overrides of a method that a call through its class may reach, the function itself excluded."""
        receiver = function.receiver
        if not isinstance(receiver, Instance) or receiver.is_exact or not isinstance(receiver.cls, Class):
            return
        if function.is_exact:
            return
        name = function.code.scope.name
        for subclass in self._inference.hierarchy.defining(receiver.cls, name):
            for member in self._in_body(subclass, name):
                if isinstance(member, Function) and member.code is not function.code:
                    bound = _bound(member, Instance(subclass))
                    assert isinstance(bound, Function)
                    yield bound

    def substitutes(self, function: Function) -> Iterator[Function]:
        """The overrides that run in the place of an abstract method; none of any other."""
        if self.is_abstract(function.code):
            yield from self.implementations(function)

    def structural_implementations(self, function: Function) -> Iterator[Function]:
        """The same for a `Protocol`, whose implementations need not derive from it."""
        receiver = function.receiver
        if not isinstance(receiver, Instance) or receiver.is_exact or not isinstance(receiver.cls, Class):
            return
        name = function.code.scope.name
        for cls in self._inference.hierarchy.structural_subclasses(receiver.cls):
            for member in self._in_body(cls, name):
                bound = _bound(member, Instance(cls))
                if isinstance(bound, Function):
                    yield bound

    def is_plain(self, function: Function) -> bool:
        """Whether a call runs this very function, and gives what its text says."""
        is_overridden = any(True for _ in self.implementations(function))
        return (
            not is_overridden
            and not self.is_abstract(function.code)
            and not has_unknown_decorator(self._inference, function.code)
        )

    def is_abstract(self, code: Code) -> bool:
        """Whether a method is there to be overridden: marked so, or without a body."""
        known = self._abstract.get(code)
        if known is None:
            is_stub = code.scope.body == ir.BodyKind.STUB
            known = self._abstract[code] = is_stub or has_role(self._inference, code, RoleKind.ABSTRACT)
        return known

    # Classes from outside

    def _of_external(self, instance: Instance, cls: str, name: str) -> Values:
        catalog = self._inference.catalog
        attribute = catalog.attribute(cls, name)
        if attribute is not None:
            return self._inference.externals.instances(attribute, instance)
        full = catalog.find(cls, name)
        if full is not None:
            return (Method(full, instance),)
        if instance.cls == cls and not cls.startswith("builtins."):
            return self._stored_from_outside(cls, name)
        return NOTHING


def _bound(member: Value, receiver: Value) -> Value:
    if not isinstance(member, Function) or member.receiver is not None or member.kind == "static":
        return member
    if member.kind == "class" and isinstance(receiver, Instance):
        return msgspec.structs.replace(member, receiver=ClassObject(receiver.cls))
    return msgspec.structs.replace(member, receiver=receiver)


def _exactly(member: Value) -> Value:
    return msgspec.structs.replace(member, is_exact=True) if isinstance(member, Function) else member


def _bound_to_class(member: Value, cls: ClassObject) -> Value:
    if isinstance(member, Function) and member.kind == "class":
        return msgspec.structs.replace(member, receiver=cls)
    return member
