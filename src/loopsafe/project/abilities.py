"""What can be done with a value: await it, enter it, iterate it, and whether that waits.

Stage: infer. Says no only where it is known: a class of which not everything is known may be able to do anything.
"""

from __future__ import annotations

import builtins
import enum
import sys
from typing import TYPE_CHECKING, Final

from loopsafe.catalog import Affinity, RoleKind
from loopsafe.project.decorators import has_role, has_unknown_decorator
from loopsafe.project.entities import Class
from loopsafe.project.values import Awaitable, Constant, Coroutine, Generator, Instance, Lazy, Manager, Value
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference


class Ability(enum.Enum):
    """A protocol of the language, by the special methods of which one is enough."""

    AWAIT = ("__await__",)
    ENTER = ("__enter__",)
    ENTER_ASYNC = ("__aenter__",)
    ITERATE = ("__iter__", "__getitem__")
    ITERATE_ASYNC = ("__aiter__",)

    @property
    def other(self) -> Ability | None:
        """The one that does the same the other way: with `async`, or without."""
        return _OTHERS.get(self)


_OTHERS: Final = {
    Ability.ENTER: Ability.ENTER_ASYNC,
    Ability.ENTER_ASYNC: Ability.ENTER,
    Ability.ITERATE: Ability.ITERATE_ASYNC,
    Ability.ITERATE_ASYNC: Ability.ITERATE,
}
_SYNCHRONOUS: Final = frozenset({Ability.ENTER, Ability.ITERATE})
_FORMS: Final[dict[str, Ability]] = {
    "typing.ContextManager": Ability.ENTER,
    "typing.AsyncContextManager": Ability.ENTER_ASYNC,
    "typing.Iterator": Ability.ITERATE,
    "typing.Iterable": Ability.ITERATE,
    "typing.Generator": Ability.ITERATE,
    "typing.AsyncIterator": Ability.ITERATE_ASYNC,
    "typing.AsyncIterable": Ability.ITERATE_ASYNC,
    "typing.AsyncGenerator": Ability.ITERATE_ASYNC,
}
_WAITING: Final = ("result", "wait", "join", "acquire", "connect", "execute", "request", "read", "recv", "get", "query")
"""Methods by which a synchronous class shows that it is one: they block."""
_HARMLESS_BASES: Final = ("builtins.object", "typing.Generic", "abc.ABC", "builtins.Exception", "enum.")


class Abilities:
    """Answers `can(value, ability)`."""

    def __init__(self, inference: Inference) -> None:
        self._inference: Final = inference

    def can(self, value: Value, ability: Ability) -> bool | None:
        """Whether a value supports a protocol; None if that is not known."""
        match value:
            case Coroutine(frame):
                return None if has_unknown_decorator(self._inference, frame.code) else ability is Ability.AWAIT
            case Awaitable(is_coroutine=is_coroutine):
                if ability is Ability.AWAIT:
                    return True
                return False if is_coroutine and ability in _SYNCHRONOUS else None
            case Generator(frame) if frame.code.scope.kind == ir.ScopeKind.GENERATOR:
                return ability is (Ability.ITERATE_ASYNC if frame.code.scope.is_async else Ability.ITERATE)
            case Generator(frame):
                own = Ability.ITERATE_ASYNC if frame.code.scope.is_async else Ability.ITERATE
                return None if frame.code.maker.decorators else ability is own
            case Manager(frame):
                return ability is (Ability.ENTER_ASYNC if frame.code.scope.is_async else Ability.ENTER)
            case Lazy():
                return ability is Ability.ITERATE
            case Constant(str()):
                return ability is Ability.ITERATE
            case Constant(int()):
                return False
            case Instance(Class() as cls):
                return self._of_class(value, cls, ability)
            case Instance(str() as name):
                return self._of_external(name, ability)
        return None

    def _of_class(self, instance: Instance, cls: Class, ability: Ability) -> bool | None:
        hierarchy = self._inference.hierarchy
        lines = [*hierarchy.order(cls), *(() if instance.is_exact else hierarchy.subclasses(cls))]
        for one in lines:
            if isinstance(one, Class):
                if any(name in one.code.scope.bindings for name in ability.value):
                    return True
                if one.maker.decorators and not has_role(self._inference, one.code, RoleKind.DATACLASS):
                    return None
            elif not one.startswith(_HARMLESS_BASES):
                found = self._of_external(one, ability) if one.startswith("builtins.") else None
                if found is not False:
                    return found
        return None if hierarchy.has_unknown_base(cls) or hierarchy.is_protocol(cls) else False

    def _of_external(self, cls: str, ability: Ability) -> bool | None:
        package, _, last = cls.rpartition(".")
        if package == "builtins":
            found = getattr(builtins, last, None)
            if not isinstance(found, type) or found is object:
                return None
            return any(hasattr(found, name) for name in ability.value)
        if cls in _FORMS:
            return True if ability is _FORMS[cls] else False if ability is _FORMS[cls].other else None
        catalog = self._inference.catalog
        if any(catalog.find(cls, name) is not None for name in ability.value):
            return True
        if ability in _SYNCHRONOUS:
            other = ability.other
            is_other = other is not None and any(catalog.find(cls, name) is not None for name in other.value)
            return False if is_other and catalog.affinity(cls) is Affinity.LOOP else None
        return False if self._is_synchronous(cls) else None

    def _is_synchronous(self, cls: str) -> bool:
        """Whether a class from outside is known to be for threads: its methods block, or it is a plain manager."""
        catalog = self._inference.catalog
        if catalog.affinity(cls) is Affinity.LOOP:
            return False
        if cls.partition(".")[0] in sys.stdlib_module_names and catalog.find(cls, "__enter__") is not None:
            return True
        return catalog.twin(cls) is not None or any(catalog.facts(f"{cls}.{name}") for name in _WAITING)
