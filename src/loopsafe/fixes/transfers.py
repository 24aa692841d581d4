"""Stage fix, blocks: one `Proposal` for all the findings of statements that have to move together.

Nothing here says which statements those are, or changes text.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from loopsafe.fixes.blocks import Block, Planner
from loopsafe.fixes.dataflow import Liveness, stored
from loopsafe.fixes.edits import apply, lowest
from loopsafe.fixes.endings import is_reached_otherwise
from loopsafe.fixes.file import File
from loopsafe.fixes.hazards import find_surrounding_doubts, require_no_lock
from loopsafe.fixes.moves import Signature, require_kept_in_thread, sign
from loopsafe.fixes.naming import choose_name, find_taken_names
from loopsafe.fixes.obstacles import Scene, find_doubts, needs_exception, root_name
from loopsafe.fixes.offloaders import is_wrapping, write_recipe
from loopsafe.fixes.places import Place, Refusal
from loopsafe.fixes.proof import MoveIntent, holds_move, parse
from loopsafe.fixes.races import History, find_races
from loopsafe.fixes.recipes import Form, Proposal, Recipe
from loopsafe.fixes.ties import Tied, path_of
from loopsafe.model import CODES, Applicability, Edit, Effect, Fix
from loopsafe.source.text import rows

_MOVABLE: Final = frozenset(
    code for effect, codes in CODES.items() if effect not in (Effect.RUN_LOOP, Effect.DRIVE_LOOP) for code in codes
)
"""What is found in a block and is gone once the block runs in a thread."""


class Transfers:
    """The blocks of one file."""

    def __init__(self, file: File) -> None:
        self._file: Final = file
        self.proposals: Final[dict[int, Proposal]] = {}
        """What becomes of the findings that are in a block, or should be, by number."""
        self.loose: Final[frozenset[int]] = self._propose()
        """Findings with a bond that may be off-loaded alone."""

    def _propose(self) -> frozenset[int]:
        groups: dict[ast.AsyncFunctionDef, list[Tied]] = {}
        for number, place in self._file.places.items():
            finding = self._file.diagnostics[number]
            remedy = finding.remedy
            function = _coroutine_of(place)
            if remedy is not None and remedy.bond is not None and function is not None:
                tied = Tied(number, finding.code, place, remedy.kind, remedy.bond)
                groups.setdefault(function, []).append(tied)
        for function, group in groups.items():
            stays = [span for one in group for span in one.bond.stays]
            self._propose_for(group, Scene(function, self._file.tree, stays))
        return frozenset(one.number for group in groups.values() for one in group if one.number not in self.proposals)

    def _propose_for(self, tied: list[Tied], scene: Scene) -> None:
        layout = Planner(scene, tied).lay_out()
        for number, reason in layout.refused.items():
            self.proposals[number] = Proposal(refusal=reason)
        if not layout.blocks:
            return
        liveness = Liveness(scene.function)
        taken = find_taken_names(self._file.tree.module, tied[0].place.outermost_function or scene.function)
        for block in layout.blocks:
            inside = [one for one in tied if block.holds(path_of(one.place))]
            try:
                proposal = self._move(block, scene, sign(block, scene, liveness), tied, taken, len(layout.blocks) == 1)
            except Refusal as refusal:
                proposal = Proposal(refusal=str(refusal))
            except RecursionError:
                proposal = Proposal(refusal="the code in it is nested too deeply")
            numbers = self._find_covered(block) if proposal.fix is not None else [one.number for one in inside]
            self.proposals.update(dict.fromkeys(numbers, proposal))

    def _find_covered(self, block: Block) -> list[int]:
        """Return the findings that are gone once the block has moved."""
        first, last = block.statements[0].lineno, block.statements[-1].end_lineno or 0
        if block.loop is not None:
            last = block.loop.iter.end_lineno or last
        found = enumerate(self._file.diagnostics)
        return [number for number, one in found if one.code in _MOVABLE and first <= one.span.row <= last]

    def _move(
        self, block: Block, scene: Scene, signature: Signature, tied: list[Tied], taken: set[str], is_only: bool
    ) -> Proposal:
        inside = [one for one in tied if block.holds(path_of(one.place))]
        place = inside[0].place.at(block.path[-1])
        require_no_lock(place)
        if needs_exception(block.statements) and any(isinstance(step.node, ast.ExceptHandler) for step in block.path):
            raise Refusal("it needs the exception that is being handled")
        require_kept_in_thread(block, scene, tied, signature)
        remedy = self._file.diagnostics[inside[0].number].remedy
        assert remedy is not None
        form = Form.WRAPPED if is_wrapping(remedy) else Form.DIRECT
        recipe, modules = write_recipe(form, remedy, place, self._file.names, self._file.target)
        signature = self._give_out(block, signature, taken)
        covered = self._find_covered(block)
        codes = {self._file.diagnostics[number].code for number in covered}
        used = {root_name(one.place.node) for one in inside}
        named = signature.results[-1:] if block.loop else [one for one in signature.results if one not in used]
        named = named or signature.results
        name = choose_name(scene.function, block.statements, named, codes, taken, is_only=is_only and not block.loop)
        edits, intent = self._write(block, name, recipe, signature)
        if not self._is_proved(edits, intent, place):
            return Proposal(refusal="the rewritten text would not mean what it should")
        doubts = tuple(dict.fromkeys(self._find_doubts(block, scene, inside, place)))
        degrees = [self._degree(number) for number in covered]
        taken.add(name)
        message = f"Move to `{name}`, which runs in a thread with `{recipe.callee}`"
        degree = lowest(Applicability.UNSAFE if doubts else Applicability.SAFE, *degrees)
        return Proposal(Fix(message, degree, (*self._file.imports.add(modules), *edits)), None, doubts)

    def _write(
        self, block: Block, name: str, recipe: Recipe, signature: Signature
    ) -> tuple[tuple[Edit, ...], MoveIntent]:
        """Return the edits that move a block, and what they mean."""
        from loopsafe.fixes import moving  # with it comes LibCST

        step, ending, edits = block.path[-1], "", list[Edit]()
        others: dict[int, ast.AST | tuple[ast.stmt, ...]] = {}
        if block.rest is not None:
            ending, cut = moving.take_row(block.rest, self._file.tree.rows)
            if not is_reached_otherwise(block.path):
                edits.append(cut)
                others[id(block.rest)] = ()
        if block.loop is not None:
            span = self._file.tree.span(block.loop.iter)
            edits.append(Edit(span.start, span.end, signature.results[-1]))
            others[id(block.loop.iter)] = ast.Name(signature.results[-1], ast.Load())
        wording = moving.Wording(name, recipe, signature, ending)
        edits.insert(0, moving.move(block.statements, step.node, wording, self._file))
        body = [*signature.body]
        if signature.results and not signature.is_folded:
            body += parse(f"async def _(): {moving.write_return(signature)}").body[0].body  # type: ignore[attr-defined]
        header, call = moving.write_header(wording), moving.write_call(wording)
        return tuple(edits), MoveIntent(step.node, step.field, block.first, block.last, header, body, call, others)

    def _give_out(self, block: Block, signature: Signature, taken: set[str]) -> Signature:
        """Return the signature with what the loop behind the block goes through as its last result."""
        if block.loop is None:
            return signature
        name = next(
            name
            for name in ("rows", "records", "results", *(f"rows_{n}" for n in range(2, 10_000)))
            if name not in taken
        )
        taken.add(name)
        text = self._file.slice(self._file.tree.span(block.loop.iter))
        results = (*signature.results, name)
        plain = signature._replace(is_annotated=False, is_folded=False, annotation=None)
        return plain._replace(results=results, body=block.statements, last_value=text)

    def _is_proved(self, edits: tuple[Edit, ...], intent: MoveIntent, place: Place) -> bool:
        old = self._file.tree.rows
        fix = Fix("", Applicability.UNSAFE, edits)
        new = rows(apply(self._file.source.text, [fix], Applicability.UNSAFE).text)
        function = place.outermost_function
        return function is not None and holds_move(new, len(new) - len(old), intent, function)

    def _find_doubts(self, block: Block, scene: Scene, inside: list[Tied], place: Place) -> Iterator[str]:
        if scene.function not in self._file.histories:
            self._file.histories[scene.function] = History(scene.function)
        fresh = self._file.histories[scene.function].fresh
        private = (stored(block.statements) | fresh) - scene.parameters
        own = {root_name(one.place.node) or "" for one in inside if one.bond.is_own} - {"self", "cls"}
        makers = {span for one in inside for span in one.bond.makers}
        known = {self._file.diagnostics[number].span for number in self._find_covered(block)}
        first, last = block.statements[0].lineno, block.statements[-1].end_lineno or 0
        is_whole = all(one.bond.makers for one in inside) and all(first <= span.row <= last for span in makers)
        doubts = find_doubts(block.statements, scene, private | own, makers | known)
        if not all(one.bond.is_own for one in inside):
            yield "the object may be in use elsewhere"
        elif not is_whole:
            yield "if the coroutine is cancelled, the thread may go on with an object that is being closed"
        yield from (*doubts, *find_surrounding_doubts(place), *find_races(place, self._file.histories))

    def _degree(self, number: int) -> Applicability:
        """How far one finding of the block lets it be trusted; what is tied moves together, and is safe so."""
        remedy = self._file.diagnostics[number].remedy
        if remedy is None or remedy.bond is not None:
            return Applicability.SAFE
        return remedy.applicability


def _coroutine_of(place: Place) -> ast.AsyncFunctionDef | None:
    """Return the coroutine in whose own statements an expression stands."""
    inside = place.inside_coroutine()
    if any(isinstance(step.node, ast.ClassDef | ast.Lambda) and step.field == "body" for step in inside):
        return None
    holder = place.around[len(inside)].node if len(inside) < len(place.around) else None
    return holder if isinstance(holder, ast.AsyncFunctionDef) else None
