"""Where the parts of the repository lie, for the tests about it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGE: Final = ROOT / "src" / "loopsafe"
RULES: Final = ROOT / "rules"
FIXTURES: Final = ROOT / "fixtures"


def modules() -> list[Path]:
    """Every module of the package, sorted."""
    return sorted(PACKAGE.rglob("*.py"))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Row and dotted name of each import that runs; those for type checkers alone do not count."""
    package = path.relative_to(PACKAGE.parent).parent.parts
    yield from _imports_of(ast.parse(path.read_text(encoding="utf-8")), package)


def _imports_of(node: ast.AST, package: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and _is_for_type_checkers(child.test):
            yield from _imports_of(ast.Module(body=child.orelse, type_ignores=[]), package)
        elif isinstance(child, ast.Import):
            yield from ((child.lineno, alias.name) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            base = package[: len(package) - child.level + 1] if child.level else ()
            module = ".".join([*base, *([child.module] if child.module else [])])
            yield from ((child.lineno, f"{module}.{alias.name}") for alias in child.names)
        else:
            yield from _imports_of(child, package)


def _is_for_type_checkers(test: ast.expr) -> bool:
    return ast.unparse(test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}
