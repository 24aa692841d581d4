"""Stage fix, one pass over all files: a fix is applied in every file that it speaks of, or in none.

Writes nothing: new contents are handed back.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from loopsafe.fixes.edits import Applied, apply
from loopsafe.model import Applicability, Diagnostic, Edit, Fix
from loopsafe.source.text import Source


class Located(NamedTuple):
    """A fix, and the file that its own edits are for."""

    path: str
    fix: Fix

    @property
    def parts(self) -> dict[str, tuple[Edit, ...]]:
        """The edits by file."""
        return {self.path: self.fix.edits, **dict(self.fix.elsewhere)}


class Pass(NamedTuple):
    """What one pass gives."""

    texts: Mapping[str, str]
    """New texts of the files that change."""
    applied: tuple[int, ...]
    """Indexes, in the order of the input, of the fixes that are in `texts`."""


def apply_together(
    texts: Mapping[str, str], fixes: Sequence[Located], wanted: Applicability = Applicability.SAFE
) -> Pass:
    """Apply those fixes that are trusted enough and do not clash, see `edits.apply`.

    `texts` has all files that any of the fixes speaks of. Of two fixes that each keep the other out of a file, the
    earlier one is applied.
    """
    left = dict.fromkeys(range(len(fixes)))
    by_path: dict[str, dict[int, Fix]] = {}
    for index, located in enumerate(fixes):
        for path, edits in located.parts.items():
            by_path.setdefault(path, {})[index] = Fix("", located.fix.applicability, edits)
    results = {path: _apply(texts[path], parts, wanted) for path, parts in by_path.items()}
    while True:
        missed = {
            index
            for path, parts in by_path.items()
            for index in parts.keys() - results[path][1]
            if index in left and fixes[index].fix.elsewhere
        }
        if not missed:
            break
        last = max(missed)
        del left[last]
        for path in fixes[last].parts:
            del by_path[path][last]
            results[path] = _apply(texts[path], by_path[path], wanted)
    applied = sorted({index for _, indexes in results.values() for index in indexes})
    changed = {path: result.text for path, (result, _) in results.items() if result.text != texts[path]}
    return Pass(changed, tuple(applied))


def _apply(text: str, parts: Mapping[int, Fix], wanted: Applicability) -> tuple[Applied, set[int]]:
    numbers = list(parts)
    result = apply(text, list(parts.values()), wanted)
    return result, {numbers[position] for position in result.applied}


def fix_once(
    diagnostics: Sequence[Diagnostic],
    find: Callable[[str], Source | None],
    wanted: Applicability,
    problems: dict[str, str],
) -> tuple[dict[str, bytes], list[Diagnostic]]:
    """Return new contents by file, and the findings whose fixes are in them.

    `find` gives the text of a file. A file that would no longer compile is left alone, with all that would have changed
    together with it, and added to `problems` with the reason.
    """
    sources: dict[str, Source] = {}
    found: list[tuple[Diagnostic, Located]] = []
    for one in diagnostics:
        located = None if one.fix is None else Located(one.path, one.fix)
        if located is not None:
            known = {path: source for path in located.parts if (source := find(path)) is not None}
            if len(known) == len(located.parts):
                sources.update(known)
                found.append((one, located))
    texts = {path: source.text for path, source in sources.items()}
    while True:
        found = [(one, located) for one, located in found if problems.keys().isdisjoint(located.parts)]
        result = apply_together(texts, [located for _, located in found], wanted)
        wrong = {path: reason for path, text in result.texts.items() if (reason := _find_problem(sources[path], text))}
        if not wrong:
            break
        problems.update(wrong)
    changed = {path: sources[path].encode(text) for path, text in result.texts.items()}
    return changed, [found[index][0] for index in result.applied] if changed else []


def _find_problem(source: Source, fixed: str) -> str | None:
    """Return why a file's new text may not stand, in words for the user."""
    try:
        source.encode(fixed)
    except UnicodeEncodeError:
        return f"a fix does not fit into {source.encoding}, it was left out"
    if is_whole(fixed):
        return None
    if is_whole(source.text):
        return "a fix would have broken the syntax, it was left out; please report this"
    return "does not compile, nothing was fixed there"


def is_whole(text: str) -> bool:
    """Tell whether Python compiles `text`; more than parsing, since `await` in a wrong place still parses."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(ast.parse(text), "<fixed>", "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
    return True
