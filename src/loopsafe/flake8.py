"""The flake8 plugin: the engine's findings under flake8's own options, output and `# noqa`.

The project is checked once, before flake8 starts its workers: those that are forked inherit the findings, those that are
spawned ask again and get them from the cache on disk. Selecting codes and honouring comments is flake8's part.
"""

from __future__ import annotations

import argparse
import ast
import os
from collections.abc import Iterator, Mapping
from typing import ClassVar, Final

from flake8.exceptions import ExecutionError
from flake8.options.manager import OptionManager

from loopsafe import __version__
from loopsafe.config import Settings, find_root
from loopsafe.model import Diagnostic, LoopsafeError

_STDIN: Final = ("-", "stdin")


class Plugin:
    """What flake8 calls: `parse_options` once per process, then one instance per file."""

    name: ClassVar[str] = "loopsafe"
    version: ClassVar[str] = __version__
    _findings: ClassVar[Mapping[str, list[Diagnostic]]] = {}
    _settings: ClassVar[Settings] = Settings()
    _stdin_name: ClassVar[str | None] = None
    """The name that flake8 gives to standard input, if that is what it checks."""

    def __init__(self, tree: ast.AST, filename: str, lines: list[str]) -> None:
        self._filename: Final = filename
        self._lines: Final = lines

    @classmethod
    def add_options(cls, manager: OptionManager) -> None:
        """Switch off the rules that are off by default everywhere."""
        from loopsafe.plugins import load_extensions

        rules = load_extensions().rules.values()
        manager.extend_default_ignore([rule.code for rule in rules if not rule.default])

    @classmethod
    def parse_options(cls, manager: OptionManager, options: argparse.Namespace, args: list[str]) -> None:
        """Check everything that flake8 was asked to check."""
        paths = list(options.filenames) or ["."]
        cls._stdin_name = options.stdin_display_name if any(path in _STDIN for path in paths) else None
        files = [path for path in paths if path not in _STDIN]
        cls._settings = Settings(
            select=("ALL",),
            ignore_noqa=True,
            respect_gitignore=False,
            proposes_fixes=False,
            root=find_root(files or [os.getcwd()]),
        )
        cls._findings = cls._check(files, {}) if files else {}

    @classmethod
    def _check(cls, paths: list[str], overlays: Mapping[str, bytes]) -> dict[str, list[Diagnostic]]:
        from loopsafe import engine

        try:
            outcome = engine.check(paths, cls._settings, overlays=overlays)
        except LoopsafeError as error:
            raise ExecutionError(f"loopsafe: {error}") from error
        findings: dict[str, list[Diagnostic]] = {os.path.abspath(path): [] for path in outcome.files}
        for one in outcome.diagnostics:
            findings[os.path.abspath(one.path)].append(one)
        return findings

    def run(self) -> Iterator[tuple[int, int, str, type[Plugin]]]:
        """Row, 0-based column, text and plugin for each finding of this file."""
        for one in self._own_findings():
            if one.code.startswith("LSA"):
                yield one.span.row, one.span.column - 1, f"{one.code} {one.message}", type(self)

    def _own_findings(self) -> list[Diagnostic]:
        path = os.path.abspath(self._filename)
        if self._stdin_name is not None and self._filename in (self._stdin_name, *_STDIN):
            found = self._check([self._filename], {self._filename: "".join(self._lines).encode()})
            return found.get(path, [])
        known = self._findings.get(path)
        if known is None:  # flake8 found a file that we exclude
            known = self._check([self._filename], {}).get(path, [])
        return known
