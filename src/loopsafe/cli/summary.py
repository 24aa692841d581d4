"""The lines after the findings, word for word ruff's.

Nothing here prints.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from loopsafe.model import Applicability, Diagnostic
from loopsafe.report.parts.format import is_applicable
from loopsafe.report.parts.style import Style


class Counts(NamedTuple):
    """How many findings have a fix that would be applied, and how many an unsafe one that would not."""

    applicable: int
    hidden: int


def count(diagnostics: Sequence[Diagnostic], unsafe_fixes: bool | None) -> Counts:
    """Count fixes; with `--no-unsafe-fixes` nobody wants to hear of hidden ones."""
    applicable = sum(is_applicable(diagnostic.fix, unsafe_fixes) for diagnostic in diagnostics)
    if unsafe_fixes is not None:
        return Counts(applicable, 0)
    fixes = (diagnostic.fix for diagnostic in diagnostics)
    hidden = sum(fix is not None and fix.applicability is Applicability.UNSAFE for fix in fixes)
    return Counts(applicable, hidden)


def summarize(remaining: Sequence[Diagnostic], fixed: int, unsafe_fixes: bool | None, style: Style) -> str:
    """Return the summary of a run that reports findings."""
    total = fixed + len(remaining)
    if fixed:
        head = f"Found {total} error{_s(total)} ({fixed} fixed, {len(remaining)} remaining).\n"
    elif remaining:
        head = f"Found {total} error{_s(total)}.\n"
    else:
        head = "All checks passed!\n"
    return head + _hint(count(remaining, unsafe_fixes), style)


def _hint(counts: Counts, style: Style) -> str:
    unsafe = f"{counts.hidden} unsafe fix{_es(counts.hidden)} available with `--fix --unsafe-fixes`"
    if counts.applicable:
        more = f" ({unsafe})" if counts.hidden else ""
        return f"{style.marker()} {counts.applicable} fixable with `--fix`{more}.\n"
    return f"{unsafe}.\n" if counts.hidden else ""


def summarize_fixes(remaining: Sequence[Diagnostic], fixed: int, unsafe_fixes: bool | None, is_diff: bool) -> str:
    """Return the summary of a run that fixes, or shows how it would fix, and reports nothing else."""
    hidden = count(remaining, unsafe_fixes).hidden
    if fixed:
        head = f"{'Would fix' if is_diff else 'Fixed'} {fixed} error{_s(fixed)}"
        more = f" ({hidden} additional fix{_es(hidden)} available with `--unsafe-fixes`)" if hidden else ""
        return f"{head}{more}.\n"
    if not hidden:
        return ""
    head = "No errors would be fixed" if is_diff else "No errors fixed"
    return f"{head} ({hidden} fix{_es(hidden)} available with `--unsafe-fixes`).\n"


def list_fixes(applied: Sequence[Diagnostic], style: Style) -> str:
    """Return `--show-fixes`: how many findings of which rule were fixed, by file."""
    if not applied:
        return ""
    by_file: dict[str, Counter[tuple[str, str]]] = {}
    for one in applied:
        by_file.setdefault(one.path, Counter())[one.code, one.name] += 1
    lines = ["", style("bold", f"Fixed {len(applied)} error{_s(len(applied))}:")]
    width = max(len(str(count)) for counts in by_file.values() for count in counts.values())
    for path, counts in sorted(by_file.items()):
        lines.append(f"{style('cyan', '-')} {style('bold', path)}{style('cyan', ':')}")
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        lines += [f"    {count:>{width}} × {style('error', code)} ({name})" for (code, name), count in ranked]  # noqa: RUF001
    return "\n".join([*lines, "", ""])


def _s(number: int) -> str:
    return "" if number == 1 else "s"


def _es(number: int) -> str:
    return "" if number == 1 else "es"
