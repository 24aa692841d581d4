"""What a constructor reads from its own object just after it was put there: the value itself.

Stage: infer. Goes by the text of one scope. Whatever others give the attribute later, they cannot have done so yet.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from loopsafe.project.conditions import is_conditional
from loopsafe.project.entities import Class, Frame
from loopsafe.project.leaves import bare
from loopsafe.project.uses import operands
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference

_SUPER: Final = ir.Name("super")


def given(inference: Inference, frame: Frame, ref: ir.Ref) -> ir.Ref:
    """The node that a constructor has given the attribute which a node reads; the node itself if that is not plain."""
    scope = frame.code.scope
    if scope.name != "__init__":
        return ref
    read = bare(scope, ref)
    node = scope.nodes[read] if read >= 0 else None
    if not isinstance(node, ir.Attr) or not _is_self(scope, node.value):
        return ref
    stores = [store for store in scope.stores if getattr(scope.nodes[store], "name", None) == node.name]
    if len(stores) != 1 or stores[0] > read or is_conditional(scope, stores[0]):
        return ref
    store = scope.nodes[stores[0]]
    assert isinstance(store, ir.StoreAttr)
    is_own = _is_self(scope, store.object) and _is_left_alone(scope, stores[0], read, _methods(inference, frame))
    return store.value if is_own else ref


def _methods(inference: Inference, frame: Frame) -> set[str]:
    """The names of what may run when an attribute of the object is read or set."""
    owner = frame.closure.owner if frame.closure is not None else None
    order = inference.hierarchy.order(owner) if owner is not None else ()
    return {name for cls in order if isinstance(cls, Class) for name in cls.methods}


def _is_left_alone(scope: ir.Scope, store: ir.Ref, read: ir.Ref, methods: Collection[str]) -> bool:
    """Whether nothing but the text in between can have changed the object since: nobody else has got hold of it."""
    called = {node.func for _, node in scope.each_call()}
    for ref, node in enumerate(scope.nodes[:read]):
        match node:
            case ir.Attr(value=target, name=name) if _is_self(scope, target):
                is_plain = name not in methods and ref not in called
            case ir.StoreAttr(object=target, name=name, value=value) if _is_self(scope, target):
                is_plain = name not in methods and not _is_self(scope, value)
            case ir.Call(func=func) if func >= 0 and scope.nodes[func] == _SUPER:
                is_plain = ref < store
            case ir.MakeFunction():
                is_plain = False
            case _:
                is_plain = not any(_is_self(scope, one) for one in operands(node))
        if not is_plain:
            return False
    return True


def _is_self(scope: ir.Scope, ref: ir.Ref) -> bool:
    return ref >= 0 and scope.nodes[ref] == ir.Param(0)
