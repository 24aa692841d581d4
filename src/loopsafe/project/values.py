"""What the link and infer stages know of an expression: abstract values.

A set of possible values is a tuple without repetitions, in the order found, so that every run sees the same order.
The empty tuple is the unknown: nothing is concluded from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

if TYPE_CHECKING:
    from loopsafe.project.entities import Class, Code, Frame, Module

ClassKey: TypeAlias = "Class | str"
"""A class of the project, or the qualified name of one outside it."""


class Constant(msgspec.Struct, frozen=True, cache_hash=True):
    """`None`, a truth value, a number or a string, known exactly."""

    value: bool | int | str | None


class Truth(Constant, frozen=True, cache_hash=True):
    """`True` or `False`: equal to 1 and 0, and yet a call with the one is not a call with the other."""


class Something(msgspec.Struct, frozen=True, cache_hash=True):
    """An argument that is not `None`: in a frame it stands for one of which no more matters."""


class Instance(msgspec.Struct, frozen=True, cache_hash=True):
    """An object of a class; of a container, with the values that it holds."""

    cls: ClassKey
    args: tuple[Values, ...] = ()
    """Of a tuple its parts in order; of any other container what it holds."""
    is_exact: bool = False
    """Made by calling that very class: no subclass need be thought of."""
    made: Frame | None = None
    """The frame of `__init__` that made it: what it was given is what its attributes hold."""
    kept: tuple[str, ...] = ()
    """Attributes that keep what `__init__` gave them, though others of the class may be given something later."""


class ClassObject(msgspec.Struct, frozen=True, cache_hash=True):
    """A class itself."""

    cls: ClassKey


class Form(msgspec.Struct, frozen=True, cache_hash=True):
    """What stands in an annotation and is no plain class: `X | None`, `list[X]`; with the values that it admits."""

    instances: Values


class Function(msgspec.Struct, frozen=True, cache_hash=True):
    """A function of the project, in the frame that it was made in; bound to a receiver if it is a method."""

    code: Code
    closure: Frame
    receiver: Value | None = None
    kind: FunctionKind = "plain"
    setter: Function | None = None
    """Of a property, the function that assigning to it calls."""
    is_exact: bool = False
    """Found through `super()`: no override is meant."""


class External(msgspec.Struct, frozen=True, cache_hash=True):
    """Something outside the project that is not known to be a class: function, module, constant."""

    name: str


class Method(msgspec.Struct, frozen=True, cache_hash=True):
    """A method of an object whose class is outside the project."""

    name: str
    """Qualified, with the class that declares it: `requests.Session.get`."""
    receiver: Instance | ClassObject


class ModuleObject(msgspec.Struct, frozen=True, cache_hash=True):
    module: Module


class Awaitable(msgspec.Struct, frozen=True, cache_hash=True):
    """Something outside the project's own coroutines that gives these values when awaited."""

    result: Values
    is_coroutine: bool = False
    """It does nothing until awaited, unlike a task or future."""
    cls: str = "typing.Awaitable"
    """Its class, for its other methods."""


class Coroutine(msgspec.Struct, frozen=True, cache_hash=True):
    """A coroutine function of the project has been called: nothing runs until it is awaited."""

    frame: Frame


class Generator(msgspec.Struct, frozen=True, cache_hash=True):
    """A generator function has been called: its body runs while it is iterated."""

    frame: Frame


class Manager(msgspec.Struct, frozen=True, cache_hash=True):
    """A generator function decorated as a context manager has been called: its body runs on entering and leaving."""

    frame: Frame


class Lazy(msgspec.Struct, frozen=True, cache_hash=True):
    """`map(f, xs)` and its like: the callables run while it is iterated."""

    callees: Values
    iterables: Values


class Partial(msgspec.Struct, frozen=True, cache_hash=True):
    """A callable with some of its arguments given."""

    callee: Value
    positional: tuple[Values, ...]
    keywords: tuple[tuple[str, Values], ...]


class Offloaded(msgspec.Struct, frozen=True, cache_hash=True):
    """A callable that was wrapped so that calling it gives an awaitable and runs it in a thread."""

    callee: Value


class Super(msgspec.Struct, frozen=True, cache_hash=True):
    """`super()`: looks attributes up behind `cls` in the method resolution order of the receiver."""

    cls: Class
    receiver: Value


class Entries(msgspec.Struct, frozen=True, cache_hash=True):
    """The keys of a dictionary that is made for one call, as its function knows them; nothing of its type."""

    known: tuple[tuple[str, Values | None], ...]
    """By key, in alphabetical order, constants that it may hold, all of them; none if they are not known.

    `None` if not even that is known, whether the key is there.
    """
    is_open: bool
    """There may be others."""


FunctionKind: TypeAlias = str
"""`plain`, `static`, `class`, `property`, `manager` or `awaitable-manager`."""

Value: TypeAlias = (
    Constant
    | Something
    | Instance
    | ClassObject
    | Form
    | Function
    | External
    | Method
    | ModuleObject
    | Awaitable
    | Coroutine
    | Generator
    | Manager
    | Lazy
    | Partial
    | Offloaded
    | Super
    | Entries
)
Values: TypeAlias = tuple[Value, ...]

NOTHING: Final[Values] = ()
NONE: Final = Constant(None)
PRESENT: Final = (Something(),)

_MOST_OPTIONS: Final = 12
"""A set with more members says nothing useful and costs much: it becomes unknown. Real unions have two to four."""


def constant(value: bool | int | str | None) -> Constant:
    """What a literal is."""
    return Truth(value) if isinstance(value, bool) else Constant(value)


def unite(*options: Values) -> Values:
    """All values of all the sets; unknown if they are too many."""
    known = [values for values in options if values]
    if len(known) <= 1:
        return known[0] if known else NOTHING
    united = tuple(dict.fromkeys(value for values in known for value in values))
    return united if len(united) <= _MOST_OPTIONS else NOTHING


def builtin(name: str, *args: Values) -> Instance:
    """An instance of a builtin class."""
    return Instance(f"builtins.{name}", args)


def is_entries(values: Values | None) -> bool:
    """Whether an argument says only which keys a dictionary has."""
    return isinstance(values[0], Entries) if values else False


def is_informative(value: Value) -> bool:
    """`object`, `type` and `None` alone say nothing about what can be done with a value."""
    return value != NONE and not (isinstance(value, Instance) and value.cls in ("builtins.object", "typing.Any"))
