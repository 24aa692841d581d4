"""What a call's surroundings say against what is known of its callee.

Stage: propagate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from loopsafe.project.entities import Class, Frame
from loopsafe.project.values import Function, Instance
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference


def is_only_said(frame: Frame, func: ir.Node | None) -> bool:
    """Whether the type of a method's object is only what the annotation of a parameter says."""
    owner = frame.code.scope.nodes[func.value] if isinstance(func, ir.Attr) and func.value >= 0 else None
    return isinstance(owner, ir.Param) and owner.index >= len(frame.arguments)


def means_another(inference: Inference, frame: Frame, ref: ir.Ref, func: ir.Node | None, run: Frame) -> bool:
    """Whether a call cannot mean the function that it seems to run."""
    if ref in frame.code.awaited and _is_held(inference, func, run):
        return True
    return _is_elsewhere(inference, frame, func, run)


def _is_held(inference: Inference, func: ir.Node | None, run: Frame) -> bool:
    """Whether an attribute merely holds what runs, under another name: its author, who awaits it, knows better."""
    if not isinstance(func, ir.Attr) or run.code.scope.name in (func.name, "__call__", "__init__"):
        return False
    return not any(map(inference.protocols.is_awaitable, inference.value(run, -2)))


def _is_elsewhere(inference: Inference, frame: Frame, func: ir.Node | None, run: Frame) -> bool:
    """Whether `self.method()` means an override of a subclass that overrides the method at hand as well.

    With such an object the method at hand does not run, unless the subclass calls it through `super()`.
    """
    target = frame.code.scope.nodes[func.value] if isinstance(func, ir.Attr) and func.value >= 0 else None
    receiver = run.arguments[0] if run.arguments else None
    owner = run.closure.owner if run.closure is not None else None
    here = frame.closure.owner if frame.closure is not None else None
    if target != ir.Param(0) or here is None or owner is None or owner is here:
        return False
    cls = receiver[0].cls if receiver and isinstance(receiver[0], Instance) else owner
    if not isinstance(cls, Class) or here not in inference.hierarchy.order(cls)[1:]:
        return False
    methods = inference.members.find(Instance(cls), frame.code.scope.name)
    codes = [method.code for method in methods if isinstance(method, Function)]
    calls_super = any(ir.Name("super") in code.scope.nodes for code in codes)
    return bool(codes) and frame.code not in codes and not calls_super
