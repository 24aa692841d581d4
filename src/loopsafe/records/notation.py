"""Abstract values in the notation of the catalogue: `parcels.Order | None`, `Iterator[bytes]`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from loopsafe.project.entities import Class
from loopsafe.project.infer import YIELDS, Inference
from loopsafe.project.values import (
    Awaitable,
    ClassKey,
    ClassObject,
    Coroutine,
    Generator,
    Instance,
    Manager,
    Value,
    Values,
)

_DEEPEST: Final = 3
"""Containers of containers of containers: what lies deeper is written as unknown."""
_MOST_OPTIONS: Final = 4
"""A union of more says too little for its length."""


class Notation:
    """Writes values; classes of no interest become unknown, so that a record speaks only of what matters."""

    def __init__(self, inference: Inference) -> None:
        self._inference: Final = inference

    def names(self, values: Values, depth: int = 0) -> set[ClassKey]:
        """The classes that a type expression for the values would mention."""
        found: set[ClassKey] = set()
        for value in values if depth <= _DEEPEST else ():
            if isinstance(value, Instance | ClassObject):
                found.add(value.cls)
            for inner in self._inner(value):
                found |= self.names(inner, depth + 1)
        return found

    def write(self, values: Values, kept: Callable[[ClassKey], bool], depth: int = 0) -> str | None:
        """A type expression; None if nothing of interest is known."""
        if depth > _DEEPEST:
            return None  # a generator may give itself
        known = [text for value in values if (text := self._one(value, kept, depth)) is not None]
        options = list(dict.fromkeys(known))
        if not options or len(options) > _MOST_OPTIONS:
            return None
        return " | ".join(options)

    def _one(self, value: Value, kept: Callable[[ClassKey], bool], depth: int) -> str | None:
        inner = [self.write(values, kept, depth + 1) for values in self._inner(value)]
        match value:
            case Instance("builtins.tuple") if any(inner):
                return f"tuple[{', '.join(text or 'Any' for text in inner)}]"
            case Instance("builtins.list" | "builtins.set" | "builtins.dict", (_,)) if any(inner):
                keys = "Any, " if value.cls == "builtins.dict" else ""
                return f"{str(value.cls).partition('.')[2]}[{keys}{inner[0]}]"
            case Instance(cls) if kept(cls):
                return _name(cls)
            case ClassObject(cls) if kept(cls):
                return f"type[{_name(cls)}]"
            case Generator(frame) if any(inner):
                return f"{'Async' if frame.code.scope.is_async else ''}Iterator[{inner[0]}]"
            case Manager(frame) if any(inner):
                return f"{'Async' if frame.code.scope.is_async else ''}ContextManager[{inner[0]}]"
            case Coroutine() | Awaitable() if any(inner):
                return f"Awaitable[{inner[0]}]"
        return None

    def _inner(self, value: Value) -> tuple[Values, ...]:
        match value:
            case Instance(args=args):
                return args
            case Generator(frame) | Manager(frame):
                return (self._inference.value(frame, YIELDS),)
            case Coroutine() | Awaitable():
                return (self._inference.protocols.awaited(value),)
        return ()


def _name(cls: ClassKey) -> str:
    return cls.full_name if isinstance(cls, Class) else cls
