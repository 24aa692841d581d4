"""Format `json-lines`: the records of `json`, one compact object per line."""

from __future__ import annotations

from typing import Final

import msgspec

from loopsafe.report.parts.format import Format, Report
from loopsafe.report.parts.records import record


def render(report: Report) -> str:
    """Return a line per finding."""
    encode = msgspec.json.Encoder().encode
    return "".join(f"{encode(record(diagnostic, report)).decode()}\n" for diagnostic in report.diagnostics)


FORMAT: Final = Format("json-lines", render)
