"""What becomes of a value in the scope that makes it: it is handed on, merely looked at, or lost.

Stage: infer. Reads one scope. What a function does with its argument, or an attribute is good for, depends on the kind
of value: a judge tells.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple, TypeAlias

from loopsafe.project.entities import Code
from loopsafe.summary import ir


class Use(enum.Enum):
    """What is done with a value."""

    HANDED_ON = "handed on"
    """Awaited, returned, stored, passed: whoever has it may use it."""
    NOTHING = "nothing"
    TRUTH = "truth"
    TEXT = "text"
    COMPARISON = "comparison"
    ATTRIBUTE = "attribute"
    ITEM = "item"
    PARTS = "parts"
    OPERATOR = "operator"
    ARGUMENT = "argument"
    """Passed to a function that merely looks at it."""


Judge: TypeAlias = Callable[[ir.Ref], Use]
"""Tells what a call does with an argument, or reading an attribute with its object, by the node of the one or other."""

_LOOKS: Final = {ir.Look.TRUTH: Use.TRUTH, ir.Look.TEXT: Use.TEXT, ir.Look.IDENTITY: Use.COMPARISON}
_COMPARING: Final = frozenset({"__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"})
_FAILING: Final = frozenset({Use.ATTRIBUTE, Use.ITEM, Use.PARTS, Use.OPERATOR})
"""What raises an exception whatever the other uses are."""
_SEEING: Final = ("locals", "vars", "eval", "exec")
"""Builtins through which a variable may be read without being mentioned."""


class _Way(enum.Enum):
    """How a node stands for the value."""

    DIRECT = "it is the value"
    JOINED = "it is one of several, the value among them"
    COLLECTED = "it is a container with the value in it"


class _Found(NamedTuple):
    """A use, and where it is."""

    at: ir.Ref
    use: Use
    way: _Way


class Fate(NamedTuple):
    """All that becomes of one value."""

    found: tuple[_Found, ...]
    """What is done with it, in the order of evaluation."""
    is_discarded: bool
    """It is the value of a statement."""
    is_collected: bool
    """It is put into a list or the like."""

    @property
    def is_used(self) -> bool:
        return bool(self.found)

    @property
    def is_kept(self) -> bool:
        """Whether anybody may still use it."""
        return any(each.use is Use.HANDED_ON for each in self.found)

    @property
    def look(self) -> Use | None:
        """How it is merely looked at, if that is all, or if it surely fails."""
        failing = (each.use for each in self.found if each.use in _FAILING and each.way is _Way.DIRECT)
        looks = () if self.is_kept else (each.use for each in self.found if each.way is not _Way.COLLECTED)
        return next(failing, None) or next(iter(looks), None)

    @property
    def handed_on(self) -> tuple[ir.Ref, ...] | None:
        """The nodes at which it is handed on, if nothing else is done with it, nor with others in its place."""
        is_plain = all(each.use is Use.HANDED_ON and each.way is _Way.DIRECT for each in self.found)
        return tuple(each.at for each in self.found) if is_plain else None


class Uses:
    """Answers `fate(ref, judge)` for the nodes of one scope."""

    def __init__(self, code: Code) -> None:
        self._code: Final = code
        self._scope: Final = code.scope
        self._users: Final[dict[ir.Ref, list[ir.Ref]]] = {}
        self._added: Final = {ref: index for index, ref in _additions(code.scope)}
        """What is put into a container made here, to the node of the container."""
        for index, node in enumerate(code.scope.nodes):
            for ref in operands(node):
                if ref >= 0:
                    self._users.setdefault(ref, []).append(index)
        self._looks: Final[dict[ir.Ref, list[int]]] = {}
        for how, ref in code.scope.looks:
            self._looks.setdefault(ref, []).append(how)
        self._is_open: Final = any(ir.Name(name) in code.scope.nodes for name in _SEEING)
        self._leaving: Final = frozenset(self._find_leaving())

    def fate(self, ref: ir.Ref, judge: Judge) -> Fate:
        """What becomes of the value of a node."""
        found: list[_Found] = []
        pending, seen = [(ref, _Way.DIRECT)], {ref}
        is_discarded = False
        while pending:
            value, way = pending.pop()
            is_discarded |= value in self._scope.discards
            if value in self._leaving:
                found.append(_Found(value, Use.HANDED_ON, way))
            found += [_Found(value, _LOOKS.get(how, Use.HANDED_ON), way) for how in self._looks.get(value, ())]
            for user in self._users.get(value, ()):
                onward = self._follow(value, user, way)
                if onward is None:
                    use = self._in_container if way is _Way.COLLECTED else self._use
                    found.append(_Found(user, use(value, user, judge), way))
                elif onward[0] not in seen:
                    seen.add(onward[0])
                    pending.append(onward)
        if self._is_open and not is_discarded:
            found.append(_Found(ref, Use.HANDED_ON, _Way.DIRECT))
        uses = tuple(each for each in sorted(found, key=lambda each: each.at) if each.use is not Use.NOTHING)
        return Fate(uses, is_discarded, any(self._is_collecting(index) for index in seen))

    def _follow(self, value: ir.Ref, user: ir.Ref, way: _Way) -> tuple[ir.Ref, _Way] | None:
        """The node that stands for the value from some node on, if there is one, and how it does."""
        container = self._container(value, user)
        if container is not None:
            return container, _Way.COLLECTED
        match self._scope.nodes[user]:
            case ir.Declared() | ir.Narrow(class_or_tuple=ir.UNKNOWN):
                return user, way
            case ir.Narrow(class_or_tuple=other) if self._scope.nodes[other] == ir.Const(None):
                return user, way
            case ir.Phi() | ir.Narrow():
                return user, _Way.JOINED if way is _Way.DIRECT else way
        return None

    def _is_collecting(self, ref: ir.Ref) -> bool:
        node = self._scope.nodes[ref]
        return isinstance(node, ir.Display) and node.class_name != "tuple"

    def users(self, ref: ir.Ref) -> list[ir.Ref]:
        """The nodes that refer to a node."""
        return self._users.get(ref, [])

    def is_seen_elsewhere(self, ref: ir.Ref) -> bool:
        """Whether others may get at the value of a node by the name of a variable."""
        return self._is_open or ref in self._leaving

    def _find_leaving(self) -> Iterator[ir.Ref]:
        """What other scopes can see."""
        scope = self._scope
        yield from scope.yields
        for _, ref in (*scope.globals, *scope.nonlocals):
            yield ref
        for name, refs in scope.bindings.items():
            if scope.kind in (ir.ScopeKind.MODULE, ir.ScopeKind.CLASS) or self._is_read_within(name):
                yield from refs

    def _is_read_within(self, name: str) -> bool:
        later = self._code.module.scopes[self._code.index + 1 :]
        return any(ir.Name(name) in scope.nodes for scope in later)

    def _container(self, value: ir.Ref, user: ir.Ref) -> ir.Ref | None:
        """The container made here that the value is in, or is put into, by a node."""
        node = self._scope.nodes[user]
        if isinstance(node, ir.Display):
            return user
        container = self._added.get(value)
        return container if container is not None and self._is_put_into(container, node) else None

    def _is_put_into(self, container: ir.Ref, node: ir.Node) -> bool:
        match node:
            case ir.StoreItem(object=target):
                return target == container
            case ir.Call(func=func) if func >= 0:
                callee = self._scope.nodes[func]
                return isinstance(callee, ir.Attr) and callee.value == container
        return False

    def _use(self, value: ir.Ref, user: ir.Ref, judge: Judge) -> Use:
        match self._scope.nodes[user]:
            case ir.Attr():
                return judge(user)
            case ir.Call(func=func) if func != value:
                return judge(user)
            case ir.Item(value=target) if target == value:
                return Use.ITEM
            case ir.Element():
                return Use.PARTS
            case ir.Compare():
                return Use.COMPARISON
            case ir.Binary(method=method, left=left, right=right):
                return self._operated(method, left, right, value)
        return Use.HANDED_ON

    def _operated(self, method: str, left: ir.Ref, right: ir.Ref, value: ir.Ref) -> Use:
        """What an operator does: with unknown left operands anything may happen."""
        if method in _COMPARING:
            return Use.COMPARISON
        if left == value and method != "__contains__":
            return Use.OPERATOR
        node = self._scope.nodes[left] if left >= 0 else None
        match node:
            case ir.Const(str()) | ir.Literal("str") if right == value and method == "__mod__":
                return Use.TEXT
        return Use.HANDED_ON

    def _in_container(self, value: ir.Ref, user: ir.Ref, judge: Judge) -> Use:
        """What becomes of that which lies in a container, by what is done with the container."""
        match self._scope.nodes[user]:
            case ir.StoreItem(object=target) if target == value:
                return Use.NOTHING
            case ir.Attr() if self._only_adds(user):
                return Use.NOTHING
            case ir.Call(func=func) if func != value:
                return judge(user)
        return Use.HANDED_ON

    def _only_adds(self, attribute: ir.Ref) -> bool:
        """Whether an attribute of a container is a method that puts something into it."""
        container = self._scope.nodes[attribute]
        assert isinstance(container, ir.Attr)
        calls = [self._scope.nodes[user] for user in self.users(attribute)]
        return bool(calls) and all(
            isinstance(call, ir.Call)
            and call.func == attribute
            and any(self._added.get(arg) == container.value for arg in call.args)
            for call in calls
        )


def _additions(scope: ir.Scope) -> Iterator[tuple[ir.Ref, ir.Ref]]:
    for index, node in enumerate(scope.nodes):
        if isinstance(node, ir.Display):
            for ref in node.added:
                yield index, ref


def operands(node: ir.Node) -> tuple[ir.Ref, ...]:
    """The nodes that a node refers to, but for what is put into a container later: another node says that."""
    function = _OPERANDS.get(node.__class__)
    return () if function is None else function(node)


def _of_call(node: ir.Call) -> tuple[ir.Ref, ...]:
    return (node.func, *node.args, *[ref for _, ref in node.keywords])


def _of_function(node: ir.MakeFunction) -> tuple[ir.Ref, ...]:
    return (*node.decorators, *[ref for _, ref in node.defaults], *[ref for _, ref in node.annotations])


def _of_class(node: ir.MakeClass) -> tuple[ir.Ref, ...]:
    return (*node.bases, *[ref for _, ref in node.keywords], *node.decorators)


def _of_value(node: Any) -> tuple[ir.Ref, ...]:
    return (node.value,)


_OPERANDS: Final[dict[type[Any], Callable[[Any], tuple[ir.Ref, ...]]]] = {
    **dict.fromkeys((ir.Attr, ir.Await, ir.Element, ir.Next, ir.With, ir.Yield, ir.Return), _of_value),
    ir.Phi: lambda node: node.options,
    ir.Call: _of_call,
    ir.Item: lambda node: (node.value, node.index),
    ir.Binary: lambda node: (node.left, node.right),
    ir.Display: lambda node: node.elements,
    ir.MakeFunction: _of_function,
    ir.MakeClass: _of_class,
    ir.Narrow: lambda node: (node.value, node.class_or_tuple),
    ir.Declared: lambda node: (node.annotation, node.value),
    ir.StoreAttr: lambda node: (node.object, node.value),
    ir.StoreItem: lambda node: (node.object, node.value),
    ir.Compare: lambda node: (node.left, node.right),
}
