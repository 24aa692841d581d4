"""Branches that cannot be taken: what a call passes decides the test.

Stage: infer. Only what is known exactly decides: constants and objects that this very call hands over, or leaves at
their defaults. A value that merely was not found out to be anything else decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Final

from loopsafe.catalog import RoleKind
from loopsafe.project.conditions import STRING_TESTS, is_in, outcome_of, side
from loopsafe.project.decorators import role_of
from loopsafe.project.entities import Class, Frame
from loopsafe.project.fields import EMPTY, iterations
from loopsafe.project.fresh import given
from loopsafe.project.leaves import bare, is_test_for_none, sources
from loopsafe.project.values import (
    ClassObject,
    Constant,
    Coroutine,
    Entries,
    Function,
    Instance,
    Method,
    Partial,
    Something,
    Value,
    Values,
)
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference


class Branches:
    """Answers `is_dead(frame, position)`."""

    def __init__(self, inference: Inference) -> None:
        self._inference: Final = inference
        self._dead: Final[dict[Frame, tuple[ir.NodeRange, ...]]] = {}
        self._open: Final[dict[Frame, tuple[ir.Branch, ...]]] = {}
        self._certainty: Final = inference.certainty

    def is_dead(self, frame: Frame, position: int) -> bool:
        """Whether the node at that index is never evaluated in this frame."""
        if not frame.arguments:
            return False
        return any(start <= position < end for start, end in self.dead_ranges(frame))

    def dead_ranges(self, frame: Frame) -> tuple[ir.NodeRange, ...]:
        """The blocks of a frame that its arguments rule out."""
        if not frame.arguments:
            return ()
        known = self._dead.get(frame)
        if known is None:
            self._dead[frame] = ()
            known = self._dead[frame] = tuple(self._find_dead(frame))
        return known

    def _find_dead(self, frame: Frame) -> list[ir.NodeRange]:
        dead: list[ir.NodeRange] = []
        undecided = []
        for branch in frame.code.scope.branches:
            outcome = outcome_of(branch, partial(self._truth, frame))
            if outcome is None:
                undecided.append(branch)
            else:
                dead += side(branch, not outcome)
                self._dead[frame] = tuple(dead)  # what is known so far decides which assignments reach later tests
        if len(undecided) < len(frame.code.scope.branches):
            self._open[frame] = tuple(undecided)
        dead += [
            body for body, iterated in iterations(frame.code.scope) if self._certainty.fixed(frame, iterated) == EMPTY
        ]
        return [(start, end) for start, end in dead if start < end]

    def open(self, frame: Frame) -> tuple[ir.Branch, ...]:
        """The branches of a frame's scope whose outcome its arguments leave open."""
        self.dead_ranges(frame)
        return self._open.get(frame, frame.code.scope.branches)

    def _truth(self, frame: Frame, ref: ir.Ref) -> bool | None:
        scope = frame.code.scope
        node = scope.nodes[ref]
        match node:
            case ir.Compare(operator, left, right):
                if is_test_for_none(scope, node):
                    return self._presence(frame, left)
                return self._compared(frame, operator, left, right)
            case ir.Call(args=(argument,)):
                told = self._tested_by_call(frame, node, argument)
                return told if told is not None else self._told(frame, ref, _truth_of)
        return self._told(frame, ref, _truth_of)

    def _presence(self, frame: Frame, ref: ir.Ref) -> bool | None:
        ref = given(self._inference, frame, ref)
        told = self._told(frame, ref, _presence_of)
        return True if told is None and self._certainty.is_present(frame, ref) else told

    def _told(self, frame: Frame, ref: ir.Ref, of_values: Callable[[Values], bool | None]) -> bool | None:
        """What this very call passes for a node says, or all that the node may be."""
        scope = frame.code.scope
        ref = given(self._inference, frame, ref)
        node = scope.nodes[ref] if ref >= 0 else None
        match node:
            case ir.Attr():
                return of_values(self._certainty.fixed(frame, node))
            case ir.Param() | ir.Narrow() | ir.Declared() | ir.Phi() | ir.Call() | ir.Item():
                told = of_values(self.argument(frame, ref))
                ref = bare(scope, ref)
                if told is None and self._certainty.is_certain(frame, ref):
                    return of_values(self._inference.value(frame, ref))
                return told
        return None

    def _compared(self, frame: Frame, operator: str, left: ir.Ref, right: ir.Ref) -> bool | None:
        is_there = self._inference.keys.holds(frame, right, left) if operator in ("in", "not in") else None
        if is_there is not None:
            return is_there is (operator == "in")
        constant = self.constant(frame, left)
        node = frame.code.scope.nodes[right] if right >= 0 else None
        if isinstance(node, ir.Display) and not node.added and operator in ("in", "not in"):
            if len(node.keys) < len(node.elements) and node.class_name == "dict":
                return None  # a comprehension
            members = [self.constant(frame, element) for element in node.keys or node.elements]
            if constant is None or None in members:
                return None
            return (constant in members) is (operator == "in")
        other = self.constant(frame, right)
        if constant is None and other is not None and isinstance(other.value, bool) and operator in ("is", "is not"):
            given = self.argument(frame, left)
            if given and all(isinstance(value, Instance) and _truth_of_value(value) for value in given):
                return operator == "is not"  # an object of another class is neither
        return _compared(operator, constant, other)

    def argument(self, frame: Frame, ref: ir.Ref) -> Values:
        """What this very call passes for the parameter that a node reads; nothing for anything else."""
        node = self._origin(frame, ref)
        if isinstance(node, ir.Param) and node.index < len(frame.arguments):
            return frame.arguments[node.index] or ()
        return ()

    def _origin(self, frame: Frame, ref: ir.Ref) -> ir.Node | None:
        """The node that a name stands for: past narrowing, and past assignments in branches that cannot be taken."""
        dead = self._dead.get(frame, ())
        ref = given(self._inference, frame, ref)
        found = sources(frame.code.scope, ref, lambda one: not is_in(one, dead))
        return frame.code.scope.nodes[ref] if len(found) == 1 and (ref := found.pop()) >= 0 else None

    def constant(self, frame: Frame, ref: ir.Ref) -> Constant | None:
        """What a node is, if it is surely one constant."""
        node = self._origin(frame, ref)
        if isinstance(node, ir.Attr):
            values = self._certainty.fixed(frame, node)
        elif isinstance(node, ir.Item):
            values = self._certainty.entry(frame, node)
        elif isinstance(node, ir.Call):
            values = self._inference.keys.found(frame, node)
        elif isinstance(node, ir.Const) or (
            isinstance(node, ir.Name) and not self._certainty.is_changed(frame, node.name)
        ):
            values = self._inference.value(frame, ref)
        else:
            values = self.argument(frame, ref)
        return values[0] if len(values) == 1 and isinstance(values[0], Constant) else None

    def _tested_by_call(self, frame: Frame, node: ir.Call, argument: ir.Ref) -> bool | None:
        func = frame.code.scope.nodes[node.func] if node.func >= 0 else None
        if isinstance(func, ir.Attr) and func.name in STRING_TESTS:
            text, part = self.constant(frame, func.value), self.constant(frame, argument)
            if text is not None and part is not None and isinstance(text.value, str) and isinstance(part.value, str):
                return bool(getattr(text.value, func.name)(part.value))
            return None
        if any(
            role_of(self._inference, callee) is RoleKind.IS_COROUTINE_FUNCTION
            for callee in self._inference.value(frame, node.func)
        ):
            given = self.argument(frame, argument) or self._closed_over(frame, argument)
            kinds = {_is_coroutine_function(value) for value in given}
            return kinds.pop() if len(kinds) == 1 else None
        return None

    def _closed_over(self, frame: Frame, ref: ir.Ref) -> Values:
        """The argument of an enclosing call, as decorator factories have it."""
        node = frame.code.scope.nodes[ref] if ref >= 0 else None
        return self._inference.value(frame, ref) if isinstance(node, ir.Name) else ()


def is_deciding(values: Values) -> bool:
    """Whether a test of these values may have a known outcome."""
    return _truth_of(values) is not None or (bool(values) and all(isinstance(value, Constant) for value in values))


def _truth_of(values: Values) -> bool | None:
    """Whether values are all true, or all false."""
    return _common(map(_truth_of_value, values))


def _presence_of(values: Values) -> bool | None:
    """Whether none of the values is `None`, or all are."""
    return _common(map(_presence_of_value, values))


def _common(truths: Iterable[bool | None]) -> bool | None:
    found = set(truths)
    return found.pop() if len(found) == 1 else None


def _truth_of_value(value: Value) -> bool | None:
    match value:
        case Constant(None | False):
            return False
        case Constant(inner):
            return True if inner else None  # `""` and `0` may stand for members of an enumeration, which are true
        case Function() | Method() | ClassObject() | Coroutine() | Partial():
            return True
        case Entries(known, is_open):
            is_empty = not known and not is_open
            return False if is_empty else True if any(held is not None for _, held in known) else None
        case Instance(cls) if isinstance(cls, Class) or not cls.startswith("builtins."):
            return None if isinstance(cls, Class) and {"__bool__", "__len__"} & cls.methods.keys() else True
    return None


def _presence_of_value(value: Value) -> bool | None:
    match value:
        case Constant(inner):
            return inner is not None
        case Something() | Entries():
            return True
        case Instance(cls):
            return True if isinstance(cls, Class) else _truth_of_value(value)
    return _truth_of_value(value)


def _compared(operator: str, left: Constant | None, right: Constant | None) -> bool | None:
    if left is None or right is None:
        return None
    if operator == "in" and (right.value is None or isinstance(right.value, str) is isinstance(left.value, str)):
        return isinstance(right.value, str) and str(left.value) in right.value  # in None: it raises, nothing runs
    is_same = left.value == right.value and isinstance(left.value, bool) is isinstance(right.value, bool)
    match operator:
        case "is" | "==":
            return is_same
        case "is not" | "!=":
            return not is_same
    return None


def _is_coroutine_function(value: Value) -> bool | None:
    match value:
        case Function(code):
            return code.is_coroutine
        case Partial(callee):
            return _is_coroutine_function(callee)
    return None
