"""What a `def` statement binds: the function, or what its decorators made of it.

Stage: infer. A decorator of the project is called, like any function; one from outside has the role that the catalogue
gives it, and without a role is taken to keep the function, as nearly all do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from loopsafe.catalog import RoleKind
from loopsafe.project.arguments import Arguments
from loopsafe.project.values import ClassObject, External, Function, Generator, Method, Value, Values
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.entities import Code, Frame
    from loopsafe.project.infer import Inference

_KINDS: Final = {
    RoleKind.PROPERTY: "property",
    RoleKind.CACHED_PROPERTY: "property",
    RoleKind.STATICMETHOD: "static",
    RoleKind.CLASSMETHOD: "class",
    RoleKind.CONTEXTMANAGER: "manager",
    RoleKind.ASYNCCONTEXTMANAGER: "manager",
}
PROPERTY_PARTS: Final = frozenset({"setter", "deleter", "getter"})
_IMPLICIT_CLASS_METHODS: Final = frozenset({"__new__", "__init_subclass__", "__class_getitem__"})


def decorated(inference: Inference, frame: Frame, node: ir.MakeFunction) -> Values:
    """The value of a function statement, lambda or generator expression."""
    code = frame.code.module.code(node.scope)
    if code.scope.kind == ir.ScopeKind.GENERATOR:
        return (Generator(inference.frame(code, frame, ())),)
    kind = "plain"
    if code.scope.kind == ir.ScopeKind.FUNCTION and code.scope.name in _IMPLICIT_CLASS_METHODS:
        kind = "class" if frame.owner is not None else "plain"
    values: Values = (Function(code, frame, None, kind),)
    for ref in reversed(node.decorators):
        values = _apply(inference, frame, ref, values)
    return values


def _apply(inference: Inference, frame: Frame, ref: ir.Ref, values: Values) -> Values:
    decorator = frame.code.scope.nodes[ref]
    if isinstance(decorator, ir.Attr) and decorator.name in PROPERTY_PARTS:
        return _extended(inference.value(frame, decorator.value), decorator.name, values)
    found = inference.value(frame, ref)
    for value in found:
        kind = _KINDS.get(role_of(inference, value))  # type: ignore[arg-type]  # no role has no kind
        if kind is not None:
            return tuple(_with_kind(inner, kind) for inner in values)
    if found and all(map(_gives_back, found)):
        return values
    made = inference.each(found, lambda value: inference.calls.result(value, Arguments.of(values)))
    return _alike(made, values) or values


def _gives_back(decorator: Value) -> bool:
    """Whether a decorator returns just the function that it is given, which it may have marked or registered."""
    if not isinstance(decorator, Function) or decorator.code.scope.is_async or decorator.code.scope.is_generator:
        return False
    scope = decorator.code.scope
    first = ir.Param(0 if decorator.receiver is None or decorator.kind == "static" else 1)
    returned = [node.value for ref in scope.returns if isinstance(node := scope.nodes[ref], ir.Return)]
    return bool(returned) and all(ref >= 0 and scope.nodes[ref] == first for ref in returned)


def _alike(made: Values, values: Values) -> Values:
    """Of a decorator that has one function for coroutine functions and one for others, the one that is meant."""
    wanted = {value.code.is_coroutine for value in values if isinstance(value, Function)}
    kinds = {value.code.is_coroutine for value in made if isinstance(value, Function)}
    if len(wanted) != 1 or len(kinds) != 2:
        return made
    return tuple(value for value in made if not isinstance(value, Function) or value.code.is_coroutine in wanted)


def _extended(properties: Values, part: str, values: Values) -> Values:
    """`@name.setter`: the property as it was, and the function for assignments."""
    getters = [value for value in properties if isinstance(value, Function) and value.kind == "property"]
    setters = [value for value in values if isinstance(value, Function)]
    if not getters:
        return tuple(_with_kind(value, "property") for value in values)
    if part == "setter" and setters:
        return tuple(msgspec.structs.replace(getter, setter=setters[0]) for getter in getters)
    return tuple(getters)


def _with_kind(value: Value, kind: str) -> Value:
    return msgspec.structs.replace(value, kind=kind) if isinstance(value, Function) else value


def has_unknown_decorator(inference: Inference, code: Code) -> bool:
    """Whether nobody knows what one of a function's decorators makes of it."""
    maker = code.maker
    if not maker.decorators:
        return False
    frame = inference.generic_frame(code.parent)
    return any(_is_unknown(inference, frame, ref) for ref in maker.decorators)


def _is_unknown(inference: Inference, frame: Frame, ref: ir.Ref) -> bool:
    decorator = frame.code.scope.nodes[ref]
    if isinstance(decorator, ir.Attr) and decorator.name in PROPERTY_PARTS:
        return False
    if isinstance(decorator, ir.Call):  # what a factory made has its factory's role
        return _is_unknown(inference, frame, decorator.func)
    found = inference.value(frame, ref)
    return not found or any(
        isinstance(value, External | Method) and role_of(inference, value) is None for value in found
    )


def role_of(inference: Inference, value: Value) -> RoleKind | None:
    """The catalogue's role of a callable from outside the project."""
    if isinstance(value, ClassObject):
        name = value.cls if isinstance(value.cls, str) else None
    else:
        name = value.name if isinstance(value, External | Method) else None
    role = inference.catalog.role(name) if name is not None else None
    return role.role if role is not None else None


def has_role(inference: Inference, code: Code, kind: RoleKind) -> bool:
    """Whether one of a function's own decorators has a role."""
    maker = code.maker
    closure = inference.generic_frame(code.parent)
    return any(role_of(inference, value) is kind for ref in maker.decorators for value in inference.value(closure, ref))
