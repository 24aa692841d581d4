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
from loopsafe.project.entities import Class
from loopsafe.project.happenings import Happening, Primitive, Run
from loopsafe.project.propagate import FARTHEST, Propagation
from loopsafe.project.values import (
    NOTHING,
    Coroutine,
    Function,
    Generator,
    Instance,
    Manager,
    Value,
    Values,
)
from loopsafe.records.api import is_asynchronous, is_named_asynchronous

STAYING: Final = frozenset({*FARTHEST, Effect.CPU})
"""Effects that a package keeps to itself (design.md, Effects): reading its files, and hard work, which people judge."""
_GIVE_PARTS: Final = frozenset({"__getattr__", "__getitem__"})
"""What these block for lies in constructors that look around only if told to, as far as the study met them."""
_CONSTRUCTORS: Final = (".__init__", ".__new__", ".__post_init__")
_LONGEST_VIA: Final = 2
"""Of a longer path a record keeps the end, which says what blocks and is the same for most members of a class."""


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
                is_entry = name == "__enter__"
                given = self._inference.protocols.entered(instance, False) if is_entry else NOTHING
                yield Entry(cls, name, When.ENTER if is_entry else When.EXIT, happenings, given)
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


class _Path(NamedTuple):
    """A way from an entry to something that blocks."""

    effect: Effect
    hops: int
    is_likely: bool
    via: tuple[str, ...]


class Causes:
    """Answers for each entry what it blocks for."""

    def __init__(self, project: Project, entries: list[Entry]) -> None:
        runs = [each.frame for entry in entries for each in entry.happenings if isinstance(each, Run)]
        self._propagation: Final = Propagation(project.effects, list(dict.fromkeys(runs)))

    def of(self, entry: Entry) -> Cause | None:
        """The gravest effect of an entry that is certain to have one, by its shortest path.

        That the entry blocks must be certain, not for what: where only the pause before another try is certain, the
        request that is tried is what matters. Attributes are left out, because most that may load something have it
        already, and so is what names itself asynchronous: there a path found is more probably a mistake.
        """
        paths = list(self._paths(entry))
        if entry.when is When.PROPERTY or all(path.is_likely for path in paths) or _is_meant_to_be_awaited(entry):
            return None
        order = list(Effect)
        best = min(paths, key=lambda path: (order.index(path.effect), path.is_likely, path.hops))
        return Cause(best.effect, best.via[-_LONGEST_VIA:])

    def is_quiet(self, entry: Entry) -> bool:
        """Whether nothing is found that may block, not even in doubt; what is asynchronous should not."""
        return _is_meant_to_be_awaited(entry) or not any(self._paths(entry))

    def _paths(self, entry: Entry) -> Iterator[_Path]:
        """The paths of an entry, but for those through what is asynchronous, and through constructors.

        A constructor mostly blocks only for what it is given, which a path does not tell.
        """
        for happening in entry.happenings:
            for path in self._paths_of(happening):
                is_doubtful = any(is_asynchronous(step) or step.endswith(_CONSTRUCTORS) for step in path.via)
                if path.effect not in STAYING and not is_doubtful:
                    yield path

    def _paths_of(self, happening: Happening) -> Iterator[_Path]:
        is_likely = happening.doubt is not None
        if isinstance(happening, Primitive):
            yield _Path(happening.fact.effect, 0, is_likely, (happening.fact.name,))
            return
        for effect, witness in self._propagation.of_frame(happening.frame):
            steps = [(happening.frame, witness), *self._propagation.path(effect, witness)]
            fact = steps[-1][1].cause
            assert isinstance(fact, Fact), "a path ends at its primitive"
            via = (*[frame.code.full_name for frame, _ in steps], fact.name)
            yield _Path(effect, witness.hops + 1, is_likely or witness.is_likely, via)


def _is_meant_to_be_awaited(entry: Entry) -> bool:
    is_method = entry.owner is not None and is_asynchronous(entry.owner.full_name)
    return is_method or is_named_asynchronous(entry.name.rpartition(".")[2])
