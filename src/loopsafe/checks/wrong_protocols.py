"""LSA501, LSA502: something is awaited, entered or iterated that cannot be, at least not this way.

Only what is known for sure counts. Where a call was found to block, its `await` is not reported as well: off-loading
the call mends both.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from loopsafe.checks.check import Check, Context
from loopsafe.model import Applicability, Diagnostic, Remedy, RemedyKind, Span
from loopsafe.project.abilities import Abilities, Ability
from loopsafe.project.entities import Frame, Module
from loopsafe.project.infer import Inference
from loopsafe.project.sureness import Sureness
from loopsafe.project.values import (
    NONE,
    Awaitable,
    Constant,
    Coroutine,
    Function,
    Generator,
    Instance,
    Manager,
    Value,
    Values,
)
from loopsafe.summary import ir

_MENDS: Final = {
    Ability.AWAIT: "drop the `await`",
    Ability.ENTER: "use `with`",
    Ability.ENTER_ASYNC: "use `async with`",
    Ability.ITERATE: "use `for`",
    Ability.ITERATE_ASYNC: "use `async for`",
}
_WORDS: Final = {
    Ability.AWAIT: "awaited",
    Ability.ENTER: "entered with `with`",
    Ability.ENTER_ASYNC: "entered with `async with`",
    Ability.ITERATE: "iterated with `for`",
    Ability.ITERATE_ASYNC: "iterated with `async for`",
}

_DEMANDING: Final = frozenset({ir.Await, ir.With, ir.Next})


class _Demand(NamedTuple):
    """A node of which the text demands an ability."""

    value: ir.Ref
    place: ir.Place
    ability: Ability


def _run(context: Context) -> Iterator[Diagnostic]:
    judge = _Judge(context.project.inference)
    reported = {(one.path, one.span) for one in context.earlier}
    for module in context.project.asynchronous_modules:
        for frame, demand in judge.demands(module):
            span = Span(*frame.code.scope.span_at(demand.place))
            values = judge.unable(frame, demand)
            if values and (module.path, span) not in reported:
                code = "LSA501" if demand.ability is Ability.AWAIT else "LSA502"
                text = frame.code.scope.text_at(demand.place)
                message = judge.describe(text, values[0], demand.ability)
                kinds = {judge.mend(value, demand.ability) for value in values}
                kind = kinds.pop() if len(kinds) == 1 else None
                remedy = None if kind is None else Remedy(kind, span, Applicability.UNSAFE)
                yield context.diagnostic(module.path, code, span, message, remedy)


def _demand(node: ir.Node) -> _Demand | None:
    match node:
        case ir.Await(value=value, place=place):
            return _Demand(value, place, Ability.AWAIT)
        case ir.With(value=value, is_async=is_async, place=place):
            return _Demand(value, place, Ability.ENTER_ASYNC if is_async else Ability.ENTER)
        case ir.Next(value=value, is_async=is_async, place=place):
            return _Demand(value, place, Ability.ITERATE_ASYNC if is_async else Ability.ITERATE)
    return None


class _Judge:
    """Tells what surely lacks an ability, and says so."""

    def __init__(self, inference: Inference) -> None:
        self._inference: Final = inference
        self._abilities: Final = Abilities(inference)
        self._sureness: Final = Sureness(inference)

    def demands(self, module: Module) -> Iterator[tuple[Frame, _Demand]]:
        """What the text of a module demands of values of which it may be known for sure what they are."""
        for index, scope in enumerate(module.scopes):
            for node in scope.nodes:
                demand = _demand(node) if node.__class__ in _DEMANDING else None
                if demand is not None and self._sureness.may_be_sure(module.code(index), demand.value):
                    yield self._inference.generic_frame(module.code(index)), demand

    def unable(self, frame: Frame, demand: _Demand) -> Values:
        """The values of a node, if surely none of them can what is demanded."""
        values = self._inference.value(frame, demand.value)
        if not values:
            return (NONE,) if demand.ability is Ability.AWAIT and self._gives_nothing(frame, demand.value) else ()
        if any(self._abilities.can(value, demand.ability) is not False for value in values):
            return ()
        return values if self._sureness.is_sure(frame, demand.value) else ()

    def _gives_nothing(self, frame: Frame, ref: ir.Ref) -> bool:
        """Whether a call runs a plain function that never returns anything."""
        node = frame.code.scope.nodes[ref] if ref >= 0 else None
        if not isinstance(node, ir.Call) or not self._sureness.is_sure(frame, node.func):
            return False
        callees = self._inference.value(frame, node.func)
        return all(
            isinstance(callee, Function)
            and callee.code.scope.kind == ir.ScopeKind.FUNCTION
            and not (callee.code.scope.is_async or callee.code.scope.is_generator or callee.code.scope.returns)
            and self._inference.members.is_plain(callee)
            for callee in callees
        )

    def describe(self, text: str, value: Value, wanted: Ability) -> str:
        """What is wrong with what a text gives, and what to do."""
        start = f"`{text}` gives {_kind(value)}, which cannot be {_WORDS[wanted]}, so this fails"
        if isinstance(value, Coroutine | Awaitable):
            return f"{start}: await it first"
        if wanted is not Ability.AWAIT:
            other = wanted.other
            is_other = other is not None and self._abilities.can(value, other)
            return f"{start}: {_MENDS[other]}" if other is not None and is_other else start
        ways = (Ability.ENTER_ASYNC, Ability.ITERATE_ASYNC)
        way = next((one for one in ways if self._abilities.can(value, one)), Ability.AWAIT)
        return f"{start}: {_MENDS[way]}"

    def mend(self, value: Value, wanted: Ability) -> RemedyKind | None:
        """The rewrite that `describe` speaks of."""
        if isinstance(value, Coroutine | Awaitable):
            return RemedyKind.AWAIT
        if wanted is not Ability.AWAIT:
            other = wanted.other
            return RemedyKind.SWITCH_PROTOCOL if other is not None and self._abilities.can(value, other) else None
        is_used_up = isinstance(value, Generator | Manager)  # without `await` it would still do nothing
        ways = (Ability.ENTER_ASYNC, Ability.ITERATE_ASYNC)
        return None if is_used_up or any(self._abilities.can(value, way) for way in ways) else RemedyKind.DROP_AWAIT


def _kind(value: Value) -> str:
    match value:
        case Coroutine():
            return "a coroutine"
        case Awaitable():
            return "an awaitable"
        case Generator(frame):
            return "an asynchronous generator" if frame.code.scope.is_async else "a generator"
        case Manager(frame):
            return "an asynchronous context manager" if frame.code.scope.is_async else "a context manager"
        case Constant(inner):
            return f"`{inner!r}`" if inner is None else f"an instance of `{type(inner).__name__}`"
        case Instance(cls):
            return f"an instance of `{cls.rpartition('.')[2] if isinstance(cls, str) else cls.name}`"
    return "something"


CHECK: Final = Check(("LSA501", "LSA502"), _run, is_secondary=True)
