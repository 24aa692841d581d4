"""Stage fix, as a whole: one `Proposal` per finding, from one parse of the file.

Nothing here changes text or decides what blocks; each finding's `Remedy` says what should happen to it.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Final

import msgspec

from loopsafe.fixes.edits import apply, lowest
from loopsafe.fixes.hazards import Case, judge
from loopsafe.fixes.imports import Imports
from loopsafe.fixes.names import Names
from loopsafe.fixes.offloaders import TAKES_KEYWORDS, needs_executor, require_known, write_recipe
from loopsafe.fixes.places import Function, Place, Refusal, Tree
from loopsafe.fixes.proof import Intent, holds, parse
from loopsafe.fixes.races import History
from loopsafe.fixes.recipes import Form, Proposal, Setting
from loopsafe.fixes.transfers import File, Transfers
from loopsafe.model import Applicability, Diagnostic, Edit, Fix, Remedy, RemedyKind, Span
from loopsafe.source.text import Source, rows

_LONGEST_NAME: Final = 50


class _Draft(msgspec.Struct):
    """A fix that is not yet proved."""

    index: int
    intent: Intent
    body: tuple[Edit, ...]
    modules: tuple[str, ...]
    doubts: tuple[str, ...]


def attach(
    source: Source, diagnostics: Sequence[Diagnostic], *, target_version: tuple[int, int] = (3, 10)
) -> list[Diagnostic]:
    """Return `diagnostics` with the fixes for those that have a remedy and no fix yet."""
    open_ones = [one for one in diagnostics if one.fix is None and one.remedy is not None]
    if not open_ones:
        return list(diagnostics)
    # all findings go in: where the others stand matters to the judgement
    proposals = propose(source, diagnostics, target_version=target_version)
    return [
        msgspec.structs.replace(one, fix=proposal.fix) if one.fix is None and proposal.fix is not None else one
        for one, proposal in zip(diagnostics, proposals, strict=True)
    ]


def propose(
    source: Source, diagnostics: Sequence[Diagnostic], *, target_version: tuple[int, int] = (3, 10)
) -> list[Proposal]:
    """Return a fix, or the reason why there is none, for each of `diagnostics`, which are all of one file.

    `target_version` is the oldest Python on which the file has to run.
    """
    if all(one.remedy is None for one in diagnostics):
        return [_NO_REMEDY] * len(diagnostics)
    if source.path.endswith(".pyi"):
        return [Proposal(refusal="a stub file never runs")] * len(diagnostics)
    try:
        module = parse(source.text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return [Proposal(refusal="the file does not parse")] * len(diagnostics)
    return _Proposer(source, module, diagnostics, target_version).run()


_NO_REMEDY: Final = Proposal(refusal="no rewrite is known")


class _Proposer:
    """The state of one call of `propose`."""

    def __init__(
        self, source: Source, module: ast.Module, diagnostics: Sequence[Diagnostic], target: tuple[int, int]
    ) -> None:
        self._source = source
        self._diagnostics = diagnostics
        self._target = target
        self._tree = Tree(module, rows(source.text))
        self._names = Names(module, source.text, source.path)
        self._imports = Imports(module, self._tree.rows, source.newline)
        self._histories: dict[Function, History] = {}
        self._starts = frozenset(one.span.start for one in diagnostics)

    def run(self) -> list[Proposal]:
        spans = {number: one.remedy.span for number, one in enumerate(self._diagnostics) if one.remedy is not None}
        found = self._tree.find(spans.values())
        places = {number: found[span] for number, span in spans.items() if span in found}
        transfers = self._transfer(places)
        proposals: list[Proposal] = []
        drafts: list[_Draft] = []
        for index, one in enumerate(self._diagnostics):
            if index in transfers.proposals or one.remedy is None:
                proposals.append(transfers.proposals.get(index, _NO_REMEDY))
                continue
            try:
                drafts.append(self._draft(index, one, one.remedy, places.get(index), index in transfers.loose))
                proposals.append(_NO_REMEDY)
            except Refusal as refusal:
                proposals.append(Proposal(refusal=str(refusal)))
            except RecursionError:
                proposals.append(_TOO_DEEP)
        proved = self._prove(drafts)
        for draft in drafts:
            proposals[draft.index] = self._finish(draft) if draft.index in proved else _UNPROVED
        return proposals

    def _transfer(self, places: dict[int, Place]) -> Transfers:
        """Look for blocks first: what moves with its neighbours is not off-loaded alone."""
        file = File(
            self._source,
            self._tree,
            self._names,
            self._imports,
            self._target,
            self._histories,
            self._diagnostics,
            places,
        )
        return Transfers(file)

    def _draft(self, index: int, diagnostic: Diagnostic, remedy: Remedy, place: Place | None, is_loose: bool) -> _Draft:
        from loopsafe.fixes.rewriting import rewrite  # with it comes LibCST

        if place is None:
            raise Refusal("no expression stands at the place")
        if remedy.kind is RemedyKind.MOVE:
            raise Refusal("it can only move together with what uses the same object, and that cannot")
        if not isinstance(place.node, ast.Call | ast.Attribute | ast.Subscript):
            raise Refusal("only calls and attributes can be moved to a thread")
        form = self._choose_form(remedy, place.node)
        is_lambda = form is Form.LAMBDA
        case = Case(place, diagnostic, remedy.kind, is_lambda, self._target, self._starts, self._histories, is_loose)
        doubts = judge(case)
        recipe, modules = write_recipe(form, remedy, place, self._names, self._target)
        self._imports.add(modules)  # refuses now rather than after the proof
        body = rewrite(recipe, self._setting(place))
        return _Draft(index, Intent(place, recipe), body, modules, tuple(dict.fromkeys(doubts)))

    def _choose_form(self, remedy: Remedy, node: ast.expr) -> Form:
        if remedy.kind is RemedyKind.REPLACE_AWAITED:
            if not isinstance(node, ast.Call):
                raise Refusal("only a call can be replaced by another")
            return Form.REPLACE
        require_known(remedy)
        if remedy.prefix_blocks or not isinstance(node, ast.Call):
            return Form.LAMBDA
        if needs_executor(remedy, self._target):
            return Form.PARTIAL if node.args or node.keywords else Form.DIRECT
        return Form.DIRECT if TAKES_KEYWORDS[remedy.offloader] or not node.keywords else Form.PARTIAL

    def _setting(self, place: Place) -> Setting:
        span = self._tree.span(place.node)
        before = self._tree.before(span.start)
        parent, field, _ = place.parent
        is_used_on = (isinstance(parent, ast.Attribute | ast.Subscript) and field == "value") or (
            isinstance(parent, ast.Call) and field == "func"
        )
        return Setting(
            span.start,
            self._slice(span),
            needs_space=before.isalnum() or before == "_",
            needs_parentheses=is_used_on and self._tree.next_token(span.end) != ")",
        )

    def _slice(self, span: Span) -> str:
        lines = [row.rstrip("\r\n") for row in self._tree.rows[span.row - 1 : span.end_row]]
        lines[-1] = lines[-1][: span.end_column - 1]
        lines[0] = lines[0][span.column - 1 :]
        return "\n".join(lines)

    def _prove(self, drafts: Sequence[_Draft]) -> set[int]:
        """Return the indexes of the drafts that hold: tried together, as far as they do not clash."""
        proved: set[int] = set()
        waiting = list(drafts)
        while waiting:
            together = apply(self._source.text, [_as_fix(draft) for draft in waiting], Applicability.UNSAFE)
            groups: dict[Function, list[_Draft]] = {}
            for index in together.applied:
                function = waiting[index].intent.place.outermost_function
                if function is not None:
                    groups.setdefault(function, []).append(waiting[index])
            new_rows = rows(together.text)
            for function, group in groups.items():
                proved.update(self._prove_group(function, group, new_rows))
            applied = frozenset(together.applied)
            waiting = [draft for index, draft in enumerate(waiting) if index not in applied]
        return proved

    def _prove_group(self, function: Function, group: list[_Draft], new_rows: Sequence[str]) -> list[int]:
        """Return the indexes of those that hold of the drafts applied within one function."""
        if len(new_rows) != len(self._tree.rows):
            return []
        if holds(new_rows, [draft.intent for draft in group], function):
            return [draft.index for draft in group]
        if len(group) == 1:
            return []
        alone = [(draft, apply(self._source.text, [_as_fix(draft)], Applicability.UNSAFE)) for draft in group]
        return [draft.index for draft, result in alone if holds(rows(result.text), [draft.intent], function)]

    def _finish(self, draft: _Draft) -> Proposal:
        diagnostic = self._diagnostics[draft.index]
        remedy = diagnostic.remedy
        assert remedy is not None
        degrees = [remedy.applicability, *([Applicability.UNSAFE] if draft.doubts else [])]
        edits = (*self._imports.add(draft.modules), *draft.body)
        return Proposal(Fix(_describe(draft, remedy), lowest(*degrees), edits), None, draft.doubts)


_TOO_DEEP: Final = Proposal(refusal="the code around it is nested too deeply")
_UNPROVED: Final = Proposal(refusal="the rewritten text would not mean what it should")


def _as_fix(draft: _Draft) -> Fix:
    return Fix("", Applicability.UNSAFE, draft.body)


def _describe(draft: _Draft, remedy: Remedy) -> str:
    node = draft.intent.place.node
    if not isinstance(node, ast.Call):
        return f"Read `{_shorten(node)}` in a thread with `{draft.intent.recipe.callee}`"
    if remedy.kind is RemedyKind.REPLACE_AWAITED:
        return f"Replace `{_shorten(node.func)}` by `await {draft.intent.recipe.callee}`"
    return f"Run `{_shorten(node.func)}` in a thread with `{draft.intent.recipe.callee}`"


def _shorten(node: ast.expr) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= _LONGEST_NAME else "…" + text[-_LONGEST_NAME:]
