"""Dataclasses: the fields that calling one fills, and what a call gives them.

Stage: infer. There is no `__init__` in the text to look into: an object remembers the class body, with the fields that
it was given in the place of arguments.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from loopsafe.catalog import RoleKind
from loopsafe.project.arguments import Arguments, evaluated, is_telling
from loopsafe.project.decorators import has_role, role_of
from loopsafe.project.entities import Class, Frame, mentioned_name
from loopsafe.project.values import NONE, NOTHING, ClassObject, Constant, Instance, Values, constant, is_informative
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference

EMPTY: Final = (Instance("builtins.tuple", (), True),)
"""The empty tuple: of other tuples, or where nothing is known of the parts, no exact class is claimed."""
_NEVER_FIELDS: Final = frozenset({"ClassVar", "KW_ONLY"})


class Field(NamedTuple):
    """One field, in the class that declares it."""

    name: str
    owner: Class
    ref: ir.Ref


class Fields:
    """Answers `of(cls)`, `made(cls, arguments)` and `value(instance, owner, name)`."""

    def __init__(self, inference: Inference) -> None:
        self._inference: Final = inference
        self._known: Final[dict[Class, tuple[Field, ...]]] = {}

    def of(self, cls: Class) -> tuple[Field, ...]:
        """The fields of a dataclass, in the order of its constructor; none of any other class."""
        known = self._known.get(cls)
        if known is None:
            self._known[cls] = ()
            found: dict[str, Field] = {}
            order = self._inference.hierarchy.order(cls)
            if self._is_dataclass(cls) and not any(
                isinstance(one, Class) and "__init__" in one.methods for one in order
            ):
                for owner in reversed(order):
                    if isinstance(owner, Class):
                        found.update((field.name, field) for field in _declared(owner))
            known = self._known[cls] = tuple(found.values())
        return known

    def _is_dataclass(self, cls: Class) -> bool:
        """By its own decorator, by a base from outside whose subclasses are such, or as a typed dictionary."""
        return (
            self.is_dictionary(cls)
            or has_role(self._inference, cls.code, RoleKind.DATACLASS)
            or any(
                isinstance(base, str) and role_of(self._inference, ClassObject(base)) is RoleKind.DATACLASS
                for base in self._inference.hierarchy.order(cls)
            )
        )

    def is_dictionary(self, cls: Class) -> bool:
        """Whether a class is a typed dictionary: plain data, of which each entry may decide a branch."""
        return self._inference.hierarchy.is_subclass(cls, "typing.TypedDict")

    def made(self, cls: Class, arguments: Arguments) -> Frame | None:
        """What a call gives the fields of a new object, as far as it matters: the class body as a frame."""
        fields = self.of(cls)
        if not fields or arguments.is_open:
            return None
        decisive = (
            {field.name for field in fields} if self.is_dictionary(cls) else self._inference.attributes.decisive(cls)
        )
        params = [ir.Parameter(field.name, ir.ParamKind.POSITIONAL) for field in fields]
        bound = arguments.bind(params)
        kept = [
            values if values and self._is_kept(field, values, field.name in decisive) else None
            for field, given in zip(fields, bound, strict=True)
            for values in (self._default(field) if given is None else evaluated(given),)
        ]
        return self._inference.frame(cls.code, cls.frame.closure, tuple(kept)) if any(kept) else None

    def _is_kept(self, field: Field, values: Values, is_decisive: bool) -> bool:
        if values in ((NONE,), EMPTY) or (is_decisive and all(isinstance(value, Constant) for value in values)):
            return True
        return is_telling(values) and self._is_open(field)

    def _default(self, field: Field) -> Values:
        """What a field is when a call does not give it: a constant, or the empty tuple."""
        node = field.owner.code.scope.nodes[field.ref]
        default = (
            field.owner.code.scope.nodes[node.value] if isinstance(node, ir.Declared) and node.value >= 0 else None
        )
        if isinstance(default, ir.Const):
            return (constant(default.value),)
        is_empty = isinstance(default, ir.Display) and default.class_name == "tuple" and not default.elements
        return EMPTY if is_empty else NOTHING

    def value(self, instance: Instance, cls: Class, name: str) -> Values | None:
        """What an object was given for a field; of an unknown one, where the annotation says nothing, what any was."""
        fields = self.of(cls)
        if not fields:
            return None
        index = next((index for index, field in enumerate(fields) if field.name == name), None)
        if index is None:
            return None
        made = instance.made
        if made is not None and made.code is cls.code and made.arguments:  # of too many, no arguments are told apart
            return made.arguments[index]
        if not self._is_open(fields[index]):
            return None
        return self._inference.callers.of_field(cls, index, name) or None

    def _is_open(self, field: Field) -> bool:
        """Whether a field's annotation leaves it to the call what it is: `Any`, `Callable`, a protocol."""
        node = field.owner.code.scope.nodes[field.ref]
        annotation = node.annotation if isinstance(node, ir.Declared) else ir.UNKNOWN
        declared = self._inference.declared(field.owner.frame, annotation)
        return not any(map(is_informative, declared)) or self._inference.calls.is_interface(declared)


def iterations(scope: ir.Scope) -> Iterator[tuple[ir.NodeRange, ir.Attr]]:
    """The blocks of a scope that run for each element of an attribute, which may turn out to be empty."""
    for block in scope.blocks:
        head = scope.nodes[block.head] if block.head >= 0 else None
        iterated = scope.nodes[head.value] if isinstance(head, ir.Next) and head.value >= 0 else None
        if isinstance(iterated, ir.Attr):
            yield block.body, iterated


def _declared(owner: Class) -> list[Field]:
    """The annotated variables of a class body."""
    scope = owner.code.scope
    found = [
        Field(name, owner, refs[-1])
        for name, refs in scope.bindings.items()
        if refs[-1] >= 0 and isinstance(scope.nodes[refs[-1]], ir.Declared) and not _is_left_out(owner, refs[-1])
    ]
    return sorted(found, key=lambda field: field.ref)


def _is_left_out(owner: Class, ref: ir.Ref) -> bool:
    """Whether the constructor does not take a variable: it is one of the class, or `field(init=False)`."""
    scope = owner.code.scope
    node = scope.nodes[ref]
    assert isinstance(node, ir.Declared)
    value = scope.nodes[node.value] if node.value >= 0 else None
    if isinstance(value, ir.Call) and any(name == "init" for name, _ in value.keywords):
        return True
    annotation = scope.nodes[node.annotation] if node.annotation >= 0 else None
    if isinstance(annotation, ir.Item) and annotation.value >= 0:
        annotation = scope.nodes[annotation.value]
    return mentioned_name(owner.code.module, annotation) in _NEVER_FIELDS
