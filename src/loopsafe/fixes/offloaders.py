"""Stage fix: the functions that move a callable to a thread, and how each wants to be called.

Says how, never whether.
"""

from __future__ import annotations

from typing import Final

from loopsafe.fixes.names import Names
from loopsafe.fixes.places import Place, Refusal
from loopsafe.fixes.recipes import Form, Recipe
from loopsafe.model import Remedy

TAKES_KEYWORDS: Final[dict[str, bool]] = {
    "asyncio.to_thread": True,
    "anyio.to_thread.run_sync": False,
    "trio.to_thread.run_sync": False,
}
"""The off-loaders that calls are handed to, and whether they pass keyword arguments on."""


def require_known(remedy: Remedy) -> None:
    """Refuse off-loaders whose interface is not known."""
    if remedy.offloader not in TAKES_KEYWORDS:
        raise Refusal(f"`{remedy.offloader}` is not known as an off-loader")


def needs_executor(remedy: Remedy, target: tuple[int, int]) -> bool:
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
    suffix, leading = "", tuple[str, ...]()
    if form is not Form.REPLACE and needs_executor(remedy, target):
        qualified, suffix, leading = "asyncio.get_running_loop", "().run_in_executor", ("None",)
    callee = names.spell(qualified, place)
    spellings = [callee]
    if form is Form.PARTIAL:
        spellings.append(names.spell("functools.partial", place))
    partial = spellings[-1].text if form is Form.PARTIAL else ""
    modules = tuple(one.module for one in spellings if one.module is not None)
    return Recipe(form, callee.text + suffix, leading, partial), modules


def _require_one_library(qualified: str, names: Names) -> None:
    """Refuse where the file does not tell on which library's loop it runs."""
    has_trio = names.has_import("trio")
    if has_trio and (names.has_import("anyio") or qualified.startswith("asyncio.")):
        raise Refusal("the module uses more than one async library")
