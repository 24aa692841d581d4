"""Stage fix, judgement: what keeps a statement from moving to another thread, and what makes moving it uncertain.

Looks at one statement, or one block, within one coroutine; knows nothing of names in and out, or of text.
"""

from __future__ import annotations

import ast
import builtins
import re
import sys
from collections.abc import Collection, Iterator, Sequence
from typing import Final

from loopsafe.fixes.dataflow import NameSet, stored
from loopsafe.fixes.endings import leaves_loop
from loopsafe.fixes.hazards import FRAMES, LOCK, SCOPE_READERS
from loopsafe.fixes.places import Tree, last_name, walk_scope
from loopsafe.model import Span

_PURE: Final = frozenset(
    {"abs", "all", "any", "chr", "divmod", "format", "getattr", "hasattr", "hash", "isinstance", "issubclass", "iter",
     "len", "max", "min", "next", "open", "ord", "pow", "print", "repr", "round", "sorted", "sum"}
)  # fmt: skip
"""Functions that care for no thread. (`open` is a finding, or there would be none to move.)"""
_MEASURES: Final = frozenset(
    {"abs", "bool", "dict", "float", "int", "len", "list", "max", "min", "round", "set", "sum", "tuple"}
)
"""Functions that only look at what they are given."""
_CLASSES: Final = frozenset(name for name, value in vars(builtins).items() if isinstance(value, type))
_PLAIN: Final = frozenset(
    {"copy", "count", "decode", "encode", "endswith", "find", "format", "get", "index", "isdigit", "isoformat", "items",
     "join", "keys", "lower", "lstrip", "model_dump", "replace", "rsplit", "rstrip", "split", "splitlines",
     "startswith", "strftime", "strip", "title", "timestamp", "total_seconds", "upper", "values"}
)  # fmt: skip
"""Methods of values, such as strings and mappings, that change nothing."""
_THREADED: Final = frozenset(
    {"asyncio", "concurrent", "contextvars", "gc", "locale", "multiprocessing", "signal", "sys", "threading", "tkinter",
     "warnings"}
)  # fmt: skip
"""Modules of the standard library for whose functions it matters which thread calls them."""
_LOGGER: Final = re.compile(r"(^|_)log(ger|ging)?$", re.IGNORECASE)
_LOOP_METHODS: Final = frozenset(
    {"add_done_callback", "call_at", "call_later", "call_soon", "create_task", "ensure_future", "get_nowait",
     "put_nowait", "run_until_complete", "set_exception", "set_result"}
)  # fmt: skip
"""Methods that belong to objects of the loop, and of nothing else that is common."""

AWAITS: Final = "there is an `await` in between"
"""The one obstacle on whose both sides the fix may go on: the coroutine did not hold the loop there anyway."""


class Scene:
    """One coroutine, as far as the statements in it have to agree with it."""

    def __init__(self, function: ast.AsyncFunctionDef, tree: Tree, stays: Collection[Span]) -> None:
        self.function: Final = function
        self.tree: Final = tree
        self.stays: Final = frozenset(stays)
        nodes = list(walk_scope(function.body))
        self.is_generator: Final = any(isinstance(node, ast.Yield | ast.YieldFrom) for node in nodes)
        self.outer_names: Final = frozenset(
            name for node in nodes if isinstance(node, ast.Global | ast.Nonlocal) for name in node.names
        )
        """NameSet that the coroutine declares to be another scope's."""
        parameters = {one.arg for one in ast.walk(function.args) if isinstance(one, ast.arg)}
        self.parameters: Final = frozenset(parameters)
        self.local_names: Final = (stored(function.body) | self.parameters) - self.outer_names
        self._readers: Final = [node.lineno for node in nodes if isinstance(node, ast.Call) and _reads_scope(node)]
        self._loops: Final = [node for node in nodes if isinstance(node, ast.For | ast.AsyncFor | ast.While)]
        self.context_variables: Final = _find_context_variables(tree.module)

    def is_read_after(self, row: int) -> bool:
        """Tell whether something looks at the coroutine's names in, or some time after, a row."""
        loops = [range(loop.lineno, (loop.end_lineno or 0) + 1) for loop in self._loops]
        return any(reader >= row or any(reader in loop and row in loop for loop in loops) for reader in self._readers)


def find_obstacle(statement: ast.stmt, scene: Scene) -> str | None:
    """Return what keeps a statement from moving, as a clause; a `return` does not count."""
    reasons = [] if not leaves_loop(statement) else ["`break` or `continue` leaves it"]
    reasons += [reason for node in walk_scope([statement]) if (reason := _find_in(node, scene))]
    if scene.is_read_after(statement.lineno):
        reasons.append("the coroutine looks at its own names")
    return AWAITS if AWAITS in reasons else next(iter(reasons), None)


def _find_in(node: ast.AST, scene: Scene) -> str | None:
    match node:
        case ast.Await() | ast.AsyncFor() | ast.AsyncWith() | ast.comprehension(is_async=1):
            return AWAITS
        case ast.Yield() | ast.YieldFrom():
            return "there is a `yield` in between"
        case ast.AsyncFunctionDef():
            return "a coroutine function is defined there"
        case ast.Global() | ast.Nonlocal():
            return "a variable of an outer scope is declared there"
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()) if name in scene.outer_names:
            return "a variable of an outer scope is assigned"
        case ast.Name(id="__class__"):
            return "`__class__` means the class of the method"
        case ast.AugAssign(target=ast.Attribute() | ast.Subscript() as target):
            if root_name(target) not in scene.local_names - scene.parameters:
                return "shared state is read, and written later"
        case ast.Call():
            return _find_in_call(node, scene)
    return "something in it needs the loop, or a thread of its own" if _stays(node, scene) else None


def _find_in_call(node: ast.Call, scene: Scene) -> str | None:
    name = last_name(node.func)
    if isinstance(node.func, ast.Name):
        if name == "super" and not node.args:
            return "`super()` without arguments works in the method only"
        if name == "next" and len(node.args) < 2:
            return "StopIteration cannot leave a thread"
    elif isinstance(node.func, ast.Attribute):
        if name == "__next__":
            return "StopIteration cannot leave a thread"
        if name in _LOOP_METHODS:
            return f"`{name}` belongs to the loop"
        if name in ("set", "reset") and root_name(node.func) in scene.context_variables:
            return "a context variable that is set in a thread is lost"
        if name in ("acquire", "release") and LOCK.search(last_name(node.func.value)):
            return "a lock belongs to the thread that holds it"
    return "something in it needs the loop, or a thread of its own" if _stays(node, scene) else None


def _stays(node: ast.AST, scene: Scene) -> bool:
    return bool(scene.stays) and isinstance(node, ast.expr) and scene.tree.span(node) in scene.stays


def needs_exception(statements: Sequence[ast.stmt]) -> bool:
    """Tell whether statements of an `except` block use the exception that is being handled: a thread has none."""
    pending: list[ast.AST] = list(statements)
    while pending:
        node = pending.pop()
        match node:
            case ast.Raise(exc=None):
                return True
            case ast.Call() if last_name(node) in _EXCEPTION_READERS:
                return True
            case ast.keyword(arg="exc_info"):
                return True
        if not isinstance(node, ast.ExceptHandler | ast.FunctionDef | ast.Lambda):
            pending += ast.iter_child_nodes(node)
    return False


_EXCEPTION_READERS: Final = frozenset({"exc_info", "exception", "format_exc", "print_exc"})


def find_doubts(
    statements: Sequence[ast.stmt], scene: Scene, private: NameSet, known: Collection[Span]
) -> Iterator[str]:
    """Yield what might be noticed of the move, besides the thread.

    `private` are names that only the statements know, or that stand for the objects which move; `known` are the
    calls of which it is known what they do.
    """
    for node in walk_scope(statements):
        match node:
            case ast.Attribute(ctx=ast.Store() | ast.Del()) | ast.Subscript(ctx=ast.Store() | ast.Del()):
                if root_name(node) not in private:
                    yield f"`{ast.unparse(node)}` is changed in another thread"
            case ast.Call():
                if not _is_harmless(node, scene, private) and scene.tree.span(node) not in known:
                    yield f"`{_shorten(node.func)}` runs in another thread too"
                if last_name(node) in FRAMES:
                    yield "a callee looks at its caller's frame"


def is_value(node: ast.expr, scene: Scene) -> bool:
    """Tell whether an expression gives the same wherever and whenever it is evaluated, as long as its names stay."""
    match node:
        case ast.Constant() | ast.Name():
            return True
        case ast.Call(func=ast.Name(id=name), keywords=[]) if name in _MEASURES - scene.local_names:
            pass
        case ast.Subscript() | ast.Tuple() | ast.List() | ast.Dict() | ast.Set() | ast.Slice():
            pass
        case ast.JoinedStr() | ast.FormattedValue() | ast.Compare() | ast.BoolOp() | ast.UnaryOp() | ast.IfExp():
            pass
        case _:
            return False
    return all(is_value(child, scene) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr))


def _is_harmless(node: ast.Call, scene: Scene, private: NameSet) -> bool:
    func = node.func
    if isinstance(func, ast.Name):
        return func.id in private or (func.id in _PURE | _CLASSES and func.id not in scene.local_names)
    if not isinstance(func, ast.Attribute):
        return False
    root = root_name(func)
    if root is None:
        return func.attr in _PLAIN
    if root in private or func.attr in _PLAIN or _LOGGER.search(last_name(func.value)):
        return True
    module = scene.tree.imported.get(root, "").partition(".")[0]
    is_known = module in sys.stdlib_module_names and module not in _THREADED
    return is_known and root not in scene.local_names


def root_name(node: ast.AST) -> str | None:
    """Return the name that a chain of attributes, indexes and calls begins with."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


def _reads_scope(node: ast.Call) -> bool:
    """Tell whether a call sees the names around it; `vars(x)` and `dir(x)` only see those of `x`."""
    match node:
        case ast.Call(func=ast.Name(id=name), args=args) if name in SCOPE_READERS:
            return name in ("eval", "exec") or not args
    return False


def _find_context_variables(module: ast.Module) -> frozenset[str]:
    return frozenset(
        name
        for node in module.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        and isinstance(node.value, ast.Call)
        and last_name(node.value) == "ContextVar"
        for name in stored([node])
    )


def _shorten(node: ast.expr) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 40 else "…" + text[-40:]
