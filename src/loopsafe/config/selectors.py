"""Which rules are on, from `--select`, `--ignore` and `--extend-select`, by ruff's law of specificity.

Nothing here knows any rule: the caller says which codes exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from loopsafe.model import LoopsafeError

ALL: Final = "ALL"


def resolve(
    select: Sequence[str],
    ignore: Sequence[str],
    extend_select: Sequence[str],
    *,
    known: Mapping[str, bool],
    origin: str = "the CLI",
) -> frozenset[str]:
    """Return the codes that are on.

    `known` maps every code to whether it is on by default. A selector is `ALL`, a code, or the beginning of
    one with all its letters; the longest selector that fits a code decides, and at equal length `ignore`
    does. An unknown selector is a `LoopsafeError` that names it and where it came from.
    """
    for option, selectors in (("select", select), ("ignore", ignore), ("extend-select", extend_select)):
        for selector in selectors:
            if not is_selector(selector, known):
                raise LoopsafeError(f"Unknown rule selector `{selector}` in `{option}` from {origin}")
    chosen = (*select, *extend_select)
    return frozenset(
        code
        for code, is_default in known.items()
        if max(_specificity(code, chosen), 0 if is_default and not select else -1) > _specificity(code, ignore)
    )


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
