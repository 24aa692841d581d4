"""The arguments of a call, and which parameter takes which.

Stage: infer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from loopsafe.project.values import Constant, Function, Instance, Value, Values, builtin
from loopsafe.summary import ir


class Arguments:
    """Positional and keyword arguments, by value."""

    __slots__ = ("is_open", "keywords", "positional")

    def __init__(
        self, positional: Sequence[Values], keywords: Sequence[tuple[str, Values]] = (), is_open: bool = False
    ) -> None:
        self.positional: Final = tuple(positional)
        self.keywords: Final = tuple(keywords)
        self.is_open: Final = is_open
        """There are more, of which nothing is known: `*args`, `**kwargs`."""

    @classmethod
    def of(cls, *positional: Values) -> Arguments:
        return cls(positional)

    def get(self, position: int | None, name: str | None) -> Values | None:
        """The argument at a position or of that name; None if it is not given."""
        if position is not None and position < len(self.positional):
            return self.positional[position]
        for keyword, values in self.keywords:
            if keyword == name:
                return values
        return None

    def without(self, position: int | str | None) -> Arguments:
        """What is handed on by a function that takes a callable at that position: all that follows it."""
        if not isinstance(position, int):
            return Arguments((), (), True)
        return Arguments(self.positional[position + 1 :], self.keywords, self.is_open)

    def before(self, *first: Values) -> Arguments:
        """The same with others in front."""
        return Arguments((*first, *self.positional), self.keywords, self.is_open)

    def after(self, positional: Sequence[Values], keywords: Sequence[tuple[str, Values]]) -> Arguments:
        """The same behind those that a partial holds already."""
        return Arguments((*positional, *self.positional), (*keywords, *self.keywords), self.is_open)


def bind(params: Sequence[ir.Parameter], arguments: Arguments) -> list[Values | None]:
    """For each parameter the argument that it takes; None where none is known to be given."""
    bound: list[Values | None] = [None] * len(params)
    rest = list(arguments.positional)
    for index, param in enumerate(params):
        if param.kind == ir.ParamKind.POSITIONAL and rest:
            bound[index] = rest.pop(0)
        elif param.kind == ir.ParamKind.VARARGS:
            bound[index] = (builtin("tuple", *rest),) if rest and not arguments.is_open else None
            rest = []
    by_name = {param.name: index for index, param in enumerate(params) if not param.positional_only}
    for name, values in arguments.keywords:
        index = by_name.get(name, -1)
        if index >= 0 and params[index].kind in (ir.ParamKind.POSITIONAL, ir.ParamKind.KEYWORD):
            bound[index] = values
    return bound


def given_refs(node: ir.Call, func: ir.Node | None, function: Function) -> dict[int, ir.Ref]:
    """For each parameter of a function that is called at a node, the node of its argument, where the call names one."""
    params = function.code.scope.params
    skipped = 1 if function.receiver is not None and function.kind != "static" else 0
    refs = {
        position: ref
        for position, ref in enumerate(node.args[: node.starred if node.starred >= 0 else None], skipped)
        if position < len(params) and params[position].kind == ir.ParamKind.POSITIONAL
    }
    if skipped and isinstance(func, ir.Attr) and function.code.scope.name != "__init__":
        refs[0] = func.value
    names = {param.name: index for index, param in enumerate(params)}
    refs.update((names[name], ref) for name, ref in node.keywords if name in names)
    return refs


def is_telling(values: Values) -> bool:
    """Whether an argument is worth a frame of its own: plain data is not."""
    return any(map(_is_telling_value, values))


def _is_telling_value(value: Value) -> bool:
    if isinstance(value, Constant):
        return False
    if isinstance(value, Instance) and isinstance(value.cls, str) and value.cls.startswith("builtins."):
        return any(map(is_telling, value.args))
    return True
