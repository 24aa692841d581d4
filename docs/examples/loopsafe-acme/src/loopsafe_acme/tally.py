"""Format `acme-tally`: how many findings each file has."""

from __future__ import annotations

from collections import Counter

from loopsafe.report import Format, Report


def render(report: Report) -> str:
    counts = Counter(diagnostic.path for diagnostic in report.diagnostics)
    return "".join(f"{count:5} {path}\n" for path, count in sorted(counts.items()))


FORMAT = Format("acme-tally", render)
