"""The vocabulary that every stage and front end shares: spans, effects, diagnostics, fixes.

Nothing here reads files, parses or judges.
Positions are ruff's: rows and columns count from 1, a column counts Unicode code points, an end is exclusive.
"""

from __future__ import annotations

import enum
from typing import Final, NamedTuple

import msgspec


class Position(NamedTuple):
    """A place in a decoded text: 1-based row, 1-based column in code points."""

    row: int
    column: int


class Span(NamedTuple):
    """A stretch of a decoded text from its first character up to, not including, its end."""

    row: int
    column: int
    end_row: int
    end_column: int

    @property
    def start(self) -> Position:
        return Position(self.row, self.column)

    @property
    def end(self) -> Position:
        return Position(self.end_row, self.end_column)


class Effect(str, enum.Enum):
    """What a call does to the event loop that it runs on.

    The order is the order of preference where two effects of one call have equally short paths.
    """

    NETWORK = "network"
    DATABASE = "database"
    FILE = "file"
    PROCESS = "process"
    SLEEP = "sleep"
    WAIT = "wait"
    INPUT = "input"
    CPU = "cpu"
    METADATA = "metadata"
    RUN_LOOP = "run-loop"
    DRIVE_LOOP = "drive-loop"


class Codes(NamedTuple):
    """The two rule codes of an effect: met in a coroutine itself, or through synchronous code."""

    direct: str
    transitive: str | None


CODES: Final[dict[Effect, Codes]] = {
    Effect.NETWORK: Codes("LSA101", "LSA111"),
    Effect.DATABASE: Codes("LSA102", "LSA112"),
    Effect.FILE: Codes("LSA103", "LSA113"),
    Effect.PROCESS: Codes("LSA104", "LSA114"),
    Effect.SLEEP: Codes("LSA105", "LSA115"),
    Effect.WAIT: Codes("LSA106", "LSA116"),
    Effect.INPUT: Codes("LSA107", "LSA117"),
    Effect.CPU: Codes("LSA108", "LSA118"),
    Effect.METADATA: Codes("LSA100", None),
    Effect.RUN_LOOP: Codes("LSA301", "LSA311"),
    Effect.DRIVE_LOOP: Codes("LSA302", "LSA312"),
}


LOOP_EFFECTS: Final = frozenset({Effect.RUN_LOOP, Effect.DRIVE_LOOP})
"""The effects that start an event loop or keep one going, rather than block it."""


class Confidence(str, enum.Enum):
    """How sure a finding is: types known throughout, or the shape of an API plus a second sign."""

    CERTAIN = "certain"
    LIKELY = "likely"


class Applicability(str, enum.Enum):
    """Ruff's three degrees of trust in a fix, spelled as in its JSON."""

    SAFE = "safe"
    UNSAFE = "unsafe"
    DISPLAY = "displayonly"


class Step(msgspec.Struct, frozen=True, gc=False):
    """One link of a finding's path: at this place, this function makes this call."""

    path: str
    """File of the call, as discovered (see `source.discover`)."""
    row: int
    column: int
    function: str
    """Qualified name, within its module, of the function that makes the call; `<module>` outside any."""
    call: str
    """What is called: its qualified name where known, else its source text, never more than one line."""


class Edit(msgspec.Struct, frozen=True, gc=False):
    """Replace the text from `start` up to `end` by `content`; equal ends insert, empty content deletes."""

    start: Position
    end: Position
    content: str


class Fix(msgspec.Struct, frozen=True, gc=False):
    """A rewrite: all its edits apply together or none does."""

    message: str
    applicability: Applicability
    edits: tuple[Edit, ...]
    """Sorted by position, never overlapping."""
    elsewhere: tuple[tuple[str, tuple[Edit, ...]], ...] = ()
    """What has to change in other files with it, by path: the whole fix applies, in all of them, or nothing of it."""


class RemedyKind(str, enum.Enum):
    """The rewrites that the fix stage knows."""

    OFFLOAD = "offload"
    """`f(a)` → `await asyncio.to_thread(f, a)`"""
    REPLACE_AWAITED = "replace-awaited"
    """`time.sleep(a)` → `await asyncio.sleep(a)`: same arguments, callee `Remedy.replacement`."""
    MOVE = "move"
    """Only together with the statements around it: all that uses one object goes into a function of its own."""
    OFFLOAD_AWAITED = "offload-awaited"
    """`await f(a)`, where `f` is synchronous → `await asyncio.to_thread(f, a)`"""
    AWAIT = "await"
    """`f(a)` → `await f(a)`"""
    AWAIT_ARGUMENT = "await-argument"
    """`asyncio.run(f(a))` → `await f(a)`"""
    AWAIT_APPLIED = "await-applied"
    """`anyio.run(f, a)` → `await f(a)`"""
    APPLY = "apply"
    """`await asyncio.to_thread(f, a)`, where `f` is a coroutine function → `await f(a)`"""
    AWAIT_UNWRAPPED = "await-unwrapped"
    """`async_to_sync(f)(a)` → `await f(a)`"""
    DROP_AWAIT = "drop-await"
    """`await f(a)` → `f(a)`"""
    USE_TWIN = "use-twin"
    """`create_client(a, is_async=True)` → `await acreate_client(a)`: callee `replacement`, without option `subject`"""
    CALL = "call"
    """`asyncio.run(f)` → `asyncio.run(f())`, and `await f` → `await f()`; `f` is `Remedy.subject`"""
    KEEP_TASK = "keep-task"
    """`asyncio.create_task(f())` → the task is kept in a set until it is done, or by its group"""
    SWITCH_PROTOCOL = "switch-protocol"
    """`with` ↔ `async with`, `for` ↔ `async for`, for the item at the span"""
    MAKE_SYNCHRONOUS = "make-synchronous"
    """`async def f` → `def f`, and `await f(a)` → `f(a)` at each of `Remedy.callers`"""


class Bond(msgspec.Struct, frozen=True, gc=False):
    """What ties a call to others: an object that only one thread may use, or only one at a time."""

    makers: tuple[Span, ...]
    """The expressions of the coroutine that give the object, and those that it comes from."""
    is_own: bool
    """Nobody outside the coroutine has it."""
    is_thread_bound: bool
    """Only the thread that made it may use it."""
    is_receiver: bool
    """It is what the method is called on, what is iterated or entered; else it is an argument, or the result."""
    stays: tuple[Span, ...] = ()
    """What in the coroutine must not move to another thread: it needs the loop, or a thread of its own."""


class Remedy(msgspec.Struct, frozen=True, gc=False):
    """What the check stage tells the fix stage about one finding; the fix stage may still refuse."""

    kind: RemedyKind
    span: Span
    """The whole call expression to rewrite; for `MAKE_SYNCHRONOUS` the function's name in its `def`."""
    applicability: Applicability = Applicability.SAFE
    """The most that may be claimed; thread-bound objects lower it. The text around the call may lower it more."""
    prefix_blocks: bool = False
    """The callee's own expression blocks too (`open(p).read`): only a lambda takes all of it off the loop."""
    replacement: str | None = None
    """Qualified name of the awaitable callee, for `REPLACE_AWAITED` and `USE_TWIN`; without a dot that of a function of
    the file itself, with one in front that of an attribute of what the callee is an attribute of."""
    offloader: str = "asyncio.to_thread"
    """Qualified name of the function that moves a callable to a thread; with dots in front from a relative import,
    without any dot one of the file itself."""
    bond: Bond | None = None
    """What it should, or must, move with."""
    subject: str | None = None
    """For `CALL` the text, within the span, of the function that should be called; for `USE_TWIN` a keyword."""
    callers: tuple[tuple[str, Span], ...] = ()
    """For `MAKE_SYNCHRONOUS`: every call of the function in the project, by file."""
    leading: tuple[str, ...] = ()
    """Arguments that the off-loader takes in front of the callable; for `APPLY`, those that are dropped."""
    takes_keywords: bool = True
    """The off-loader hands on the call's keyword arguments."""
    changes: tuple[str, ...] = ()
    """Names of attributes and variables that the call changes, and that the coroutine may have looked at before."""


class Diagnostic(msgspec.Struct, frozen=True, gc=False):
    """One finding at one place of one file."""

    path: str
    code: str
    name: str
    """The rule's name, e.g. `blocking-network-call`."""
    message: str
    """One line, without the code."""
    span: Span
    noqa_row: int | None = None
    """The row on which a suppressing comment must stand; none for syntax and input errors."""
    chain: tuple[Step, ...] = ()
    """From the call that is reported down to the primitive that blocks."""
    confidence: Confidence = Confidence.CERTAIN
    reason: str | None = None
    """Why a likely finding is believed."""
    remedy: Remedy | None = None
    fix: Fix | None = None

    @property
    def sort_key(self) -> tuple[str, int, int, str]:
        return (self.path, self.span.row, self.span.column, self.code)


OLDEST_PYTHON: Final = (3, 10)
"""The Python on which code has to run if nobody says otherwise."""

INVALID_SYNTAX: Final = "invalid-syntax"
"""Code and name of the diagnostic for a file that does not parse; no setting turns it off."""

INPUT_ERROR: Final = "E902"
"""Code of the diagnostic for a file that cannot be read, as in ruff and flake8; its name is `io-error`."""


class LoopsafeError(Exception):
    """Something is wrong with what the user gave us; the text names place and remedy, the process ends with 2."""
