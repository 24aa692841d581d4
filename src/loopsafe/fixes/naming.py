"""Stage fix: a name for the function that a block becomes: what it does, as far as the code around it tells.

A matter of taste only; that the name is free is a matter of correctness, and seen to here too.
"""

from __future__ import annotations

import ast
import builtins
import keyword
import re
from collections.abc import Collection, Iterator, Sequence
from typing import Final

from loopsafe.fixes.dataflow import stored
from loopsafe.fixes.places import last_name, walk_scope
from loopsafe.model import CODES, Effect

_TOO_GENERAL: Final = frozenset(
    {"main", "run", "handler", "handle", "index", "endpoint", "wrapper", "inner", "call", "test", "process", "execute",
     "work", "worker", "task", "job", "lifespan", "wrapped", "decorator", "func", "callback", "invoke", "dispatch"}
)  # fmt: skip
"""Names of coroutines that do not say what is done."""
_WRITING: Final = ("write", "dump", "save", "store", "append_to")
_LONGEST_MODE: Final = 3
_MOST_NAMED: Final = 2
_STATEMENTS: Final = {
    "select": "fetch", "with": "fetch", "insert": "insert", "update": "update", "delete": "delete", "create": "create",
    "drop": "drop", "alter": "alter", "upsert": "upsert",
}  # fmt: skip
_QUERYING: Final = frozenset({"fetchone", "fetchall", "fetchmany", "query", "scalar", "scalars", "first", "all", "get"})
_STORING: Final = frozenset({"commit", "add", "add_all", "executemany", "bulk_save_objects", "merge"})
_LONGEST: Final = 40


def find_taken_names(module: ast.Module, function: ast.AST) -> set[str]:
    """Return every name that means something within `function`, or may in the functions that it calls."""
    names = {*dir(builtins), *keyword.kwlist, *stored(module.body)}
    for node in ast.walk(function):
        for field in ("id", "arg", "name", "asname", "rest"):
            value = getattr(node, field, None)
            if isinstance(value, str):
                names.add(value.partition(".")[0])
        if isinstance(node, ast.Global | ast.Nonlocal):
            names.update(node.names)
    return names


def choose_name(
    function: ast.AsyncFunctionDef,
    statements: Sequence[ast.stmt],
    results: Sequence[str],
    codes: Collection[str],
    taken: Collection[str],
    *,
    is_only: bool,
) -> str:
    """Return a free name for the block of `function` that has the findings `codes`.

    Where it is the only block, and most of the coroutine, the coroutine's own name says best what is done.
    """
    own = function.name.strip("_").removesuffix("_async").removeprefix("async_")
    candidates = []
    inner = [node for node in walk_scope(function.body) if isinstance(node, ast.stmt)]
    moved = [node for node in walk_scope(statements) if isinstance(node, ast.stmt)]
    is_telling = own.lower() not in _TOO_GENERAL and not function.name.startswith("__") and len(own) > 2
    if is_only and is_telling and 2 * len(moved) >= len(inner):
        candidates.append(f"_{own}")
    verb = _verb(statements, codes, bool(results))
    candidates.append("_" + "_".join([verb, *_object(statements, results, own, verb)]))
    for name in candidates:
        if name.isidentifier() and name not in taken and len(name) <= _LONGEST:
            return name
    base = candidates[-1][:_LONGEST].rstrip("_")
    return next(name for number in range(2, 10_000) if (name := f"{base}_{number}") not in taken)


def _verb(statements: Sequence[ast.stmt], codes: Collection[str], has_results: bool) -> str:
    nodes = list(walk_scope(statements))
    calls = [last_name(node) for node in nodes if isinstance(node, ast.Call)]
    if any(code in CODES[Effect.DATABASE] for code in codes):
        words = {verb for text in _texts(statements) if (verb := _STATEMENTS.get(text))}
        if len(words) == 1:
            return words.pop()
        if has_results and not words - {"fetch"} and not _STORING.isdisjoint(calls):
            return "store"
        if has_results or not _QUERYING.isdisjoint(calls):
            return "fetch"
        return "store" if words or not _STORING.isdisjoint(calls) else "query"
    if any(code in CODES[Effect.FILE] for code in codes):
        is_writing = any(name.startswith(_WRITING) for name in calls) or any(map(_opens_for_writing, nodes))
        return "write" if is_writing else "read"
    return "fetch" if has_results else "send"


def _opens_for_writing(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or not last_name(node).endswith("open"):
        return False
    given = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "mode")]
    modes = [one.value for one in given if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return any(len(mode) <= _LONGEST_MODE and set(mode) & set("wax+") for mode in modes)


def _object(statements: Sequence[ast.stmt], results: Sequence[str], own: str, verb: str) -> list[str]:
    """Return what the verb applies to: what comes out, else the file or the table, else what the coroutine is about."""
    if 1 <= len(results) <= _MOST_NAMED and verb in ("fetch", "read"):
        return ["_and_".join(name.strip("_").lower() or "result" for name in results)]
    files = (node.context_expr for node in walk_scope(statements) if isinstance(node, ast.withitem))
    named = [name for file in files if isinstance(file, ast.Call) and (name := _file_name(file))]
    if named:
        return [named[0]]
    tables = [match[1].lower() for text in _sql(statements) if (match := _TABLE.search(text))]
    if tables:
        return [tables[0]]
    words = own.split("_")
    if len(words) > 1 and not results:
        return words[1:]
    return ["file"] if verb in ("read", "write") else ["results"] if results else ["all"]


def _file_name(call: ast.Call) -> str:
    """Return what `open(config_path)` or `config_path.open()` says of the file; nothing if that is nothing."""
    is_method = isinstance(call.func, ast.Attribute) and call.func.attr == "open"
    subject = call.func.value if is_method and isinstance(call.func, ast.Attribute) else (*call.args, None)[0]
    name = last_name(subject) if isinstance(subject, ast.Name | ast.Attribute) else ""
    words = [word for word in name.lower().split("_") if word not in _FILE_WORDS]
    return "_".join(words)


_FILE_WORDS: Final = frozenset(
    {"", "path", "file", "filename", "filepath", "fname", "name", "fd", "obj", "p", "f", "str"}
)
_TABLE: Final = re.compile(
    r"\b(?:from|into|update|table)\s+(?:if\s+(?:not\s+)?exists\s+)?([A-Za-z_]\w*)", re.IGNORECASE
)


def _texts(statements: Sequence[ast.stmt]) -> Iterator[str]:
    """Yield the first word of each text that may be a statement for a database."""
    for text in _sql(statements):
        words = text.split(None, 1)
        if len(words) == 2:
            yield words[0].lower()


def _sql(statements: Sequence[ast.stmt]) -> Iterator[str]:
    for node in walk_scope(statements):
        if isinstance(node, ast.Call) and last_name(node) in ("execute", "executemany", "text", "executescript"):
            for argument in node.args[:1]:
                first = argument.values[0] if isinstance(argument, ast.JoinedStr) and argument.values else argument
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    yield first.value
