"""Format `pylint`: `path:row: [CODE] message`, which many tools know how to read."""

from __future__ import annotations

from typing import Final

from loopsafe.report.parts.format import Format, Report


def render(report: Report) -> str:
    """Return a line per finding."""
    return "".join(f"{d.path}:{d.span.row}: [{d.code}] {d.message}\n" for d in report.diagnostics)


FORMAT: Final = Format("pylint", render)
