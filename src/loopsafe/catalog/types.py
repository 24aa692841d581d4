"""Type expressions of catalogue files: a small tree and the parser that makes it.

Knows the notation only; whether a name means anything is the catalogue's business.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable
from typing import Final

import msgspec


class Named(msgspec.Struct, frozen=True):
    """A class by its qualified name, with what stands in its brackets."""

    name: str
    args: tuple[TypeExpr, ...] = ()


class Union(msgspec.Struct, frozen=True):
    """Any of several types, in the order written, flat and without repetition."""

    options: tuple[TypeExpr, ...]


class SelfType(msgspec.Struct, frozen=True):
    """The receiver's own class."""


class ElementType(msgspec.Struct, frozen=True):
    """What the receiver, a container, holds; written `Element`."""


class NoneType(msgspec.Struct, frozen=True):
    """The value None."""


class Unknown(msgspec.Struct, frozen=True):
    """Anything; written `Any`."""


TypeExpr = Named | Union | SelfType | ElementType | NoneType | Unknown

SELF: Final = SelfType()
ELEMENT: Final = ElementType()
NONE: Final = NoneType()
UNKNOWN: Final = Unknown()

AWAITABLE: Final = "typing.Awaitable"
"""The name in the tree of what a coroutine function returns."""

FORMS: Final = {
    "Iterator": "typing.Iterator",
    "Awaitable": AWAITABLE,
    "AsyncIterator": "typing.AsyncIterator",
    "ContextManager": "typing.ContextManager",
    "AsyncContextManager": "typing.AsyncContextManager",
    "Callable": "typing.Callable",
}
"""The forms that a type expression may write without a prefix, by their names in the tree."""

_WORDS: Final[dict[str, TypeExpr]] = {"Self": SELF, "Element": ELEMENT, "None": NONE, "Any": UNKNOWN}

_SHOWN: Final = {value: word for word, value in _WORDS.items()}
_SHORT: Final = {name: word for word, name in FORMS.items()}


class InvalidType(ValueError):
    """A type expression that does not follow the notation."""


def awaitable(result: TypeExpr) -> Named:
    """The type of a coroutine function's call, by what awaiting it gives."""
    return Named(AWAITABLE, (result,))


def union(options: tuple[TypeExpr, ...]) -> TypeExpr:
    """Join alternatives: nested unions are flattened, repetitions dropped, one alternative stands alone."""
    flat: dict[TypeExpr, None] = {}
    for option in options:
        inner = option.options if isinstance(option, Union) else (option,)
        flat.update(dict.fromkeys(inner))
    return next(iter(flat)) if len(flat) == 1 else Union(tuple(flat))


def parse_type(text: str, canonical: Callable[[str], str] = str) -> TypeExpr:
    """Read one expression; every dotted name goes through `canonical`. Raises `InvalidType`."""
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise InvalidType(f"`{text}` is not a type expression") from error
    return _convert(tree, text, canonical)


def show_type(found: TypeExpr) -> str:
    """Write a tree in the notation of catalogue files."""
    match found:
        case Named(name, args):
            word = _SHORT.get(name, name.removeprefix("builtins."))
            return f"{word}[{', '.join(map(show_type, args))}]" if args else word
        case Union(options):
            return " | ".join(map(show_type, options))
    return _SHOWN[found]


def _convert(node: ast.expr, text: str, canonical: Callable[[str], str]) -> TypeExpr:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return union((_convert(node.left, text, canonical), _convert(node.right, text, canonical)))
    if isinstance(node, ast.Constant) and node.value is None:
        return NONE
    if isinstance(node, ast.Subscript):
        name = _qualify(_dotted(node.value, text), text, canonical)
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return Named(name, tuple(_convert(item, text, canonical) for item in inner))
    name = _dotted(node, text)
    if name in _WORDS:
        return _WORDS[name]
    return Named(_qualify(name, text, canonical))


def _dotted(node: ast.expr, text: str) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        raise InvalidType(f"`{ast.unparse(node)}` in `{text}` is not a type")
    return ".".join([node.id, *reversed(parts)])


def _qualify(name: str, text: str, canonical: Callable[[str], str]) -> str:
    if "." in name:
        return canonical(name)
    if name in FORMS:
        return FORMS[name]
    if isinstance(getattr(builtins, name, None), type):
        return f"builtins.{name}"
    raise InvalidType(f"`{name}` in `{text}` is neither a builtin class nor a dotted name")
