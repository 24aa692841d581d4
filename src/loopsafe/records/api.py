"""What a package offers: its functions and classes at their homes, and the other names under which they are reached."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from loopsafe.project import Project
from loopsafe.project.entities import Class, Module
from loopsafe.project.names import is_starred
from loopsafe.project.values import ClassObject, External, Function, Value
from loopsafe.summary import ir

_SPECIAL: Final = frozenset({"__call__", "__enter__", "__exit__", "__iter__", "__next__", "__getitem__", "__getattr__"})
"""Special methods that users' code calls without writing their names."""

_ASYNC_MODULES: Final = frozenset({"aio", "asyncio", "_async", "async_", "asynchronous"})
_SYNC_MODULES: Final = frozenset({"_sync", "sync"})
_DOUBLES: Final = ("WithRawResponse", "WithStreamingResponse")
"""Many generated clients have each class thrice; the copies that wrap the response, would make up most of a record."""
_SYNCHRONOUS: Final = frozenset({"AsyncResult", "_AsyncJob"})
"""Names of classes that are not meant for coroutines: the result of work elsewhere, in Celery, BigQuery and others."""


class Api(msgspec.Struct, frozen=True):
    """Functions and classes by their homes, in the order of files and text."""

    functions: dict[str, Function]
    classes: dict[str, Class]
    aliases: dict[str, str]
    """Other name → home."""


def find_api(project: Project) -> Api:
    """All that lies at the top of the modules of a project, private modules included: public ones re-export it."""
    api = Api({}, {}, {})
    for module in project.modules.by_path.values():
        for name in _names(project, module, set()):
            for value in project.inference.names.exported(module, name) or ():
                _add(api, module, f"{module.name}.{name}", value)
    for module in project.modules.by_path.values():
        if api.aliases.get(module.name) in api.functions:
            del api.aliases[module.name]  # the name of a function and of its module: more lies in the latter
    return api


def _names(project: Project, module: Module, seen: set[Module]) -> Iterator[str]:
    """The variables of a module, those that star imports bring included."""
    if module in seen or not module.scopes:
        return
    seen.add(module)
    scope = module.scopes[0]
    yield from scope.bindings
    for source, level in scope.star_imports:
        origin = project.modules.resolve(module, source, level)
        if origin is not None and not origin.is_library:
            yield from (name for name in _names(project, origin, seen) if is_starred(origin, name))


def _add(api: Api, module: Module, name: str, value: Value) -> None:
    is_public = _offers(module) and is_public_name(name)
    match value:
        case ClassObject(Class() as cls) if not (_is_local(cls) or cls.full_name.endswith(_DOUBLES)):
            api.classes.setdefault(cls.full_name, cls)
            if name != cls.full_name and is_public:
                api.aliases.setdefault(name, cls.full_name)
        case Function() if not value.code.module.is_library and value.code.parent.index == 0:
            if value.code.module is module and value.code.full_name == name:
                api.functions.setdefault(name, value)
            elif is_public:
                api.aliases.setdefault(name, value.code.full_name)
        case ClassObject(str() as outside) | External(outside) if is_public and "." in outside:
            api.aliases.setdefault(name, outside)


def is_public_name(name: str) -> bool:
    """Whether no part of a dotted name says that it is private."""
    return not any(part.startswith("_") for part in name.split("."))


def is_asynchronous(name: str) -> bool:
    """Whether a class, or what lies in it or in a module, says by its name that it is meant for coroutines."""
    parts = name.split(".")[1:]  # asyncio itself has much that is not
    return _SYNC_MODULES.isdisjoint(parts) and any(
        part in _ASYNC_MODULES or _is_asynchronous_class(part) for part in parts
    )


def _is_asynchronous_class(name: str) -> bool:
    return ("Async" in name or name.startswith(("Aio", "AIO"))) and name not in _SYNCHRONOUS


def is_named_asynchronous(name: str) -> bool:
    """Whether a function says by its own name that it only begins something."""
    return name.endswith("_async") or name.startswith("async_")


def _offers(module: Module) -> bool:
    """Whether what a module imports is there for its users: so it is with packages, not with their parts."""
    return module.is_package or "." not in module.name


def _is_local(cls: Class) -> bool:
    return cls.code.module.is_library or cls.code.parent.scope.kind != ir.ScopeKind.MODULE


def members(project: Project, cls: Class) -> Iterator[str]:
    """The names that users can reach through an object of a class, its bases' included, sorted."""
    found: set[str] = set()
    for owner in project.inference.hierarchy.order(cls):
        if isinstance(owner, Class):
            found.update(owner.code.scope.bindings)
            found.update(owner.stores)
    yield from sorted(name for name in found if not name.startswith("_") or name in _SPECIAL)
