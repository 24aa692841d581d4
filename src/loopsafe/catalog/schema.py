"""What a catalogue file may say: the records of its TOML tables and the values handed to later stages.

First part of the catalogue stage. Decodes and checks nothing itself and looks nothing up.
"""

from __future__ import annotations

import datetime
import enum
from typing import Annotated, Final

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
    ASGI = "asgi"
    """Only the one thread may use it to which `sync_to_async` moves all calls of a request."""
    MAIN = "main"
    """Only the main thread may use it."""
    LOOP = "loop"
    """Asynchronous: it belongs to the event loop on which it was first used."""


class RoleKind(str, enum.Enum):
    """The meanings that a function, class or decorator can have for the analysis."""

    OFFLOADER = "offloader"
    SCHEDULER = "scheduler"
    CALLER = "caller"
    """Calls its argument on the spot, with the arguments after it, and gives what that gives."""
    CONSUMER = "consumer"
    VIEWER = "viewer"
    """Merely looks at its arguments: prints, converts or measures them, and keeps none."""
    CAST = "cast"
    PARTIAL = "partial"
    WRAPS = "wraps"
    KEEPS = "keeps"
    CACHES = "caches"
    """Keeps the function, and what it gave: later calls give the same object."""
    KEEPS_NOTHING = "keeps-nothing"
    """Given to what makes a client, it keeps it from holding anything open: the client belongs to no loop."""
    RERUNS = "reruns"
    """A package that runs the scripts that import it again and again, in one process."""
    VALIDATOR = "validator"
    """Keeps the function; what it puts into its mapping under a key becomes an attribute of the object."""
    TASK = "task"
    """Keeps the function, which is called again and again, in a thread without a running loop."""
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
    THREAD_AWARE = "thread-aware"
    """Does something else in another thread: looks at frames, sets what only its own context or thread sees."""
    ROUTE = "route"
    LIFESPAN = "lifespan"
    NESTED_LOOPS = "nested-loops"
    """A package that makes running loops accept nested runs."""


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
    instance: tuple[str, ...] = ()
    """The classes of which an argument cancels, as `io.StringIO` where a file is meant."""
    begins: tuple[str, ...] = ()
    """What a string begins with that cancels, as `/proc/` where the path of a file is meant."""
    absent: bool = False
    """Leaving the argument out cancels."""
    method: str | None = None
    """The argument is not the call's own but that of this method, called on the same object in the same function.

    `__init__` stands for the call that made the object, by its own package or a builtin. Without name and position, the
    method must have been found true on the way: `if future.done(): future.result()`.
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
    via: tuple[str, ...] = ()
    """Where it is known: the calls inside the SDK that lead from the name to what blocks."""


class Role(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The meaning of one name for the analysis, and which of its arguments carry it."""

    role: RoleKind
    """What the name means."""
    callable: int | str | None = None
    """Position or keyword of the callable that is run; for sinks of coroutine functions, of that function.

    For `keeps`, of the function that is kept, if it will be called without being awaited.

    For `special`, the name of the special method that is called on the first argument.
    """
    keyword: str | None = None
    """The keyword by which a callable with a position may be given as well.

    For `thread-aware`, one without which nothing is noticed.
    """
    iterable: int | None = None
    """Position of the argument that is iterated."""
    result: RoleResult | None = None
    """What an offloader gives back."""
    lazy: bool = False
    """The argument is iterated, the callable called, only while the result is iterated."""
    takes_coroutine_functions: bool = msgspec.field(default=False, name="takes-coroutine-functions")
    """The callable may be a coroutine function as well: it is awaited, or its coroutine handed on."""
    owned: bool = False
    """The tasks of a spawner belong to somebody who waits for them: nobody else has to keep them."""
    threadsafe: bool = False
    """A scheduler may be called from any thread, with or without a running loop there."""


class CallRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One `[[call]]` table: names that share an effect."""

    name: tuple[str, ...]
    """Qualified names; with `class`, names of its members."""
    effect: Effect
    """What touching them does to the event loop."""
    owner: str | None = msgspec.field(default=None, name="class")
    """The class that they are members of."""
    when: When = When.CALL
    """The moment at which it happens."""
    unless: tuple[Guard, ...] = ()
    """Arguments that cancel it; one that holds is enough."""
    replacement: str | None = None
    """An awaitable that takes the same arguments."""
    twin: str | None = None
    """The asynchronous equivalent, for messages."""
    affinity: Affinity | None = None
    """How the object is bound to its thread."""
    note: str | None = None
    """Anything a reader should know."""
    via: tuple[str, ...] = ()
    """The calls inside the SDK that lead to what blocks, the last one being that."""


class ClassRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One `[[class]]` table: a class, its other names, and the types that its members give."""

    name: str
    """Its one home."""
    aliases: tuple[str, ...] = ()
    """Its other names."""
    bases: tuple[str, ...] = ()
    """Classes whose members it has as well."""
    affinity: Affinity | None = None
    """How its instances are bound to threads; default for the class's calls."""
    binds_late: Annotated[str, msgspec.Meta(pattern=r"^3\.\d+$")] | None = msgspec.field(
        default=None, name="binds-late"
    )
    """Of a class with affinity `loop`: the Python version since which one may be made where no loop runs."""
    returns: dict[str, str] = {}
    """Method → what a call gives; for an asynchronous method, what awaiting the call gives."""
    fluent: tuple[str, ...] = ()
    """Methods that return their own object or another of its class."""
    attributes: dict[str, str] = {}
    """Attribute or property → type."""
    asynchronous: tuple[str, ...] = ()
    """Methods that are coroutine functions."""
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
    """Anything a reader should know."""


class ShapeRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One `[[shape]]` table: the calls that speak for a class where a type is unknown and the package is imported."""

    owner: str = msgspec.field(name="class")
    """The class of which the last method of the chain is taken to be."""
    methods: tuple[str, ...]
    """Its methods with which a chain may end."""
    first: tuple[str, ...] = ()
    """Methods with which the chain begins, on the unknown object; none where the last one's name says enough."""


def may_be_of_every(attr: str) -> bool:
    """Can a class mean this method when it speaks of every one? Not if it is private, or named as asynchronous."""
    return not (attr.startswith("_") or attr.endswith("_async"))


def merge_classes(earlier: ClassRecord, later: ClassRecord) -> ClassRecord:
    """One record of a class that two files describe; the members' own facts and types are kept by name elsewhere."""
    return msgspec.structs.replace(
        later,
        bases=later.bases or earlier.bases,
        affinity=later.affinity or earlier.affinity,
        binds_late=later.binds_late or earlier.binds_late,
        attributes={**earlier.attributes, **later.attributes},
        every=later.every or earlier.every,
        unless=later.unless or earlier.unless,
        twin=later.twin or earlier.twin,
    )


class CatalogFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One TOML file of the catalogue."""

    source: str
    """Where the facts come from: an address, or a file of the SDK with its version."""
    distribution: str | None = None
    """What pip installs."""
    module: str | None = None
    """A module of the standard library."""
    framework: str | None = None
    """A framework, and who runs what in it."""
    packages: tuple[str, ...] = msgspec.field(default=(), name="import")
    """The packages whose names the file describes; dotted where many distributions share the top level."""
    call: tuple[CallRecord, ...] = ()
    """Names that have an effect."""
    classes: tuple[ClassRecord, ...] = msgspec.field(default=(), name="class")
    """Classes, and what their members give."""
    shapes: tuple[ShapeRecord, ...] = msgspec.field(default=(), name="shape")
    """Chains of calls that speak for a class where types are unknown."""
    returns: dict[str, str] = {}
    """Function → type of its result; of a coroutine function, of what is awaited."""
    asynchronous: tuple[str, ...] = ()
    """Coroutine functions outside classes."""
    quiet: tuple[str, ...] = ()
    """Functions without effect; said to hide what an earlier file declares."""
    aliases: dict[str, str] = {}
    """Public name → its one home, for modules and functions."""
    roles: dict[str, Role] = {}
    """Functions, decorators and classes with a meaning of their own."""
    note: str | None = None
    """Anything a reader should know."""
    versions: str | None = None
    """The versions of the distribution that the facts hold for, as pip writes them: `>=2,<3`."""
    package_version: str | None = None
    """In a generated file: the version of the distribution that was read."""
    built: datetime.date | None = None
    """In a generated file: when."""
    source_hash: str | None = None
    """In a generated file: hash of the sources that were read."""

    @property
    def subject(self) -> str:
        """What the file is about: the one of `KINDS` that it has."""
        return self.distribution or self.module or self.framework or ""

    @property
    def is_generated(self) -> bool:
        """Whether the facts were worked out of sources instead of being written by people."""
        return self.source_hash is not None


KINDS: Final = ("distribution", "module", "framework")
"""Of these keys a file has exactly one."""
CHOICES: Final[dict[str, type[enum.Enum]]] = {
    "effect": Effect,
    "every": Effect,
    "when": When,
    "affinity": Affinity,
    "role": RoleKind,
    "result": RoleResult,
}
"""Key → the values that it may have."""
