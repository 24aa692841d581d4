"""Arguments and other calls that take an effect away: `block=False`, `setblocking(False)`, `if future.done(): …`.

Stage: propagate. Which they are is in the catalogue.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from loopsafe.catalog import Fact, Guard
from loopsafe.project.arguments import Arguments
from loopsafe.project.conditions import is_in, side
from loopsafe.project.entities import Frame
from loopsafe.project.values import Constant, External, Instance
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference


def is_switched_off(inference: Inference, frame: Frame, ref: ir.Ref, receiver: ir.Ref, fact: Fact) -> bool:
    """Whether another call took the effect away.

    `connection.setblocking(False)`, `FileLock(path, timeout=0)`, `if future.done(): …`.
    """
    guards = [guard for guard in fact.unless if guard.method is not None]
    if not guards or receiver < 0:
        return False
    nodes, calls = frame.code.scope.nodes, inference.calls
    maker = nodes[receiver]
    if isinstance(maker, ir.Call) and any(guard.method == "__init__" for guard in guards):
        arguments = calls.arguments(frame, maker)
        if any(guard.method == "__init__" and cancels(guard, arguments) for guard in guards):
            return True
    for other, node in enumerate(nodes):
        callee = nodes[node.func] if isinstance(node, ir.Call) and node.func >= 0 else None
        if not (isinstance(node, ir.Call) and isinstance(callee, ir.Attr) and _is_same(nodes, callee.value, receiver)):
            continue
        for guard in guards:
            if guard.method != callee.name:
                continue
            if guard.name is None and guard.position is None:
                if _holds_at(frame.code.scope, other, ref):
                    return True
            elif cancels(guard, calls.arguments(frame, node)):
                return True
    return False


def _holds_at(scope: ir.Scope, test: ir.Ref, ref: ir.Ref) -> bool:
    """Whether a node is evaluated only where a test has come out true."""
    return any(
        tested == test and is_in(ref, side(branch, positive))
        for branch in scope.branches
        for tested, positive in branch.tested
    )


def _is_same(nodes: tuple[ir.Node, ...], left: ir.Ref, right: ir.Ref) -> bool:
    """Whether two nodes mean the same object, going by the text: `self.future` twice."""
    if left == right or min(left, right) < 0:
        return left == right
    match nodes[left], nodes[right]:
        case ir.Narrow(value=value), _:
            return _is_same(nodes, value, right)
        case _, ir.Narrow(value=value):
            return _is_same(nodes, left, value)
        case ir.Attr(value=one, name=name), ir.Attr(value=other, name=other_name):
            return name == other_name and _is_same(nodes, one, other)
    return False


def cancels(guard: Guard, arguments: Arguments) -> bool:
    """Whether an argument switches an effect off."""
    given = arguments.get(guard.position, guard.name)
    if given is None:
        return guard.absent and not arguments.is_open
    if guard.refers is not None:
        return any(isinstance(value, External) and value.name == guard.refers for value in given)
    if guard.instance:
        return any(isinstance(value, Instance) and value.cls in guard.instance for value in given)
    if guard.equals is None:
        # a guard without a value asks only whether the argument is given; None is as good as not given
        return not guard.absent and given != (Constant(None),)
    return any(
        isinstance(value, Constant)
        and value.value == guard.equals
        and isinstance(value.value, bool) is isinstance(guard.equals, bool)
        for value in given
    )
