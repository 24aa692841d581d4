"""The nodes that stand for one object, from where it is used back to where it was made.

Stage: propagate. Follows names, attributes, arguments and factories of the project; what the nodes say is for those
who ask.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

from loopsafe.project.entities import Class, Code, Frame
from loopsafe.project.values import Function, Instance, Manager
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference

Standing: TypeAlias = tuple[Frame, ir.Ref]


def origins(inference: Inference, frame: Frame, ref: ir.Ref) -> Iterator[Standing]:
    """The nodes that give a node its value as it is, each a possible one; those of a parameter are its `gifts`."""
    node = frame.code.scope.nodes[ref]
    match node:
        case ir.Narrow(value) | ir.Declared(value=value) | ir.Return(value) | ir.Await(value):
            yield frame, value
        case ir.Phi(options):
            yield from ((frame, option) for option in options)
        case ir.Name(name):
            yield from _bound(frame, name)
        case ir.Attr():
            for cls in _owners(inference, frame, node):
                for code, store in cls.stores.get(node.name, ()):
                    yield inference.generic_frame(code), store.value
        case ir.With():
            yield from _entered(inference, frame, ref, node)
        case ir.Call(func):
            for callee in inference.value(frame, func):
                if isinstance(callee, Function):
                    inner = inference.generic_frame(callee.code)
                    yield from ((inner, each) for each in inner.code.scope.returns)


def gifts(inference: Inference, code: Code, index: int) -> Iterator[Standing]:
    """What the calls that are known to mean a function give its parameter; `UNKNOWN` where that is not plain."""
    param = code.scope.params[index]
    is_method = code.parent.scope.kind == ir.ScopeKind.CLASS and code.scope.params[0].name in ("self", "cls")
    position = index - 1 if is_method else index
    for module, scope, ref in inference.callers.calls_of(code):
        caller = inference.generic_frame(module.code(scope))
        call = caller.code.scope.nodes[ref]
        assert isinstance(call, ir.Call)
        named = dict(call.keywords).get(param.name, ir.UNKNOWN)
        is_placed = 0 <= position < (len(call.args) if call.starred < 0 else call.starred)
        yield caller, call.args[position] if is_placed else named


def uses_of_attribute(inference: Inference, frame: Frame, ref: ir.Ref) -> Iterator[Standing]:
    """Where the methods of its class read the attribute that a node reads; each method is named once."""
    node = frame.code.scope.nodes[ref]
    if not isinstance(node, ir.Attr):
        return
    for cls in _owners(inference, frame, node):
        for code in cls.methods.values():
            for other, each in enumerate(code.scope.nodes):
                if isinstance(each, ir.Attr) and each.name == node.name and _is_own(code.scope, each):
                    yield inference.generic_frame(code), other
                    break


def _owners(inference: Inference, frame: Frame, node: ir.Attr) -> Iterator[Class]:
    for owner in inference.value(frame, node.value):
        order = inference.hierarchy.order(owner.cls) if isinstance(owner, Instance) else ()
        yield from (cls for cls in order if isinstance(cls, Class))


def _is_own(scope: ir.Scope, node: ir.Attr) -> bool:
    return node.value >= 0 and scope.nodes[node.value] == ir.Param(0)


def _bound(frame: Frame, name: str) -> Iterator[Standing]:
    """The assignments to a variable of an enclosing function or the module."""
    closure = frame.closure
    while closure is not None and (closure.owner is not None or name not in closure.code.scope.bindings):
        closure = closure.closure
    outer = frame.code.module.frame if closure is None else closure
    yield from ((outer, each) for each in outer.code.scope.bindings.get(name, ()))


def _entered(inference: Inference, frame: Frame, ref: ir.Ref, node: ir.With) -> Iterator[Standing]:
    """What a context manager gives: what the project's own yields, or the manager itself."""
    managers = inference.value(frame, node.value)
    for manager in managers:
        if isinstance(manager, Manager):
            yield from ((manager.frame, each) for each in manager.frame.code.scope.yields)
    if set(managers) & set(inference.value(frame, ref)):
        yield frame, node.value
