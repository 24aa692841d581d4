"""Format `json`: a list of records, see `parts.records`; no newline at its end, as in ruff."""

from __future__ import annotations

from typing import Final

import msgspec

from loopsafe.report.parts.format import Format, Report
from loopsafe.report.parts.records import record


def render(report: Report) -> str:
    """Return one JSON list."""
    records = [record(diagnostic, report) for diagnostic in report.diagnostics]
    return msgspec.json.format(msgspec.json.encode(records), indent=2).decode()


FORMAT: Final = Format("json", render)
