"""The protocols of the language, for every kind of value: awaiting, iterating, entering, subscripting, operators.

Stage: infer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from loopsafe.project.arguments import Arguments
from loopsafe.project.entities import Class
from loopsafe.project.values import (
    NOTHING,
    Awaitable,
    Constant,
    Coroutine,
    Generator,
    Instance,
    Lazy,
    Manager,
    Value,
    Values,
    unite,
)

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference

RETURNS: Final = -2
YIELDS: Final = -3

_MAPPINGS: Final = frozenset({"builtins.dict", "collections.defaultdict", "collections.OrderedDict", "typing.Mapping"})
_MAPPING_VALUES: Final = frozenset({"get", "pop", "setdefault", "__getitem__"})
_FUTURES: Final = frozenset({"asyncio.Future", "asyncio.Task"})
_MOST_ITERATORS: Final = 4
"""Iterators of iterators; two classes may well name each other's."""


class Protocols:
    """What `await`, `for`, `with`, `[]` and operators give."""

    def __init__(self, inference: Inference) -> None:
        self._inference: Final = inference

    def awaited(self, value: Value) -> Values:
        """`await value`; unknown for what is not known to be awaitable."""
        match value:
            case Coroutine(frame):
                return self._inference.value(frame, RETURNS)
            case Awaitable(result):
                return result
            case Instance(cls, args) if cls in _FUTURES and args:
                return args[0]
        return NOTHING

    def is_awaitable(self, value: Value) -> bool:
        """Whether a value is known to be something that can be awaited."""
        return isinstance(value, Coroutine | Awaitable) or (isinstance(value, Instance) and value.cls in _FUTURES)

    def element_of(self, value: Value) -> Values:
        """Each `x` of `for x in value`."""
        return self.element(value, False)

    def element(self, value: Value, is_async: bool, depth: int = 0) -> Values:
        """Each `x` of `for x in value` or `async for x in value`."""
        if depth > _MOST_ITERATORS:
            return NOTHING
        match value:
            case Generator(frame) | Manager(frame):
                return self._inference.value(frame, YIELDS)
            case Lazy(callees, iterables):
                elements = self._inference.each(iterables, lambda each: self.element(each, False, depth + 1))
                calls = self._inference.calls
                return self._inference.each(callees, lambda callee: calls.result(callee, Arguments.of(elements)))
            case Instance(cls, args):
                if isinstance(cls, Class):
                    return self._element_of_object(value, is_async, depth)
                if cls in _MAPPINGS:
                    return NOTHING
                if args:
                    return unite(*args) if cls == "builtins.tuple" else args[0]
                return self._element_of_external(value, cls, is_async, depth)
        return NOTHING

    def _element_of_object(self, value: Instance, is_async: bool, depth: int) -> Values:
        if is_async:
            iterators = self.special(value, "__aiter__")
            return unite(
                *[self.element(found, True, depth + 1) for found in iterators if found != value],
                *[self.awaited(found) for found in self.special(value, "__anext__")],
            )
        iterators = self.special(value, "__iter__")
        return unite(
            *[self.element(found, False, depth + 1) for found in iterators if found != value],
            self.special(value, "__next__"),
        )

    def _element_of_external(self, value: Instance, cls: str, is_async: bool, depth: int) -> Values:
        catalog = self._inference.catalog
        name = catalog.find(cls, "__aiter__" if is_async else "__iter__")
        expression = catalog.returns(name) if name is not None else None
        found = self._inference.externals.instances(expression, value)
        return unite(*[self.element(iterator, is_async, depth + 1) for iterator in found if iterator != value])

    def entered(self, value: Value, is_async: bool) -> Values:
        """The `x` of `with value as x`."""
        match value:
            case Manager(frame):
                return self._inference.value(frame, YIELDS)
            case Instance("typing.ContextManager" | "typing.AsyncContextManager", (inner,)):
                return inner
            case Instance():
                found = self.special(value, "__aenter__" if is_async else "__enter__")
                if is_async:
                    found = self._inference.each(found, self.awaited)
                return found
            case Awaitable(result) if is_async:
                return self._inference.each(result, lambda inner: self.entered(inner, True) or (inner,))
        return NOTHING

    def special(self, value: Value, name: str) -> Values:
        """What calling a special method without arguments gives."""
        inference = self._inference
        methods = inference.members.find(value, name)
        return inference.each(methods, lambda method: inference.calls.result(method, Arguments.of()))

    def item(self, value: Value, index: Values) -> Values:
        """`value[index]`"""
        if not isinstance(value, Instance):
            return NOTHING
        if self._inference.hierarchy.is_subclass(value.cls, "typing.TypedDict"):
            keys = [each.value for each in index if isinstance(each, Constant) and isinstance(each.value, str)]
            return unite(*[self._inference.members.find(value, key) for key in keys])
        if isinstance(value.cls, Class):
            methods = self._inference.members.find(value, "__getitem__")
            return self._inference.each(
                methods, lambda method: self._inference.calls.result(method, Arguments.of(index))
            )
        position = index[0].value if len(index) == 1 and isinstance(index[0], Constant) else None
        if value.cls == "builtins.tuple" and isinstance(position, int) and not isinstance(position, bool):
            return self.part(value, position)
        if any(isinstance(found, Instance) and found.cls == "builtins.slice" for found in index):
            return (value,)
        if value.args:
            return unite(*value.args)
        return self.operated(value, "__getitem__")

    def part(self, value: Value, position: int) -> Values:
        """The part of an unpacked value at that position."""
        if isinstance(value, Instance) and value.cls == "builtins.tuple":
            if -len(value.args) <= position < len(value.args):
                return value.args[position]
            return NOTHING
        return self.element(value, False)

    def operated(self, value: Value, method: str) -> Values:
        """`value + …` and the like, by the left operand's special method."""
        if isinstance(value, Instance):
            if isinstance(value.cls, str) and value.cls.startswith("builtins."):
                return (value,) if value.cls != "builtins.list" or value.args else NOTHING
            return self.special(value, method)
        if isinstance(value, Constant) and isinstance(value.value, str):
            return (Instance("builtins.str"),)
        return NOTHING
