"""What the check stage proposes for a call that blocks the loop, or runs another: a `Remedy`, or none.

Says what should happen, never how it is written; the fix stage may still refuse.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

import msgspec

from loopsafe.catalog import Affinity, Fact, Role, RoleKind
from loopsafe.checks.bridges import find_awaitable
from loopsafe.checks.changes import Changes
from loopsafe.checks.offloading import Offloader, Offloaders, library_of
from loopsafe.checks.threads import ThreadTraces
from loopsafe.model import LOOP_EFFECTS, Applicability, Bond, Effect, Position, Remedy, RemedyKind, Span
from loopsafe.project import Project
from loopsafe.project.belongings import TYING
from loopsafe.project.entities import Frame
from loopsafe.project.propagate import Witness
from loopsafe.project.roles import callable_name
from loopsafe.project.values import ClassObject, Constant, External, Function, Method, Value
from loopsafe.summary import ir


class Blocking(NamedTuple):
    """One finding about what a coroutine does to its loop."""

    coroutine: Frame
    frame: Frame
    """The coroutine's own, or that of a class body or generator expression within it."""
    effect: Effect
    witness: Witness
    span: Span
    code: str


class Starts:
    """The calls with findings of one coroutine: which of them begins another."""

    def __init__(self, spans: Collection[Span]) -> None:
        self._ends: Final[dict[Position, tuple[Position, Position]]] = {}
        """Where calls start, with the first and the last end of those that do."""
        for span in spans:
            first, last = self._ends.get(span.start, (span.end, span.end))
            self._ends[span.start] = (min(first, span.end), max(last, span.end))

    def is_beginning(self, span: Span) -> bool:
        """Whether the call begins another's callee: `open(p)` of `open(p).read()`."""
        return self._ends[span.start][1] > span.end

    def has_beginning(self, span: Span) -> bool:
        """Whether another call begins this one's callee."""
        return self._ends[span.start][0] < span.end


class Remedies:
    """Answers `find(…)` for one project."""

    def __init__(self, project: Project, offload: str) -> None:
        """`offload` is the setting of that name."""
        self._project: Final = project
        self._offloaders: Final = Offloaders(project, offload)
        self._traces: Final = ThreadTraces(project)
        self._changes: Final = Changes(project)

    def find(self, finding: Blocking, fact: Fact, starts: Starts) -> Remedy | None:
        """The remedy for one finding."""
        if finding.effect in LOOP_EFFECTS:
            return _find_await(self._project, finding, fact)
        if starts.is_beginning(finding.span):
            return None
        return self._find_offload(finding, fact, starts.has_beginning(finding.span))

    def _find_offload(self, finding: Blocking, fact: Fact, prefix_blocks: bool) -> Remedy | None:
        project, frame, witness = self._project, finding.frame, finding.witness
        node = frame.code.scope.nodes[witness.site.ref]
        is_direct = witness.hops == 0
        bond = project.bonds.of(frame, witness.site.ref) if frame is finding.coroutine else None
        if not isinstance(node, ir.Call | ir.Attr):
            can_move = bond is not None and isinstance(node, ir.With | ir.Next)
            return self._remedy(RemedyKind.MOVE, finding, bond) if can_move else None
        if self._needs_its_thread(finding, node):
            return None
        if is_direct and fact.replacement is not None and project.is_call_of(frame, node, fact.name):
            replacement = f"{library_of(frame.code.module)}.{fact.replacement.rpartition('.')[2]}"
            return Remedy(RemedyKind.REPLACE_AWAITED, finding.span, replacement=replacement)
        is_awaited = witness.site.ref in frame.code.awaited
        if is_awaited and not _is_awaited_by_mistake(project, frame, witness):
            return None
        is_made_within = _is_made_within(finding.span, bond)
        if bond is not None and bond.is_thread_bound and not is_made_within:
            return self._remedy(RemedyKind.MOVE, finding, bond)
        affinity = None if is_made_within else self._affinity(finding, node, fact)
        applicability = _applicability(affinity, is_direct)
        if applicability is None:
            return None
        is_doubtful = is_direct and witness.is_likely  # it may be asynchronous after all
        if is_doubtful or any(self._is_different_in_a_thread(run.frame) for run in witness.site.runs):
            applicability = Applicability.UNSAFE
        kind = RemedyKind.OFFLOAD_AWAITED if is_awaited else RemedyKind.OFFLOAD
        remedy = self._remedy(kind, finding, bond, is_wrapped=affinity is Affinity.ASGI)
        return msgspec.structs.replace(remedy, applicability=applicability, prefix_blocks=prefix_blocks)

    def _remedy(self, kind: RemedyKind, finding: Blocking, bond: Bond | None, *, is_wrapped: bool = False) -> Remedy:
        """A remedy that moves to a thread, in the way that its module has for that."""
        module, node = finding.frame.code.module, finding.frame.code.scope.nodes[finding.witness.site.ref]
        way = Offloader(self._offloaders.wrapper_of(module)) if is_wrapped else self._offloaders.of(module)
        keywords = {name for name, _ in node.keywords} if isinstance(node, ir.Call) else set()
        takes_keywords = way.takes_keywords and (way.own_name is None or way.own_name not in keywords)
        return Remedy(
            kind,
            finding.span,
            offloader=way.name,
            bond=bond,
            leading=way.leading,
            takes_keywords=takes_keywords,
            changes=self._changes.at(finding.witness.site) if finding.frame.code.scope.branches else (),
        )

    def _needs_its_thread(self, finding: Blocking, node: ir.Call | ir.Attr) -> bool:
        project, frame = self._project, finding.frame
        if isinstance(node, ir.Call) and project.is_scheduling(frame, node):
            return True  # what it schedules blocks, later; the call itself does not
        # a function that needs its loop would not find it in another thread
        return any(project.loop_needs.of(run.frame) for run in finding.witness.site.runs)

    def _affinity(self, finding: Blocking, node: ir.Call | ir.Attr, fact: Fact) -> Affinity | None:
        """How what a call works on is bound to a thread: of functions, all that they do not make for themselves."""
        project, site = self._project, finding.witness.site
        affinity = project.affinity(finding.frame, node) or fact.affinity
        if finding.witness.hops == 0 or (affinity is not None and affinity not in TYING):
            return affinity
        return None if all(project.belongings.is_own(run.frame) for run in site.runs) else Affinity.SHARED

    def _is_different_in_a_thread(self, frame: Frame) -> bool:
        return self._traces.of(frame) or self._project.loop_needs.adapts(frame)


def can_be_called_with_nothing(project: Project, frame: Frame, ref: ir.Ref) -> bool:
    """Whether the functions that a node may mean need no argument."""
    values = project.inference.value(frame, ref)
    return bool(values) and all(isinstance(value, Function) and not _needed(value) for value in values)


def _needed(function: Function) -> list[str]:
    """The parameters that a call has to give a value."""
    maker = function.code.maker
    given = {index for index, _ in maker.defaults} if isinstance(maker, ir.MakeFunction) else set()
    is_bound = function.receiver is not None and function.kind != "static"
    kinds = (ir.ParamKind.POSITIONAL, ir.ParamKind.KEYWORD)
    params = enumerate(function.code.scope.params)
    return [one.name for index, one in params if one.kind in kinds and index not in given][int(is_bound) :]


def _is_awaited_by_mistake(project: Project, frame: Frame, witness: Witness) -> bool:
    """Whether what a call gives is certainly nothing to await; no call that the catalogue says to block gives such."""
    values = project.inference.value(frame, witness.site.ref)
    return witness.hops == 0 or bool(values and all(isinstance(value, Constant) for value in values))


def _is_made_within(span: Span, bond: Bond | None) -> bool:
    """Whether the object that a call works on is made by the call's own beginning: no other thread can have it."""
    return (
        bond is not None and bond.is_own and bool(bond.makers) and all(_is_prefix(maker, span) for maker in bond.makers)
    )


def _is_prefix(inner: Span, outer: Span) -> bool:
    return inner.start == outer.start and inner.end < outer.end


def _applicability(affinity: Affinity | None, is_direct: bool) -> Applicability | None:
    """How far a call on such an object may be moved to another thread; not at all if None."""
    if affinity is None or affinity is Affinity.ASGI:
        return Applicability.SAFE
    if affinity is Affinity.SHARED or (affinity is Affinity.THREAD and not is_direct):
        return Applicability.UNSAFE
    return None


def _find_await(project: Project, finding: Blocking, fact: Fact) -> Remedy | None:
    """The remedy for a call that starts or drives a loop: its coroutine is awaited by the one that runs.

    So is that of a function which does nothing but run it.
    """
    frame, witness = finding.frame, finding.witness
    node = frame.code.scope.nodes[witness.site.ref]
    degree = Applicability.UNSAFE if witness.is_likely else Applicability.SAFE
    if witness.hops:
        name = find_awaitable(project, frame, witness)
        return None if name is None else Remedy(RemedyKind.REPLACE_AWAITED, finding.span, degree, replacement=name)
    kind = _find_kind(project, frame, node, fact) if isinstance(node, ir.Call) else None
    return None if kind is None else Remedy(kind, finding.span, degree)


def _find_kind(project: Project, frame: Frame, node: ir.Call, fact: Fact) -> RemedyKind | None:
    inference = project.inference
    callees = inference.value(frame, node.func)
    if len(callees) != 1:
        return None
    func = frame.code.scope.nodes[node.func] if node.func >= 0 else None
    if isinstance(func, ir.Call):
        wrapped = [inference.value(frame, ref) for ref in func.args]
        return RemedyKind.AWAIT_UNWRAPPED if wrapped and _are_coroutine_functions(wrapped[0]) else None
    name = callable_name(callees[0])
    role = None if name is None else project.catalog.role(name)
    if role is None or role.role is not RoleKind.COROUTINE_SINK or not node.args:
        return None
    if not _is_running_here(project, frame, callees[0], func, fact):
        return None
    return _find_kind_for(role, inference.value(frame, node.args[0]))


def _find_kind_for(role: Role, first: tuple[Value, ...]) -> RemedyKind | None:
    if role.callable is None:
        return None if any(isinstance(value, Function | ClassObject) for value in first) else RemedyKind.AWAIT_ARGUMENT
    return RemedyKind.AWAIT_APPLIED if _are_coroutine_functions(first) else None


def _are_coroutine_functions(values: tuple[Value, ...]) -> bool:
    return bool(values) and all(isinstance(value, Function) and value.code.is_coroutine for value in values)


def _is_running_here(project: Project, frame: Frame, callee: Value, func: ir.Node | None, fact: Fact) -> bool:
    """Whether the loop that the call would use is the one that runs the coroutine, or one like it made for the call."""
    if isinstance(callee, Method):
        return isinstance(func, ir.Attr) and _is_running_loop(project, frame, func.value)
    library = fact.name.partition(".")[0]
    is_other = (library == "trio") is not (library_of(frame.code.module) == "trio")
    return isinstance(callee, External) and not is_other


def _is_running_loop(project: Project, frame: Frame, ref: ir.Ref) -> bool:
    node = frame.code.scope.nodes[ref] if ref >= 0 else None
    if isinstance(node, ir.Declared | ir.Narrow):
        return _is_running_loop(project, frame, node.value)
    if not isinstance(node, ir.Call):
        return False
    names = [callable_name(callee) for callee in project.inference.value(frame, node.func)]
    roles = [None if name is None else project.catalog.role(name) for name in names]
    return bool(roles) and all(role is not None and role.role is RoleKind.RUNNING_LOOP for role in roles)
