"""Format `full`: each finding with its lines of source, the path that proves it, and its fix as a diff."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from loopsafe.model import INVALID_SYNTAX, Applicability, Confidence, Diagnostic
from loopsafe.report.parts import chain, remedy
from loopsafe.report.parts.format import Format, Report
from loopsafe.report.parts.frame import Frame, split
from loopsafe.report.parts.style import Style

_NOTES: Final[dict[Applicability, str]] = {
    Applicability.UNSAFE: "This is an unsafe fix and may change runtime behavior",
    Applicability.DISPLAY: "This is a display-only fix and is likely to be incorrect",
}


def render(report: Report) -> str:
    """Return all findings, each followed by a blank line."""
    style = Style(report.color)
    shown: tuple[str, list[str]] = ("", [])  # findings are sorted by path: one file's rows at a time
    lines: list[str] = []
    for diagnostic in report.diagnostics:
        if diagnostic.path != shown[0]:
            source = report.sources(diagnostic.path)
            shown = (diagnostic.path, [] if source is None else split(source.text))
        lines += _render_one(diagnostic, shown[1], report, style)
        lines.append("")
    return "".join(f"{line}\n" for line in lines)


def _render_one(diagnostic: Diagnostic, text: list[str], report: Report, style: Style) -> Iterator[str]:
    yield _header(diagnostic, report, style)
    place = f"{diagnostic.path}:{diagnostic.span.row}:{diagnostic.span.column}"
    if text:
        frame = Frame(text, diagnostic.span)
        yield f"{' ' * frame.gutter}{style('frame', '-->')} {place}"
        yield from frame.draw(style)
    else:
        yield f" {style('frame', '-->')} {place}"
    yield from chain.draw(diagnostic, style)
    if diagnostic.confidence is Confidence.LIKELY and diagnostic.reason:
        yield f"{style('note', 'note')}{style('bold', f': likely, not certain: {diagnostic.reason}')}"
    fix = diagnostic.fix
    if fix is None:
        return
    yield f"{style('help', 'help')}{style('bold', f': {fix.message}')}"
    yield from remedy.draw(fix, text, style)
    if fix.applicability in _NOTES:
        yield f"{style('note', 'note')}{style('bold', f': {_NOTES[fix.applicability]}')}"


def _header(diagnostic: Diagnostic, report: Report, style: Style) -> str:
    code = diagnostic.code + (":" if diagnostic.code == INVALID_SYNTAX else "")
    marker = f" {style.marker()}" if report.is_applicable(diagnostic.fix) else ""
    return f"{style('error', code)}{marker} {style('bold', diagnostic.message)}"


FORMAT: Final = Format("full", render, is_text=True)
