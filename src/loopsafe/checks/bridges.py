"""Synchronous functions that only run a coroutine function, with the arguments that they get: what to await instead.

For remedies only. Anything else that such a function does makes it one that only its author can replace.
"""

from __future__ import annotations

from typing import Final

from loopsafe.catalog import RoleKind
from loopsafe.project import Project
from loopsafe.project.entities import Frame
from loopsafe.project.propagate import Witness
from loopsafe.project.roles import callable_name
from loopsafe.project.values import Function
from loopsafe.summary import ir

_EVENTFUL: Final = (ir.Call, ir.Next, ir.With, ir.StoreAttr, ir.StoreItem, ir.MakeFunction, ir.MakeClass)


def find_awaitable(project: Project, frame: Frame, witness: Witness) -> str | None:
    """What may be awaited in place of a call, with the same arguments, as in `Remedy.replacement`."""
    site = witness.site
    node = frame.code.scope.nodes[site.ref]
    if not isinstance(node, ir.Call) or not isinstance(witness.cause, Frame) or witness.hops != 1:
        return None
    callees = project.inference.value(frame, node.func)
    bridge = callees[0] if len(callees) == 1 else None
    if not isinstance(bridge, Function) or bridge.code is not witness.cause.code or len(site.runs) != 1:
        return None
    inner = _find_run(project, witness.cause)
    if inner is None or not _is_plain(project, bridge):
        return None
    run, call = inner
    if run not in _returned(bridge) and site.ref not in frame.code.scope.discards:
        return None  # the bridge gives nothing, the coroutine may
    target = _find_target(project, witness.cause, bridge, call)
    return None if target is None else _spell(frame, node, bridge, target)


def _is_plain(project: Project, bridge: Function) -> bool:
    scope = bridge.code.scope
    is_overridden = bridge.receiver is not None and any(project.inference.members.implementations(bridge))
    is_simple = not (scope.branches or scope.handlers or scope.blocks or scope.globals or scope.nonlocals)
    return bridge.kind == "plain" and is_simple and not bridge.code.maker.decorators and not is_overridden


def _returned(bridge: Function) -> list[ir.Ref]:
    nodes = [bridge.code.scope.nodes[ref] for ref in bridge.code.scope.returns]
    return [node.value for node in nodes if isinstance(node, ir.Return)]


def _find_run(project: Project, frame: Frame) -> tuple[ir.Ref, ir.Call] | None:
    """The call that runs a coroutine, and the one that makes it, if a function does nothing else."""
    nodes = frame.code.scope.nodes
    for ref, node in enumerate(nodes):
        made = node.args[0] if isinstance(node, ir.Call) and len(node.args) == 1 and not node.keywords else ir.UNKNOWN
        if not isinstance(node, ir.Call) or made < 0 or not _is_sink(project, frame, node):
            continue
        func, call = nodes[node.func], nodes[made]
        receiver = func.value if isinstance(func, ir.Attr) else ir.UNKNOWN  # `new_event_loop().run_until_complete(…)`
        others = {other for other, each in enumerate(nodes) if isinstance(each, _EVENTFUL)} - {ref, made, receiver}
        is_all = not others and frame.code.scope.returns in ((), (len(nodes) - 1,))
        return (ref, call) if is_all and isinstance(call, ir.Call) else None
    return None


def _is_sink(project: Project, frame: Frame, node: ir.Call) -> bool:
    names = [callable_name(callee) for callee in project.inference.value(frame, node.func)]
    roles = [None if name is None else project.catalog.role(name) for name in names]
    return bool(roles) and all(
        role is not None and role.role is RoleKind.COROUTINE_SINK and role.callable is None for role in roles
    )


def _find_target(project: Project, frame: Frame, bridge: Function, call: ir.Call) -> Function | None:
    """The coroutine function that a bridge calls, if it takes what the bridge takes and gets it unchanged."""
    callees = project.inference.value(frame, call.func)
    target = callees[0] if len(callees) == 1 else None
    if not isinstance(target, Function) or not target.code.is_coroutine or call.starred >= 0:
        return None
    nodes, params = bridge.code.scope.nodes, bridge.code.scope.params
    skipped = 0 if bridge.receiver is None else 1
    func = nodes[call.func] if call.func >= 0 else None
    is_sibling = isinstance(func, ir.Attr) and func.value >= 0 and nodes[func.value] == ir.Param(0)
    if (skipped and not is_sibling) or (target.receiver is None) is not (bridge.receiver is None):
        return None
    given = [nodes[ref] if ref >= 0 else None for ref in call.args]
    named = {name: nodes[ref] if ref >= 0 else None for name, ref in call.keywords}
    wanted = range(skipped, len(params))
    is_handed_on = given == [ir.Param(index) for index in wanted[: len(given)]] and named == {
        params[index].name: ir.Param(index) for index in wanted[len(given) :]
    }
    theirs = target.code.scope.params[: len(params)]
    is_alike = theirs[skipped:] == params[skipped:] and _defaults(bridge)[0] == _defaults(target)[0]
    return target if is_handed_on and is_alike and _defaults(bridge)[1] else None


def _defaults(function: Function) -> tuple[dict[int, ir.Node], bool]:
    """The defaults of a function, and whether all are constants."""
    maker = function.code.maker
    refs = dict(maker.defaults) if isinstance(maker, ir.MakeFunction) else {}
    found = {index: function.closure.code.scope.nodes[ref] for index, ref in refs.items() if ref >= 0}
    return found, len(found) == len(refs) and all(isinstance(node, ir.Const) for node in found.values())


def _spell(frame: Frame, node: ir.Call, bridge: Function, target: Function) -> str | None:
    """How the coroutine names the target: beside the bridge, where that is looked up; else by its own name."""
    func = frame.code.scope.nodes[node.func] if node.func >= 0 else None
    if isinstance(func, ir.Attr):
        return f".{target.code.scope.name}"
    if bridge.code.scope.parent or target.code.scope.parent or target.code.module is not bridge.code.module:
        return None
    if frame.code.module is bridge.code.module:
        return target.code.scope.name
    for refs in frame.code.module.scopes[0].bindings.values():
        one = frame.code.module.scopes[0].nodes[refs[-1]] if refs[-1] >= 0 else None
        if isinstance(one, ir.Import) and one.name == bridge.code.scope.name and not one.level:
            return f"{one.module}.{target.code.scope.name}"
    return None
