"""Stage fix, all passes: lint, fix and lint again until nothing changes, and never leave a broken file.

Nothing here reads or writes files; how to lint a text is the caller's.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from loopsafe.fixes.edits import apply
from loopsafe.fixes.proposals import attach
from loopsafe.model import OLDEST_PYTHON, Applicability, Diagnostic
from loopsafe.source.text import Source, decode

MOST_PASSES: Final = 100
"""As in ruff: more than that means that two fixes undo each other."""


class Stabilised(msgspec.Struct, frozen=True):
    """A file after all passes."""

    source: Source
    """The new text; the old one when nothing was fixed or `error` is set."""
    fixed: tuple[Diagnostic, ...]
    """The findings whose fixes are in the text, in the order of the passes."""
    remaining: tuple[Diagnostic, ...]
    """What is still found in the text of `source`, fixes attached."""
    passes: int
    """How many passes changed the text."""
    error: str | None = None
    """Why everything was taken back."""


def stabilise(
    source: Source,
    relint: Callable[[Source], Sequence[Diagnostic]],
    *,
    wanted: Applicability = Applicability.SAFE,
    target_version: tuple[int, int] = OLDEST_PYTHON,
) -> Stabilised:
    """Apply fixes to `source` in passes until none is left that may be applied.

    Findings that come without a fix but with a remedy get theirs here. If a pass breaks the syntax of a file
    that was whole before, or the passes do not end, the file is given back as it came, with `error`.
    """
    first = tuple(attach(source, relint(source), target_version=target_version))
    was_whole = is_whole(source.text)
    now, found, fixed = source, first, list[Diagnostic]()
    for count in range(MOST_PASSES):
        result = apply(now.text, [one.fix for one in found], wanted)
        if not result.applied or result.text == now.text:
            return Stabilised(now, tuple(fixed), found, count)
        if was_whole and not is_whole(result.text):
            codes = ", ".join(sorted({found[index].code for index in result.applied}))
            return Stabilised(source, (), first, 0, f"a fix for {codes} broke the syntax; all fixes were taken back")
        try:
            now = decode(source.path, source.encode(result.text))
        except UnicodeEncodeError:  # a plugin's fix with text that the file's encoding cannot hold
            return Stabilised(source, (), first, 0, f"a fix does not fit into {source.encoding}")
        fixed += [found[index] for index in result.applied]
        found = tuple(attach(now, relint(now), target_version=target_version))
    codes = ", ".join(sorted({one.code for one in found if one.fix}))
    return Stabilised(source, (), first, 0, f"fixes for {codes} did not come to an end after {MOST_PASSES} passes")


def is_whole(text: str) -> bool:
    """Tell whether Python compiles `text`; more than parsing, since `await` in a wrong place still parses."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(ast.parse(text), "<fixed>", "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
    return True
