"""Annotations: what they admit, and what subscripts and `|` on types mean.

Stage: infer. The names of special forms are those of `typing`, part of the language.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from loopsafe.catalog import RoleKind
from loopsafe.project.values import (
    NONE,
    NOTHING,
    Awaitable,
    ClassKey,
    ClassObject,
    Constant,
    External,
    Form,
    Instance,
    Value,
    Values,
    unite,
)
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.entities import Frame
    from loopsafe.project.infer import Inference

_TYPING: Final = ("typing.", "typing_extensions.", "collections.abc.")
_UNIONS: Final = frozenset({"Union", "Optional"})
_WRAPPERS: Final = frozenset({"Final", "ClassVar", "Required", "NotRequired", "ReadOnly", "InitVar", "TypeGuard"})
_AWAITABLES: Final = frozenset({"Awaitable", "Coroutine", "Future", "Task"})
_CONTAINERS: Final = {"List": "list", "Set": "set", "FrozenSet": "frozenset", "Dict": "dict", "Tuple": "tuple"}
_EMPTY: Final = frozenset({"Any", "Literal", "Callable", "TypeVar", "LiteralString", "Never", "NoReturn"})
_MAPPINGS: Final = frozenset({"dict", "Dict", "Mapping", "MutableMapping", "defaultdict", "OrderedDict", "DefaultDict"})


def instances(values: Values) -> Values:
    """What a variable annotated with one of these values may hold."""
    found: list[Values] = []
    for value in values:
        match value:
            case ClassObject(cls):
                found.append((Instance(cls),))
            case Form(admitted):
                found.append(admitted)
            case External(name):
                found.append(NOTHING if special_name(name) else (Instance(name),))
            case Constant(None):
                found.append((NONE,))
            case Instance():
                # `Annotated` metadata and default markers that were evaluated to what they stand for
                found.append(NOTHING)
    return unite(*found)


def is_module_type(values: Values) -> bool:
    """Whether an annotation says that a variable holds a module."""
    return any(getattr(value, "name", getattr(value, "cls", None)) == "types.ModuleType" for value in values)


def classes(values: Values) -> list[ClassKey] | None:
    """The classes that `isinstance` is asked for; None if one of them is unknown."""
    found: list[ClassKey] = []
    for value in values:
        match value:
            case ClassObject(cls):
                found.append(cls)
            case External(name):
                found.append(name)
            case Instance("builtins.tuple", parts):
                for part in parts:
                    inner = classes(part)
                    if inner is None:
                        return None
                    found += inner
            case Form(admitted):
                found += [inner.cls for inner in admitted if isinstance(inner, Instance)]
            case _:
                return None
    return found or None


def union(left: Values, right: Values) -> Values:
    """`left | right` of types."""
    return (Form(unite(instances(left), instances(right))),)


def special_name(name: str) -> str | None:
    """The last part of a name of the typing vocabulary."""
    for prefix in _TYPING:
        if name.startswith(prefix):
            return name[len(prefix) :]
    return None


def subscripted(inference: Inference, frame: Frame, values: Values, node: ir.Item) -> Values | None:
    """`value[…]` where the value is a type: what that form admits; None where it is no type."""
    for value in values:
        match value:
            case External(name):
                special = special_name(name)
                if special is not None:
                    return _special_form(inference, frame, special, name, node)
                role = inference.catalog.role(name)
                if role is not None and role.role is RoleKind.KEEPS:
                    return (Form(unite(*_arguments(inference, frame, node)[:1])),)
                return (Form((Instance(name, _arguments(inference, frame, node)),)),)
            case ClassObject(cls):
                return (Form((_generic(inference, frame, cls, node),)),)
            case Form(admitted):
                return (Form(admitted),)
    return None


def _generic(inference: Inference, frame: Frame, cls: ClassKey, node: ir.Item) -> Value:
    arguments = _arguments(inference, frame, node)
    if isinstance(cls, str):
        last = cls.rpartition(".")[2]
        special = special_name(cls)
        if last in _AWAITABLES and arguments:
            return Awaitable(arguments[-1], last == "Coroutine", cls)
        if last == "type":
            inner = arguments[0] if arguments else NOTHING
            found = [ClassObject(value.cls) for value in inner if isinstance(value, Instance)]
            return found[0] if found else Instance(cls)
        if special in _CONTAINERS:
            cls = f"builtins.{_CONTAINERS[special]}"
        if last in _MAPPINGS and len(arguments) == 2:
            arguments = (arguments[1],)
    return Instance(cls, arguments)


def _arguments(inference: Inference, frame: Frame, node: ir.Item) -> tuple[Values, ...]:
    """What stands between the brackets, each as an annotation; a trailing `...` says nothing."""
    if node.index == ir.UNKNOWN:
        return ()
    inner = frame.code.scope.nodes[node.index]
    refs = inner.elements if isinstance(inner, ir.Display) else (node.index,)
    return tuple([inference.declared(frame, ref) for ref in refs])


def _special_form(inference: Inference, frame: Frame, special: str, name: str, node: ir.Item) -> Values:
    last = special.rpartition(".")[2]
    if last in _EMPTY:
        return (Form(NOTHING),)
    if last == "Annotated":
        return _annotated(inference, frame, node)
    arguments = _arguments(inference, frame, node)
    if last == "Optional":
        return (Form(unite(*arguments, (NONE,))),)
    if last in _UNIONS:
        return (Form(unite(*arguments)),)
    if last in _WRAPPERS:
        return (Form(arguments[0] if arguments else NOTHING),)
    if last == "Type":
        found = [ClassObject(value.cls) for value in arguments[0] if isinstance(value, Instance)] if arguments else []
        return (Form(tuple(found)),)
    return (Form((_generic(inference, frame, name, node),)),)


def _annotated(inference: Inference, frame: Frame, node: ir.Item) -> Values:
    """`Annotated[T, …]`: a T; where T says nothing, what injected metadata gives."""
    inner = frame.code.scope.nodes[node.index] if node.index != ir.UNKNOWN else None
    if not isinstance(inner, ir.Display) or not inner.elements:
        return (Form(NOTHING),)
    first, *metadata = inner.elements
    admitted = inference.declared(frame, first)
    injected = [inference.calls.injected(frame, ref) for ref in metadata]
    return (Form(unite(*injected) or admitted),)
