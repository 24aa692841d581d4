"""Format `grouped`: the findings of each file below its path."""

from __future__ import annotations

from itertools import groupby
from typing import Final

from loopsafe.model import INVALID_SYNTAX, Diagnostic
from loopsafe.report.parts.format import Format, Report
from loopsafe.report.parts.style import Style


def render(report: Report) -> str:
    """Return a block per file."""
    style = Style(report.color)
    blocks = groupby(report.diagnostics, key=lambda diagnostic: diagnostic.path)
    return "".join(_render_file(path, list(diagnostics), report, style) for path, diagnostics in blocks)


def _render_file(path: str, diagnostics: list[Diagnostic], report: Report, style: Style) -> str:
    row_width = max(len(str(diagnostic.span.row)) for diagnostic in diagnostics)
    column_width = max(len(str(diagnostic.span.column)) for diagnostic in diagnostics)
    lines = [f"{style('underline', path)}:\n"]
    for diagnostic in diagnostics:
        row, column = diagnostic.span.start
        place = f"{' ' * (row_width - len(str(row)))}{row}{style('cyan', ':')}{column}"
        gap = " " * (column_width - len(str(column)) + 1)
        code = style("error", diagnostic.code) + (":" if diagnostic.code == INVALID_SYNTAX else "")
        marker = f" {style.marker()}" if report.is_applicable(diagnostic.fix) else ""
        lines.append(f"  {place}{gap}{code}{marker} {diagnostic.message}\n")
    return "".join([*lines, "\n"])


FORMAT: Final = Format("grouped", render, is_text=True)
