"""Classes: their bases, their method resolution order, who derives from them.

Stage: link. What a base expression means comes from `infer`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from loopsafe.project.entities import Class
from loopsafe.project.values import ClassKey, ClassObject, External, Form, Instance
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference

_MOST_ANCESTORS: Final = 256
"""A longer chain of bases is generated or hostile; real ones stay below thirty."""

_FEW: Final = 8
"""So many subclasses are gone through each time: an index of the names that they define would cost more."""
_MOST_STRUCTURAL: Final = 12
"""A protocol that more classes meet by chance (`close`, `get`) says nothing about which of them is meant."""
_PROTOCOLS: Final = frozenset({"typing.Protocol", "typing_extensions.Protocol"})


class Hierarchy:
    """Bases upwards, subclasses downwards."""

    def __init__(self, inference: Inference) -> None:
        self._inference: Final = inference
        self._bases: Final[dict[Class, tuple[ClassKey, ...]]] = {}
        self._orders: Final[dict[ClassKey, tuple[ClassKey, ...]]] = {}
        self._subclasses: Final[dict[Class, tuple[Class, ...]]] = {}
        self._structural: Final[dict[Class, tuple[Class, ...]]] = {}
        self._derived: Final[dict[str, dict[Class, list[Class]]]] = {}
        self._defining: Final[dict[Class, dict[str, list[Class]]]] = {}
        """Of classes with many subclasses, which of those define a name."""
        self._pending = 0
        """Of how many classes the bases are being looked for."""

    def bases(self, cls: Class) -> tuple[ClassKey, ...]:
        """The direct bases that are known; `has_unknown_base` tells whether there are others."""
        known = self._bases.get(cls)
        if known is None:
            self._bases[cls] = ()
            self._pending += 1
            try:
                found = self._find_bases(cls)
            finally:
                self._pending -= 1
            known = self._bases[cls] = tuple(dict.fromkeys(base for base in found if base is not cls))
        return known

    def _find_bases(self, cls: Class) -> list[ClassKey]:
        maker, closure = cls.maker, cls.frame.closure
        assert isinstance(maker, ir.MakeClass)
        assert closure is not None
        found: list[ClassKey] = []
        for ref in maker.bases:
            for value in self._inference.value(closure, ref):
                if isinstance(value, ClassObject):
                    found.append(value.cls)
                elif isinstance(value, External):
                    found.append(value.name)
                elif isinstance(value, Form):
                    found.extend(inner.cls for inner in value.instances if isinstance(inner, Instance))
        return found

    def has_unknown_base(self, cls: Class) -> bool:
        """Whether some ancestor could not be resolved, so that anything may be inherited."""
        for ancestor in self.order(cls):
            if isinstance(ancestor, Class):
                maker = ancestor.maker
                assert isinstance(maker, ir.MakeClass)
                if len(self.bases(ancestor)) < len(maker.bases):
                    return True
            elif not self._inference.catalog.is_class(ancestor) and not ancestor.startswith(
                ("builtins.", "typing.", "abc.")
            ):
                return True
        return False

    def is_protocol(self, cls: Class) -> bool:
        """Whether a class only says what others must have: it derives directly from `Protocol`."""
        return any(isinstance(base, str) and base in _PROTOCOLS for base in self.bases(cls))

    def order(self, cls: ClassKey) -> tuple[ClassKey, ...]:
        """The method resolution order; depth first where the bases have no consistent one."""
        known = self._orders.get(cls)
        return known if known is not None else self._find_order(cls)

    def _find_order(self, cls: ClassKey) -> tuple[ClassKey, ...]:
        """Bases first, without recursion: generated code has chains of thousands."""
        pending, started = [cls], set()
        while pending:
            current = pending[-1]
            if current in started:
                self._orders[current] = self._linearise(current)
                started.discard(current)
            elif current not in self._orders:
                self._orders[current] = (current,)  # what a circle of bases gets
                started.add(current)
                pending += self.bases(current) if isinstance(current, Class) else ()
                continue
            pending.pop()
        return self._orders[cls]

    def _linearise(self, cls: ClassKey) -> tuple[ClassKey, ...]:
        if not isinstance(cls, Class):
            return self._inference.catalog.linear(cls)
        bases = self.bases(cls)
        if len(bases) == 1:
            return (cls, *[ancestor for ancestor in self.order(bases[0]) if ancestor is not cls][:_MOST_ANCESTORS])
        sequences = [list(self.order(base)) for base in bases] + [list(bases)]
        merged = _merge(sequences)
        if merged is None:
            merged = list(dict.fromkeys(ancestor for base in bases for ancestor in self.order(base)))
        return (cls, *[ancestor for ancestor in merged if ancestor is not cls][:_MOST_ANCESTORS])

    def is_subclass(self, cls: ClassKey, base: ClassKey) -> bool:
        return base in self.order(cls)

    def structural_subclasses(self, protocol: Class) -> tuple[Class, ...]:
        """Classes that have every method of a protocol without deriving from it; none if there are very many."""
        known = self._structural.get(protocol)
        if known is None:
            wanted = protocol.methods.keys() if self.is_protocol(protocol) else ()
            found = [
                cls
                for cls in (self._with_methods(wanted) if wanted else ())
                if cls is not protocol and not self.is_protocol(cls) and protocol not in self.order(cls)
            ]
            known = self._structural[protocol] = tuple(found) if len(found) <= _MOST_STRUCTURAL else ()
        return known

    def _with_methods(self, names: Collection[str]) -> Iterator[Class]:
        for module, scope in self._inference.index.with_methods(names):
            yield self._inference.class_at(module, scope)

    def subclasses(self, cls: Class) -> tuple[Class, ...]:
        """All classes of the project that derive from `cls`, nearest first, in the order of their files."""
        known = self._subclasses.get(cls)
        if known is None:
            found: dict[Class, None] = {}
            pending = [cls]
            while pending:
                current = pending.pop(0)
                for candidate in self._by_base(current.name).get(current, ()):
                    if candidate not in found and candidate is not cls:
                        found[candidate] = None
                        pending.append(candidate)
            known = self._subclasses[cls] = tuple(found)
        return known

    def defining(self, cls: Class, name: str) -> Sequence[Class]:
        """The subclasses that have a name in their own bodies, or assign to it in a method."""
        subclasses = self.subclasses(cls)
        if len(subclasses) <= _FEW:
            return [each for each in subclasses if name in each.code.scope.bindings or name in each.stores]
        known = self._defining.get(cls)
        if known is None:
            known = self._defining[cls] = {}
            for each in subclasses:
                for own in {*each.code.scope.bindings, *each.stores}:
                    known.setdefault(own, []).append(each)
        return known.get(name, ())

    def _by_base(self, name: str) -> Mapping[Class, Sequence[Class]]:
        """By each class of that name, those that have it as a base."""
        known = self._derived.get(name)
        if known is None:
            known = {}
            for module in self._inference.index.deriving(name):
                for scope in module.class_scopes:
                    cls = self._inference.class_at(module, scope)
                    for base in self.bases(cls):
                        if isinstance(base, Class) and base.name == name:
                            known.setdefault(base, []).append(cls)
            if not self._pending:  # a class whose bases are being looked for seems to have none
                self._derived[name] = known
        return known


def _merge(sequences: Sequence[list[ClassKey]]) -> list[ClassKey] | None:
    """C3: repeatedly the first head that stands in no other tail; None if there is none."""
    pending = [sequence for sequence in sequences if sequence]
    merged: list[ClassKey] = []
    while pending:
        tails = {cls for sequence in pending for cls in sequence[1:]}
        head = next((sequence[0] for sequence in pending if sequence[0] not in tails), None)
        if head is None:
            return None
        merged.append(head)
        pending = [
            rest for sequence in pending if (rest := [cls for cls in sequence if cls is not head and cls != head])
        ]
    return merged
