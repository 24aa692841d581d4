"""How a module moves calls to a thread: by what the settings name, by what it uses already, else by its async library.

For remedies only. A function of the project counts if all that it does is to hand its first parameter to a thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from loopsafe.catalog import Role, RoleKind, RoleResult
from loopsafe.project import Project
from loopsafe.project.entities import Frame, Module
from loopsafe.project.roles import callable_name
from loopsafe.project.values import Function
from loopsafe.summary import ir

AUTO: Final = "auto"
"""The off-loader that fits what the module uses."""
_WRAPPER: Final = "asgiref.sync.sync_to_async"
_OFFLOADERS: Final = {
    "asyncio": "asyncio.to_thread",
    "anyio": "anyio.to_thread.run_sync",
    "trio": "trio.to_thread.run_sync",
}


class Offloader(NamedTuple):
    """A function that moves a callable to a thread, and how it wants to be called."""

    name: str
    """Qualified, with the dots of a relative import; without any, a function of the module itself."""
    leading: tuple[str, ...] = ()
    """Arguments in front of the callable."""
    takes_keywords: bool = True
    """It hands on keyword arguments."""
    own_name: str | None = None
    """The keyword by which it takes the callable itself, and therefore does not hand on."""


class Offloaders:
    """Answers `of(module)` and `wrapper_of(module)`."""

    def __init__(self, project: Project, offload: str) -> None:
        """`offload` is the setting of that name."""
        self._project: Final = project
        self._offload: Final = offload
        self._known: Final[dict[Module, Offloader]] = {}

    def of(self, module: Module) -> Offloader:
        """The way to a thread that the settings name, else one that the module uses, else that of its async library."""
        known = self._known.get(module)
        if known is None:
            known = self._known[module] = self._find(module)
        return known

    def wrapper_of(self, module: Module) -> str:
        """What moves calls to the thread of the request: another than the usual function if the module has it."""
        roles = ((name, self._role(name)) for name in _imported(module))
        found = (name for name, role in roles if role is not None and role.role is RoleKind.OFFLOAD_DECORATOR)
        return next(found, _WRAPPER)

    def _find(self, module: Module) -> Offloader:
        if self._offload != AUTO:
            return Offloader(_OFFLOADERS.get(self._offload, self._offload))
        found = next(self._described(module), None) or next(self._helpers(module), None)
        return found or Offloader(_OFFLOADERS[library_of(module)])

    # Known to the catalogue

    def _described(self, module: Module) -> Iterator[Offloader]:
        catalog = self._project.catalog
        for name in _imported(module):
            # `to_thread.run_sync` of a module; a class's own is a method, which gets an object of the class as well
            is_class = catalog.is_class(catalog.canonical(name))
            for candidate in (name,) if is_class else (name, f"{name}.run_sync"):
                role = self._role(candidate)
                if role is None or not _is_offloader(role):
                    continue
                if role.callable == 0:
                    yield Offloader(candidate)
                elif role.callable == 1 and _is_given_none(module, name.rpartition(".")[2]):
                    yield Offloader(candidate, ("None",))

    def _role(self, name: str) -> Role | None:
        return self._project.catalog.role(self._project.catalog.canonical(name))

    # Of the project

    def _helpers(self, module: Module) -> Iterator[Offloader]:
        """Functions that the module imports, or has, and uses, and that only hand on to a thread."""
        scope = module.scopes[0]
        for local, refs in scope.bindings.items():
            if local not in module.calls or len(refs) != 1 or refs[0] < 0:
                continue
            match scope.nodes[refs[0]]:
                case ir.Import(module=origin, level=level, name=str(name)):
                    spelled = f"{'.' * level}{origin}.{name}"
                case ir.MakeFunction():
                    spelled = local
                case _:
                    continue
            for value in self._project.inference.value(module.frame, refs[0]):
                if isinstance(value, Function) and value.code.is_coroutine:
                    yield from self._as_helper(value, spelled)

    def _as_helper(self, function: Function, spelled: str) -> Iterator[Offloader]:
        scope = function.code.scope
        kinds = tuple(param.kind for param in scope.params)
        is_plain = function.kind == "plain" and not function.code.maker.decorators and not scope.handlers
        if not is_plain or kinds not in _SHAPES or not scope.returns:
            return
        frame = self._project.inference.generic_frame(function.code)
        if all(self._hands_on(frame, ref) for ref in scope.returns):
            first = scope.params[0]
            own_name = None if first.positional_only else first.name
            yield Offloader(spelled, (), len(kinds) == len(_SHAPES[-1]), own_name)

    def _hands_on(self, frame: Frame, ref: ir.Ref) -> bool:
        """Whether what is returned is what a thread gives that is handed the parameters."""
        nodes = frame.code.scope.nodes
        returned = nodes[ref]
        awaited = nodes[returned.value] if isinstance(returned, ir.Return) and returned.value >= 0 else None
        call = nodes[awaited.value] if isinstance(awaited, ir.Await) and awaited.value >= 0 else None
        if not isinstance(call, ir.Call):
            return False
        role = self._role_at(frame, call)
        if role is None or not _is_offloader(role) or not isinstance(role.callable, int):
            return False
        given = nodes[call.args[role.callable]] if role.callable < len(call.args) else None
        if isinstance(given, ir.Call):  # `partial(f, *args, **kwargs)`
            inner = self._role_at(frame, given)
            return inner is not None and inner.role is RoleKind.PARTIAL and _passes_all(frame, given, 0)
        return _passes_all(frame, call, role.callable)

    def _role_at(self, frame: Frame, node: ir.Call) -> Role | None:
        callees = self._project.inference.value(frame, node.func)
        name = callable_name(callees[0]) if len(callees) == 1 else None
        return None if name is None else self._project.catalog.role(name)


_SHAPES: Final = (
    (ir.ParamKind.POSITIONAL, ir.ParamKind.VARARGS),
    (ir.ParamKind.POSITIONAL, ir.ParamKind.VARARGS, ir.ParamKind.KWARGS),
)
"""Of helpers: `(f, *args)` and `(f, *args, **kwargs)`."""


def _is_given_none(module: Module, name: str) -> bool:
    """Whether the module leaves it to a function of that name which executor to take, wherever it calls it."""
    for index, ref in module.calls.get(name, ()):
        nodes = module.scopes[index].nodes
        node = nodes[ref]
        if not (
            isinstance(node, ir.Call) and node.args and node.args[0] >= 0 and nodes[node.args[0]] == ir.Const(None)
        ):
            return False
    return True


def _is_offloader(role: Role) -> bool:
    return role.role is RoleKind.OFFLOADER and role.result is RoleResult.AWAITABLE


def _passes_all(frame: Frame, node: ir.Call, position: int) -> bool:
    """Whether a call gives all parameters of the function that it stands in, in order, the first at that position."""
    nodes = frame.code.scope.nodes
    given = [nodes[ref] if ref >= 0 else None for ref in node.args[position:]]
    is_spread = node.starred == position + 1
    keywords = [nodes[ref] if ref >= 0 else None for name, ref in node.keywords if name is None]
    params = frame.code.scope.params
    return is_spread and given == [ir.Param(0), ir.Param(1)] and keywords == [ir.Param(2)] * (len(params) - 2)


def _imported(module: Module) -> Iterator[str]:
    """Qualified names of what a module imports at its top, in the order of the text."""
    for node in module.scopes[0].nodes:
        if isinstance(node, ir.Import) and not node.level:
            yield node.module if node.name is None else f"{node.module}.{node.name}"


def library_of(module: Module) -> str:
    """The async library that a module is written for."""
    imports = {name.partition(".")[0] for name in module.summary.imports} if module.summary is not None else set()
    if "asyncio" in imports:
        return "asyncio"
    return next((library for library in ("trio", "anyio") if library in imports), "asyncio")
