"""Format `concise`: one line per finding, `path:row:column: CODE message`."""

from __future__ import annotations

from typing import Final

from loopsafe.model import INVALID_SYNTAX
from loopsafe.report.parts.format import Format, Report
from loopsafe.report.parts.style import Style


def render(report: Report) -> str:
    """Return a line per finding."""
    style = Style(report.color)
    colon = style("cyan", ":")
    lines = []
    for diagnostic in report.diagnostics:
        row, column = diagnostic.span.start
        code = style("error", diagnostic.code) + (":" if diagnostic.code == INVALID_SYNTAX else "")
        marker = f" {style.marker()}" if report.is_applicable(diagnostic.fix) else ""
        path = style("bold", diagnostic.path)
        lines.append(f"{path}{colon}{row}{colon}{column}{colon} {code}{marker} {diagnostic.message}\n")
    return "".join(lines)


FORMAT: Final = Format("concise", render, is_text=True)
