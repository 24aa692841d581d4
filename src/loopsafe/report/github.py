"""Format `github`: workflow commands that GitHub shows as annotations on a pull request."""

from __future__ import annotations

from typing import Final

from loopsafe.model import Diagnostic
from loopsafe.report.parts.format import Format, Report


def render(report: Report) -> str:
    """Return a command per finding."""
    return "".join(_render_one(diagnostic, report) for diagnostic in report.diagnostics)


def _render_one(diagnostic: Diagnostic, report: Report) -> str:
    row, column, end_row, end_column = diagnostic.span
    file = report.absolute(diagnostic.path)
    properties = {"title": f"loopsafe ({diagnostic.code})", "file": file, "line": row}
    if row == end_row:  # GitHub refuses columns for what spans rows
        properties |= {"col": column, "endLine": end_row, "endColumn": end_column}
    else:
        properties |= {"endLine": end_row}
    text = f"{diagnostic.path}:{row}:{column}: {diagnostic.code}{_colon(diagnostic)} {diagnostic.message}"
    if diagnostic.fix is not None:
        text += f"\n  help: {diagnostic.fix.message}"
    listed = ",".join(f"{key}={_escape_property(str(value))}" for key, value in properties.items())
    return f"::error {listed}::{_escape(text)}\n"


def _colon(diagnostic: Diagnostic) -> str:
    return ":" if diagnostic.code == diagnostic.name else ""


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")


FORMAT: Final = Format("github", render)
