"""Beside the stages: diagnostics that no check gives, and what checks leave open in theirs.

Decides nothing: what is kept, and in which order, is for the engine.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from loopsafe.model import INPUT_ERROR, INVALID_SYNTAX, Diagnostic, Span
from loopsafe.source import noqa_row
from loopsafe.source.discovery import show_path
from loopsafe.source.text import Source
from loopsafe.summary import ir


def by_file(diagnostics: Sequence[Diagnostic]) -> dict[str, list[Diagnostic]]:
    """Return diagnostics by path, those of each file in the order of its text."""
    groups: dict[str, list[Diagnostic]] = {}
    for one in sorted(diagnostics, key=lambda one: one.sort_key):
        groups.setdefault(one.path, []).append(one)
    return groups


def input_error(path: str, message: str) -> Diagnostic:
    """Return what is said of a file that cannot be read."""
    return Diagnostic(show_path(path), INPUT_ERROR, "io-error", message, Span(1, 1, 1, 1))


def syntax_error(path: str, problem: ir.SyntaxProblem) -> Diagnostic:
    """Return what is said of a file that does not parse."""
    span = Span(problem.row, problem.column, problem.row, problem.column + 1)
    return Diagnostic(path, INVALID_SYNTAX, INVALID_SYNTAX, problem.message, span)


def placed(text: Source, diagnostic: Diagnostic) -> Diagnostic:
    """Return a diagnostic of a file with the row on which a suppressing comment must stand."""
    if diagnostic.code == INVALID_SYNTAX:
        return diagnostic
    return msgspec.structs.replace(diagnostic, noqa_row=noqa_row(text, diagnostic.span))


def with_shown_paths(diagnostic: Diagnostic) -> Diagnostic:
    """Return a diagnostic with paths as users see them."""
    chain = tuple(msgspec.structs.replace(step, path=show_path(step.path)) for step in diagnostic.chain)
    remedy = diagnostic.remedy
    if remedy is not None and remedy.callers:
        callers = tuple((show_path(path), span) for path, span in remedy.callers)
        remedy = msgspec.structs.replace(remedy, callers=callers)
    return msgspec.structs.replace(diagnostic, path=show_path(diagnostic.path), chain=chain, remedy=remedy)
