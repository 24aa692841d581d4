"""The arguments of a call, and which parameter takes which.

Stage: infer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from loopsafe.project.leaves import bare
from loopsafe.project.values import NOTHING, Constant, Function, Instance, Something, Value, Values, builtin, is_entries
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.entities import Frame
    from loopsafe.project.infer import Inference

_MOST_FRAMES: Final = 24
"""So many different sets of arguments are kept apart for one function; those after them are not told apart."""
_MOST_CONSTANTS: Final = 2_000
"""The same where the arguments are plain constants, as with `setting("NAME")`: such frames differ only in branches."""
_MOST_DICTIONARIES: Final = 100
"""The same where keys of dictionaries are known: they differ nearly as much, and objects may come with them."""

Given: TypeAlias = "Values | Callable[[], Values]"
"""An argument, or how to find out what it is: of most, nobody asks."""

_JOINING: Final = frozenset({"__add__", "__mod__"})
"""Operators that give a string which begins like the one on their left."""
SINGLE: Final = (ir.ParamKind.POSITIONAL, ir.ParamKind.KEYWORD)
"""Kinds of parameters that take one argument each."""

Place: TypeAlias = int | str
"""Where an argument stands in a call: its position, not counting an object whose method is called, or its keyword."""


class Contents(NamedTuple):
    """What a dictionary holds, in order; of a key with None it is not known whether it is there."""

    items: dict[str, Given | None]
    is_open: bool
    """There may be other keys."""


class Passed:
    """An argument that stands at a call, or what else uses it."""

    __slots__ = ("_frame", "_inference", "_ref", "_user")

    def __init__(self, inference: Inference, frame: Frame, ref: ir.Ref, user: ir.Node) -> None:
        self._inference: Final = inference
        self._frame: Final = frame
        self._ref: Final = ref
        self._user: Final = user

    def __call__(self) -> Values:
        """What it may be; a constant only if it is nothing else: `x.value if x else None` is not known to be None."""
        values = self._inference.value(self._frame, self._ref)
        is_plain = bool(values) and all(isinstance(value, Constant) for value in values)
        is_certain = self._inference.certainty.is_certain
        return NOTHING if is_plain and not is_certain(self._frame, self._ref) else values

    def is_present(self) -> bool:
        """Whether it is known not to be `None`."""
        return self._inference.certainty.is_present(self._frame, self._ref)

    def beginning(self) -> str:
        """What a string begins with that is put together in the text, by an f-string, `+` or `%`; empty if unknown."""
        scope = self._frame.code.scope
        ref = bare(scope, self._ref)
        while ref >= 0 and isinstance(node := scope.nodes[ref], ir.Binary) and node.method in _JOINING:
            ref = bare(scope, node.left)
        match scope.nodes[ref] if ref >= 0 else None:
            case ir.Literal("str", text) | ir.Const(str(text)):
                return text
        return ""

    def contents(self) -> Contents | None:
        """What it holds, if it is a dictionary that is made for the call."""
        return self._inference.keys.contents(self._frame, self._ref, self._user)


class Spare:
    """The keyword arguments that no parameter of their own takes."""

    __slots__ = ("_contents",)

    def __init__(self, items: dict[str, Given | None], is_open: bool) -> None:
        self._contents: Final = Contents(items, is_open)

    def __call__(self) -> Values:
        return NOTHING

    def contents(self) -> Contents:
        return self._contents


def is_present(given: Given | None) -> bool:
    """Whether an argument is known not to be `None`, whatever else it may be."""
    return isinstance(given, Passed) and given.is_present()


def contents_of(given: Given) -> Contents | None:
    """What a dictionary holds that is made for the call; None for other arguments, or if it is not known."""
    return given.contents() if isinstance(given, Passed | Spare) else None


def evaluated(given: Given) -> Values:
    """What an argument may be."""
    return given() if callable(given) else given


class Arguments:
    """Positional and keyword arguments, by value."""

    __slots__ = ("_keywords", "_positional", "is_open")

    def __init__(
        self, positional: Sequence[Given], keywords: Sequence[tuple[str, Given]] = (), is_open: bool = False
    ) -> None:
        self._positional: Final = positional
        self._keywords: Final = keywords
        self.is_open: Final = is_open
        """There are more, of which nothing is known: `*args`, `**kwargs`."""

    @property
    def positional(self) -> tuple[Values, ...]:
        return tuple(map(evaluated, self._positional))

    @property
    def keywords(self) -> tuple[tuple[str, Values], ...]:
        return tuple((name, evaluated(given)) for name, given in self._keywords)

    @classmethod
    def of(cls, *positional: Values) -> Arguments:
        return cls(positional)

    def get(self, position: int | None, name: str | None) -> Values | None:
        """The argument at a position or of that name; None if it is not given."""
        given = self._given(position, name)
        return None if given is None else evaluated(given)

    def beginnings(self, position: int | None, name: str | None) -> list[str]:
        """What the strings begin with that such an argument may be; none if it may be something else."""
        given = self._given(position, name)
        beginning = given.beginning() if isinstance(given, Passed) else ""
        if beginning:
            return [beginning]
        values = NOTHING if given is None else evaluated(given)
        strings = [value.value for value in values if isinstance(value, Constant) and isinstance(value.value, str)]
        return strings if len(strings) == len(values) else []

    def _given(self, position: int | None, name: str | None) -> Given | None:
        if position is not None and position < len(self._positional):
            return self._positional[position]
        return next((given for keyword, given in self._keywords if keyword == name), None)

    def without(self, position: int | str | None) -> Arguments:
        """What is handed on by a function that takes a callable at that position: all that follows it."""
        if not isinstance(position, int):
            return Arguments((), (), True)
        return Arguments(self._positional[position + 1 :], self._keywords, self.is_open)

    def before(self, *first: Values) -> Arguments:
        """The same with others in front."""
        return Arguments((*first, *self._positional), self._keywords, self.is_open)

    def after(self, positional: Sequence[Values], keywords: Sequence[tuple[str, Values]]) -> Arguments:
        """The same behind those that a partial holds already."""
        return Arguments((*positional, *self._positional), (*keywords, *self._keywords), self.is_open)

    def bind(self, params: Sequence[ir.Parameter]) -> list[Given | None]:
        """For each parameter the argument that it takes; None where none is known to be given."""
        bound: list[Given | None] = [None] * len(params)
        rest = self._positional
        for index, param in enumerate(params):
            if param.kind == ir.ParamKind.POSITIONAL and rest:
                bound[index], rest = rest[0], rest[1:]
            elif param.kind == ir.ParamKind.VARARGS:
                bound[index] = partial(_collected, rest) if rest and not self.is_open else None
                rest = ()
        spare: dict[str, Given | None] = {}
        for name, given in self._keywords:
            for index, param in enumerate(params):
                if param.name == name and param.kind in SINGLE and not param.positional_only:
                    bound[index] = given
                    break
            else:
                spare[name] = given
        if params and params[-1].kind == ir.ParamKind.KWARGS:
            bound[-1] = Spare(spare, self.is_open)
        return bound


def arguments_at(inference: Inference, frame: Frame, node: ir.Call) -> Arguments:
    """The arguments of a call node; `*args` of known length are spread."""
    positional: list[Given] = [Passed(inference, frame, ref, node) for ref in node.args]
    is_open = False
    if node.starred >= 0:
        positional, rest = positional[: node.starred], positional[node.starred :]
        found = evaluated(rest[0]) if len(rest) == 1 else NOTHING
        spread = found[0] if len(found) == 1 else None
        if isinstance(spread, Instance) and spread.cls == "builtins.tuple" and spread.args:
            positional += spread.args
        else:
            is_open = True
    keywords: list[tuple[str, Given]] = []
    for name, ref in node.keywords:
        if name is not None:
            keywords.append((name, Passed(inference, frame, ref, node)))
            continue
        contents = inference.keys.contents(frame, ref, node)
        items = contents.items.items() if contents is not None else ()
        is_open = is_open or contents is None or contents.is_open or any(given is None for _, given in items)
        keywords += [(key, given) for key, given in items if given is not None]
    return Arguments(positional, keywords, is_open)


def _collected(rest: Sequence[Given]) -> Values:
    return (builtin("tuple", *map(evaluated, rest)),)


def handed(node: ir.Call) -> Iterator[tuple[Place, ir.Ref]]:
    """The arguments that a call names one by one, by position or keyword."""
    yield from enumerate(node.args[: node.starred if node.starred >= 0 else None])
    yield from ((name, ref) for name, ref in node.keywords if name is not None)


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


def simplified(arguments: tuple[Values | None, ...]) -> tuple[int, tuple[Values | None, ...]]:
    """How many sets of arguments such as these are kept apart, and those that stand for the others."""
    typed = tuple(None if is_entries(values) else values for values in arguments)
    if typed != arguments:
        return _MOST_DICTIONARIES, typed
    plain = tuple(values if values and isinstance(values[0], Constant | Something) else None for values in arguments)
    return (_MOST_CONSTANTS, ()) if plain == arguments else (_MOST_FRAMES, plain)


def is_telling(values: Values) -> bool:
    """Whether an argument is worth a frame of its own: plain data is not."""
    return any(map(_is_telling_value, values))


def _is_telling_value(value: Value) -> bool:
    if isinstance(value, Constant):
        return False
    if isinstance(value, Instance) and isinstance(value.cls, str) and value.cls.startswith("builtins."):
        return any(map(is_telling, value.args))
    return True
