"""Stage fix, as a whole: one `Proposal` per finding, from one parse of the file.

Nothing here changes text or decides what blocks; each finding's `Remedy` says what should happen to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from loopsafe.fixes import awaits, calls, demotions, offloads, protocols, tasks, twins
from loopsafe.fixes.edits import lowest
from loopsafe.fixes.file import File, Finding, Sources, Writer, find_nothing, open_file
from loopsafe.fixes.places import Refusal
from loopsafe.fixes.proof import find_proved
from loopsafe.fixes.recipes import Proposal, Rewriting
from loopsafe.fixes.transfers import Transfers
from loopsafe.model import OLDEST_PYTHON, Applicability, Diagnostic, Fix, Remedy, RemedyKind
from loopsafe.source.text import Source


def attach(
    source: Source,
    diagnostics: Sequence[Diagnostic],
    *,
    target_version: tuple[int, int] = OLDEST_PYTHON,
    others: Sources = find_nothing,
) -> list[Diagnostic]:
    """Return `diagnostics` with the fixes for those that have a remedy and no fix yet."""
    open_ones = [one for one in diagnostics if one.fix is None and one.remedy is not None]
    if not open_ones:
        return list(diagnostics)
    # all findings go in: where the others stand matters to the judgement
    proposals = propose(source, diagnostics, target_version=target_version, others=others)
    return [
        msgspec.structs.replace(one, fix=proposal.fix) if one.fix is None and proposal.fix is not None else one
        for one, proposal in zip(diagnostics, proposals, strict=True)
    ]


def propose(
    source: Source,
    diagnostics: Sequence[Diagnostic],
    *,
    target_version: tuple[int, int] = OLDEST_PYTHON,
    others: Sources = find_nothing,
) -> list[Proposal]:
    """Return a fix, or the reason why there is none, for each of `diagnostics`, which are all of one file.

    `target_version` is the oldest Python on which the file has to run; `others` gives the other files of the project.
    """
    if all(one.remedy is None for one in diagnostics):
        return [_NO_REMEDY] * len(diagnostics)
    if source.path.endswith(".pyi"):
        return [Proposal(refusal="a stub file never runs")] * len(diagnostics)
    try:
        file = open_file(source, diagnostics, target_version, others)
    except Refusal as refusal:
        return [Proposal(refusal=str(refusal))] * len(diagnostics)
    return _Proposer(file).run()


def _refuse_alone(finding: Finding) -> Rewriting:
    raise Refusal("it can only move together with what uses the same object, and that cannot")


WRITERS: Final[Mapping[RemedyKind, Writer]] = {
    RemedyKind.OFFLOAD: offloads.write,
    RemedyKind.OFFLOAD_AWAITED: offloads.write,
    RemedyKind.REPLACE_AWAITED: offloads.write,
    RemedyKind.MOVE: _refuse_alone,
    RemedyKind.AWAIT: awaits.write_await,
    RemedyKind.AWAIT_ARGUMENT: awaits.write_await_argument,
    RemedyKind.AWAIT_APPLIED: awaits.write_await_applied,
    RemedyKind.APPLY: awaits.write_applied,
    RemedyKind.AWAIT_UNWRAPPED: awaits.write_await_unwrapped,
    RemedyKind.DROP_AWAIT: awaits.write_without_await,
    RemedyKind.USE_TWIN: twins.write,
    RemedyKind.CALL: calls.write,
    RemedyKind.KEEP_TASK: tasks.write,
    RemedyKind.SWITCH_PROTOCOL: protocols.write,
    RemedyKind.MAKE_SYNCHRONOUS: demotions.write,
}
"""How each kind of remedy is written."""

_NO_REMEDY: Final = Proposal(refusal="no rewrite is known")
_TOO_DEEP: Final = Proposal(refusal="the code around it is nested too deeply")
_UNPROVED: Final = Proposal(refusal="the rewritten text would not mean what it should")


class _Draft(NamedTuple):
    """A fix that is not yet proved."""

    number: int
    """That of its finding."""
    remedy: Remedy
    rewriting: Rewriting


class _Proposer:
    """The state of one call of `propose`."""

    def __init__(self, file: File) -> None:
        self._file = file

    def run(self) -> list[Proposal]:
        # blocks first: what moves with its neighbours is not off-loaded alone
        transfers = Transfers(self._file)
        proposals: list[Proposal] = []
        drafts: list[_Draft] = []
        for number, one in enumerate(self._file.diagnostics):
            if number in transfers.proposals or one.remedy is None:
                proposals.append(transfers.proposals.get(number, _NO_REMEDY))
                continue
            finding = Finding(self._file, one, one.remedy, self._file.places.get(number), number in transfers.loose)
            try:
                drafts.append(self._draft(number, finding))
                proposals.append(_UNPROVED)
            except Refusal as refusal:
                proposals.append(Proposal(refusal=str(refusal)))
            except RecursionError:
                proposals.append(_TOO_DEEP)
        for index in find_proved(self._file.source.text, [draft.rewriting for draft in drafts]):
            proposals[drafts[index].number] = self._finish(drafts[index])
        return proposals

    def _draft(self, number: int, finding: Finding) -> _Draft:
        rewriting = WRITERS[finding.remedy.kind](finding)
        self._file.imports.add(rewriting.modules, rewriting.variables)  # refuses now rather than after the proof
        return _Draft(number, finding.remedy, rewriting)

    def _finish(self, draft: _Draft) -> Proposal:
        rewriting = draft.rewriting
        doubts = tuple(dict.fromkeys(rewriting.doubts))
        degree = lowest(draft.remedy.applicability, *([Applicability.UNSAFE] if doubts else []))
        edits = (*self._file.imports.add(rewriting.modules, rewriting.variables), *rewriting.edits)
        return Proposal(Fix(rewriting.message, degree, edits, rewriting.elsewhere), None, doubts)
