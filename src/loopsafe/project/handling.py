"""What a function, with all whom it hands a dictionary on to, may do to the dictionary's keys.

Stage: infer. Who only reads does nothing; who is not known, or keeps the dictionary, may do anything to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from loopsafe.catalog import RoleKind
from loopsafe.project.arguments import SINGLE, given_refs
from loopsafe.project.conditions import is_in
from loopsafe.project.decorators import has_unknown_decorator, role_of
from loopsafe.project.entities import Class, Code, Frame, Module
from loopsafe.project.uses import Uses
from loopsafe.project.values import ClassObject, External, Function, Method, Value
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference

_MOST_HOLDERS: Final = 60
"""A dictionary that more functions hand on to one another is not followed."""
_READING: Final = frozenset({"get", "items", "keys", "values", "copy"})
_COMPARING: Final = frozenset({"__contains__", "__eq__", "__ne__"})
_LOOKING: Final = frozenset({RoleKind.VIEWER, RoleKind.SPECIAL, RoleKind.CONSUMER, RoleKind.CAST})
"""What does nothing to its argument, and keeps no hold of it."""

Holder: TypeAlias = tuple[Code, int]
"""A parameter of a function."""


class Doings(NamedTuple):
    """What is done to a dictionary."""

    put: frozenset[str]
    """Keys that may be added or changed."""
    taken: frozenset[str]
    """Keys that may be removed."""
    holders: tuple[Holder, ...] = ()
    """Who else it is handed to."""


class Handling:
    """Answers `within(holder)` for arguments, and `around(frame, ref, user)` for dictionaries made here."""

    def __init__(self, inference: Inference) -> None:
        self._inference: Final = inference
        self._direct: Final[dict[Holder, Doings | None]] = {}
        self._whole: Final[dict[Holder, Doings | None]] = {}
        self._uses: Final = lru_cache(maxsize=None)(Uses)
        self._is_handled: Final = lru_cache(maxsize=None)(self._find_handling)

    def around(self, frame: Frame, ref: ir.Ref, user: ir.Node) -> Doings | None:
        """What may happen to a dictionary in the scope that makes it, whatever the order; None: anything."""
        return self._collected(self._done(frame, [ref], user))

    def within(self, holder: Holder) -> Doings | None:
        """What may happen to an argument while a function runs; None: anything."""
        if holder not in self._whole:
            found = self._collected(Doings(frozenset(), frozenset(), (holder,)))
            if not self._inference.is_settled:
                return found
            self._whole[holder] = found
        return self._whole[holder]

    def _collected(self, doings: Doings | None) -> Doings | None:
        """The same with all that those do to whom it is handed; None if anything may happen."""
        if doings is None or not doings.holders:
            return doings
        put, taken = set(doings.put), set(doings.taken)
        pending = list(doings.holders)
        seen = set(pending)
        while pending:
            found = self._directly(pending.pop())
            if found is None or len(seen) > _MOST_HOLDERS:
                return None
            put |= found.put
            taken |= found.taken
            pending += [holder for holder in dict.fromkeys(found.holders) if holder not in seen]
            seen.update(found.holders)
        return Doings(frozenset(put), frozenset(taken))

    def _directly(self, holder: Holder) -> Doings | None:
        if holder not in self._direct:
            code, index = holder
            if has_unknown_decorator(self._inference, code):
                return None
            refs = [ref for ref, node in enumerate(code.scope.nodes) if node == ir.Param(index)]
            found = self._done(self._inference.generic_frame(code), refs, None)
            if not self._inference.is_settled:
                return found
            self._direct[holder] = found
        return self._direct[holder]

    def _done(self, frame: Frame, refs: list[ir.Ref], at: ir.Node | None) -> Doings | None:
        """What is done in a scope to what some nodes are, but for one use of it, if that comes but once."""
        nodes = frame.code.scope.nodes
        uses = self._uses(frame.code)
        put: set[str] = set()
        taken: set[str] = set()
        holders: list[Holder] = []
        pending, seen = list(refs), set(refs)
        while pending:
            value = pending.pop()
            if uses.is_seen_elsewhere(value):
                return None
            for user in uses.users(value):
                node = nodes[user]
                if node is at and not _is_repeated(frame.code.scope, refs[0], user):
                    continue
                onward: tuple[ir.Ref, ...] = ()
                match node:
                    case ir.Narrow() | ir.Declared() | ir.Phi() | ir.Await():
                        onward = (user,)
                    case ir.StoreItem(object=target, key=str(key)) if target == value and node.value != value:
                        put.add(key)
                    case ir.Attr(name="pop" | "setdefault" as name):
                        keys = _first_arguments(nodes, uses.users(user), user)
                        if keys is None:
                            return None
                        (taken if name == "pop" else put).update(keys)
                    case ir.Call():
                        found = self._handed(frame, node, value)
                        if found is None:
                            return None
                        holders += found
                        onward = (user,) if any(_gives_back(*holder) for holder in found) else ()
                    case _ if not _is_reading(node, value):
                        return None
                pending += [ref for ref in onward if ref not in seen]
                seen.update(onward)
        return Doings(frozenset(put), frozenset(taken), tuple(holders))

    def _handed(self, frame: Frame, node: ir.Call, value: ir.Ref) -> list[Holder] | None:
        """The parameters that get a value at a call; None if they are not known, nothing where it is merely read."""
        keywords = [name for name, ref in node.keywords if ref == value]
        if value not in node.args and keywords == [None]:
            return []  # `**options`
        func = frame.code.scope.nodes[node.func] if node.func >= 0 else None
        holders: list[Holder] = []
        callees = self._inference.value(frame, node.func)
        for callee in callees:
            if isinstance(callee, External | Method | ClassObject) and role_of(self._inference, callee) in _LOOKING:
                continue
            functions = list(self._meant(callee))
            if not functions and not self._is_plain(frame, node, callee, value):
                return None
            for function in functions:
                params = function.code.scope.params
                refs = given_refs(node, func, function).items()
                given = [index for index, ref in refs if ref == value and params[index].kind in SINGLE]
                if len(given) != node.args.count(value) + len(keywords):
                    return None
                holders += [(function.code, index) for index in given]
        return holders if callees else None

    def _meant(self, callee: Value) -> Iterator[Function]:
        """The functions that a call may run: those of the project, and what may override them."""
        for function in self._inference.calls.functions((callee,)):
            yield function
            yield from self._inference.members.implementations(function)

    def _is_plain(self, frame: Frame, node: ir.Call, callee: Value, value: ir.Ref) -> bool:
        """Whether all that a call does is to put the dictionary into a field of a new object, where it is just read."""
        cls = callee.cls if isinstance(callee, ClassObject) else None
        fields = self._inference.fields.of(cls) if isinstance(cls, Class) else ()
        names = [name for name, ref in node.keywords if ref == value]
        names += [field.name for field, ref in zip(fields, node.args, strict=False) if ref == value]
        modules = {frame.code.module, *[field.owner.code.module for field in fields]}
        is_handled = self._is_handled
        return len(names) == 1 and bool(fields) and not any(is_handled(module, names[0]) for module in modules)

    def _find_handling(self, module: Module, name: str | None) -> bool:
        """Whether a module does something to an attribute of that name other than to set and read it."""
        return any(
            not _is_reading(scope.nodes[user], ref)
            for index, scope in enumerate(module.scopes)
            for ref, node in enumerate(scope.nodes)
            if isinstance(node, ir.Attr) and node.name == name
            for user in self._uses(module.code(index)).users(ref)
        )


def _is_reading(node: ir.Node, value: ir.Ref) -> bool:
    """Whether a node does nothing to a dictionary that it refers to, and keeps no hold of it beyond the function."""
    match node:
        case ir.Attr(name=name):
            return name in _READING
        case ir.Binary(method=method):
            return method in _COMPARING
        case ir.Display(elements=elements, keys=keys) if keys:
            return all(key == ir.UNKNOWN for key, one in zip(keys, elements, strict=True) if one == value)  # a copy
    return isinstance(node, ir.Item | ir.Next | ir.Compare | ir.Element | ir.Return)


def _first_arguments(nodes: tuple[ir.Node, ...], users: list[ir.Ref], method: ir.Ref) -> set[str] | None:
    """The strings that are passed first where a method is called; None if something else is done with it."""
    found: set[str] = set()
    for user in users:
        match nodes[user]:
            case ir.Call(func=func, args=(first, *_)) if func == method and first >= 0:
                key = nodes[first]
                if isinstance(key, ir.Const) and isinstance(key.value, str):
                    found.add(key.value)
                    continue
        return None
    return found


def _is_repeated(scope: ir.Scope, ref: ir.Ref, user: ir.Ref) -> bool:
    """Whether a node may use one and the same value several times, in a loop around it."""
    return any(is_in(user, (block.body,)) and not is_in(ref, (block.body,)) for block in scope.blocks)


def _gives_back(code: Code, index: int) -> bool:
    """Whether a function may return what it is given for a parameter, going by its text."""
    pending = list(code.scope.returns)
    seen = set(pending)
    while pending:
        ref = pending.pop()
        node = code.scope.nodes[ref] if ref >= 0 else None
        onward: tuple[ir.Ref, ...] = ()
        match node:
            case ir.Return(value) | ir.Narrow(value) | ir.Declared(value=value) | ir.Await(value):
                onward = (value,)
            case ir.Phi(options):
                onward = options
            case ir.Call(args=args, keywords=keywords):
                onward = (*args, *[one for _, one in keywords])
            case ir.Param(given) if given == index:
                return True
        pending += [one for one in onward if one not in seen]
        seen.update(onward)
    return False
