"""Which rules are on, from `--select`, `--ignore` and `--extend-select`, by ruff's law of specificity.

Nothing here knows any rule: the caller says which codes exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from loopsafe.model import LoopsafeError

ALL: Final = "ALL"


class Selection(msgspec.Struct, frozen=True):
    """What one source of settings says of rules."""

    select: tuple[str, ...] = ()
    """Empty: whatever was on before."""
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    origin: str = "the CLI"


def resolve(*selections: Selection, known: Mapping[str, bool]) -> frozenset[str]:
    """Return the codes that are on after all selections, of which a later one overrules those before it.

    `known` maps every code to whether it is on by default. A selector is `ALL`, a code, or the beginning of
    one with all its letters; the longest selector that fits a code decides, and at equal length `ignore`
    does. An unknown selector is a `LoopsafeError` that names it and where it came from.
    """
    enabled = frozenset(code for code, is_default in known.items() if is_default)
    for selection in selections:
        _refuse_unknown(selection, known)
        before = frozenset() if selection.select else enabled
        enabled = frozenset(code for code in known if _is_on(code, selection, code in before))
    return enabled


def _refuse_unknown(selection: Selection, known: Iterable[str]) -> None:
    options = {"select": selection.select, "ignore": selection.ignore, "extend-select": selection.extend_select}
    for option, selectors in options.items():
        for selector in selectors:
            if not is_selector(selector, known):
                raise LoopsafeError(f"Unknown rule selector `{selector}` in `{option}` from {selection.origin}")


def _is_on(code: str, selection: Selection, was_on: bool) -> bool:
    chosen = _specificity(code, (*selection.select, *selection.extend_select))
    ignored = _specificity(code, selection.ignore)
    return was_on if chosen == ignored == -1 else chosen > ignored


def is_selector(selector: str, known: Iterable[str]) -> bool:
    """Tell whether `selector` stands for at least one of the `known` codes."""
    return selector == ALL or any(_fits(selector, code) for code in known)


def _fits(selector: str, code: str) -> bool:
    letters = code.rstrip("0123456789")
    return len(selector) >= len(letters) and code.startswith(selector)


def _specificity(code: str, selectors: Iterable[str]) -> int:
    """Return the length of the longest selector that fits, 0 for `ALL`, -1 for none."""
    return max((0 if selector == ALL else len(selector) for selector in selectors
                if selector == ALL or _fits(selector, code)), default=-1)  # fmt: skip
