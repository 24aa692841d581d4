"""One module's text becomes its summary.

Stage: summarise, the only one that parses for analysis. Pure: the same text gives the same summary, whatever file it is
in; so summaries are cached by content and made in any process.
"""

from __future__ import annotations

import ast
import contextlib
import sys
import warnings
from collections.abc import Iterator
from typing import Final

from loopsafe.summary import ir
from loopsafe.summary.places import Places
from loopsafe.summary.statements import StatementReader

FORMAT: Final = 14
"""Raised whenever the same text would give another summary: part of the key under which summaries are cached."""

_PREFIX: Final = "LSA"
"""What the codes of our rules begin with."""
_DEEPEST: Final = 12_000 if sys.version_info >= (3, 11) else 3_000
"""Recursion limit while reading. Generated code nests a few hundred levels, each takes a handful of frames; before
Python 3.11 each frame also takes half a kilobyte of the machine's stack."""


def summarise(text: str, tree: ast.Module | None = None) -> ir.ModuleSummary:
    """The facts of a module, from its text without byte order mark, and its tree if that has been parsed already.

    Text that is no Python, or nests too deeply, gives an empty summary with a `problem`; nothing is raised.
    """
    try:
        with _deep_recursion():
            if tree is None:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    tree = ast.parse(text)
            return _read_module(tree, text)
    except SyntaxError as error:
        return _failed(_describe(error), error.lineno or 1, max(error.offset or 1, 1))
    except (RecursionError, MemoryError):
        return _failed("Too deeply nested to be analysed", 1, 1)
    except ValueError as error:
        return _failed(str(error).capitalize(), 1, 1)


def _read_module(tree: ast.Module, text: str) -> ir.ModuleSummary:
    reader = StatementReader(Places(text))
    reader.read_block(tree.body)
    scopes = tuple(scope.freeze(scope.index in reader.parents) for scope in reader.scopes)
    return ir.ModuleSummary(
        has_async=reader.has_async,
        imports=tuple(sorted(reader.imports)),
        called=tuple(sorted(reader.called)),
        stored=tuple(sorted(reader.stored)),
        overridden=tuple(sorted(reader.overridden - {""})),
        implicit=tuple(sorted(reader.implicit)),
        methods=tuple(sorted(reader.methods)),
        mentioned=tuple(sorted(reader.mentioned)),
        beginnings=tuple(sorted(reader.beginnings)) if "getattr" in reader.called else (),
        problem=None,
        mentions_codes=_PREFIX in text,
        scopes=scopes,
    )


def _failed(message: str, row: int, column: int) -> ir.ModuleSummary:
    problem = ir.SyntaxProblem(message, row, column)
    return ir.ModuleSummary(False, (), (), (), (), (), (), (), (), problem, mentions_codes=False, scopes=())


def _describe(error: SyntaxError) -> str:
    message = error.msg or "Invalid syntax"
    return message[0].upper() + message[1:]


@contextlib.contextmanager
def _deep_recursion() -> Iterator[None]:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _DEEPEST))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)
