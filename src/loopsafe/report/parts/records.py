"""Stage report: the JSON record of a finding: ruff's eleven keys, sorted, and three of ours.

These types are the public format, spelled out here so that a change of the model cannot change it.
"""

from __future__ import annotations

import msgspec

from loopsafe.model import INVALID_SYNTAX, Applicability, Diagnostic, Fix, Position, Step
from loopsafe.report.parts.format import Report


class Location(msgspec.Struct, frozen=True):
    """A 1-based place; columns count code points."""

    column: int
    row: int


class EditRecord(msgspec.Struct, frozen=True):
    """Replace what lies between `location` and `end_location` by `content`."""

    content: str
    end_location: Location
    location: Location


class FixRecord(msgspec.Struct, frozen=True):
    """A fix, present whatever flags are given: readers look at `applicability`."""

    applicability: str
    edits: tuple[EditRecord, ...]
    message: str


class ChainRecord(msgspec.Struct, frozen=True):
    """One step of a finding's path."""

    call: str
    column: int
    filename: str
    function: str
    row: int


class Record(msgspec.Struct, frozen=True):
    """One finding; all keys are always present."""

    cell: None
    chain: tuple[ChainRecord, ...]
    code: str
    confidence: str
    end_location: Location
    filename: str
    fix: FixRecord | None
    location: Location
    message: str
    name: str
    noqa_row: int | None
    reason: str | None
    severity: str
    url: str | None


def record(diagnostic: Diagnostic, report: Report) -> Record:
    """Return the record of `diagnostic`."""
    return Record(
        cell=None,
        chain=tuple(_chain(step, report) for step in diagnostic.chain),
        code=diagnostic.code,
        confidence=diagnostic.confidence.value,
        end_location=_location(diagnostic.span.end),
        filename=_filename(diagnostic.path, report),
        fix=None if diagnostic.fix is None else _fix(diagnostic.fix),
        location=_location(diagnostic.span.start),
        message=diagnostic.message,
        name=diagnostic.name,
        noqa_row=None if diagnostic.code == INVALID_SYNTAX else diagnostic.noqa_row,
        reason=diagnostic.reason,
        severity="error",
        url=None,
    )


def _chain(step: Step, report: Report) -> ChainRecord:
    return ChainRecord(step.call, step.column, _filename(step.path, report), step.function, step.row)


def _fix(fix: Fix) -> FixRecord:
    edits = (EditRecord(edit.content, _location(edit.end), _location(edit.start)) for edit in fix.edits)
    # a reader that applied these alone would leave other files broken
    applicability = Applicability.DISPLAY if fix.elsewhere else fix.applicability
    return FixRecord(applicability.value, tuple(edits), fix.message)


def _location(position: Position) -> Location:
    return Location(position.column, position.row)


def _filename(path: str, report: Report) -> str:
    """Return the absolute path as valid Unicode, which file names need not be and JSON must."""
    return report.absolute(path).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
