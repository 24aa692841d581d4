"""What is known of a node for certain: that nothing was left out of its values, or that it is not `None`.

Stage: infer. In a set of possible values, what is unknown leaves no trace; a test is decided only by what is proved.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

from loopsafe.catalog import Named
from loopsafe.project import forms
from loopsafe.project.conditions import is_in, side
from loopsafe.project.entities import Class, Frame
from loopsafe.project.leaves import is_same, sources, tested_for_presence
from loopsafe.project.values import (
    NONE,
    PRESENT,
    ClassObject,
    External,
    Function,
    Instance,
    Method,
    ModuleObject,
    Value,
    Values,
    is_entries,
)
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference

_DEEPEST: Final = 3
"""A result that is returned through more functions is not looked at."""
_BUILTINS: Final = "builtins."
_CLASSES_OF_NONE: Final = frozenset({"builtins.object", "types.NoneType"})

_Answers: TypeAlias = dict[tuple[Frame, ir.Ref], bool]


class Certainty:
    """Answers `is_certain(frame, ref)` and `is_present(frame, ref)`, and what attributes and entries hold for good."""

    def __init__(self, inference: Inference) -> None:
        self._inference: Final = inference
        self._certain: Final[_Answers] = {}
        self._present: Final[_Answers] = {}
        self._depth = 0
        self._is_cut = False
        """Whether something was not looked at because it was too deep."""

    def fixed(self, frame: Frame, node: ir.Attr) -> Values:
        """What an attribute holds for good: of a class or module, or of an object that this very call is about."""
        owners = self._inference.value(frame, node.value)
        for owner in owners:
            match owner:
                case Instance() if self._inference.attributes.is_fixed(owner, node.name):
                    continue
                case Instance():
                    return ()
                case ModuleObject() if self._inference.attributes.is_set_outside(node.name):
                    return ()
        return self._inference.each(owners, lambda owner: self._inference.members.get(owner, node.name))

    def entry(self, frame: Frame, node: ir.Item) -> Values:
        """What an entry holds of a typed dictionary that was just made, or of any that is made for this call."""
        found = self._inference.keys.found(frame, node)
        if found:
            return found
        owners = self._inference.value(frame, node.value)
        fields = self._inference.fields
        is_known = all(
            isinstance(owner, Instance)
            and owner.made
            and isinstance(owner.cls, Class)
            and fields.is_dictionary(owner.cls)
            for owner in owners
        )
        is_changed = any(isinstance(one, ir.StoreItem) and one.object == node.value for one in frame.code.scope.nodes)
        if not is_known or is_changed:
            return ()
        key = self._inference.value(frame, node.index)
        return self._inference.each(owners, lambda owner: self._inference.protocols.item(owner, key))

    def is_changed(self, frame: Frame, name: str) -> bool:
        """Whether a name may mean a module's variable to which some function assigns, here or from another module."""
        return name in frame.code.module.global_stores or self._inference.attributes.is_set_outside(name)

    def is_certain(self, frame: Frame, ref: ir.Ref) -> bool:
        """Whether all that a node may be is known; in a union, what is unknown leaves no trace."""
        scope = frame.code.scope
        if ref >= 0 and scope.nodes[ref].__class__ is ir.Const:
            return True
        found = sources(scope, ref, partial(self._is_passed, frame))
        return all(self._answer(self._certain, self._find_certainty, frame, one) for one in found)

    def is_present(self, frame: Frame, ref: ir.Ref) -> bool:
        """Whether a node is known not to be `None`."""
        is_told = partial(self._is_narrowed_to_something, frame)
        found = sources(frame.code.scope, ref, partial(self._is_passed, frame), is_told)
        return all(self._answer(self._present, self._find_presence, frame, one) for one in found)

    def _is_passed(self, frame: Frame, ref: ir.Ref) -> bool:
        return not self._inference.branches.is_dead(frame, ref)

    def _answer(self, answers: _Answers, find: Callable[[Frame, ir.Ref], bool], frame: Frame, ref: ir.Ref) -> bool:
        known = answers.get((frame, ref))
        if known is None:
            answers[frame, ref] = False  # functions that call one another prove nothing
            known = answers[frame, ref] = find(frame, ref)
            if self._is_cut and self._depth and not known:
                del answers[frame, ref]  # asked again from nearer, it may be found out
        return known

    def _find_certainty(self, frame: Frame, ref: ir.Ref) -> bool:
        node = frame.code.scope.nodes[ref] if ref >= 0 else None
        match node:
            case ir.Const():
                return True
            case ir.Name(name):
                return not self.is_changed(frame, name)
            case ir.Param(index):
                given = frame.arguments[index] if index < len(frame.arguments) else None
                return given not in (None, PRESENT) and not is_entries(given)
            case ir.Attr():
                return bool(self.fixed(frame, node))
            case ir.Item():
                return bool(self.entry(frame, node))
            case ir.Call():
                return bool(self._inference.keys.found(frame, node)) or self._is_certain_result(frame, node)
        return False

    def _is_certain_result(self, frame: Frame, node: ir.Call) -> bool:
        callees = self._inference.value(frame, node.func)
        return len(callees) == 1 and self._gives(callees[0], frame, node, self.is_certain)

    def _gives(self, callee: Value, frame: Frame, node: ir.Call, is_so: Callable[[Frame, ir.Ref], bool]) -> bool:
        """Whether something holds of all that a call of a function may return."""
        calls, is_dead = self._inference.calls, self._inference.branches.is_dead
        if not isinstance(callee, Function) or callee.code.scope.is_async or callee.code.scope.is_generator:
            return False
        if self._depth >= _DEEPEST:
            self._is_cut = True
            return False
        if not self._inference.members.is_plain(callee):
            return False
        self._depth += 1
        try:
            called = calls.frame(callee, calls.arguments(frame, node))
            scope = called.code.scope
            is_open = scope.end != ir.UNKNOWN and not is_dead(called, scope.end)  # it may give None without saying so
            results = [ref for ref in scope.returns if not is_dead(called, ref)]
            return bool(results) and not is_open and all(is_so(called, ref) for ref in results)
        finally:
            self._depth -= 1
            self._is_cut = self._is_cut and self._depth > 0

    def _find_presence(self, frame: Frame, ref: ir.Ref) -> bool:
        node = frame.code.scope.nodes[ref] if ref >= 0 else None
        match node:
            case ir.Const(value):
                return value is not None
            case ir.Literal() | ir.Display() | ir.MakeClass():
                return True
            case ir.MakeFunction(decorators=decorators):
                return not decorators
            case ir.Param(index):
                given = frame.arguments[index] if index < len(frame.arguments) else None
                return given == PRESENT or is_entries(given)
            case ir.Attr():
                return _was_tested(frame.code.scope, ref, node)
            case ir.Binary(left=left):
                return not any(_is_own(value) for value in self._inference.value(frame, left))
            case ir.Call(func=func):
                callees = self._inference.value(frame, func)
                return bool(callees) and all(self._makes_something(callee, frame, node) for callee in callees)
        return False

    def _is_narrowed_to_something(self, frame: Frame, node: ir.Narrow) -> bool:
        """Whether a test says that a value is not `None`: by its truth, against `None`, or for a class."""
        if node.class_or_tuple == ir.UNKNOWN:
            return True
        wanted = self._inference.value(frame, node.class_or_tuple)
        if wanted == (NONE,):
            return not node.positive
        classes = forms.classes(wanted) if node.positive else None
        return classes is not None and _CLASSES_OF_NONE.isdisjoint(classes)

    def _makes_something(self, callee: Value, frame: Frame, node: ir.Call) -> bool:
        """Whether calling a value gives something: an object of a class, or what a builtin function is for."""
        match callee:
            case ClassObject(cls):
                return not (isinstance(cls, Class) and "__new__" in cls.methods)
            case Function():
                return self._gives(callee, frame, node, self.is_present)
            case External(name) | Method(name) if name.startswith(_BUILTINS):
                declared = self._inference.catalog.returns(name)
                return isinstance(declared, Named) and declared.name.startswith(_BUILTINS)
        return False


def _is_own(value: Value) -> bool:
    """Whether the project says what operators do with a value."""
    return isinstance(value, Instance) and isinstance(value.cls, Class)


def _was_tested(scope: ir.Scope, ref: ir.Ref, node: ir.Attr) -> bool:
    """Whether an attribute is read where a test has found that it is something, never assigned to here."""
    stores = [scope.nodes[store] for store in scope.stores]
    if any(isinstance(store, ir.StoreAttr) and store.name == node.name for store in stores):
        return False
    return any(
        is_same(scope.nodes, tested_for_presence(scope, tested), ref) and is_in(ref, side(branch, outcome))
        for branch in scope.branches
        for outcome in ((True, False) if len(branch.tested) == 1 else (True,))
        for tested, positive in branch.tested
        if positive is outcome
    )
