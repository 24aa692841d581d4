"""Whether `self.method()` means an override of a subclass, rather than the method that was found.

Stage: propagate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from loopsafe.project.entities import Class, Frame
from loopsafe.project.values import Function, Instance
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference


def is_overridden(inference: Inference, frame: Frame, node: ir.Call, called: Frame) -> bool:
    """Whether the method called on `self` is one of a subclass that overrides the method at hand as well.

    With such an object the method at hand does not run, unless the subclass calls it through `super()`.
    """
    func = frame.code.scope.nodes[node.func] if node.func >= 0 else None
    target = frame.code.scope.nodes[func.value] if isinstance(func, ir.Attr) and func.value >= 0 else None
    receiver = called.arguments[0] if called.arguments else None
    owner = called.closure.owner if called.closure is not None else None
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
