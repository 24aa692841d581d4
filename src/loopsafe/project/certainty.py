"""What is known of a node for certain: that nothing was left out of its values, or that it is not `None`.

Stage: infer. In a set of possible values, what is unknown leaves no trace; a test is decided only by what is proved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from loopsafe.project.entities import Class, Frame
from loopsafe.project.leaves import bare
from loopsafe.project.values import Function, Instance, ModuleObject, Values
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference

_DEEPEST: Final = 3
"""A result that is returned through more nodes is not looked at."""


class Certainty:
    """Answers `is_certain(frame, ref)`, and what attributes and entries hold for good."""

    def __init__(self, inference: Inference) -> None:
        self._inference: Final = inference
        self._certain: Final[dict[tuple[Frame, ir.Ref], bool]] = {}
        self._depth = 0

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
        """What an entry of a typed dictionary holds that this function, or one that it calls, has just made."""
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
        ref = bare(frame.code.scope, ref)
        known = self._certain.get((frame, ref))
        if known is None:
            if self._depth >= _DEEPEST:  # not kept: asked again from nearer, it may be found out
                return ref >= 0 and isinstance(frame.code.scope.nodes[ref], ir.Const)
            self._certain[frame, ref] = False  # functions that call one another prove nothing
            self._depth += 1
            try:
                known = self._certain[frame, ref] = self._find_certainty(frame, ref)
            finally:
                self._depth -= 1
        return known

    def _find_certainty(self, frame: Frame, ref: ir.Ref) -> bool:
        nodes, dead = frame.code.scope.nodes, self._inference.branches.dead_ranges(frame)
        node = nodes[ref] if ref >= 0 else None
        match node:
            case ir.Const():
                return True
            case ir.Name(name):
                return not self.is_changed(frame, name)
            case ir.Param(index):
                return index < len(frame.arguments) and frame.arguments[index] is not None
            case ir.Phi(options):
                live = [option for option in options if not any(start <= option < end for start, end in dead)]
                return all(self.is_certain(frame, option) for option in live)
            case ir.Attr():
                return bool(self.fixed(frame, node))
            case ir.Item():
                return bool(self.entry(frame, node))
            case ir.Call():
                return self._is_certain_result(frame, node)
        return False

    def _is_certain_result(self, frame: Frame, node: ir.Call) -> bool:
        calls = self._inference.calls
        callees = self._inference.value(frame, node.func)
        if len(callees) != 1 or not isinstance(callees[0], Function) or callees[0].code.scope.is_async:
            return False
        called = calls.frame(callees[0], calls.arguments(frame, node))
        results = [ref for ref in called.code.scope.returns if not self._inference.branches.is_dead(called, ref)]
        return bool(results) and all(self.is_certain(called, ref) for ref in results)
