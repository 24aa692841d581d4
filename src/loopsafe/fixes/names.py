"""Stage fix: how a qualified name (`asyncio.to_thread`) is spelled at a place, and what to import for it.

Reads the tree only, but for one look at the folder: a neighbour called `asyncio.py` hides the real module.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from loopsafe.fixes.places import Function, Place, Refusal, children

_WHOLE: Final = frozenset({"asyncio", "anyio", "trio"})
"""Packages whose submodules are there once the package is imported."""


class Spelling(NamedTuple):
    """The text that means a qualified name somewhere, and the import that it needs, as in `imports.Wanted`."""

    text: str
    module: str | None = None


class _Binding(NamedTuple):
    """One way in which a name gets its value within a scope."""

    qualified: str | None
    """What an import binds; None for everything that is not an import."""
    row: int
    direct: bool
    """Stands in the scope's own list of statements, under no condition."""


_Bindings = dict[str, list[_Binding]]


class Names:
    """The names of one file."""

    def __init__(self, module: ast.Module, text: str, path: str) -> None:
        self._module = module
        self._globals = frozenset(
            name for names in re.findall(r"\bglobal\b((?:[\w \t,]|\\\r?\n)+)", text) for name in re.split(r"\W+", names)
        )
        self._path = Path(path)
        self._scopes: dict[int, _Bindings] = {}
        self._top = self._bindings(module)

    def spell(self, qualified: str, place: Place) -> Spelling:
        """Return how to write `qualified` at `place`, or refuse when another thing has the name there."""
        inner = set[str]()
        for function, statement in place.functions():
            here = self._bindings(function)
            for name, rest in self._candidates(here, qualified):
                if name in inner:
                    continue
                if all(one.direct and one.row < function.body[statement].lineno for one in here[name]):
                    return Spelling(name + rest)
                raise Refusal(f"`{name}` is a local name that has no value yet, or not always")
            inner.update(here)
        if "." not in qualified:
            return self._spell_own(qualified, inner)
        statement_row = self._module.body[place.statement].lineno
        for name, rest in self._candidates(self._top, qualified):
            is_ready = any(one.direct and one.row < statement_row for one in self._top[name])
            if name not in inner and is_ready and not self._is_rebound(name):
                return Spelling(name + rest)
        return self._add(qualified, inner)

    def _spell_own(self, name: str, inner: set[str]) -> Spelling:
        """Return how to write a function of the file itself, if the name means nothing else anywhere."""
        ways = self._top.get(name, [])
        if name in inner or len(ways) != 1 or not ways[0].direct or self._is_rebound(name):
            raise Refusal(f"`{name}` is the name of something else here")
        return Spelling(name)

    def has_import(self, package: str) -> bool:
        """Tell whether the module imports anything of `package` at its top level."""
        return any(
            one.qualified is not None and one.qualified.partition(".")[0] == package
            for bindings in self._top.values()
            for one in bindings
        )

    def _add(self, qualified: str, inner: set[str]) -> Spelling:
        """Return what to write once it is imported: Python and async libraries as modules, of others a name."""
        top, (package, _, name) = qualified.partition(".")[0], qualified.rpartition(".")
        is_whole = top in _WHOLE or top in sys.stdlib_module_names
        bound = top if is_whole else name
        if bound in inner or self._is_rebound(bound):
            raise Refusal(f"`{bound}` is the name of something else here")
        if any(one.qualified != (top if is_whole else qualified) for one in self._top.get(bound, [])):
            raise Refusal(f"`{bound}` is the name of something else in this module")
        if "*" in self._top and bound not in self._top:
            raise Refusal(f"`from … import *` may give `{bound}` another meaning")
        if not is_whole:
            return Spelling(name, f"{package}:{name}")
        if self._is_hidden(top):
            raise Refusal(f"a file of the project hides the module `{top}`")
        return Spelling(qualified, top if top in _WHOLE else package)

    def _candidates(self, bindings: _Bindings, qualified: str) -> list[tuple[str, str]]:
        """Return the names that are only ever bound to `qualified` or a module of it, most specific first."""
        found: list[tuple[int, str, str]] = []
        for name, ways in bindings.items():
            target = ways[0].qualified
            if target is None or any(one.qualified != target for one in ways):
                continue
            rest = qualified[len(target) :]
            is_whole = target == qualified.rpartition(".")[0] or target.partition(".")[0] in _WHOLE
            if qualified.startswith(target) and (not rest or (rest[0] == "." and is_whole)):
                found.append((-len(target), name, rest))
        return [(name, rest) for _, name, rest in sorted(found)]

    def _is_rebound(self, name: str) -> bool:
        """Tell whether some function assigns the module's `name`."""
        return name in self._globals

    def _is_hidden(self, module: str) -> bool:
        folder = self._path.parent
        if module in sys.builtin_module_names or (folder / "__init__.py").exists():
            return False  # inside a package, absolute imports do not look into its folder
        return (folder / f"{module}.py").is_file() or (folder / module).is_dir()

    def _bindings(self, scope: ast.Module | Function) -> _Bindings:
        known = self._scopes.get(id(scope))
        if known is None:
            known = self._scopes[id(scope)] = {}
            if not isinstance(scope, ast.Module):
                for one in ast.walk(scope.args):
                    if isinstance(one, ast.arg):
                        known.setdefault(one.arg, []).append(_Binding(None, scope.lineno, True))
            for name, binding in _collect(scope.body):
                known.setdefault(name, []).append(binding)
        return known


def _collect(body: list[ast.stmt]) -> Iterator[tuple[str, _Binding]]:
    """Yield every binding of a scope, each time it happens; a star import binds `*`."""
    pending: list[tuple[ast.AST, bool, frozenset[str]]] = [(statement, True, frozenset()) for statement in body]
    while pending:
        node, direct, ignored = pending.pop()
        for name, qualified in _bound(node):
            if name not in ignored:
                yield name, _Binding(qualified, getattr(node, "lineno", 0), direct)
        tried = _imported(node) if isinstance(node, ast.Try) else frozenset[str]()
        for field, _, child in children(node):
            if field in ("body", "args") and isinstance(node, Function | ast.ClassDef | ast.Lambda):
                continue
            pending.append((child, False, ignored | tried if field == "handlers" else ignored))


def _imported(node: ast.Try) -> frozenset[str]:
    """Return the names that the body of `node` imports: what its handlers put in their place is a stopgap."""
    return frozenset(name for statement in node.body for name, qualified in _bound(statement) if qualified)


def _bound(node: ast.AST) -> Iterator[tuple[str, str | None]]:
    match node:
        case ast.Import(names=aliases):
            for alias in aliases:
                yield (alias.asname, alias.name) if alias.asname else (alias.name.partition(".")[0],) * 2
        case ast.ImportFrom(names=aliases):
            prefix = "." * node.level + (node.module or "")
            for alias in aliases:
                yield alias.asname or alias.name, f"{prefix}.{alias.name}"
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            yield name, None
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name, None
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name, None
        case ast.MatchMapping(rest=str(name)):
            yield name, None
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            yield from ((name, None) for name in names)
