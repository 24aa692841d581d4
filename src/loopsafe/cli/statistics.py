"""`--statistics`: counts per rule instead of findings.

Nothing here prints.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from loopsafe.model import Diagnostic, LoopsafeError
from loopsafe.report.parts.format import is_applicable
from loopsafe.report.parts.style import Style


class _Line(NamedTuple):
    code: str
    name: str
    total: int
    fixable: int


def render_statistics(
    diagnostics: Sequence[Diagnostic], output_format: str, unsafe_fixes: bool | None, style: Style
) -> str:
    """Return the table, most frequent rule first; other formats than `full`, `concise`, `json` have none."""
    lines = _count(diagnostics, unsafe_fixes)
    if output_format == "json":
        return _render_json(lines)
    if output_format not in ("full", "concise"):
        name = "".join(part.capitalize() for part in output_format.split("-"))
        raise LoopsafeError(f"Unsupported serialization format for statistics: {name}")
    return _render_text(lines, style)


def _count(diagnostics: Sequence[Diagnostic], unsafe_fixes: bool | None) -> list[_Line]:
    counts: dict[str, _Line] = {}
    for diagnostic in diagnostics:
        line = counts.get(diagnostic.code, _Line(diagnostic.code, diagnostic.name, 0, 0))
        fixable = line.fixable + is_applicable(diagnostic.fix, unsafe_fixes)
        counts[diagnostic.code] = line._replace(total=line.total + 1, fixable=fixable)
    return sorted(counts.values(), key=lambda line: (-line.total, line.name))


def _render_text(lines: list[_Line], style: Style) -> str:
    has_fixable = any(line.fixable for line in lines)
    number_width = max((len(str(line.total)) for line in lines), default=0)
    code_width = max((len(line.code) for line in lines), default=0)
    text = []
    for line in lines:
        sign = style("cyan", "*") if line.fixable == line.total else "-" if line.fixable else " "
        marker = f"[{sign}] " if has_fixable else ""
        number = style("bold", str(line.total).rjust(number_width))
        text.append(f"{number}\t{style('error', line.code.ljust(code_width))}\t{marker}{line.name}\n")
    return "".join(text)


def _render_json(lines: list[_Line]) -> str:
    import json

    records = [
        {
            "code": line.code,
            "name": line.name,
            "count": line.total,
            "fixable": line.fixable == line.total,
            "fixable_count": line.fixable,
        }
        for line in lines
    ]
    return json.dumps(records, indent=2) + "\n"
