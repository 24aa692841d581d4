"""Whether a call makes for itself the objects on which it works and that one thread only may use.

Stage: propagate. Strict, unlike `origins`: whatever is not known to be made within the call, and to stay there, counts
as somebody else's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from loopsafe.catalog import Affinity, RoleKind, When
from loopsafe.model import Effect
from loopsafe.project.arguments import given_refs
from loopsafe.project.decorators import has_role, role_of
from loopsafe.project.effects import Effects
from loopsafe.project.entities import Class, Frame
from loopsafe.project.happenings import Site
from loopsafe.project.reach import reached
from loopsafe.project.values import (
    ClassObject,
    Coroutine,
    External,
    Function,
    Generator,
    Instance,
    Lazy,
    Method,
    Partial,
    Value,
)
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference

TYING: Final = frozenset({Affinity.SHARED, Affinity.THREAD})
"""Of objects that only one thread may use, or one at a time."""
_ELSEWHERE: Final = -1
"""Where an object comes from that is neither made in a function nor given to it; a parameter is named by its index."""
_MOST_FRAMES: Final = 400
"""A call that leads to more functions than this is not looked into."""
_MANAGERS: Final = (RoleKind.CONTEXTMANAGER, RoleKind.ASYNCCONTEXTMANAGER)
_FAITHFUL: Final = frozenset(
    {
        *_MANAGERS,
        RoleKind.STATICMETHOD,
        RoleKind.CLASSMETHOD,
        RoleKind.KEEPS,
        RoleKind.ABSTRACT,
        RoleKind.OVERRIDE,
        RoleKind.OVERLOAD,
    }
)
"""Decorators after which each call still gives an object of its own."""
_LATER: Final = (Generator, Coroutine, Lazy, Partial)
_LENDING: Final = frozenset({RoleKind.CALLER, RoleKind.CONSUMER, RoleKind.VIEWER, RoleKind.CAST})
"""What keeps no argument beyond the call."""


class Belongings:
    """Answers `is_own(frame)`."""

    def __init__(self, inference: Inference, effects: Effects) -> None:
        self._inference: Final = inference
        self._effects: Final = effects
        self._own: Final[dict[Frame, bool]] = {}
        self._sources: Final[dict[tuple[Frame, ir.Ref], frozenset[int]]] = {}
        self._given: Final[dict[Frame, frozenset[int]]] = {}

    def is_own(self, frame: Frame) -> bool:
        """Whether what runs in a frame, with all that it leads to, works only on bound objects that it makes itself.

        It also keeps them to itself: none is stored, returned, or handed to another thread.
        """
        known = self._own.get(frame)
        if known is None:
            known = self._own[frame] = self._find_own(frame)
        return known

    def _find_own(self, root: Frame) -> bool:
        frames = list(reached(self._effects, root, _MOST_FRAMES, lambda _: True))
        uses = [(frame, site) for frame in frames for site in self._effects.sites(frame) if _is_bound(site)]
        if not uses:
            return True
        is_given_back = any(self._is_tied(root, ref) for ref in root.code.scope.returns)
        if len(frames) >= _MOST_FRAMES or is_given_back or any(map(self._lets_go, frames)):
            return False
        needed = {(frame, source) for frame, site in uses for source in self._used(frame, site)}
        return self._is_made_within(root, frames, needed)

    def _is_made_within(self, root: Frame, frames: list[Frame], needed: set[tuple[Frame, int]]) -> bool:
        """Whether nothing of what functions need to be given comes from outside of all of them."""
        callers: dict[Frame, list[tuple[Frame, ir.Ref]]] = {}
        for caller in frames:
            for site in self._effects.sites(caller):
                for run in site.runs:
                    callers.setdefault(run.frame, []).append((caller, site.ref))
        pending = list(needed)
        while pending:
            frame, index = pending.pop()
            if index == _ELSEWHERE or frame is root:
                return False
            for caller, ref in callers.get(frame, ()):
                found = {(caller, source) for source in self._passed(caller, ref, frame, index)}
                pending += found - needed
                needed |= found
        return True

    # Objects

    def affinity(self, frame: Frame, ref: ir.Ref) -> Affinity | None:
        """How what a node gives is bound to a thread, or to a loop."""
        for value in self._inference.value(frame, ref):
            owner = value.receiver if isinstance(value, Method) else value
            if isinstance(owner, Instance):
                classes = self._inference.hierarchy.order(owner.cls)
                found = (self._inference.catalog.affinity(cls) for cls in classes if isinstance(cls, str))
                affinity = next((each for each in found if each is not None), None)
                if affinity is not None:
                    return affinity
        return None

    def _is_tied(self, frame: Frame, ref: ir.Ref) -> bool:
        """Whether what a node gives is such an object, or works on one later."""
        if self.affinity(frame, ref) in TYING:
            return True
        if not any(isinstance(value, _LATER) for value in self._inference.value(frame, ref)):
            return False
        return any(self._is_tied(frame, one) for leaf in _leaves(frame, ref) for one in _handed_at(frame, leaf))

    def _used(self, frame: Frame, site: Site) -> frozenset[int]:
        """Where the objects come from on which something works."""
        node, receiver = frame.code.scope.nodes[site.ref], receiver_at(frame, site.ref)
        subjects = [ref for ref in subjects_at(frame, site.ref) if self._is_tied(frame, ref)]
        callees = self._inference.value(frame, node.func) if isinstance(node, ir.Call) else ()
        if not isinstance(node, ir.Call) or any(isinstance(callee, Method) for callee in callees):
            subjects.append(ir.UNKNOWN if receiver is None else receiver)
        elif any(primitive.fact.when is When.ITER for primitive in site.primitives):
            subjects += node.args
        found = (self.sources(frame, ref) for ref in subjects or [site.ref])  # `connect()` gives what it works on
        return frozenset[int]().union(*found)

    def sources(self, frame: Frame, ref: ir.Ref) -> frozenset[int]:
        """The parameters, if any, that an object may have come in by; none if it is made in a frame."""
        known = self._sources.get((frame, ref))
        if known is None:
            found: set[int] = set()
            seen = {ref}
            pending = [ref]
            while pending:
                for leaf in _leaves(frame, pending.pop()):
                    refs, sources = self._behind(frame, leaf)
                    found |= sources
                    pending += set(refs) - seen
                    seen.update(refs)
            known = self._sources[frame, ref] = frozenset(found)
        return known

    def _behind(self, frame: Frame, ref: ir.Ref) -> tuple[Iterable[ir.Ref], frozenset[int]]:
        """The nodes that an object is made from, and the parameter that it is."""
        match frame.code.scope.nodes[ref] if ref >= 0 else None:
            case ir.Const():
                return (), frozenset()
            case ir.Param(index=index):
                return (), frozenset({index})
            case ir.With(value=value, is_async=False):
                return (value,), frozenset()
            case ir.Attr(value=value) if self._is_tied(frame, value):
                return (value,), frozenset()
            case ir.Call() as node:
                found = self._behind_call(frame, ref, node)
                if found is not None:
                    return found, frozenset()
        return (), frozenset({_ELSEWHERE})

    def _behind_call(self, frame: Frame, ref: ir.Ref, node: ir.Call) -> list[ir.Ref] | None:
        """What the object is made of that a call gives, if it makes one; None if it may give one that was there."""
        found: list[ir.Ref] = []
        callees = self._inference.value(frame, node.func)
        for callee in callees:
            if isinstance(callee, Function):
                for function in self._meant(callee):
                    for index in self._given_by(self._entered(frame, node, function)):
                        given = self._argument(frame, node, function, index)
                        if given is None:
                            return None
                        found += given
            elif self._is_maker(frame, ref, callee):
                found += [one for one in subjects_at(frame, ref) if self._is_tied(frame, one)]
            else:
                return None
        return found if callees else None

    def _meant(self, function: Function) -> Iterator[Function]:
        """A function and its overrides; of an abstract one only these."""
        members = self._inference.members
        others = tuple(members.implementations(function))
        return iter(others if others and members.is_abstract(function.code) else (function, *others))

    def _is_maker(self, frame: Frame, ref: ir.Ref, callee: Value) -> bool:
        """Whether something from outside the project, or a class, makes what it gives."""
        match callee:
            case ClassObject(Class() as cls):
                keywords = cls.maker.keywords if isinstance(cls.maker, ir.MakeClass) else ()
                is_plain = not keywords and not self._inference.members.find(Instance(cls), "__new__")
                return is_plain and self._is_tied(frame, ref)
            case External() | Method() | ClassObject():
                role = role_of(self._inference, callee)
                return role is None or role in _LENDING
            case Instance(str() as cls):  # `sessionmaker(…)()`
                return self._inference.catalog.affinity(cls) is None
        return False

    def _entered(self, frame: Frame, node: ir.Call, function: Function) -> Frame:
        return self._inference.calls.frame(function, self._inference.calls.arguments(frame, node))

    def _given_by(self, frame: Frame) -> frozenset[int]:
        """The sources of what a function gives."""
        known = self._given.get(frame)
        if known is None:
            self._given[frame] = frozenset({_ELSEWHERE})  # of what calls itself
            known = self._given[frame] = self._find_given(frame)
        return known

    def _find_given(self, frame: Frame) -> frozenset[int]:
        scope = frame.code.scope
        given = scope.yields if scope.is_generator else scope.returns
        is_manager = self._is_manager(frame)
        is_plain = (is_manager or not scope.is_async) and scope.is_generator is is_manager
        if not given or not is_plain or not self._is_faithful(frame) or self._lets_go(frame):
            return frozenset({_ELSEWHERE})
        return frozenset[int]().union(*(self.sources(frame, ref) for ref in given))

    def _is_manager(self, frame: Frame) -> bool:
        return any(has_role(self._inference, frame.code, kind) for kind in _MANAGERS)

    def _is_faithful(self, frame: Frame) -> bool:
        closure = frame.closure
        decorators = frame.code.maker.decorators
        return closure is not None and all(
            any(role_of(self._inference, value) in _FAITHFUL for value in self._inference.value(closure, ref))
            for ref in decorators
        )

    # Arguments

    def _passed(self, caller: Frame, ref: ir.Ref, callee: Frame, index: int) -> Iterable[int]:
        """The sources of what a function is given for a parameter, where it runs at a node."""
        maker = callee.code.maker
        if callee.code.scope.kind == ir.ScopeKind.GENERATOR and isinstance(maker, ir.MakeFunction):
            is_first = index == 0 and callee.closure is caller
            return self.sources(caller, maker.defaults[0][1]) if is_first else (_ELSEWHERE,)
        nodes = caller.code.scope.nodes
        node = nodes[ref]
        if isinstance(node, ir.With | ir.Next) and node.value >= 0:
            node = nodes[node.value]  # what runs was called before
        if not isinstance(node, ir.Call):
            return (_ELSEWHERE,)
        functions = self._inference.calls.functions(self._inference.value(caller, node.func))
        function = next((each for each in functions if each.code.scope.name == callee.code.scope.name), None)
        given = None if function is None else self._argument(caller, node, function, index)
        return (_ELSEWHERE,) if given is None else (source for one in given for source in self.sources(caller, one))

    def _argument(self, frame: Frame, node: ir.Call, function: Function, index: int) -> tuple[ir.Ref, ...] | None:
        """The node that a call gives for a parameter; nothing where it is left out, None where that is not known."""
        func = frame.code.scope.nodes[node.func] if node.func >= 0 else None
        ref = given_refs(node, func, function).get(index)
        if ref is not None:
            return (ref,)
        is_open = index < 0 or node.starred >= 0 or any(name is None for name, _ in node.keywords)
        maker = function.code.maker
        defaults = dict(maker.defaults) if isinstance(maker, ir.MakeFunction) else {}
        default = defaults.get(index, ir.UNKNOWN)
        is_nothing = default >= 0 and isinstance(function.closure.code.scope.nodes[default], ir.Const)
        return () if is_nothing and not is_open else None

    # Letting go

    def _lets_go(self, frame: Frame) -> bool:
        """Whether a function puts a bound object where it may be found later, or by another thread."""
        return any(self._is_tied(frame, ref) for ref in self._kept(frame)) or any(
            self._hands_over(frame, node) for _, node in frame.code.scope.each_call()
        )

    def _kept(self, frame: Frame) -> Iterator[ir.Ref]:
        scope = frame.code.scope
        for node in scope.nodes:
            match node:
                case ir.StoreAttr(value=ref) | ir.StoreItem(value=ref):
                    yield ref
                case ir.Display(elements=refs, added=added):
                    yield from (*refs, *added)
                case ir.MakeFunction(scope=index) | ir.MakeClass(scope=index):
                    for name in _named(frame, index):
                        yield from scope.bindings.get(name, ())
        yield from (ref for _, ref in (*scope.additions, *scope.globals, *scope.nonlocals))
        if scope.is_generator and not self._is_manager(frame):
            yield from scope.yields

    def _hands_over(self, frame: Frame, node: ir.Call) -> bool:
        if not any(self._is_tied(frame, ref) for ref in (*node.args, *(ref for _, ref in node.keywords))):
            return False
        callees = self._inference.value(frame, node.func)
        return not callees or not all(self._is_lent(frame, node, callee) for callee in callees)

    def _is_lent(self, frame: Frame, node: ir.Call, callee: Value) -> bool:
        """Whether what is called keeps no hold of what it is given, as far as can be told from here."""
        match callee:
            case Function():
                return not callee.code.scope.is_async
            case ClassObject(Class()):
                return True
            case External() | ClassObject() | Method():
                role = role_of(self._inference, callee)
                is_lending = role is None or role in _LENDING
                return is_lending and not (isinstance(callee, Method) and self._is_keeper(frame, node, callee))
        return False

    def _is_keeper(self, frame: Frame, node: ir.Call, method: Method) -> bool:
        """Whether a method's object was there before, and nothing is done on the spot: a stack, a queue, a registry."""
        func = frame.code.scope.nodes[node.func] if node.func >= 0 else None
        facts = self._inference.catalog.facts(method.name, When.CALL)
        is_at_work = any(fact.effect is not Effect.WAIT for fact in facts)
        return not is_at_work and not (isinstance(func, ir.Attr) and not self.sources(frame, func.value))


def _is_bound(site: Site) -> bool:
    return any(primitive.fact.affinity in TYING for primitive in site.primitives)


def _leaves(frame: Frame, ref: ir.Ref) -> Iterator[ir.Ref]:
    """The nodes that make what a node may be, as far as variables and branches hide them."""
    seen = {ref}
    pending = [ref]
    while pending:
        current = pending.pop()
        match frame.code.scope.nodes[current] if current >= 0 else None:
            case ir.Phi(options=options):
                behind: tuple[ir.Ref, ...] = options
            case ir.Return(value=value) | ir.Yield(value=value) | ir.Narrow(value=value) | ir.Declared(value=value):
                behind = (value,)
            case _:
                behind = ()
                yield current
        pending += set(behind) - seen
        seen.update(behind)


def _handed_at(frame: Frame, ref: ir.Ref) -> Iterator[ir.Ref]:
    """What something gets that a node makes, and that runs later."""
    node = frame.code.scope.nodes[ref] if ref >= 0 else None
    if isinstance(node, ir.MakeFunction):  # a generator expression
        yield from (default for _, default in node.defaults)
    elif isinstance(node, ir.Call):
        yield from subjects_at(frame, ref)


def _named(frame: Frame, index: int) -> set[str]:
    """The names that a function or class within a frame takes from outside, and those within that."""
    scope = frame.code.module.scopes[index]
    names = {node.name for node in scope.nodes if isinstance(node, ir.Name)}
    inner = (node.scope for node in scope.nodes if isinstance(node, ir.MakeFunction | ir.MakeClass))
    return names.union(*(_named(frame, one) for one in inner))


def subjects_at(frame: Frame, ref: ir.Ref) -> Iterator[ir.Ref]:
    """The nodes of the objects that something at a node works on."""
    receiver = receiver_at(frame, ref)
    if receiver is not None:
        yield receiver
    node = frame.code.scope.nodes[ref]
    if isinstance(node, ir.Call):
        yield from node.args
        yield from (one for _, one in node.keywords)


def receiver_at(frame: Frame, ref: ir.Ref) -> ir.Ref | None:
    """The node of what a method is called on, what is read, iterated or entered."""
    nodes = frame.code.scope.nodes
    match nodes[ref]:
        case ir.Call(func=func):
            callee = nodes[func] if func >= 0 else None
            return callee.value if isinstance(callee, ir.Attr) else None
        case ir.Attr(value=value) | ir.Next(value=value) | ir.With(value=value):
            return value
    return None
