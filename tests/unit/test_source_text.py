"""Bytes become text with every byte accounted for, and positions count code points."""

from __future__ import annotations

import ast
from hashlib import blake2b
from pathlib import Path

import pytest

from loopsafe.source import UnreadableSource, columns, decode, read, rows


@pytest.mark.parametrize(
    ("data", "text", "encoding", "has_bom", "newline"),
    [
        pytest.param(b"", "", "utf-8", False, "\n", id="an empty file is fine"),
        pytest.param("é = 1\n".encode(), "é = 1\n", "utf-8", False, "\n", id="UTF-8 is the default"),
        pytest.param(b"\xef\xbb\xbfx\n", "x\n", "utf-8", True, "\n", id="the byte order mark is no text"),
        pytest.param(b"a\r\nb\n", "a\r\nb\n", "utf-8", False, "\r\n", id="mixed newlines: the first counts"),
        pytest.param(b"a\rb\n", "a\rb\n", "utf-8", False, "\r", id="a lone carriage return ends a row"),
        pytest.param(b"# coding: latin-1\n\xe9\n", "# coding: latin-1\né\n", "iso-8859-1", False, "\n", id="cookie"),
        pytest.param(
            b"#!/bin/sh\r# vim: set fileencoding=cp1252 :\r\x80",
            "#!/bin/sh\r# vim: set fileencoding=cp1252 :\r€",
            "cp1252",
            False,
            "\r",
            id="cookie in the second row, rows ending in carriage returns",
        ),
        pytest.param(
            b"x = 1\n# coding: latin-1\n",
            "x = 1\n# coding: latin-1\n",
            "utf-8",
            False,
            "\n",
            id="no cookie after code",
        ),
        pytest.param(b"\n\n# coding: latin-1\n", "\n\n# coding: latin-1\n", "utf-8", False, "\n", id="third row"),
        pytest.param(b"# coding: utf8\nx", "# coding: utf8\nx", "utf-8", False, "\n", id="alias of UTF-8"),
    ],
)
def test_decode(data: bytes, text: str, encoding: str, has_bom: bool, newline: str) -> None:
    source = decode("a.py", data)
    assert (source.text, source.encoding, source.has_bom, source.newline) == (
        text,
        encoding,
        has_bom,
        newline,
    )
    assert source.digest == blake2b(data, digest_size=16).hexdigest()
    assert source.encode(source.text) == source.data == data


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"x\0y", ["null byte", "offset 1"], id="null byte"),
        pytest.param(b"\x89PNG\r\n\x1a\n\0\0", ["null byte"], id="a picture"),
        pytest.param(b"x = '\xff'\n", ["utf-8", "0xff", "offset 5"], id="not UTF-8"),
        pytest.param(b"\xef\xbb\xbfx = '\xff'\n", ["utf-8", "offset 8"], id="offsets count the byte order mark"),
        pytest.param(b"# coding: utf-8\n\xff", ["utf-8", "offset 16"], id="not UTF-8 despite the cookie"),
        pytest.param(b"# coding: ascii\n\xff", ["ascii", "offset 16"], id="not ASCII"),
        pytest.param(b"# coding: klingon\n", ["klingon"], id="unknown encoding"),
        pytest.param(b"# coding: rot13\n", ["rot13"], id="a codec, but none for text"),
        pytest.param(b"\xef\xbb\xbf# coding: latin-1\n", ["encoding"], id="mark and cookie disagree"),
        pytest.param(b"# coding: utf-7\n+AAA-", ["null"], id="a null character in disguise"),
    ],
)
def test_unreadable_says_what_is_wrong(data: bytes, words: list[str]) -> None:
    with pytest.raises(UnreadableSource) as caught:
        decode("pkg/a.py", data)
    assert caught.value.path == "pkg/a.py"
    assert [word for word in words if word not in caught.value.message] == []
    assert str(caught.value).startswith("pkg/a.py: ")


def test_read_takes_the_bytes_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_bytes(b"a\r\nb\r")
    assert read(str(path)).data == b"a\r\nb\r"


def test_read_names_the_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UnreadableSource) as caught:
        read(str(tmp_path / "none.py"))
    assert caught.value.message == "No such file or directory (os error 2)"


def test_read_of_a_folder_is_no_crash(tmp_path: Path) -> None:
    with pytest.raises(UnreadableSource):
        read(str(tmp_path))
    with pytest.raises(UnreadableSource):
        read("a\0b")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("a", ["a"]),
        ("a\n", ["a\n"]),
        ("a\r\nb\rc\n\nd", ["a\r\n", "b\r", "c\n", "\n", "d"]),
        ("a\x0bb\x0cc\x1cd\x85e\u2028f\u2029g\n", ["a\x0bb\x0cc\x1cd\x85e\u2028f\u2029g\n"]),
    ],
)
def test_rows_end_where_python_ends_them(text: str, expected: list[str]) -> None:
    assert rows(text) == expected


@pytest.mark.parametrize(
    "row", ["x = f()", "é = 'é'; f()", "a = '😀'; f()", "a = 'e\u0301'; f()", "\t'漢字'; f()", "\x0c'é'; f()"]
)
def test_columns_count_code_points(row: str) -> None:
    call = next(node for node in ast.walk(ast.parse(row.strip("\t"))) if isinstance(node, ast.Call))
    tabs = len(row) - len(row.lstrip("\t"))
    assert columns(row, call.col_offset + tabs) == row.index("f(") + 1
