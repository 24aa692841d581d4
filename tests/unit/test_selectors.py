"""Which rules are on."""

from __future__ import annotations

import pytest

from loopsafe.config import Selection, resolve
from loopsafe.model import LoopsafeError

KNOWN = {"LSA100": False, "LSA101": True, "LSA102": True, "LSA111": True, "LSA201": False, "ACM001": True}
DEFAULT = {code for code, is_default in KNOWN.items() if is_default}


@pytest.mark.parametrize(
    ("select", "ignore", "extend", "expected"),
    [
        pytest.param("", "", "", DEFAULT, id="the defaults"),
        pytest.param("LSA101", "", "", {"LSA101"}, id="select replaces the defaults"),
        pytest.param("LSA1", "", "", {"LSA100", "LSA101", "LSA102", "LSA111"}, id="a prefix"),
        pytest.param("LSA10", "", "", {"LSA100", "LSA101", "LSA102"}, id="a longer prefix"),
        pytest.param("ALL", "", "", set(KNOWN), id="everything"),
        pytest.param("", "", "LSA100", DEFAULT | {"LSA100"}, id="extend-select adds to the defaults"),
        pytest.param("LSA201", "", "ACM", {"LSA201", "ACM001"}, id="extend-select adds to select"),
        pytest.param("", "LSA1", "", {"ACM001"}, id="ignore takes from the defaults"),
        pytest.param("LSA101", "LSA1", "", {"LSA101"}, id="the longer selector wins"),
        pytest.param("LSA1", "LSA101", "", {"LSA100", "LSA102", "LSA111"}, id="also when it ignores"),
        pytest.param("LSA101", "LSA101", "", set(), id="at equal length ignore wins"),
        pytest.param("", "LSA101", "LSA101", DEFAULT - {"LSA101"}, id="over extend-select too"),
        pytest.param("ALL", "ALL", "", set(), id="over ALL too"),
        pytest.param("", "ALL", "", set(), id="ignore everything"),
        pytest.param("ALL", "ACM", "", set(KNOWN) - {"ACM001"}, id="any prefix is longer than ALL"),
        pytest.param("LSA", "ALL", "", {c for c in KNOWN if c.startswith("LSA")}, id="also against ignore"),
    ],
)
def test_resolve(select: str, ignore: str, extend: str, expected: set[str]) -> None:
    chosen = [tuple(filter(None, text.split(","))) for text in (select, ignore, extend)]
    assert resolve(Selection(*chosen), known=KNOWN) == expected


@pytest.mark.parametrize("selector", ["", "ZZZ", "lsa101", "LS", "L", "LSA9", "LSA1011", "E902", " LSA1", "all"])
@pytest.mark.parametrize("option", ["select", "ignore", "extend-select"])
def test_unknown_selector_is_named(selector: str, option: str) -> None:
    chosen = {"select": (), "ignore": (), "extend-select": ()} | {option: ("LSA101", selector)}
    with pytest.raises(LoopsafeError, match=f"^Unknown rule selector `{selector}` in `{option}` from the CLI$"):
        resolve(Selection(*chosen.values()), known=KNOWN)


FILE = Selection(select=("LSA1",), ignore=("LSA102",), extend_select=("ACM001",), origin="loopsafe.toml")
FROM_FILE = {"LSA100", "LSA101", "LSA111", "ACM001"}


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        pytest.param(Selection(), FROM_FILE, id="nothing"),
        pytest.param(Selection(select=("LSA102",)), {"LSA102"}, id="select begins anew"),
        pytest.param(Selection(extend_select=("LSA102",)), FROM_FILE | {"LSA102"}, id="extend-select beats ignore"),
        pytest.param(Selection(ignore=("LSA1",)), {"ACM001"}, id="ignore beats a longer select"),
        pytest.param(
            Selection(ignore=("LSA1",), extend_select=("LSA101",)), {"LSA101", "ACM001"}, id="the longer one decides"
        ),
        pytest.param(Selection(ignore=("ALL",)), set(), id="ignore everything"),
    ],
)
def test_a_later_selection_overrules_an_earlier_one(later: Selection, expected: set[str]) -> None:
    assert resolve(FILE, later, known=KNOWN) == expected


def test_the_origin_of_an_unknown_selector_is_named() -> None:
    with pytest.raises(LoopsafeError, match=r"^Unknown rule selector `NO` in `ignore` from loopsafe\.toml$"):
        resolve(Selection(ignore=("NO",), origin="loopsafe.toml"), Selection(), known=KNOWN)
