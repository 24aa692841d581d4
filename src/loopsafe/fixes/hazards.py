"""Stage fix, judgement: what the syntax around a call forbids (`Refusal`) and what makes a rewrite uncertain.

Each check looks at one `Place` and knows nothing of text, names or LibCST. A doubt ends a sentence that
begins "unsafe:".
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterator
from typing import Final, NamedTuple

from loopsafe.fixes.offloaders import is_wrapping
from loopsafe.fixes.places import Around, Comprehension, Function, Place, Refusal, Try, last_name, walk_scope
from loopsafe.fixes.races import History, find_races
from loopsafe.model import CODES, Diagnostic, Effect, Position, RemedyKind

_HOPS: Final[dict[str, int]] = {
    "to_thread": 0,
    "run_sync": 0,
    "run_in_threadpool": 0,
    "sync_to_async": 0,
    "submit": 0,
    "run_in_executor": 1,
}
"""Off-loaders by last name, with the position of the callable: a call there was meant as a reference."""
_LAZY: Final = frozenset({"walk", "scandir", "glob", "iglob", "rglob", "iterdir", "iter_content", "iter_lines"})
"""Names of calls that only hand out an iterator; the blocking happens in the loop that runs over it."""
LOCK: Final = re.compile(r"lock|mutex|semaphore|cond(ition)?$", re.IGNORECASE)
_RUNNERS: Final = frozenset(
    {"task", "shared_task", "actor", "jit", "njit", "vectorize", "syncify", "async_to_sync", "run_sync"}
)
"""Decorators, by last name, that run a coroutine function themselves: perhaps not on asyncio."""
FRAMES: Final = frozenset({"warn", "stack", "currentframe", "_getframe", "set_trace", "breakpoint", "findCaller"})
"""Callees that look at who called them."""
SCOPE_READERS: Final = frozenset({"locals", "vars", "dir", "eval", "exec"})
_CANCELLED: Final = frozenset({"CancelledError", "BaseException", "get_cancelled_exc_class", "Cancelled"})
_CLOSED: Final = frozenset({"GeneratorExit"})
_BLOCK_EFFECTS: Final = (Effect.DATABASE, Effect.FILE)


class Case(NamedTuple):
    """One finding, ready to be judged."""

    place: Place
    diagnostic: Diagnostic
    kind: RemedyKind
    in_lambda: bool
    """The rewrite moves the whole expression into a lambda."""
    target: tuple[int, int]
    findings: Collection[Position]
    """Where the file's findings start."""
    histories: dict[Function, History]
    """What `races` knows of the file's coroutines; shared by its cases."""
    is_loose: bool = False
    """It was looked at together with its neighbours, and found to be better off-loaded alone."""


def judge(case: Case) -> list[str]:
    """Return the doubts about rewriting `case`, or raise `Refusal`."""
    require_coroutine(case.place, case.target)
    is_awaited = case.kind is RemedyKind.OFFLOAD_AWAITED
    require_plain_use(case.place, is_awaited=is_awaited, is_indirect=case.diagnostic.code in _INDIRECT)
    require_movable_block(case)
    if case.kind is not RemedyKind.REPLACE_AWAITED:
        require_thread_fit(case.place.node)
    if case.in_lambda:
        require_lambda_fit(case.place.node)
    changes = case.diagnostic.remedy.changes if case.diagnostic.remedy is not None else ()
    return [*_find_doubts(case), *find_races(case.place, case.histories, changes)]


def require_coroutine(place: Place, target: tuple[int, int]) -> None:
    """Refuse where `await` would be a syntax error, or not run in the coroutine that was found to block."""
    nested = False
    for count, step in enumerate(place.around):
        if isinstance(step.node, ast.AsyncFunctionDef) and step.field == "body":
            return
        reason = _NOT_THERE.get((type(step.node), step.field))
        if reason is not None:
            raise Refusal(reason)
        if type(step.node).__name__ in ("TypeAlias", "TypeVar", "ParamSpec", "TypeVarTuple"):
            raise Refusal("inside a type")
        if step.field == "decorator_list" and target < (3, 9):
            raise Refusal("a decorator cannot hold `await` before Python 3.9")
        if isinstance(step.node, Comprehension) and not _is_first_iterable(place.around, count):
            if isinstance(step.node, ast.GeneratorExp):
                raise Refusal("inside a generator expression, which `await` would make asynchronous")
            if nested and target < (3, 11):
                raise Refusal("a comprehension inside a comprehension cannot await before Python 3.11")
            nested = True
    raise Refusal("outside any coroutine")


_NOT_THERE: Final[dict[tuple[type[ast.AST], str], str]] = {
    (ast.Lambda, "body"): "inside a lambda",
    (ast.FunctionDef, "body"): "inside a synchronous function",
    (ast.ClassDef, "body"): "inside a class body",
    (ast.FunctionDef, "returns"): "inside an annotation",
    (ast.AsyncFunctionDef, "returns"): "inside an annotation",
    (ast.arg, "annotation"): "inside an annotation",
    (ast.AnnAssign, "annotation"): "inside an annotation",
}


def _is_first_iterable(around: tuple[Around, ...], count: int) -> bool:
    """Tell whether step `count` leaves a comprehension by its first iterable, which runs outside it."""
    inner, outer = around[count - 1] if count else None, around[count]
    return outer.field == "generators" and outer.nth == 0 and inner is not None and inner.field == "iter"


_INDIRECT: Final = frozenset(codes.transitive for codes in CODES.values())


def require_plain_use(place: Place, *, is_awaited: bool = False, is_indirect: bool = False) -> None:
    """Refuse where the construct around the call would still block, or break, without it.

    `is_indirect` tells that the call is one of the project's own: what it gives may be entered by `async with`. What
    blocks by itself may not.
    """
    parent, field, index = place.parent
    if isinstance(parent, ast.Await) and not is_awaited:
        raise Refusal("already awaited")
    can_wait = is_indirect and len(place.around) > 1 and isinstance(place.around[1].node, ast.AsyncWith)
    if isinstance(parent, ast.withitem) and not can_wait and field == "context_expr":
        raise Refusal("entering and leaving the `with` block would still happen on the loop")
    if isinstance(parent, ast.AsyncFor) or (isinstance(parent, ast.comprehension) and parent.is_async):
        if field == "iter":
            raise Refusal("`async for` over a synchronous call is a different mistake")
    elif isinstance(parent, ast.For | ast.comprehension) and field == "iter" and _is_lazy(place.node):
        raise Refusal("the loop over it would still block")
    if isinstance(parent, ast.Call) and field == "args" and _HOPS.get(last_name(parent)) == index:
        raise Refusal("a reference was meant here, not a call")
    if isinstance(place.node, ast.Attribute | ast.Subscript) and not isinstance(place.node.ctx, ast.Load):
        raise Refusal("an assignment cannot be moved to a thread")
    for step in place.inside_coroutine():
        if isinstance(step.node, ast.AugAssign) and step.field == "value":
            _require_local_target(step.node, place)


def _is_lazy(node: ast.expr) -> bool:
    return not isinstance(node, ast.Call) or last_name(node) in _LAZY


def _require_local_target(statement: ast.AugAssign, place: Place) -> None:
    if not isinstance(statement.target, ast.Name):
        raise Refusal("augmented assignment to shared state: it is read before the await and written after it")
    for function, _ in place.functions():
        for node in walk_scope(function.body):
            if isinstance(node, ast.Global | ast.Nonlocal) and statement.target.id in node.names:
                raise Refusal("augmented assignment to a variable of an outer scope")
        return


def require_movable_block(case: Case) -> None:
    """Refuse inside `with` blocks that hold a lock, or that have to move to the thread as a whole."""
    require_no_lock(case.place)
    if case.kind is RemedyKind.REPLACE_AWAITED or case.is_loose:
        return
    remedy = case.diagnostic.remedy
    for step in case.place.inside_coroutine():
        for item in step.node.items if isinstance(step.node, ast.With) and step.field == "body" else ():
            if (
                remedy is not None
                and is_wrapping(remedy)
                and any(_holds(item.context_expr, at) for at in case.findings)
            ):
                raise Refusal("the `with` block has to move to the thread as a whole")
            if _is_bound_by(case.place.node, item):
                moves = any(case.diagnostic.code in CODES[effect] for effect in _BLOCK_EFFECTS)
                if moves or any(_holds(item.context_expr, start) for start in case.findings):
                    raise Refusal("the `with` block has to move to the thread as a whole")


def require_no_lock(place: Place) -> None:
    """Refuse where a thread lock is held: it would be, across the `await`."""
    for step in place.inside_coroutine():
        for item in step.node.items if isinstance(step.node, ast.With) and step.field == "body" else ():
            if LOCK.search(last_name(item.context_expr)):
                raise Refusal("a lock would be held across the `await`")


def _is_bound_by(node: ast.expr, item: ast.withitem) -> bool:
    """Tell whether the callee of `node` starts with a name that the `with` item binds."""
    root: ast.expr = node
    while isinstance(root, ast.Call | ast.Attribute | ast.Subscript):
        root = root.func if isinstance(root, ast.Call) else root.value
    if not isinstance(root, ast.Name) or item.optional_vars is None:
        return False
    return any(isinstance(one, ast.Name) and one.id == root.id for one in ast.walk(item.optional_vars))


def _holds(node: ast.expr, start: Position) -> bool:
    # columns, which are bytes here and code points there, matter on the first row only: near enough
    if not node.lineno <= start.row <= (node.end_lineno or node.lineno):
        return False
    return start.row > node.lineno or start.column >= node.col_offset + 1


def require_thread_fit(node: ast.expr) -> None:
    """Refuse callees that do not survive the way through a thread."""
    if not isinstance(node, ast.Call):
        return
    name = last_name(node.func)
    if isinstance(node.func, ast.Name) and name == "next" and len(node.args) < 2:
        raise Refusal("StopIteration cannot leave a thread: the await would never end")
    if isinstance(node.func, ast.Attribute) and name == "__next__":
        raise Refusal("StopIteration cannot leave a thread: the await would never end")


def require_lambda_fit(node: ast.expr) -> None:
    """Refuse expressions that mean something else, or nothing, inside a lambda."""
    for one in ast.walk(node):
        match one:
            case ast.Await() | ast.Yield() | ast.YieldFrom():
                raise Refusal("`await` and `yield` cannot move into a lambda")
            case ast.NamedExpr():
                raise Refusal("a name assigned inside a lambda stays there")
            case ast.comprehension(is_async=1):
                raise Refusal("an asynchronous comprehension cannot move into a lambda")
            case ast.Call(func=ast.Name(id="super"), args=[]):
                raise Refusal("`super()` without arguments does not work in a lambda")
            case ast.Call(func=ast.Name(id=name)) if name in SCOPE_READERS:
                raise Refusal(f"`{name}` sees other names inside a lambda")


def _find_doubts(case: Case) -> Iterator[str]:
    place = case.place
    node = place.node
    if not isinstance(node, ast.Call):
        yield "reading an attribute in a thread"
    elif case.kind is not RemedyKind.REPLACE_AWAITED:
        if isinstance(node.func, ast.Name) and node.func.id == "input":
            yield "a cancelled `input` still waits for Enter"
        if last_name(node.func) in FRAMES:
            yield "the callee looks at its caller's frame"
        if case.diagnostic.code in CODES[Effect.CPU]:
            yield "a thread does not free the loop while Python code holds the interpreter lock"
    yield from find_surrounding_doubts(place)
    if _has_bare_super(node) and any(isinstance(step.node, Comprehension) for step in place.inside_coroutine()):
        raise Refusal("`super()` without arguments does not work in a comprehension")


def find_surrounding_doubts(place: Place) -> Iterator[str]:
    """Yield what makes any `await` at a place uncertain; refuse where none can be."""
    for step in place.inside_coroutine():
        if _handles(step, _CLOSED):
            raise Refusal("what is being closed by `GeneratorExit` cannot wait any more")
        for has, doubt in _UNCERTAIN:
            if has(step):
                yield doubt
    for function, _ in place.functions():
        names = {last_name(decorator) for decorator in function.decorator_list}
        for name in sorted(names & _RUNNERS):
            yield f"`@{name}` may run the coroutine without asyncio"
        return


def _is_in_finally(step: Around) -> bool:
    return _is_try(step.node) and step.field == "finalbody"


def _is_try(node: ast.AST) -> bool:
    return isinstance(node, Try)


def _is_in_cancellation(step: Around) -> bool:
    is_bare = isinstance(step.node, ast.ExceptHandler) and step.field == "body" and step.node.type is None
    return is_bare or _handles(step, _CANCELLED)


def _handles(step: Around, names: frozenset[str]) -> bool:
    """Whether a step leads into a handler for one of these exceptions."""
    caught = step.node.type if isinstance(step.node, ast.ExceptHandler) and step.field == "body" else None
    return any(last_name(one) in names for one in (caught.elts if isinstance(caught, ast.Tuple) else [caught]) if one)


_UNCERTAIN: Final[tuple[tuple[Callable[[Around], bool], str], ...]] = (
    (_is_in_finally, "an `await` in `finally` can itself be cancelled"),
    (_is_in_cancellation, "an `await` while cancellation is handled can itself be cancelled"),
)


def _has_bare_super(node: ast.expr) -> bool:
    return any(
        isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id == "super" and not one.args
        for one in ast.walk(node)
    )
