"""What an object keeps of what its constructor gave it, though others of its class are given more later.

Stage: infer. An object keeps it when all that is ever done with it is in sight, and none of that changes it. Goes by
names, over-estimating: wherever a variable or attribute that the object is bound to is read, the object is taken to
be. Whatever is not known to be harmless lets it out of sight: nothing is concluded then.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from loopsafe.project.conditions import is_conditional
from loopsafe.project.decorators import PROPERTY_PARTS, role_of
from loopsafe.project.entities import Class, Code, Frame, Module
from loopsafe.project.leaves import bare
from loopsafe.project.uses import operands
from loopsafe.project.values import Constant, Instance
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference

_Users: TypeAlias = dict[Code, dict[ir.Ref, list[ir.Ref]]]

_INIT: Final = "__init__"
_MOST_PLACES: Final = 60
"""What is mentioned in more places is not followed: its name is that of other things as well."""
_GLOBALS: Final = "globals"
_SEEING: Final = tuple(ir.Name(name) for name in ("locals", "vars", "eval", "exec", _GLOBALS))
"""Builtins through which a variable may be read without being mentioned."""
_PLAIN_BASES: Final = ("builtins.", "typing.", "abc.")
_UNPLAIN: Final = frozenset({"__new__", "__setattr__"})
_SUPER: Final = ir.Name("super")
_DATA: Final = (ir.Const, ir.Literal, ir.Display)


class Secluded:
    """Answers `marked(made, code, node)`."""

    def __init__(self, inference: Inference) -> None:
        self._inference: Final = inference
        self._given: Final[dict[Class, dict[str, tuple[Code, ir.Ref]]]] = {}
        self._changed: Final[dict[tuple[Code, ir.Ref], frozenset[str] | None]] = {}
        self._users: Final[_Users] = {}

    def marked(self, made: Instance, code: Code, node: ir.Call) -> Instance:
        """An object that a node makes, with the attributes that keep what its constructor gave them."""
        cls, frame = made.cls, made.made
        if not isinstance(cls, Class) or frame is None or frame.code.scope.name != _INIT or code.module.is_library:
            return made
        wanted = [name for name, place in self._given_once(cls).items() if _is_constant(frame, *place)]
        changed = self._changes(cls, code, code.scope.nodes.index(node)) if wanted else None
        kept = () if changed is None else tuple(name for name in wanted if name not in changed)
        return msgspec.structs.replace(made, kept=kept) if kept else made

    def _given_once(self, cls: Class) -> dict[str, tuple[Code, ir.Ref]]:
        """Attributes that decide a branch, and that one place in `__init__` sets, others later; with that value."""
        known = self._given.get(cls)
        if known is None:
            known = self._given[cls] = {}
            attributes, owners = self._inference.attributes, _plain(self._inference, cls)
            for name in sorted({name for owner in owners for name in attributes.decisive(owner)}):
                stores = [store for owner in owners for store in owner.stores.get(name, ())]
                first = [(code, store) for code, store in stores if code.scope.name == _INIT]
                is_data = all(_is_bound_to(owner.code.scope, name, _DATA) for owner in owners)
                if len(first) == 1 and is_data and not attributes.is_set_once(cls, name):
                    code, store = first[0]
                    if not is_conditional(code.scope, code.scope.nodes.index(store)):
                        known[name] = code, bare(code.scope, store.value)
        return known

    def _changes(self, cls: Class, code: Code, ref: ir.Ref) -> frozenset[str] | None:
        """The attributes of the object made at a node that are set later; None if not all is in sight."""
        place = (code, ref)
        if place not in self._changed:
            self._changed[place] = None
            search = _Search(self._inference, _plain(self._inference, cls), self._users)
            self._changed[place] = frozenset(search.changed) if search.is_complete(code, ref) else None
        return self._changed[place]


class _Search:
    """Looks for all that is done with one object."""

    def __init__(self, inference: Inference, owners: list[Class], users: _Users) -> None:
        self._inference: Final = inference
        self._owners: Final = owners
        self._users: Final = users
        self._constructors: Final = {owner.methods[_INIT] for owner in owners if _INIT in owner.methods}
        self._pending: Final[list[tuple[Code, ir.Ref]]] = []
        self._seen: Final[set[tuple[Code, ir.Ref]]] = set()
        """Nodes that are the object."""
        self._names: Final[set[tuple[Module | None, str]]] = set()
        """Variables that it is bound to; attributes have no module."""
        self._members: Final[set[str]] = set()
        """Attributes of it that are read or set: methods among them see it as `self`."""
        self.changed: Final[set[str]] = set()
        """Attributes that are set after it was made."""

    def is_complete(self, code: Code, ref: ir.Ref) -> bool:
        """Whether all that is done with the object that a node makes is in sight."""
        self._add(code, ref)
        special = {name for owner in self._owners for name in owner.code.scope.bindings if _is_special(name)}
        if not all(self._reach(name) for name in sorted(special)):
            return False
        while self._pending:
            if len(self._seen) > _MOST_PLACES or not self._look(*self._pending.pop()):
                return False
        return True

    def _add(self, code: Code, ref: ir.Ref) -> bool:
        if (code, ref) not in self._seen:
            self._seen.add((code, ref))
            self._pending.append((code, ref))
        return True

    def _look(self, code: Code, ref: ir.Ref) -> bool:
        """Follows what is done with a node that is the object; False if it gets out of sight."""
        scope = code.scope
        lost = (*scope.yields, *(one for _, one in (*scope.globals, *scope.nonlocals)))
        if ref in lost or (ir.Look.OTHER, ref) in scope.looks or any(name in scope.nodes for name in _SEEING):
            return False
        return all(self._use(code, ref, user) for user in self._users_of(code, ref)) and self._bind(code, ref)

    def _users_of(self, code: Code, ref: ir.Ref) -> list[ir.Ref]:
        users = self._users.get(code)
        if users is None:
            users = self._users[code] = {}
            for index, node in enumerate(code.scope.nodes):
                for operand in operands(node):
                    users.setdefault(operand, []).append(index)
        return users.get(ref, [])

    def _use(self, code: Code, ref: ir.Ref, user: ir.Ref) -> bool:
        nodes = code.scope.nodes
        match nodes[user]:
            case ir.Attr(name=name):
                is_first = code in self._constructors and isinstance(nodes[ref], ir.Call)  # `super().__init__`
                return self._reach(name) if not _is_special(name) else is_first and name == _INIT
            case ir.StoreAttr(object=target, name=name, value=value):
                if target == ref and (code not in self._constructors or nodes[ref] != ir.Param(0)):
                    self.changed.add(name)
                is_set = target != ref or self._reach(name)
                return is_set and (value != ref or (self._is_plain_attribute(code, target, name) and self._find(name)))
            case ir.Declared(value=value) | ir.Narrow(value=value) if value == ref:
                return self._add(code, user)
            case ir.Phi():
                return self._add(code, user)
            case ir.Compare():
                return True
            case ir.Call(func=func):
                return func >= 0 and nodes[func] == _SUPER
        return False

    # Names

    def _bind(self, code: Code, ref: ir.Ref) -> bool:
        """Follows the object to where the variables that a node is bound to are read."""
        scope = code.scope
        names = [name for name, refs in scope.bindings.items() if ref in refs]
        if scope.kind == ir.ScopeKind.MODULE:
            return all(self._find_variable(code.module, name) for name in names)
        if scope.kind == ir.ScopeKind.CLASS:
            owner = self._inference.generic_frame(code).owner
            return not names or (
                owner is not None and bool(_plain(self._inference, owner)) and all(map(self._find, names))
            )
        return all(self._find_name(inner, name) for inner in _within(code) for name in names)

    def _find_name(self, code: Code, name: str) -> bool:
        wanted = ir.Name(name)
        return all(self._add(code, ref) for ref, node in enumerate(code.scope.nodes) if node == wanted)

    def _find_variable(self, module: Module, name: str) -> bool:
        """Follows the object to where a module's variable is read."""
        if (module, name) in self._names:
            return True
        self._names.add((module, name))
        for other in {module: None, **dict.fromkeys(self._inference.index.mentioning("*"))}:
            for index, ref in other.mentions.get(name, ()):
                if isinstance(other.scopes[index].nodes[ref], ir.Name):
                    self._add(other.code(index), ref)
        return _GLOBALS not in module.mentions and self._find(name)

    def _find(self, name: str) -> bool:
        """Follows the object to where an attribute of a name is read, or a variable of another module is imported."""
        if (None, name) in self._names:
            return True
        self._names.add((None, name))
        modules = self._inference.index.mentioning(name)
        return len(modules) <= _MOST_PLACES and all(
            self._add_mention(module.code(index), ref)
            for module in modules
            for index, ref in module.mentions.get(name, ())
        )

    def _add_mention(self, code: Code, ref: ir.Ref) -> bool:
        node = code.scope.nodes[ref]
        return isinstance(node, ir.Name) or (isinstance(node, ir.Attr | ir.Import) and self._add(code, ref))

    def _is_plain_attribute(self, code: Code, target: ir.Ref, name: str) -> bool:
        """Whether an attribute is set by a method of its own object, and that does nothing else."""
        owner = self._inference.generic_frame(code.parent).owner
        if owner is None or target < 0 or code.scope.nodes[target] != ir.Param(0):
            return False
        found = [_plain(self._inference, cls) for cls in (owner, *self._inference.hierarchy.subclasses(owner))]
        return all(found) and all(_is_bound_to(cls.code.scope, name, _DATA) for classes in found for cls in classes)

    # Methods

    def _reach(self, name: str) -> bool:
        """Follows the object into its methods of a name; False if something else may be called."""
        if name in self._members:
            return True
        self._members.add(name)
        if not any(name in owner.code.scope.bindings or name in owner.stores for owner in self._owners):
            return name == "__class__"
        methods = [method for owner in self._owners for method in _defined(owner, name)]
        is_replaced = bool(methods) and self._inference.attributes.is_set_outside(name)
        is_text = all(_is_bound_to(owner.code.scope, name, (*_DATA, ir.MakeFunction)) for owner in self._owners)
        if is_replaced or not is_text or not all(map(self._is_itself, methods)):
            return False
        for method in methods:
            nodes = method.scope.nodes
            for ref, node in enumerate(nodes):
                if node == ir.Param(0) or (isinstance(node, ir.Call) and node.func >= 0 and nodes[node.func] == _SUPER):
                    self._add(method, ref)
        return True

    def _is_itself(self, method: Code) -> bool:
        """Whether no decorator of the project, or an unknown one, gets hold of what a method is given."""
        frame = self._inference.generic_frame(method.parent)
        return all(
            (isinstance(node := frame.code.scope.nodes[ref], ir.Attr) and node.name in PROPERTY_PARTS)
            or self._has_role(frame, ref)
            for ref in method.maker.decorators
        )

    def _has_role(self, frame: Frame, ref: ir.Ref) -> bool:
        values = self._inference.value(frame, ref)
        return bool(values) and all(role_of(self._inference, value) is not None for value in values)


def _defined(owner: Class, name: str) -> Iterator[Code]:
    """The functions in a class body that have a name, or are bound to it: of a property all its parts."""
    scope, module = owner.code.scope, owner.code.module
    for ref, node in enumerate(scope.nodes):
        if isinstance(node, ir.MakeFunction):
            is_bound = ref in scope.bindings.get(name, ())
            if is_bound or module.scopes[node.scope].name == name:
                yield module.code(node.scope)


def _within(code: Code) -> Iterator[Code]:
    """The functions made in a function, however deep."""
    inside = {code.index}
    for index in range(code.index + 1, len(code.module.scopes)):
        if code.module.scopes[index].parent in inside:
            inside.add(index)
            yield code.module.code(index)


def _plain(inference: Inference, cls: Class) -> list[Class]:
    """The classes of the project that a class derives from, itself the first; none if others say what it does."""
    order = inference.hierarchy.order(cls)
    owners = [owner for owner in order if isinstance(owner, Class)]
    is_known = not inference.hierarchy.has_unknown_base(cls) and all(
        isinstance(owner, Class) or owner.startswith(_PLAIN_BASES) for owner in order
    )
    return owners if is_known and all(map(_is_plain, owners)) else []


def _is_plain(cls: Class) -> bool:
    """Whether nothing but its methods says what the objects of a class do."""
    maker = cls.maker
    is_made_so = isinstance(maker, ir.MakeClass) and not maker.keywords and not maker.decorators
    return is_made_so and _UNPLAIN.isdisjoint(cls.code.scope.bindings)


def _is_bound_to(scope: ir.Scope, name: str, kinds: tuple[type[ir.Node], ...]) -> bool:
    """Whether a class body binds a name to nothing, or to nodes of some kinds."""
    values = [bare(scope, ref) for ref in scope.bindings.get(name, ())]
    return all(ref < 0 or isinstance(scope.nodes[ref], kinds) for ref in values)


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__") and name != "__class__"


def _is_constant(frame: Frame, code: Code, ref: ir.Ref) -> bool:
    """Whether a value in a constructor is a constant, or what the constructor was given is one."""
    match code.scope.nodes[ref] if ref >= 0 else None:
        case ir.Const():
            return True
        case ir.Param(index) if code is frame.code and index < len(frame.arguments):
            given = frame.arguments[index]
            return bool(given) and all(isinstance(value, Constant) for value in given or ())
    return False
