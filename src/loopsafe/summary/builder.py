"""The state of one scope while it is being summarised: nodes, and which definition of each variable reaches here.

Stage: summarise. Knows no syntax tree statement or expression; `expressions` and `statements` drive it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

import msgspec

from loopsafe.summary import ir

Environment: TypeAlias = dict[str, ir.Ref]
"""Variable, or dotted place such as `self.x` that a test has narrowed, to the node that defines it here."""


_RESULTS: Final = frozenset({ir.Call, ir.Phi, ir.Narrow, ir.Declared, ir.Display})
"""Nodes that are what a call gave, or may stand for it."""


_SHARED: Final = (ir.Const, ir.Literal, ir.Name, ir.Param)
"""Nodes that are made once and serve every mention."""


class Loop:
    """What `break` and `continue` carried away from the loop being summarised."""

    __slots__ = ("breaks", "continues")

    def __init__(self) -> None:
        self.breaks: list[Environment] = []
        self.continues: list[Environment] = []


class ScopeBuilder(msgspec.Struct, eq=False):
    """Collects one scope."""

    kind: int
    name: str
    parent: ScopeBuilder | None
    index: int
    span: ir.RawSpan
    nodes: list[ir.Node] = []
    env: Environment | None = {}
    """None where control cannot arrive."""
    declared: dict[str, ir.Ref] = {}
    """Annotations of variables: they hold for what is assigned later, too."""
    definitions: dict[str, list[ir.Ref]] = {}
    assigned: list[list[tuple[str, ir.Ref]]] = []
    """For each `try` block being read, what was assigned in it so far."""
    loops: list[Loop] = []
    global_names: set[str] = set()
    nonlocal_names: set[str] = set()
    is_async: bool = False
    is_generator: bool = False
    has_await: bool = False
    body: int = ir.BodyKind.NORMAL
    params: tuple[ir.Parameter, ...] = ()
    returns: list[ir.Ref] = []
    end: ir.Ref = ir.UNKNOWN
    yields: list[ir.Ref] = []
    globals: list[tuple[str, ir.Ref]] = []
    nonlocals: list[tuple[str, ir.Ref]] = []
    discards: list[ir.Ref] = []
    stores: list[ir.Ref] = []
    calls: list[ir.Ref] = []
    maker: ir.Ref = ir.UNKNOWN
    additions: list[tuple[ir.Ref, ir.Ref]] = []
    branches: list[ir.Branch] = []
    handlers: list[ir.Handler] = []
    blocks: list[ir.Block] = []
    star_imports: list[tuple[str, int]] = []
    looks: list[tuple[int, ir.Ref]] = []
    _spans: list[ir.RawSpan] = []
    _texts: list[str] = []
    _names: dict[str, ir.Ref] = {}
    _literals: dict[object, ir.Ref] = {}

    def add_place(self, span: ir.RawSpan, text: str) -> ir.Place:
        self._spans.append(span)
        self._texts.append(text)
        return len(self._spans) - 1

    def add_addition(self, container: ir.Ref, value: ir.Ref) -> None:
        """`value` is put into `container`."""
        if container >= 0 and value >= 0:
            self.additions.append((container, value))

    def _complete_displays(self) -> list[tuple[ir.Ref, ir.Ref]]:
        """Tells containers made here what is put into them; gives the rest."""
        rest = []
        for container, value in dict.fromkeys(self.additions):
            node = self.nodes[container]
            if isinstance(node, ir.Display):
                self.nodes[container] = msgspec.structs.replace(node, added=(*node.added, value))
            else:
                rest.append((container, value))
        return rest

    def add_look(self, how: int, ref: ir.Ref) -> None:
        """A value is looked at; how is of interest only where a call has made it."""
        if ref >= 0 and (how == ir.Look.OTHER or self.nodes[ref].__class__ in _RESULTS):
            self.looks.append(ir.shared((how, ref)))

    def add_return(self, ref: ir.Ref) -> None:
        self.returns.append(self.add(ir.Return(ref)))

    def add_end(self) -> None:
        """Control arrives at the end of a function, of which others may ask what it returns."""
        if self.returns and self.env is not None:
            self.end = self.add(ir.Return(self.const_node(None)))

    def add_block(self, head: ir.Ref, start: ir.Ref) -> None:
        """All nodes from `start` on are under `head`."""
        if start < len(self.nodes):
            self.blocks.append(ir.Block(head, ir.shared((start, len(self.nodes)))))

    def add_comprehension(self, start: ir.Ref) -> None:
        """The nodes from `start` on are a comprehension's; only its first iterable is evaluated once."""
        heads = (ref for ref in range(start, len(self.nodes)) if isinstance(self.nodes[ref], ir.Next))
        head = next(heads, None)
        if head is not None:
            self.add_block(head, head + 1)

    def add_operands(self, tests: Sequence[tuple[ir.Tested, int]], is_and: bool) -> None:
        """Notes that the operands to the right of each test, from that node on, run only where it allows them."""
        end = len(self.nodes)
        for tested, start in tests[:-1]:
            rest, nothing = ir.shared((start, end)), ir.shared((end, end))
            if tested:
                self.branches.append(ir.Branch(tested, *((rest, nothing) if is_and else (nothing, rest))))

    def add(self, node: ir.Node) -> ir.Ref:
        self.nodes.append(node)
        return len(self.nodes) - 1

    def add_call(self, node: ir.Call) -> ir.Ref:
        ref = self.add(node)
        self.calls.append(ref)
        return ref

    def name_node(self, name: str) -> ir.Ref:
        """One node stands for all reads of a name that is not local."""
        ref = self._names.get(name)
        if ref is None:
            ref = self._names[name] = self.add(ir.Name(name))
        return ref

    def const_node(self, value: bool | int | str | None) -> ir.Ref:
        key = (value.__class__, value)
        ref = self._literals.get(key)
        if ref is None:
            ref = self._literals[key] = self.add(ir.Const(value))
        return ref

    def literal_node(self, class_name: str, beginning: str = "") -> ir.Ref:
        key = (class_name, beginning)
        ref = self._literals.get(key)
        if ref is None:
            ref = self._literals[key] = self.add(ir.Literal(class_name, beginning))
        return ref

    def read(self, name: str) -> ir.Ref:
        ref = self.env.get(name) if self.env is not None else None
        return self.name_node(name) if ref is None else ref

    def assign(self, name: str, ref: ir.Ref) -> None:
        """From here on, the variable is what `ref` is."""
        if name in self.global_names:
            self.globals.append((name, ref))
            return
        if name in self.nonlocal_names:
            self.nonlocals.append((name, ref))
            return
        if ref >= 0 and self.kind == ir.ScopeKind.FUNCTION and isinstance(self.nodes[ref], _SHARED):
            ref = self.add(self.nodes[ref])  # a definition of its own: the branch that it stands in may be dead
        if self.env is not None:
            self._forget_places(name)
            self.env[name] = ref
        self.definitions.setdefault(name, []).append(ref)
        for log in self.assigned:
            log.append((name, ref))

    def _forget_places(self, name: str) -> None:
        env = self.env
        assert env is not None
        if name not in env:
            return
        prefix = name + "."
        for place in [place for place in env if place.startswith(prefix)]:
            del env[place]

    def phi(self, options: Iterable[ir.Ref]) -> ir.Ref:
        """A node for one of several, flattening nothing and repeating nothing."""
        unique = tuple(dict.fromkeys(options))
        return unique[0] if len(unique) == 1 else self.add(ir.Phi(unique))

    def merge(self, *environments: Environment | None) -> Environment | None:
        """What holds where several branches meet; those that never arrive do not count."""
        arriving = [env for env in environments if env is not None]
        if len(arriving) <= 1:
            return arriving[0] if arriving else None
        first = arriving[0]
        merged = dict(first)
        for other in arriving[1:]:
            for name, ref in other.items():  # in their order: a set's would differ from run to run
                if "." not in name:
                    merged.setdefault(name, ref)
        for name in list(merged):
            options = [env[name] for env in arriving if name in env]
            if "." in name and len(options) < len(arriving):
                del merged[name]
            elif options.count(options[0]) < len(options):
                merged[name] = self.phi(options)
        return merged

    def freeze(self, has_children: bool) -> ir.Scope:
        """The finished scope."""
        additions = tuple(self._complete_displays())
        return ir.Scope(
            kind=self.kind,
            name=self.name,
            parent=self.parent.index if self.parent is not None else self.index,
            maker=self.maker,
            span=self.span,
            nodes=tuple(self.nodes),
            is_async=self.is_async,
            is_generator=self.is_generator,
            has_await=self.has_await,
            body=self.body,
            params=self.params,
            returns=ir.shared(tuple(self.returns)),
            yields=tuple(self.yields),
            bindings=self._bindings(has_children),
            globals=tuple(self.globals),
            nonlocals=tuple(self.nonlocals),
            discards=ir.shared(tuple(self.discards)),
            stores=ir.shared(tuple(self.stores)),
            calls=ir.shared(tuple(self.calls)),
            additions=additions,
            branches=tuple(self.branches),
            handlers=tuple(self.handlers),
            blocks=tuple(self.blocks),
            star_imports=tuple(self.star_imports),
            spans=ir.pack_spans(self._spans),
            texts="\n".join(self._texts),
            end=self.end,
            looks=tuple(self.looks),
        )

    def _bindings(self, has_children: bool) -> dict[str, tuple[ir.Ref, ...]]:
        if self.kind in (ir.ScopeKind.MODULE, ir.ScopeKind.CLASS):
            final = self.env if self.env is not None else {}
            shared = ir.shared
            bindings: dict[str, tuple[ir.Ref, ...]] = {
                name: shared((ref,)) for name, ref in final.items() if "." not in name
            }
            for name, refs in self.definitions.items():
                if name not in bindings:
                    bindings[name] = shared(tuple(dict.fromkeys(refs)))
            return bindings
        if not has_children:
            return {}
        return {name: ir.shared(tuple(dict.fromkeys(refs))) for name, refs in self.definitions.items()}
