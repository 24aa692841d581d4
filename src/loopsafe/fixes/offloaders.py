"""Stage fix: the functions that move a callable to a thread, and how each wants to be called.

Says how, never whether.
"""

from __future__ import annotations

import ast
from typing import Final

from loopsafe.fixes.names import Names
from loopsafe.fixes.places import Place, Refusal
from loopsafe.fixes.recipes import Form, Recipe
from loopsafe.model import Remedy, RemedyKind

_WITHOUT_KEYWORDS: Final = frozenset({"anyio.to_thread.run_sync", "trio.to_thread.run_sync"})
"""Off-loaders that keep keyword arguments for themselves; all others take what `asyncio.to_thread` takes."""
_WRAPPING: Final = frozenset({"asgiref.sync.sync_to_async", "channels.db.database_sync_to_async"})
"""Off-loaders that give a function, to be called with the arguments."""


def choose_form(remedy: Remedy, node: ast.expr, target: tuple[int, int]) -> Form:
    """Return the shape in which `node` can be handed over."""
    if remedy.kind is RemedyKind.REPLACE_AWAITED:
        if not isinstance(node, ast.Call):
            raise Refusal("only a call can be replaced by another")
        return Form.REPLACE
    if remedy.prefix_blocks or not isinstance(node, ast.Call):
        return Form.LAMBDA
    if is_wrapping(remedy):
        return Form.WRAPPED
    if _needs_executor(remedy, target):
        return Form.PARTIAL if node.args or node.keywords else Form.DIRECT
    takes_keywords = remedy.takes_keywords and remedy.offloader not in _WITHOUT_KEYWORDS
    return Form.DIRECT if takes_keywords or not node.keywords else Form.PARTIAL


def is_wrapping(remedy: Remedy) -> bool:
    """Tell whether the off-loader takes the function alone, and what it gives takes the arguments."""
    return remedy.offloader in _WRAPPING


def _needs_executor(remedy: Remedy, target: tuple[int, int]) -> bool:
    """Tell whether the oldest Python of the file has no `asyncio.to_thread` yet."""
    return remedy.offloader == "asyncio.to_thread" and target < (3, 9)


def write_recipe(
    form: Form, remedy: Remedy, place: Place, names: Names, target: tuple[int, int]
) -> tuple[Recipe, tuple[str, ...]]:
    """Return what to write at `place`, spelled as the file spells it, and the modules to import for it."""
    qualified = remedy.replacement if form is Form.REPLACE else remedy.offloader
    if qualified is None:
        raise Refusal("no replacement is named")
    _require_one_library(qualified, names)
    suffix, leading = "", remedy.leading
    if form is not Form.REPLACE and _needs_executor(remedy, target):
        qualified, suffix, leading = "asyncio.get_running_loop", "().run_in_executor", ("None",)
    callee = names.spell(qualified, place)
    spellings = [callee]
    if form is Form.PARTIAL:
        spellings.append(names.spell("functools.partial", place))
    partial = spellings[-1].text if form is Form.PARTIAL else ""
    modules = tuple(one.module for one in spellings if one.module is not None)
    return Recipe(
        form, callee.text + suffix, leading, partial, form is not Form.REPLACE and is_wrapping(remedy)
    ), modules


def _require_one_library(qualified: str, names: Names) -> None:
    """Refuse where the file does not tell on which library's loop it runs."""
    has_trio = names.has_import("trio")
    if has_trio and (names.has_import("anyio") or qualified.startswith("asyncio.")):
        raise Refusal("the module uses more than one async library")
