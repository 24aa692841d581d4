"""Stage fix: where a new `import` goes, and with which blank rows, so that isort and black accept it.

Knows statements and rows only; whether an import is needed is for `names` to say.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable
from itertools import takewhile
from typing import Final, NamedTuple, TypeAlias

from loopsafe.fixes.places import Refusal, first_row
from loopsafe.model import Edit, Position

_COOKIE: Final = re.compile(r"#.*?coding[:=]")
_Import = ast.Import | ast.ImportFrom
Wanted: TypeAlias = str
"""What is to be imported: `module`, or `module:name` for a name of it."""


class _Landing(NamedTuple):
    """In front of which row new imports go, with how many blank rows before and after them."""

    row: int
    before: int
    after: int


class Imports:
    """The import statements at the head of one file, and room for more."""

    def __init__(self, module: ast.Module, rows: list[str], newline: str) -> None:
        self._body = module.body
        self._rows = rows
        self._newline = newline
        self._head = _count_head(module.body)
        self._groups = self._find_groups()

    def add(self, modules: Iterable[Wanted], variables: Iterable[str] = ()) -> list[Edit]:
        """Return the insertions that import `modules`, or refuse where no row can be put in.

        `variables` are statements that go below all imports of the module.
        """
        landings: dict[_Landing, list[str]] = {}
        for module in sorted(set(modules)):
            landings.setdefault(self._land(module), []).append(module)
        edits: list[Edit] = []
        for edit in (
            self._edit(landing, [_write(name) for name in names]) for landing, names in sorted(landings.items())
        ):
            if edits and edits[-1].start == edit.start:
                edit = Edit(edit.start, edit.end, edits.pop().content + edit.content)
            edits.append(edit)
        return [*edits, *self._declare(sorted(set(variables)))]

    def _declare(self, variables: list[str]) -> list[Edit]:
        """Return the insertion of statements below the imports."""
        if not variables:
            return []
        last = self._groups[-1][-1] if self._groups else self._body[self._head - 1] if self._head else None
        row = self._row_after_header() if last is None else self._row_after(last)
        return [self._edit(_Landing(row, int(row > 1), self._missing_blanks(row)), variables)]

    def _edit(self, landing: _Landing, statements: list[str]) -> Edit:
        row = landing.row
        if row > 1 and self._row(row - 1).rstrip("\r\n").endswith("\\"):
            raise Refusal("no row for the import: the place is inside a continued row")
        new = [""] * landing.before + statements + [""] * landing.after
        if row > len(self._rows) and self._rows and not self._rows[-1].endswith(("\n", "\r")):
            end = Position(len(self._rows), len(self._rows[-1]) + 1)
            return Edit(end, end, "".join(self._newline + one for one in new))
        return Edit(Position(row, 1), Position(row, 1), "".join(one + self._newline for one in new))

    def _land(self, module: Wanted) -> _Landing:
        section = _section(module.partition(":")[0])
        for group in self._groups:
            if _section_of(group[0]) == section:
                return self._land_in(group, module)
        for group in self._groups:
            if _section_of(group[0]) > section:
                return self._land_before(group[0])
        if self._groups:
            return _Landing(self._row_after(self._groups[-1][-1]), 1, 0)
        if self._head:
            row = self._row_after(self._body[self._head - 1])
            return _Landing(row, 1, self._missing_blanks(row))
        row = self._row_after_header()
        return _Landing(row, int(row > 1 and not self._is_blank(row - 1)), self._missing_blanks(row))

    def _land_in(self, group: list[_Import], module: Wanted) -> _Landing:
        """Keep the order of a group: plain imports before `from` imports, or all by module name."""
        plain = list(takewhile(lambda one: isinstance(one, ast.Import), group))
        is_split = not any(isinstance(one, ast.Import) for one in group[len(plain) :])
        name, _, member = module.partition(":")
        candidates = (group[len(plain) :] if member else plain) if is_split else group
        keys = [_key(one) for one in candidates]
        earlier = [one for one in candidates if _key(one) < (name.casefold(),)]
        if member and is_split and plain and not earlier:
            return _Landing(self._row_after(plain[-1]), 0, 0)
        if not earlier or keys != sorted(keys):
            first = group[0]
            is_free = first_row(first) > max([0, *(one.end_lineno or 0 for one in self._body[: self._index(first)])])
            return _Landing(first.lineno, 0, 0) if is_free else _Landing(self._row_after(first), 0, 0)
        return _Landing(self._row_after(earlier[-1]), 0, 0)

    def _land_before(self, first: _Import) -> _Landing:
        """Make a group of its own above `first` and the comments that belong to it."""
        index = self._index(first)
        end = max([0, *(one.end_lineno or 0 for one in self._body[:index])])
        if first.lineno <= end:
            return _Landing(self._row_after(first), 0, 0)
        row = first.lineno
        while row - 1 > end and self._row(row - 1).lstrip().startswith("#"):
            row -= 1
        if row == 1:  # comments at the very top speak about the file
            return _Landing(first.lineno, 0, 1)
        return _Landing(row, int(not self._is_blank(row - 1)), 1)

    def _find_groups(self) -> list[list[_Import]]:
        """Return the first run of import statements, split at blank rows."""
        start = next(
            (index for index in range(self._head, len(self._body)) if isinstance(self._body[index], _Import)),
            None,
        )
        groups: list[list[_Import]] = []
        for statement in self._body[start:] if start is not None else ():
            if not isinstance(statement, ast.Import | ast.ImportFrom):
                break
            if groups and not self._is_parted(groups[-1][-1], statement):
                groups[-1].append(statement)
            else:
                groups.append([statement])
        return groups

    def _is_parted(self, one: ast.stmt, other: ast.stmt) -> bool:
        return any(self._is_blank(row) for row in range((one.end_lineno or one.lineno) + 1, other.lineno))

    def _index(self, statement: ast.stmt) -> int:
        return next(index for index, one in enumerate(self._body) if one is statement)

    def _row_after(self, statement: ast.stmt) -> int:
        """Return the first row after `statement` and after whatever shares its last row."""
        end = statement.end_lineno or statement.lineno
        for other in self._body[self._index(statement) + 1 :]:
            if first_row(other) > end:
                break
            end = other.end_lineno or end
        return end + 1

    def _row_after_header(self) -> int:
        """Return the row after shebang, coding cookie and licence; there is no docstring."""
        row = 1
        while row <= 2 and (self._row(row).startswith("#!") or _COOKIE.match(self._row(row).lstrip())):
            row += 1
        end = row
        while self._row(end).lstrip().startswith("#"):
            end += 1
        # comments that touch the code below speak about it, not about the file
        return end if end > row and self._is_blank(end) else row

    def _missing_blanks(self, row: int) -> int:
        """Return how many blank rows black would add between an import and what is at `row`."""
        there = 0
        while row + there <= len(self._rows) and self._is_blank(row + there):
            there += 1
        following = next((one for one in self._body if first_row(one) >= row), None)
        is_definition = isinstance(following, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        return max((2 if is_definition else 1) - there, 0) if following is not None else 0

    def _is_blank(self, row: int) -> bool:
        return not self._row(row).strip()

    def _row(self, row: int) -> str:
        return self._rows[row - 1] if 0 < row <= len(self._rows) else ""


def _count_head(body: list[ast.stmt]) -> int:
    """Return how many statements must stay in front of any import: docstring and `__future__` imports."""
    head = 0
    match body:
        case [ast.Expr(value=ast.Constant(value=str())), *_]:
            head = 1
    while head < len(body):
        statement = body[head]
        if not isinstance(statement, ast.ImportFrom) or statement.module != "__future__" or statement.level:
            break
        head += 1
    return head


def _section_of(statement: _Import) -> int:
    if isinstance(statement, ast.ImportFrom):
        return 2 if statement.level else _section(statement.module or "")
    return _section(statement.names[0].name)


def _section(module: str) -> int:
    """Return isort's order of sections: standard library, installed packages, relative imports."""
    return 0 if module.partition(".")[0] in sys.stdlib_module_names else 1


def _write(wanted: Wanted) -> str:
    module, _, member = wanted.partition(":")
    return f"from {module} import {member}" if member else f"import {module}"


def _key(statement: _Import) -> tuple[str]:
    name = statement.module if isinstance(statement, ast.ImportFrom) else statement.names[0].name
    return ((name or "").casefold(),)
