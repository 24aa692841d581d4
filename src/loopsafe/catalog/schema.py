"""What a catalogue file may say: the records of its TOML tables and the values handed to later stages.

First part of the catalogue stage. Decodes and checks nothing itself and looks nothing up.
"""

from __future__ import annotations

import enum
from typing import Final

import msgspec

from loopsafe.model import Effect

Constant = bool | int | float | str


class When(str, enum.Enum):
    """The moment at which a fact's effect happens."""

    CALL = "call"
    ITER = "iter"
    """While the result of the call is iterated; named by `__iter__`, while an instance is."""
    ENTER = "enter"
    """On entering a `with` over the result of the call; named by `__enter__`, over an instance."""
    EXIT = "exit"
    """On leaving such a `with`."""
    PROPERTY = "property"
    """On reading the attribute."""


class Affinity(str, enum.Enum):
    """How tightly an object is bound to the thread that uses it."""

    SHARED = "shared"
    """Any thread may use it, but only one at a time."""
    THREAD = "thread"
    """Only the thread that created it may use it."""
    MAIN = "main"
    """Only the main thread may use it."""
    LOOP = "loop"
    """Asynchronous: it belongs to the event loop on which it was first used."""


class RoleKind(str, enum.Enum):
    """The meanings that a function, class or decorator can have for the analysis."""

    OFFLOADER = "offloader"
    SCHEDULER = "scheduler"
    CONSUMER = "consumer"
    CAST = "cast"
    PARTIAL = "partial"
    WRAPS = "wraps"
    KEEPS = "keeps"
    PROPERTY = "property"
    CACHED_PROPERTY = "cached-property"
    STATICMETHOD = "staticmethod"
    CLASSMETHOD = "classmethod"
    CONTEXTMANAGER = "contextmanager"
    ASYNCCONTEXTMANAGER = "asynccontextmanager"
    ABSTRACT = "abstract"
    OVERLOAD = "overload"
    OVERRIDE = "override"
    DATACLASS = "dataclass"
    SPECIAL = "special"
    DEPENDS = "depends"
    RUNNING_LOOP = "running-loop"
    IS_RUNNING = "is-running"
    IS_COROUTINE_FUNCTION = "is-coroutine-function"
    COROUTINE_SINK = "coroutine-sink"
    TASK_SPAWNER = "task-spawner"
    OFFLOAD_DECORATOR = "offload-decorator"
    ROUTE = "route"
    LIFESPAN = "lifespan"
    NOT_IMPLEMENTED = "not-implemented"
    LOOP_BLOCKER = "loop-blocker"
    NESTED_LOOPS = "nested-loops"
    """Calling it makes running loops accept nested runs."""


class RoleResult(str, enum.Enum):
    """What an offloader gives back: something to await, a `concurrent.futures.Future`, or nothing of use."""

    AWAITABLE = "awaitable"
    FUTURE = "future"
    NONE = "none"


class Guard(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An argument that cancels an effect; one guard that holds is enough.

    A guard that names no value holds as soon as the argument is given.
    """

    name: str | None = None
    """Keyword by which the argument may be given."""
    position: int | None = None
    """Its position, from 0, not counting self."""
    equals: Constant | None = None
    """The constant that cancels."""
    refers: str | None = None
    """The global that cancels, alone or as an operand of `|`."""
    absent: bool = False
    """Leaving the argument out cancels."""
    method: str | None = None
    """The argument is not the call's own but that of this method, called on the same object in the same function.

    `__init__` stands for the call that made the object. Without name and position, the method must have been found
    true on the way: `if future.done(): future.result()`.
    """


class Fact(msgspec.Struct, frozen=True):
    """One effect of touching one name."""

    name: str
    effect: Effect
    when: When = When.CALL
    unless: tuple[Guard, ...] = ()
    replacement: str | None = None
    twin: str | None = None
    affinity: Affinity | None = None
    source: str = ""
    is_general: bool = False
    """Said of all methods of a class at once: where the result is awaited, the method was not meant."""


class Role(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The meaning of one name for the analysis, and which of its arguments carry it."""

    role: RoleKind
    callable: int | str | None = None
    """Position or keyword of the callable that is run; for sinks of coroutine functions, of that function.

    For `special`, the name of the special method that is called on the first argument.
    """
    keyword: str | None = None
    """The keyword by which a callable with a position may be given as well."""
    iterable: int | None = None
    """Position of the argument that is iterated."""
    result: RoleResult | None = None
    lazy: bool = False
    """The argument is iterated, the callable called, only while the result is iterated."""
    takes_coroutine_functions: bool = msgspec.field(default=False, name="takes-coroutine-functions")
    """The callable may be a coroutine function as well, which then runs on the loop."""


class CallRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One `[[call]]` table: names that share an effect."""

    name: tuple[str, ...]
    effect: Effect
    owner: str | None = msgspec.field(default=None, name="class")
    when: When = When.CALL
    unless: tuple[Guard, ...] = ()
    replacement: str | None = None
    twin: str | None = None
    affinity: Affinity | None = None
    note: str | None = None


class ClassRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One `[[class]]` table: a class, its other names, and the types that its members give."""

    name: str
    aliases: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    affinity: Affinity | None = None
    returns: dict[str, str] = {}
    """Method → what a call gives; for an asynchronous method, what awaiting the call gives."""
    fluent: tuple[str, ...] = ()
    """Methods that return their own object or another of its class."""
    attributes: dict[str, str] = {}
    asynchronous: tuple[str, ...] = ()
    quiet: tuple[str, ...] = ()
    """Methods without effect; said to hide what a base class declares."""
    every: Effect | None = None
    """The effect of calling any public method of which nothing else is said.

    It is for clients whose methods are too many to list, or made at run time. Something else is said of a method by
    a `[[call]]` of any moment and by `quiet`, `fluent`, `asynchronous` or `attributes`, here or in another class of
    its line; `returns` alone says what the call gives, not that it is harmless. Names with a leading underscore and
    those that end in `_async` are never meant. A class with `every` has whatever attribute it is asked for, so that
    `__getattr__` does nothing in it; and since nothing tells an alternative constructor from a method, such
    constructors belong in `fluent`.
    """
    unless: tuple[Guard, ...] = ()
    """Arguments that cancel the effect of `every`, whatever the method."""
    twin: str | None = None
    """The asynchronous equivalent, for messages; default for the class's calls."""
    note: str | None = None


class CatalogFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One TOML file of the catalogue."""

    source: str
    distribution: str | None = None
    module: str | None = None
    framework: str | None = None
    packages: tuple[str, ...] = msgspec.field(default=(), name="import")
    """The packages whose names the file describes; dotted where many distributions share the top level."""
    call: tuple[CallRecord, ...] = ()
    classes: tuple[ClassRecord, ...] = msgspec.field(default=(), name="class")
    returns: dict[str, str] = {}
    asynchronous: tuple[str, ...] = ()
    """Coroutine functions outside classes."""
    aliases: dict[str, str] = {}
    roles: dict[str, Role] = {}
    note: str | None = None


KINDS: Final = ("distribution", "module", "framework")
"""Of these keys a file has exactly one."""
