"""What a suppression comment says, by ruff's grammar."""

from __future__ import annotations

import pytest

from loopsafe.source import decode
from loopsafe.source.directives import Directives, Kind, has_directives, read_directives

NO_CODES = "expected a comma-separated list of codes (e.g., `# noqa: F401, F841`)."
NO_COLON = "expected `:` followed by a comma-separated list of codes (e.g., `# noqa: F401, F841`)."
BAD_CODE = "expected code to consist of uppercase letters followed by digits only (e.g. `F401`)"


def parse(text: str) -> Directives:
    return read_directives(decode("a.py", text.encode()))


@pytest.mark.parametrize(
    ("comment", "codes"),
    [
        ("# noqa", None),
        ("#noqa", None),
        ("# NoQA", None),
        ("#\tnoqa", None),
        ("### noqa", None),
        ("# noqa because it is so", None),
        ("# noqa#", None),
        ("# noqa LSA101", None),
        ("# noqa: LSA101", ("LSA101",)),
        ("#noqa:LSA101", ("LSA101",)),
        ("# noqa : LSA101", ("LSA101",)),
        ("# noqa:LSA101,", ("LSA101",)),
        ("# noqa: E501, LSA101", ("E501", "LSA101")),
        ("# noqa: E501 LSA101", ("E501", "LSA101")),
        ("# noqa: E501,   LSA101", ("E501", "LSA101")),
        ("# noqa: LSA101 kept for users", ("LSA101",)),
        ("# noqa: LSA101, because", ("LSA101",)),
        ("# noqa: LSA101 - LSA102", ("LSA101",)),
        ("# noqa: LSA101#other", ("LSA101",)),
        ("# noqa: LSA1", ("LSA1",)),
        ("# type: ignore # noqa: LSA101", ("LSA101",)),
        ("# a # noqa: LSA101 # b", ("LSA101",)),
        ("# a# noqa", None),
        ("# noqa: LSA101 # noqa: LSA102", ("LSA101",)),
    ],
)
def test_noqa_for_a_row(comment: str, codes: tuple[str, ...] | None) -> None:
    found = parse(f"x = 1\nf()  {comment}\n")
    assert [(item.kind, item.codes, item.rows) for item in found.items] == [(Kind.NOQA, codes, (2, 2))]
    assert found.warnings == ()


@pytest.mark.parametrize(
    "text",
    [
        "f()  # keep this, noqa: LSA101\n",
        "f('# noqa')\n",
        "'''\n# noqa: LSA101\n'''\n",
        "noqa = 1  # no qa\n",
        "f()  # ruff: ignore[LSA101]\n",
        "# Loopsafe: ignore[LSA101]\nf()\n",
        "# Ruff: NOQA\nf()\n",
        "f()  # loopsafe ignore[LSA101]\n",
    ],
)
def test_what_is_no_directive(text: str) -> None:
    assert parse(text) == Directives()


@pytest.mark.parametrize(
    ("comment", "reason"),
    [
        ("# noqa:", NO_CODES),
        ("# noqa: lsa101", NO_CODES),
        ("# noqa: LSA", NO_CODES),
        ("# noqa: blah", NO_CODES),
        ("# noqa: !!", NO_CODES),
        ("# noqa: blocking-network-call", NO_CODES),
        ("# noqa:blah LSA101", NO_CODES),
        ("# noqa-LSA101", NO_COLON),
        ("# noqaX", NO_COLON),
        ("# noqa:LSA101- because", BAD_CODE),
        ("# noqa:LSA101;", BAD_CODE),
        ("# noqa: LSA101abc", BAD_CODE),
        ("# noqa: LSA101F401Fabc", BAD_CODE),
    ],
)
def test_noqa_that_says_nothing_is_warned_of(comment: str, reason: str) -> None:
    found = parse(f"f()  {comment}\n")
    assert found.items == ()
    assert [text for text in found.warnings if "joined" not in text] == [
        f"Invalid `# noqa` directive on a.py:1: {reason}"
    ]


@pytest.mark.parametrize(
    ("comment", "codes", "reason"),
    [
        ("# noqa: E501LSA101", ("E501", "LSA101"), "expected comma or space delimiter between codes"),
        ("# noqa: E501,,LSA101", ("E501", "LSA101"), "expected rule code between commas"),
        ("# noqa:,LSA101", ("LSA101",), "expected rule code between commas"),
    ],
)
def test_noqa_that_is_understood_but_untidy(comment: str, codes: tuple[str, ...], reason: str) -> None:
    found = parse(f"f()  {comment}\n")
    assert [item.codes for item in found.items] == [codes]
    assert found.warnings == (f"Missing or joined rule code(s) at a.py:1: {reason}",)


@pytest.mark.parametrize("tool", ["ruff", "flake8", "loopsafe"])
@pytest.mark.parametrize(
    ("form", "codes"),
    [
        ("# {}: noqa", None),
        ("#{}:noqa", None),
        ("#  {} :  NOQA", None),
        ("# {}: noqa LSA101", None),
        ("# {}: noqa: LSA101", ("LSA101",)),
        ("# {}: noqa : LSA101, LSA102 reason", ("LSA101", "LSA102")),
        ("# see below # {}: noqa", None),
    ],
)
def test_noqa_for_the_file(tool: str, form: str, codes: tuple[str, ...] | None) -> None:
    comment = form.format(tool)
    for text in (f"{comment}\nf()\n", f"f()\n{comment}\n", f"if x:\n    {comment}\n    f()\n"):
        found = parse(text)
        assert [(item.kind, item.codes, item.rows) for item in found.items] == [(Kind.FILE_NOQA, codes, None)]
        assert found.warnings == ()


def test_noqa_for_the_file_behind_code_is_warned_of() -> None:
    assert parse("f()  # ruff: noqa: LSA101\n") == Directives(
        (),
        (
            "Unexpected `# ruff: noqa` directive at a.py:1. File-level suppression comments must appear on"
            " their own line. For line-level suppression, omit the `ruff:` prefix.",
        ),
    )
    assert "`# loopsafe: noqa`" in parse("f()  # loopsafe: noqa\n").warnings[0]


@pytest.mark.parametrize(("rest", "reason"), [(": lsa101", NO_CODES), (":", NO_CODES), ("-x", NO_COLON)])
def test_noqa_for_the_file_that_says_nothing(rest: str, reason: str) -> None:
    assert parse(f"# loopsafe: noqa{rest}\n") == Directives(
        (), (f"Invalid `# loopsafe: noqa` directive at a.py:1: {reason}",)
    )


@pytest.mark.parametrize(
    "comment",
    [
        "# loopsafe: ignore[LSA101, LSA102]",
        "#loopsafe:ignore[LSA101,LSA102,]",
        "# loopsafe : ignore [ LSA101 , LSA102 ] because",
        "# other # loopsafe: ignore[LSA101,LSA102]because",
    ],
)
def test_ignore_behind_code_speaks_about_its_row(comment: str) -> None:
    found = parse(f"g()\nf(  {comment}\n    1)\n")
    expected = [(Kind.IGNORE, ("LSA101", "LSA102"), (2, 2))]
    assert [(item.kind, item.codes, item.rows) for item in found.items] == expected


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        pytest.param("#I\nf()\ng()\n", (2, 2), id="the next line"),
        pytest.param("#I\n\n# more\nf()\ng()\n", (4, 4), id="over blank lines and comments"),
        pytest.param("#I\nf(\n    1,\n)\ng()\n", (2, 4), id="a statement over several rows"),
        pytest.param("#I\nf(); g(); '''\n'''\nh()\n", (2, 3), id="several statements in a row"),
        pytest.param("#I\nf() + \\\n    g()\n", (2, 3), id="joined rows"),
        pytest.param("#I\nasync def f(\n    x,\n):\n    g()\n", (2, 4), id="the header, not the body"),
        pytest.param("#I\nif x:\n    g()\n", (2, 2), id="the condition, not the body"),
        pytest.param("#I\nif x: g()\nh()\n", (2, 2), id="a body in the same row"),
        pytest.param("#I\n@f\n@g\ndef h(): ...\n", (2, 2), id="one decorator"),
        pytest.param("def f():\n    pass\n    #I\ng()\n", (4, 4), id="at the end of a block"),
        pytest.param("x = [\n    #I\n    f(\n    1),\n    g()]\n", (3, 3), id="in brackets only a row"),
        pytest.param("x = [\n    #I\n\n    # more\n    f(),\n]\n", (5, 5), id="the next row with code"),
        pytest.param("x = [\n    #I\n    '''\n    ''' + f(),\n]\n", (3, 4), id="a string over several rows"),
        pytest.param("f()\n#I\n", (2, 2), id="nothing follows"),
    ],
)
def test_ignore_on_its_own_line_speaks_about_what_follows(text: str, rows: tuple[int, int]) -> None:
    found = parse(text.replace("#I", "# loopsafe: ignore[LSA101]"))
    assert [item.rows for item in found.items] == [rows]


def test_ignores_can_be_stacked() -> None:
    found = parse("# loopsafe: ignore[LSA101]\n# loopsafe: ignore[LSA102] # loopsafe: ignore[LSA103]\nf()\n")
    assert [(item.codes, item.rows) for item in found.items] == [
        (("LSA101",), (3, 3)),
        (("LSA102",), (3, 3)),
        (("LSA103",), (3, 3)),
    ]


def test_file_ignore_at_the_margin_speaks_about_the_file() -> None:
    found = parse('"""Text."""\n#loopsafe: file-ignore[LSA101,]\n')
    assert [(i.kind, i.codes, i.rows) for i in found.items] == [(Kind.FILE_IGNORE, ("LSA101",), None)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("f()  # loopsafe: ignore\n", ["`# loopsafe: ignore`", "a.py:1", "codes in brackets"]),
        ("f()  # loopsafe: ignore[]\n", ["codes in brackets"]),
        ("f()  # loopsafe: ignore LSA101\n", ["codes in brackets"]),
        ("f()  # loopsafe: ignore[LSA101\n", ["codes in brackets"]),
        ("f()  # loopsafe: ignore[lsa101]\n", ["`lsa101`"]),
        ("f()  # loopsafe: ignore[blocking-network-call]\n", ["`blocking-network-call`"]),
        ("f()  # loopsafe: file-ignore[LSA101]\n", ["`# loopsafe: file-ignore`", "line of its own"]),
        ("if x:\n    # loopsafe: file-ignore[LSA101]\n    f()\n", ["a.py:2", "margin"]),
    ],
)
def test_ignore_that_says_nothing_is_warned_of(text: str, words: list[str]) -> None:
    found = parse(text)
    assert found.items == ()
    assert len(found.warnings) == 1
    assert [word for word in words if word not in found.warnings[0]] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("f()  # noqa: LSA101, E501 why\n", "# noqa: LSA101, E501"),
        ("f()  # a # noqa because\n", "# noqa"),
        ("é()  # loopsafe: ignore[LSA101] why\n", "# loopsafe: ignore[LSA101]"),
        ("# loopsafe: noqa: LSA101\n", "# loopsafe: noqa: LSA101"),
    ],
)
def test_span_covers_the_directive_without_the_reason(text: str, expected: str) -> None:
    (item,) = parse(text).items
    assert text[item.span.column - 1 : item.span.end_column - 1] == expected


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_all_row_ends_are_alike(end: str) -> None:
    found = parse(end.join(["x = '''", "''' # noqa: E1", "# loopsafe: ignore[LSA101]", "f(", ")", ""]))
    assert [item.rows for item in found.items] == [(2, 2), (4, 5)]


@pytest.mark.parametrize("text", ["f(  # noqa\n", "'''\n", "def f(:  # noqa\n  x\n y\n", "\\", "f\0"])
def test_text_that_does_not_parse_is_no_crash(text: str) -> None:
    from loopsafe.source.text import Source

    read_directives(Source("a.py", b"", text + "# noqa"))


def test_most_files_need_no_tokenizer() -> None:
    assert has_directives("f()  # NOQA")
    assert has_directives("# loopsafe : ignore[X1]")
    assert not has_directives("import loopsafe\nloopsafe.check()\n")
