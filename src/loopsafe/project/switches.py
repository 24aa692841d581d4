"""Arguments and other calls that take an effect away: `block=False`, `setblocking(False)`, `if future.done(): …`.

Stage: propagate. Which they are is in the catalogue.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from loopsafe.catalog import Fact, Guard
from loopsafe.project.arguments import Arguments
from loopsafe.project.conditions import is_in, side
from loopsafe.project.entities import Frame
from loopsafe.project.leaves import is_same
from loopsafe.project.roles import callable_name
from loopsafe.project.standings import Standing, gifts, origins, uses_of_attribute
from loopsafe.project.values import Constant, External, Instance
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference

_MOST_STANDINGS: Final = 40
"""An object that so many nodes stand for is none in particular."""


def is_switched_off(inference: Inference, frame: Frame, ref: ir.Ref, receiver: ir.Ref, fact: Fact) -> bool:
    """Whether another call took the effect away.

    `connection.setblocking(False)`, `FileLock(path, timeout=0)`, `if future.done(): …`.
    """
    guards = [guard for guard in fact.unless if guard.method is not None]
    if not guards or receiver < 0:
        return False
    tests = {guard.method for guard in guards if _is_test(guard)}
    for other, call in _calls_on(frame, receiver) if tests else ():
        if _called_name(frame, call) in tests and _holds_at(frame.code.scope, other, ref):
            return True
    telling = [guard for guard in guards if not _is_test(guard)]
    return bool(telling) and _History(inference, fact, telling).is_told((frame, receiver))


class _History:
    """Asks where an object comes from, and what was done to it, for what takes an effect away."""

    def __init__(self, inference: Inference, fact: Fact, guards: list[Guard]) -> None:
        self._inference: Final = inference
        self._makers: Final = (fact.name.partition(".")[0], "builtins")
        self._guards: Final = guards
        self._seen: Final[set[Standing]] = set()

    def is_told(self, standing: Standing) -> bool:
        """Whether the object that a node stands for has been told not to block; a parameter's by all who give it."""
        frame, ref = standing
        if ref < 0 or standing in self._seen or len(self._seen) > _MOST_STANDINGS:
            return False
        self._seen.add(standing)
        if any(map(self._is_told_at, (standing, *uses_of_attribute(self._inference, frame, ref)))):
            return True
        node = frame.code.scope.nodes[ref]
        if isinstance(node, ir.Param):
            given = list(gifts(self._inference, frame.code, node.index))
            return bool(given) and all(map(self.is_told, given))
        return any(map(self.is_told, origins(self._inference, frame, ref)))

    def _is_told_at(self, standing: Standing) -> bool:
        """By the call that made the object, if its package or a builtin did, or by one on it in the same scope."""
        frame, ref = standing
        node = frame.code.scope.nodes[ref]
        made = [guard for guard in self._guards if guard.method == "__init__"] if isinstance(node, ir.Call) else []
        if isinstance(node, ir.Call) and made:
            names = [callable_name(callee) for callee in self._inference.value(frame, node.func)]
            is_own = all(name is None or name.partition(".")[0] in self._makers for name in names)
            if is_own and self._is_cancelled(made, frame, node):
                return True
        called = {guard.method for guard in self._guards} - {"__init__"}
        for _, call in _calls_on(frame, ref) if called else ():
            name = _called_name(frame, call)
            if name in called and self._is_cancelled([one for one in self._guards if one.method == name], frame, call):
                return True
        return False

    def _is_cancelled(self, guards: list[Guard], frame: Frame, call: ir.Call) -> bool:
        arguments = self._inference.calls.arguments(frame, call)
        return any(cancels(guard, arguments) for guard in guards)


def _is_test(guard: Guard) -> bool:
    """Whether a guard's method tells of the effect, rather than taking it away."""
    return guard.name is None and guard.position is None


def _calls_on(frame: Frame, receiver: ir.Ref) -> Iterator[tuple[ir.Ref, ir.Call]]:
    """The calls of methods of an object in a scope, going by the text."""
    nodes = frame.code.scope.nodes
    for ref, node in enumerate(nodes):
        callee = nodes[node.func] if isinstance(node, ir.Call) and node.func >= 0 else None
        if isinstance(node, ir.Call) and isinstance(callee, ir.Attr) and is_same(nodes, callee.value, receiver):
            yield ref, node


def _called_name(frame: Frame, call: ir.Call) -> str:
    callee = frame.code.scope.nodes[call.func]
    assert isinstance(callee, ir.Attr)
    return callee.name


def _holds_at(scope: ir.Scope, test: ir.Ref, ref: ir.Ref) -> bool:
    """Whether a node is evaluated only where a test has come out true."""
    return any(
        tested == test and is_in(ref, side(branch, positive))
        for branch in scope.branches
        for tested, positive in branch.tested
    )


def cancels(guard: Guard, arguments: Arguments) -> bool:
    """Whether an argument switches an effect off."""
    if guard.begins:
        beginnings = arguments.beginnings(guard.position, guard.name)
        return bool(beginnings) and all(one.startswith(guard.begins) for one in beginnings)
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
