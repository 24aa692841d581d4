"""The entry points of a package and what happens when each is touched, with nothing but its defaults for arguments.

Constructors are none: those that block do so for what they are given, and are described by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from loopsafe.catalog import Fact, When
from loopsafe.model import Effect
from loopsafe.project import Project
from loopsafe.project.arguments import Arguments
from loopsafe.project.effects import Happening, Primitive, Run
from loopsafe.project.entities import Class
from loopsafe.project.propagate import FARTHEST, Propagation
from loopsafe.project.values import (
    Coroutine,
    Function,
    Generator,
    Instance,
    Manager,
    Value,
    Values,
)

_GIVE_PARTS: Final = frozenset({"__getattr__", "__getitem__"})
"""What these block for lies in constructors that look around only if told to, as far as the study met them."""
_LONGEST_VIA: Final = 4
"""Of a longer path a record keeps the end, which says what blocks."""


class Entry(NamedTuple):
    """One name and one moment at which users of the package touch it."""

    owner: Class | None
    name: str
    """Of a member its own name, of a function or class the qualified one."""
    when: When
    happenings: tuple[Happening, ...]
    gives: Values
    """What it gives in the end: of a coroutine function what is awaited, of a property its value."""
    is_async: bool = False


class Cause(NamedTuple):
    """Why an entry blocks."""

    effect: Effect
    via: tuple[str, ...]


class Entries:
    """Finds out about entry points, and, once all are known, what they block for."""

    def __init__(self, project: Project) -> None:
        self._project: Final = project
        self._effects: Final = project.effects
        self._inference: Final = project.inference

    def of_function(self, name: str, function: Function) -> Iterator[Entry]:
        """A function of a module."""
        yield from self._of_callable(None, name, function)

    def of_member(self, cls: Class, name: str) -> Iterator[Entry]:
        """An attribute, property or method of an object of just that class: a mixin's say nothing until mixed in."""
        instance = Instance(cls, (), True)
        match name:
            case "__enter__" | "__exit__":
                happenings = tuple(self._effects.special((instance,), name))
                when = When.ENTER if name == "__enter__" else When.EXIT
                yield Entry(cls, name, when, happenings, self._inference.protocols.entered(instance, False))
                return
            case "__iter__" | "__next__":
                happenings = tuple(self._effects.iterated((instance,)))
                yield Entry(cls, "__iter__", When.ITER, happenings, self._inference.protocols.special(instance, name))
                return
        for value in self._inference.members.find(instance, name):
            if isinstance(value, Function) and value.kind == "property":
                happenings = tuple(self._effects.read(instance, name))
                yield Entry(cls, name, When.PROPERTY, happenings, self._inference.calls.result(value, Arguments.of()))
            elif isinstance(value, Function):
                yield from self._of_callable(cls, name, value)
            else:
                yield Entry(cls, name, When.PROPERTY, (), (value,))

    def _of_callable(self, owner: Class | None, name: str, function: Function) -> Iterator[Entry]:
        given = self._inference.calls.result(function, Arguments.of())
        is_async = any(isinstance(value, Coroutine) for value in given)
        result = self._inference.each(given, self._settled)
        happenings = () if name in _GIVE_PARTS else tuple(self._effects.call(function, Arguments.of()))
        yield Entry(owner, name, When.CALL, happenings, result, is_async)
        if any(isinstance(value, Generator) for value in given):
            yield Entry(owner, name, When.ITER, tuple(self._effects.iterated(given)), ())
        if any(isinstance(value, Manager) for value in given):
            yield Entry(owner, name, When.ENTER, tuple(self._effects.entered(given)), ())

    def _settled(self, value: Value) -> Values:
        return self._inference.protocols.awaited(value) if isinstance(value, Coroutine) else (value,)


class Causes:
    """Answers for each entry what it blocks for; weak effects (design.md, Effects) are a package's own affair."""

    def __init__(self, project: Project, entries: list[Entry]) -> None:
        runs = [each.frame for entry in entries for each in entry.happenings if isinstance(each, Run)]
        self._propagation: Final = Propagation(project.effects, list(dict.fromkeys(runs)))

    def of(self, entry: Entry) -> Cause | None:
        """The gravest effect that is certain, by its shortest path."""
        best: tuple[int, int, Cause] | None = None
        order = list(Effect)
        for happening in entry.happenings:
            for effect, hops, via in self._paths(happening):
                rank = (order.index(effect), hops)
                if effect not in FARTHEST and (best is None or rank < best[:2]):
                    best = (*rank, Cause(effect, via[-_LONGEST_VIA:]))
        return best[2] if best is not None else None

    def _paths(self, happening: Happening) -> Iterator[tuple[Effect, int, tuple[str, ...]]]:
        if happening.doubt is not None:
            return
        if isinstance(happening, Primitive):
            yield happening.fact.effect, 0, (happening.fact.name,)
            return
        for effect, witness in self._propagation.of_frame(happening.frame):
            if not witness.is_likely:
                steps = [(happening.frame, witness), *self._propagation.path(effect, witness)]
                fact = steps[-1][1].cause
                assert isinstance(fact, Fact), "a path ends at its primitive"
                yield effect, witness.hops + 1, (*[frame.code.full_name for frame, _ in steps], fact.name)
