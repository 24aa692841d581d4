"""What calling a function from outside the project gives, by the role and the type that the catalogue has for it.

Stage: infer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from loopsafe.catalog import Role, RoleKind, RoleResult
from loopsafe.project import forms
from loopsafe.project.arguments import Arguments
from loopsafe.project.values import (
    NOTHING,
    Awaitable,
    ClassObject,
    External,
    Function,
    Instance,
    Lazy,
    Method,
    Offloaded,
    Partial,
    Value,
    Values,
    builtin,
    unite,
)

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference

_KEEPING: Final = frozenset(
    {
        RoleKind.KEEPS,
        RoleKind.CACHES,
        RoleKind.VALIDATOR,
        RoleKind.TASK,
        RoleKind.ABSTRACT,
        RoleKind.OVERLOAD,
        RoleKind.OVERRIDE,
        RoleKind.ROUTE,
        RoleKind.LIFESPAN,
        RoleKind.DATACLASS,
    }
)


def callable_name(callee: Value) -> str | None:
    """The qualified name under which the catalogue knows a callable from outside."""
    if isinstance(callee, ClassObject):
        return callee.cls if isinstance(callee.cls, str) else None
    return callee.name if isinstance(callee, External | Method) else None


def met_name(callee: Value, name: str) -> str:
    """A method's name in the class of its object, of which more may be said than of the class that declares it."""
    if isinstance(callee, Method) and isinstance(callee.receiver.cls, str):
        return f"{callee.receiver.cls}.{name.rpartition('.')[2]}"
    return name


def given_callable(role: Role, arguments: Arguments) -> Values:
    """The callable that a call hands to a function with this role."""
    position = role.callable if isinstance(role.callable, int) else None
    name = role.keyword or (role.callable if isinstance(role.callable, str) else None)
    return arguments.get(position, name) or NOTHING


def result_of_role(inference: Inference, callee: External | Method | ClassObject, arguments: Arguments) -> Values:
    """What calling `callee` gives."""
    name = callable_name(callee)
    assert name is not None
    role = inference.catalog.role(name)
    if role is not None:
        special = _special(inference, callee, role, arguments)
        if special is not None:
            return special
    receiver: Value | None = callee.receiver if isinstance(callee, Method) else None
    if role is not None and role.iterable is not None and receiver is None:
        iterables = arguments.get(role.iterable, None) or NOTHING
        receiver = builtin("list", inference.each(iterables, inference.protocols.element_of))
    declared = inference.catalog.returns(name)
    if declared is None:
        return (Instance(name),) if isinstance(callee, ClassObject) else NOTHING
    return inference.externals.instances(declared, receiver)


def _special(
    inference: Inference, callee: External | Method | ClassObject, role: Role, arguments: Arguments
) -> Values | None:
    match role.role:
        case RoleKind.OFFLOADER:
            name = callable_name(callee)
            return _offloaded(inference, role, arguments, name is not None and inference.catalog.is_async(name))
        case RoleKind.CALLER:
            handed = arguments.without(role.callable)
            return inference.each(given_callable(role, arguments), lambda value: inference.calls.result(value, handed))
        case RoleKind.CAST:
            declared = forms.instances(arguments.get(0, "typ") or NOTHING)
            known = arguments.get(1, "val") or NOTHING
            return known if known and inference.calls.is_interface(declared) else declared
        case RoleKind.PARTIAL:
            first = arguments.get(0, None) or NOTHING
            rest = arguments.positional[1:]
            return tuple(Partial(value, rest, arguments.keywords) for value in first)
        case kind if kind in _KEEPING:
            return _decorated(callee, arguments)
        case RoleKind.WRAPS:
            return NOTHING  # a decorator that nobody needs to know: it keeps what it decorates
        case RoleKind.OFFLOAD_DECORATOR:
            functions = arguments.get(0, None)
            return tuple(map(Offloaded, functions)) if functions else (callee,)
        case RoleKind.CONSUMER if role.lazy:
            iterables = arguments.get(role.iterable, None) or NOTHING
            return (Lazy(given_callable(role, arguments), iterables),)
        case RoleKind.TASK_SPAWNER:
            awaited = inference.each(arguments.get(0, "coro") or NOTHING, inference.protocols.awaited)
            return (Awaitable(awaited, False, "asyncio.Task"),)
        case RoleKind.COROUTINE_SINK:
            return _sunk(inference, callee, arguments)
    return None


def _offloaded(inference: Inference, role: Role, arguments: Arguments, is_coroutine: bool) -> Values | None:
    callables = given_callable(role, arguments)
    rest = arguments.without(role.callable)
    result = inference.each(callables, lambda value: inference.calls.awaited_result(value, rest))
    match role.result:
        case RoleResult.AWAITABLE:
            return (Awaitable(result, is_coroutine, "asyncio.Future"),)
        case RoleResult.FUTURE:
            return (Instance("concurrent.futures.Future", (result,)),)
    return None


def _decorated(callee: Value, arguments: Arguments) -> Values:
    """A decorator that keeps its function; called with anything else it gives such a decorator."""
    if len(arguments.positional) == 1 and not arguments.keywords:
        functions = arguments.positional[0]
        if any(isinstance(value, Function | Offloaded | ClassObject | Partial) for value in functions):
            return functions
    return (callee,)


def _sunk(inference: Inference, callee: Value, arguments: Arguments) -> Values | None:
    """What a function that awaits its arguments for the caller gives: their results."""
    name = callable_name(callee)
    assert name is not None
    awaited = [inference.each(values, inference.protocols.awaited) for values in arguments.positional]
    declared = inference.catalog.returns(name)
    known = inference.externals.instances(declared) if declared is not None else NOTHING
    if len([values for values in awaited if values]) > 1:
        result: Values = (builtin("tuple", *awaited),)
    else:
        result = unite(*awaited)
    is_awaited = inference.catalog.is_async(name) or any(isinstance(value, Awaitable) for value in known)
    is_future = any(
        isinstance(value, Instance) and inference.hierarchy.is_subclass(value.cls, "asyncio.Future") for value in known
    )
    if is_awaited or is_future:
        return (Awaitable(result, is_awaited and not is_future, "asyncio.Future"),)
    if known:
        return known
    return result
