"""What a module says, without its text: a small intermediate representation in evaluation order.

Stage: summarise. A summary holds facts only: no path, no module name, no knowledge of any library, no judgement; so
one summary serves every place where the same bytes are found, and can be cached by their hash.

A scope (module, class body, function, lambda, generator expression) is a flat list of nodes. A node refers to
others by their index in that list (`Ref`), always to what was evaluated before it, loops excepted. Local variables
are gone: a read of a variable *is* the reference to its reaching definition, or to a `Phi` of several (static
single assignment).

Over 400 lines because the node kinds are one closed set, and reading about them in two places helps nobody.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, Final, TypeAlias, TypeVar, cast

import msgspec

Ref: TypeAlias = int
"""Index of a node in its scope."""

UNKNOWN: Final[Ref] = -1
"""A value that the representation does not describe."""

RawSpan: TypeAlias = tuple[int, int, int, int]
"""`model.Span` as a bare tuple: millions are made, and a named tuple costs five times as much to build."""

Place: TypeAlias = int
"""Where a node stands in the text, and what the text says there: an index for `Scope.span_at` and `Scope.text_at`."""

NOWHERE: Final[Place] = -1

NodeRange: TypeAlias = tuple[int, int]
"""Half-open range of node indexes: all that a block of statements evaluates, nested blocks included."""


_MOST_SHARED: Final = 1 << 15
"""Tuples of few small numbers come first, and again and again; those after so many are rarely met twice."""
_shared: Final[dict[tuple[int, ...], Any]] = {}
_Numbers = TypeVar("_Numbers", bound=tuple[int, ...])


def shared(numbers: _Numbers) -> _Numbers:
    """The same references; one tuple for all that are equal, of which a large project has a million."""
    if len(_shared) < _MOST_SHARED:
        return cast("_Numbers", _shared.setdefault(numbers, numbers))
    return cast("_Numbers", _shared.get(numbers, numbers))


_SPAN: Final = struct.Struct("<4I")


def pack_spans(spans: Iterable[RawSpan]) -> bytes:
    """The form in which a scope keeps the spans of its places."""
    numbers = array("I", chain.from_iterable(spans))
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


class Const(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=0):
    """`None`, a truth value, a number or a short string."""

    value: bool | int | str | None


class Literal(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=1):
    """An instance of a builtin class of which no more is known: f-strings, comparisons, long strings."""

    class_name: str
    beginning: str = ""
    """Of an f-string that gives an absolute path: what stands before the first part that varies."""


class Name(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=2):
    """A name that is not local here: found in the enclosing scopes, the module, the builtins."""

    name: str


class Param(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=3):
    """The value of the scope's parameter of that index."""

    index: int


class Phi(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=4):
    """One of several: definitions that reach from different branches, `a or b`, `a if c else b`."""

    options: tuple[Ref, ...]


class Attr(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=5):
    """`value.name`. It has no place of its own where it is only the callee of a call."""

    value: Ref
    name: str
    place: Place


class Call(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=6):
    """`func(*args, **keywords)`; a keyword without name is `**mapping`."""

    func: Ref
    args: tuple[Ref, ...]
    keywords: tuple[tuple[str | None, Ref], ...]
    starred: int
    """Index of the first `*args` among `args`; -1 without."""
    place: Place
    """Where the whole call stands; the text is the callee's."""


class Await(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=7):
    """`await value`; the place is that of the value."""

    value: Ref
    place: Place


class Item(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=8):
    """`value[index]`"""

    value: Ref
    index: Ref
    place: Place


class Element(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=9):
    """The part of an unpacked value at that position; negative positions count from the end after a starred target."""

    value: Ref
    position: int


class Next(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=10):
    """Each element in turn of an iterated value: `for`, comprehensions, `yield from`, unpacking with `*`."""

    value: Ref
    is_async: bool
    place: Place


class With(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=11):
    """What entering the context manager `value` gives. Leaving happens at the same place of the text."""

    value: Ref
    is_async: bool
    place: Place


class Binary(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=12):
    """An operator's special method is called on `left`: `__truediv__`, `__eq__`; for `in` that is the container."""

    method: str
    left: Ref
    right: Ref
    place: Place


class Display(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=13):
    """A list, tuple, set or dict in the text, or a comprehension of that type; of a dict the values."""

    class_name: str
    elements: tuple[Ref, ...]
    added: tuple[Ref, ...] = ()
    """What is put into it later, anywhere in the scope: `found.append(x)`."""
    keys: tuple[Ref, ...] = ()
    """Of a dict in the text, the key of each value; `UNKNOWN` where the value is a mapping that is spread into it."""


class MakeFunction(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=14):
    """A `def`, `lambda` or generator expression becomes a value: its scope, and what was evaluated outside it."""

    scope: int
    decorators: tuple[Ref, ...] = ()
    defaults: tuple[tuple[int, Ref], ...] = ()
    """Parameter index and default value."""
    annotations: tuple[tuple[int, Ref], ...] = ()
    """Parameter index and annotation; index -1 is what the function returns."""


class MakeClass(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=15):
    scope: int
    bases: tuple[Ref, ...] = ()
    keywords: tuple[tuple[str | None, Ref], ...] = ()
    decorators: tuple[Ref, ...] = ()


class Import(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=16):
    """`import module` (the module itself), or `from module import name`; `level` counts leading dots."""

    module: str
    level: int
    name: str | None


class Yield(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=17):
    value: Ref


class Narrow(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=18):
    """`value` where a test has succeeded or failed. Without a class it is for the truth; the class may be a `None`."""

    value: Ref
    class_or_tuple: Ref
    positive: bool


class Declared(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=19):
    """A variable with an annotation, and the value it is given, if any."""

    annotation: Ref
    value: Ref


class StoreAttr(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=20):
    """`object.name = value`"""

    object: Ref
    name: str
    value: Ref
    place: Place


class StoreItem(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=21):
    """`object[…] = value`; without a value `del object[…]`."""

    object: Ref
    value: Ref
    place: Place
    key: str | None
    """What stands between the brackets, if it is a string."""


class Compare(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=22):
    """`left operator right` where a branch depends on it; other comparisons are just truth values."""

    operator: str
    """`is`, `is not`, `==`, `!=`, `in` or `not in`."""
    left: Ref
    right: Ref


class Return(msgspec.Struct, frozen=True, array_like=True, gc=False, tag=23):
    """`return value`: a node, so that it has its place among those of its block."""

    value: Ref


Node: TypeAlias = (
    Const
    | Literal
    | Name
    | Param
    | Phi
    | Attr
    | Call
    | Await
    | Item
    | Element
    | Next
    | With
    | Binary
    | Display
    | MakeFunction
    | MakeClass
    | Import
    | Yield
    | Narrow
    | Declared
    | StoreAttr
    | StoreItem
    | Compare
    | Return
)


class ParamKind:
    """How a parameter takes its argument."""

    POSITIONAL: Final = 0
    KEYWORD: Final = 1
    VARARGS: Final = 2
    KWARGS: Final = 3


class Parameter(msgspec.Struct, frozen=True, array_like=True, gc=False):
    name: str
    kind: int
    positional_only: bool = False


Tested: TypeAlias = tuple[tuple[Ref, bool], ...]
"""Values whose truth decides, all needed; False where the test is for the value being false.

A test for `None` is `value is not None`, a `Compare`, however it is spelled.
"""


class Branch(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An `if`: what runs when the test holds, and what runs when it does not.

    Where just one side always leaves the block, what follows the statement runs only after the other: `after`, with the
    test's outcome there; an empty range otherwise.
    """

    tested: Tested
    body: NodeRange
    orelse: NodeRange
    after: NodeRange = (0, 0)
    outcome_after: bool = False


class Handler(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An `except`: `body` runs only after `tried` has failed.

    Where the `try` block always leaves when it does not fail, what follows runs only after a failure too; that is
    `after`, empty otherwise.
    """

    tried: NodeRange
    body: NodeRange
    after: NodeRange


class Block(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What stands under a `with`, `for` or `while`, or is evaluated for each element in a comprehension."""

    head: Ref
    """The `With` or `Next` node; `UNKNOWN` for `while`."""
    body: NodeRange


class Look:
    """How a value is looked at where no node says it."""

    TRUTH: Final = 0
    """Its truth is tested."""
    TEXT: Final = 1
    """It becomes a part of an f-string."""
    IDENTITY: Final = 2
    """`is`, `is not`."""
    OTHER: Final = 3
    """A key, a bound of a slice, the subject of `match`, what is raised."""


class ScopeKind:
    MODULE: Final = 0
    CLASS: Final = 1
    FUNCTION: Final = 2
    LAMBDA: Final = 3
    GENERATOR: Final = 4
    """A generator expression; its parameter 0 is the first iterable, which is evaluated outside."""


class BodyKind:
    """What a function's body amounts to."""

    NORMAL: Final = 0
    STUB: Final = 1
    """Nothing but a docstring, `pass`, `...`, a lone `raise`, or `return NotImplemented`."""


class Scope(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Everything said within one scope, nested scopes excluded."""

    kind: int
    name: str
    parent: int
    """Index of the enclosing scope; the module is its own."""
    maker: Ref
    """The node of the enclosing scope that makes this function or class; `UNKNOWN` for the module."""
    span: RawSpan
    """Of the name in `def name` or `class name`; for others of the whole expression."""
    nodes: tuple[Node, ...]
    is_async: bool = False
    is_generator: bool = False
    has_await: bool = False
    """Whether the body itself awaits: `await`, `async for`, `async with`, asynchronous comprehensions."""
    body: int = BodyKind.NORMAL
    params: tuple[Parameter, ...] = ()
    returns: tuple[Ref, ...] = ()
    """Its `Return` nodes."""
    yields: tuple[Ref, ...] = ()
    bindings: dict[str, tuple[Ref, ...]] = {}
    """Of a module or class: the definitions that reach its end. Of a function: all of them, for nested scopes."""
    globals: tuple[tuple[str, Ref], ...] = ()
    """Stores to names declared `global`."""
    nonlocals: tuple[tuple[str, Ref], ...] = ()
    """Stores to names declared `nonlocal`."""
    discards: tuple[Ref, ...] = ()
    """Values of expression statements."""
    stores: tuple[Ref, ...] = ()
    """Its `StoreAttr` nodes."""
    calls: tuple[Ref, ...] = ()
    """Its `Call` nodes: `each_call` goes through them."""
    additions: tuple[tuple[Ref, Ref], ...] = ()
    """Containers that were not made here, each with a value that is put into it: `self.clients[name] = x`."""
    branches: tuple[Branch, ...] = ()
    handlers: tuple[Handler, ...] = ()
    blocks: tuple[Block, ...] = ()
    star_imports: tuple[tuple[str, int], ...] = ()
    """`from module import *` with the level."""
    spans: bytes = b""
    texts: str = ""
    """The places of its nodes, packed: objects for all of them would take half of the memory of a large project."""
    end: Ref = UNKNOWN
    """Of a function that returns values: the `Return` that stands for arriving at its end, if control may."""
    looks: tuple[tuple[int, Ref], ...] = ()
    """Results of calls, and what they may have become, that are looked at without a node for it: how, and which."""

    def each_call(self) -> Iterator[tuple[Ref, Call]]:
        """Its calls, in order of evaluation."""
        for ref in self.calls:
            node = self.nodes[ref]
            assert isinstance(node, Call)
            yield ref, node

    def span_at(self, place: Place) -> RawSpan:
        row, column, end_row, end_column = _SPAN.unpack_from(self.spans, place * _SPAN.size)
        return (row, column, end_row, end_column)

    def text_at(self, place: Place) -> str:
        """Source text on one line, shortened if need be."""
        return self.texts.split("\n")[place]


class SyntaxProblem(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Why a module could not be parsed, and where (1-based row and column)."""

    message: str
    row: int
    column: int


class ModuleHead(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is to be known of a module to tell whether its bodies matter."""

    has_async: bool
    imports: tuple[str, ...]
    """Modules named in absolute imports, anywhere in the file."""
    called: tuple[str, ...]
    """Last names of all that is called: where the callers of a function may be found."""
    stored: tuple[str, ...]
    """Names of attributes that are stored anywhere in the module."""
    overridden: tuple[str, ...]
    """Names of classes that classes of this module are based on."""
    implicit: tuple[str, ...]
    """Names of methods that run without being called: properties, special methods."""
    methods: tuple[str, ...]
    """Names of all methods."""
    mentioned: tuple[str, ...]
    """Names of attributes that are read other than to be called, and names that are imported, `*` for all there are."""
    beginnings: tuple[str, ...]
    """What names begin with that are put together in f-strings, where attributes are looked for by name."""
    problem: SyntaxProblem | None
    mentions_codes: bool
    """Whether the text may hold a comment that names one of our rules."""


class ModuleSummary(ModuleHead, frozen=True, array_like=True, gc=False):
    """The facts of one module."""

    scopes: tuple[Scope, ...] | msgspec.Raw
    """The module's own first. Where they come from a cache they are decoded only when asked for: see `decoded`."""


class StoredSummary(ModuleHead, frozen=True, array_like=True, gc=False):
    """A summary as it is read from a cache, its scopes not looked at yet."""

    scopes: msgspec.Raw


_SCOPES_DECODER: Final = msgspec.msgpack.Decoder(tuple[Scope, ...])


def decoded(scopes: tuple[Scope, ...] | msgspec.Raw) -> tuple[Scope, ...]:
    """The scopes of a module.

    Raises msgspec.ValidationError or msgspec.DecodeError when a cache was tampered with.
    """
    return _SCOPES_DECODER.decode(scopes) if isinstance(scopes, msgspec.Raw) else scopes
