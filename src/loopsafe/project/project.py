"""The linked project: what the checks ask.

Stage: link, infer and propagate behind one door. Nothing is computed before it is asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import Final

from loopsafe.catalog import Affinity, Catalog, RoleKind
from loopsafe.model import OLDEST_PYTHON, Span
from loopsafe.project.belongings import Belongings
from loopsafe.project.bonds import Bonds
from loopsafe.project.coroutines import Coroutines
from loopsafe.project.decorators import role_of
from loopsafe.project.drivers import Drivers
from loopsafe.project.effects import Effects
from loopsafe.project.entities import Code, Frame, Module
from loopsafe.project.happenings import Site
from loopsafe.project.infer import Inference
from loopsafe.project.libraries import NO_LIBRARIES, Libraries
from loopsafe.project.lifetimes import Lifetimes
from loopsafe.project.modules import Modules
from loopsafe.project.needs import LoopNeeds
from loopsafe.project.propagate import Propagation
from loopsafe.project.roles import callable_name
from loopsafe.project.values import Function, Instance
from loopsafe.summary import ir


class Project:
    """All modules of a run, linked, with the catalogue."""

    def __init__(
        self,
        summaries: Mapping[str, ir.ModuleSummary],
        catalog: Catalog,
        root: str,
        sources: Sequence[str] = (),
        libraries: Libraries = NO_LIBRARIES,
        target_version: tuple[int, int] = OLDEST_PYTHON,
    ) -> None:
        """`summaries` by absolute path; `root` and `sources`, the folders that imports start from, are absolute too.

        `target_version` is the oldest Python on which the project has to run.
        """
        self.catalog: Final = catalog
        self.modules: Final = Modules(summaries, root, sources, libraries)
        self.inference: Final = Inference(self.modules, catalog)
        self._target_version: Final = target_version

    @cached_property
    def effects(self) -> Effects:
        return Effects(self.inference)

    @cached_property
    def asynchronous_modules(self) -> list[Module]:
        """Modules with an `async def` anywhere, in the order of their paths."""
        modules = self.modules.by_path.values()
        return [module for module in modules if module.summary is not None and module.summary.has_async]

    def functions(self, module: Module) -> Iterator[Code]:
        """The functions of a module, nested ones and methods included, in the order of the text."""
        for index, scope in enumerate(module.scopes):
            if scope.kind == ir.ScopeKind.FUNCTION:
                yield module.code(index)

    @cached_property
    def coroutines(self) -> tuple[Frame, ...]:
        """The coroutine and asynchronous generator functions that a loop may run, in the order of files and text."""
        driven = Drivers(self.inference).driven
        return tuple(
            self.inference.generic_frame(code)
            for module in self.asynchronous_modules
            for code in self.functions(module)
            if code.scope.is_async and code not in driven
        )

    @cached_property
    def loop_needs(self) -> LoopNeeds:
        return LoopNeeds(self.inference, self.effects, self._target_version)

    @cached_property
    def bonds(self) -> Bonds:
        return Bonds(self.inference, self.effects, self.loop_needs, self.belongings)

    @cached_property
    def belongings(self) -> Belongings:
        return Belongings(self.inference, self.effects)

    @cached_property
    def coroutine_calls(self) -> Coroutines:
        return Coroutines(self.inference)

    @cached_property
    def lifetimes(self) -> Lifetimes:
        return Lifetimes(self.inference)

    @cached_property
    def propagation(self) -> Propagation:
        return Propagation(self.effects, self.coroutines)

    @cached_property
    def has_nested_loops(self) -> bool:
        """Whether some module imports a package that makes a running loop accept another run."""
        summaries = (module.summary for module in self.modules.by_path.values())
        imports = {name for summary in summaries if summary is not None for name in summary.imports}
        roles = map(self.catalog.role, sorted(imports))
        return any(role is not None and role.role is RoleKind.NESTED_LOOPS for role in roles)

    @cached_property
    def contract_names(self) -> frozenset[str]:
        """Names of asynchronous methods of protocols and abstract classes, which need no base to be met."""
        return frozenset(frame.code.scope.name for frame in self.coroutines if self._is_contract(frame))

    @cached_property
    def looked_for(self) -> tuple[str, ...]:
        """What names begin with that are put together to look for attributes: `getattr(flow, f"async_step_{step}")`."""
        heads = [module.summary for module in self.modules.by_path.values() if module.summary is not None]
        return tuple(sorted({beginning for head in heads for beginning in head.beginnings}))

    def _is_contract(self, frame: Frame) -> bool:
        owner = frame.closure.owner if frame.closure is not None else None
        if owner is None:
            return False
        return self.inference.members.is_abstract(frame.code) or self.inference.hierarchy.is_protocol(owner)

    @cached_property
    def coroutine_modules(self) -> Mapping[str, int]:
        """In how many modules there is a coroutine function of a name, at the top."""
        return Counter([frame.code.scope.name for frame in self.coroutines if frame.code.scope.parent == 0])

    def coroutine_values(self, names: AbstractSet[str]) -> frozenset[Code]:
        """Coroutine functions that are mentioned by one of these names, other than to call them: registered, stored."""
        used: set[Code] = set()
        for module, index, refs in self.inference.index.nodes_named(names):
            code = module.code(index)
            for ref in set(refs).intersection(mentions(code.scope)):
                if _is_imported_to_call(module, code.scope.nodes[ref]):
                    continue
                for value in self.inference.value(self.inference.generic_frame(code), ref):
                    if isinstance(value, Function) and value.code.scope.is_async:
                        used.add(value.code)
        return frozenset(used)

    def is_scheduling(self, frame: Frame, node: ir.Call) -> bool:
        """Whether a call hands a callable to the loop, to be run there later."""
        callees = self.inference.value(frame, node.func)
        return any(role_of(self.inference, callee) is RoleKind.SCHEDULER for callee in callees)

    def is_call_of(self, frame: Frame, node: ir.Call | ir.Attr, name: str) -> bool:
        """Whether a node calls that very function, not something that calls it: a partial, a callback."""
        callees = self.inference.value(frame, node.func) if isinstance(node, ir.Call) else ()
        return any(callable_name(callee) == name for callee in callees)

    def affinity(self, frame: Frame, node: ir.Call | ir.Attr) -> Affinity | None:
        """How the object that a method is called on is bound to its thread."""
        func = frame.code.scope.nodes[node.func] if isinstance(node, ir.Call) and node.func >= 0 else node
        owners = self.inference.value(frame, func.value) if isinstance(func, ir.Attr) else ()
        found = [
            self.catalog.affinity(value.cls)
            for value in owners
            if isinstance(value, Instance) and isinstance(value.cls, str)
        ]
        return next((affinity for affinity in found if affinity is not None), None)

    def loop_sites(self, coroutine: Frame) -> Iterator[tuple[Frame, Site]]:
        """The sites in a coroutine's text that run on its loop, each with the frame that it is in.

        Class bodies, and generator expressions that are consumed on the spot, belong to the coroutine's own text.
        """
        for site in self.effects.sites(coroutine):
            inner = [run.frame for run in site.runs if _is_within(run.frame, coroutine)]
            rest = tuple(run for run in site.runs if run.frame not in inner)
            if rest or site.primitives:
                yield coroutine, site._replace(runs=rest)
            for frame in inner:
                yield from self.loop_sites(frame)


def mentions(scope: ir.Scope) -> Iterator[ir.Ref]:
    """References to what goes somewhere else than into a call of it: arguments, elements, stores, results."""
    for node in scope.nodes:
        match node:
            case ir.Call(args=args, keywords=keywords):
                yield from args
                yield from (ref for _, ref in keywords)
            case ir.Display(elements=refs):
                yield from refs
            case ir.Phi(options=refs):
                yield from (ref for ref in refs if ref >= 0 and not isinstance(scope.nodes[ref], ir.MakeFunction))
            case ir.StoreAttr(value=ref) | ir.StoreItem(value=ref) | ir.Yield(value=ref) | ir.Return(value=ref):
                yield ref
            case ir.MakeFunction(defaults=defaults):
                yield from (ref for _, ref in defaults)
    for refs in scope.bindings.values():
        yield from (ref for ref in refs if ref >= 0 and not isinstance(scope.nodes[ref], ir.MakeFunction))


def _is_imported_to_call(module: Module, node: ir.Node) -> bool:
    """Whether a node imports what the module calls; what it does not call, it may hand on to its own importers."""
    return isinstance(node, ir.Import) and node.name in module.calls


def _is_within(frame: Frame, coroutine: Frame) -> bool:
    return frame.closure is coroutine and frame.code.scope.kind in (ir.ScopeKind.CLASS, ir.ScopeKind.GENERATOR)


def node_span(frame: Frame, ref: ir.Ref) -> Span:
    """Where a site stands; a callee stands where what it is an attribute of does."""
    scope = frame.code.scope
    while True:
        node = scope.nodes[ref]
        match node:
            case ir.MakeClass(scope=index):
                return Span(*frame.code.module.scopes[index].span)
            case ir.Attr(place=ir.NOWHERE, value=value) if value >= 0:
                ref = value
            case _:
                place = getattr(node, "place", ir.NOWHERE)
                return Span(*(scope.span if place == ir.NOWHERE else scope.span_at(place)))


def node_text(frame: Frame, ref: ir.Ref) -> str:
    """What a site's text says, for messages."""
    node = frame.code.scope.nodes[ref]
    match node:
        case ir.Call(place=place) | ir.Next(place=place) | ir.With(place=place):
            return frame.code.scope.text_at(place)
        case ir.Attr(value=value, name=name):
            return f"{value_text(frame, value)}.{name}"
        case ir.StoreAttr(object=value, name=name):
            return f"{value_text(frame, value)}.{name} = …"
        case ir.Item(value=value):
            return f"{value_text(frame, value)}[…]"
        case ir.StoreItem(object=value):
            return f"{value_text(frame, value)}[…] = …"
        case ir.Binary(method=method, left=left):
            return f"{value_text(frame, left)}.{method}"
    return frame.code.scope.name


def value_text(frame: Frame, ref: ir.Ref) -> str:
    """What the text of a value says, shortened, for messages."""
    node = frame.code.scope.nodes[ref] if ref >= 0 else None
    match node:
        case ir.Name(name=name):
            return name
        case ir.Param(index=index):
            return frame.code.scope.params[index].name
        case ir.Import(module=module, name=name):
            return name or module
        case ir.MakeFunction(scope=index) | ir.MakeClass(scope=index):
            return frame.code.module.scopes[index].name
        case ir.Attr(value=value, name=name):
            return f"{value_text(frame, value)}.{name}"
        case ir.Call(place=place):
            return f"{frame.code.scope.text_at(place)}(…)"
    return "…"
