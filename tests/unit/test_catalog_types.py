"""Type expressions: what each form of the notation becomes."""

from __future__ import annotations

import pytest

from loopsafe.catalog import NONE, SELF, UNKNOWN, Named, TypeExpr, Union
from loopsafe.catalog.types import InvalidType, awaitable, parse_type, union

STR = Named("builtins.str")
INT = Named("builtins.int")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("str", STR),
        ("requests.Session", Named("requests.Session")),
        ("Self", SELF),
        ("None", NONE),
        ("Any", UNKNOWN),
        ("str | None", Union((STR, NONE))),
        ("str | int | str", Union((STR, INT))),
        ("str | str", STR),
        ("list[str]", Named("builtins.list", (STR,))),
        ("dict[str, int]", Named("builtins.dict", (STR, INT))),
        ("tuple[str, int]", Named("builtins.tuple", (STR, INT))),
        ("type[a.B]", Named("builtins.type", (Named("a.B"),))),
        ("Iterator[Self]", Named("typing.Iterator", (SELF,))),
        ("Awaitable[a.B]", Named("typing.Awaitable", (Named("a.B"),))),
        ("AsyncIterator[bytes]", Named("typing.AsyncIterator", (Named("builtins.bytes"),))),
        ("ContextManager[a.B | None]", Named("typing.ContextManager", (Union((Named("a.B"), NONE)),))),
        ("AsyncContextManager[Any]", Named("typing.AsyncContextManager", (UNKNOWN,))),
        ("Callable[list[int]]", Named("typing.Callable", (Named("builtins.list", (INT,)),))),
        ("  str ", STR),
    ],
)
def test_notation(text: str, expected: TypeExpr) -> None:
    assert parse_type(text) == expected


@pytest.mark.parametrize("text", ["", "str |", "list[", "Strin", "f()", "1", "'str'", "a.b[0].c", "len", "list[str]]"])
def test_what_is_no_type_expression(text: str) -> None:
    with pytest.raises(InvalidType):
        parse_type(text)


def test_names_go_through_the_aliases() -> None:
    aliases = {"a.Old": "a.New"}
    found = parse_type("list[a.Old] | a.Other", lambda name: aliases.get(name, name))
    assert found == Union((Named("builtins.list", (Named("a.New"),)), Named("a.Other")))


def test_unions_are_flat() -> None:
    inner = Union((STR, NONE))
    assert union((inner, INT, STR)) == Union((STR, NONE, INT))


def test_awaitable() -> None:
    assert awaitable(STR) == parse_type("Awaitable[str]")
