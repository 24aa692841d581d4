"""Stage suppress: suppression comments, read by ruff's grammar, with warnings for those that say nothing.

Nothing here knows findings or which codes exist; `suppress` brings the two together.

`# noqa` and `# noqa: CODE` speak about their row; `# ruff: noqa`, `# flake8: noqa` and `# loopsafe: noqa`, on
a line of their own, about the file. `# loopsafe: ignore[CODE]` behind code speaks about its row, on a line of
its own about the next logical line; `# loopsafe: file-ignore[CODE]` about the file.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from typing import Final

import msgspec

from loopsafe.model import Span
from loopsafe.source.comments import Comment, read_comments
from loopsafe.source.layout import joined_rows
from loopsafe.source.noqa import NOQA, NoqaError, read_codes
from loopsafe.source.text import Source

_MAY_HAVE: Final = re.compile(r"noqa|loopsafe[ \t]*:", re.IGNORECASE)
_FILE_NOQA: Final = re.compile(r"#\s*(?:ruff|flake8|loopsafe)\s*:\s*(?=noqa)", re.IGNORECASE)
_TOOLS: Final = ("ruff", "flake8", "loopsafe")
_IGNORE: Final = re.compile(r"#\s*loopsafe\s*:\s*(?P<kind>file-ignore|ignore)\b\s*(?P<codes>\[[^\]#]*\])?")
_CODE: Final = re.compile(r"[A-Z]+[0-9]+")


class Kind(enum.Enum):
    """The four forms; the first two belong to ruff and flake8 as well."""

    NOQA = "noqa"
    FILE_NOQA = "file noqa"
    IGNORE = "ignore"
    FILE_IGNORE = "file-ignore"


class Directive(msgspec.Struct, frozen=True):
    """One suppression comment."""

    kind: Kind
    span: Span
    """From its `#` to the end of its last code, or of what stands for all codes."""
    codes: tuple[str, ...] | None
    """In the order written; None means every code."""
    rows: tuple[int, int] | None
    """First and last row that it speaks about; None means the whole file."""


class Directives(msgspec.Struct, frozen=True):
    """All suppression comments of one file."""

    items: tuple[Directive, ...] = ()
    warnings: tuple[str, ...] = ()
    """About comments that look like directives and are none, for people, in ruff's words."""


EMPTY: Final = Directives()


def has_directives(text: str) -> bool:
    """Tell, quickly, whether there may be a directive in `text`; most files are spared the tokenizer."""
    return _MAY_HAVE.search(text) is not None


def read_directives(source: Source) -> Directives:
    """Return the suppression comments of `source`."""
    if not has_directives(source.text):
        return EMPTY
    items: list[Directive] = []
    warnings: list[str] = []
    for comment in read_comments(source.text):
        if has_directives(comment.text):
            items += _read_noqa(comment, source.path, warnings)
            items += _read_file_noqa(comment, source.path, warnings)
            items += _read_ignores(comment, source, warnings)
    return Directives(tuple(items), tuple(warnings))


def _read_noqa(comment: Comment, path: str, warnings: list[str]) -> Iterator[Directive]:
    match = NOQA.search(comment.text)  # only the first one of a comment counts
    if match is None:
        return
    try:
        codes = read_codes(comment.text, match.end())
    except NoqaError as error:
        warnings.append(f"Invalid `# noqa` directive on {path}:{comment.row}: {error}")
        return
    warnings += [f"Missing or joined rule code(s) at {path}:{comment.row}: {text}" for text in codes.warnings]
    span = _span(comment, match.start(), codes.end)
    yield Directive(Kind.NOQA, span, codes.codes, (comment.row, comment.row))


def _read_file_noqa(comment: Comment, path: str, warnings: list[str]) -> Iterator[Directive]:
    match = next((m for m in _FILE_NOQA.finditer(comment.text) if _names_tool(m[0])), None)
    if match is None:
        return
    place = f"{path}:{comment.row}"
    tool = "loopsafe" if "loopsafe" in match[0] else "ruff"
    try:
        codes = read_codes(comment.text, match.end() + len("noqa"))
    except NoqaError as error:
        warnings.append(f"Invalid `# {tool}: noqa` directive at {place}: {error}")
        return
    warnings += [f"Missing or joined rule code(s) at {place}: {text}" for text in codes.warnings]
    if not comment.is_own_line:
        warnings.append(
            f"Unexpected `# {tool}: noqa` directive at {place}. File-level suppression comments must appear "
            f"on their own line. For line-level suppression, omit the `{tool}:` prefix."
        )
        return
    yield Directive(Kind.FILE_NOQA, _span(comment, match.start(), codes.end), codes.codes, None)


def _names_tool(head: str) -> bool:
    """Tell whether the name of the tool is in lower case, unlike `noqa` the only spelling that counts."""
    return head.lstrip("# \t").startswith(_TOOLS)


def _read_ignores(comment: Comment, source: Source, warnings: list[str]) -> Iterator[Directive]:
    for match in _IGNORE.finditer(comment.text):
        kind = Kind(match["kind"])
        codes, problem = _read_list(match["codes"])
        if kind is Kind.FILE_IGNORE and not comment.is_own_line:
            problem = "it speaks about the whole file and must stand on a line of its own"
        elif kind is Kind.FILE_IGNORE and (comment.column > 1 or comment.is_nested):
            problem = "it speaks about the whole file and must stand at the left margin"
        if problem:
            place = f"{source.path}:{comment.row}"
            warnings.append(f"Invalid `# loopsafe: {kind.value}` directive on {place}: {problem}.")
            continue
        rows = None if kind is Kind.FILE_IGNORE else _ignored_rows(comment, source)
        yield Directive(kind, _span(comment, match.start(), match.end()), codes, rows)


def _read_list(text: str | None) -> tuple[tuple[str, ...], str | None]:
    """Return the codes in brackets, and what is wrong with them."""
    codes = tuple(code for code in (part.strip() for part in (text or "[]")[1:-1].split(",")) if code)
    if not codes:
        return (), "expected codes in brackets (e.g., `[LSA101, LSA102]`)"
    wrong = next((code for code in codes if not _CODE.fullmatch(code)), None)
    return codes, None if wrong is None else f"`{wrong}` is not a code such as `LSA101`"


def _ignored_rows(comment: Comment, source: Source) -> tuple[int, int]:
    if not comment.is_own_line:
        return (comment.row, comment.row)
    if comment.next_rows is None:
        return (comment.row, comment.row)  # the end of the file: nothing to ignore
    first, last = comment.next_rows
    return first, joined_rows(source.text).get(last, last)


def _span(comment: Comment, start: int, end: int) -> Span:
    return Span(comment.row, comment.column + start, comment.row, comment.column + end)
