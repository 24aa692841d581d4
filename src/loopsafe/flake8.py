"""The flake8 plugin: the engine's findings under flake8's own options, output and `# noqa`.

The project is checked once, before flake8 starts its workers: those that are forked inherit the findings, those that
are spawned ask again and get them from the cache on disk. Selecting codes and honouring comments is flake8's part.
"""

from __future__ import annotations

import argparse
import ast
import io
import os
import tokenize
from collections.abc import Iterator, Mapping
from typing import ClassVar, Final

import msgspec
from flake8.discover_files import expand_paths
from flake8.exceptions import ExecutionError
from flake8.options.manager import OptionManager

from loopsafe import __version__
from loopsafe.config import Settings, read_settings
from loopsafe.model import Diagnostic, LoopsafeError

_STDIN: Final = "-"


class Plugin:
    """What flake8 calls: `parse_options` once per process, then one instance per file.

    A plugin of loopsafe that has rules of its own registers a subclass with its own `prefix` as an entry point of the
    same name: flake8 drops codes that begin with no registered name.
    """

    name: ClassVar[str] = "loopsafe"
    version: ClassVar[str] = __version__
    prefix: ClassVar[str] = "LSA"
    """How the codes begin that this entry point speaks for."""

    _findings: ClassVar[Mapping[str, list[Diagnostic]]] = {}
    _settings: ClassVar[Settings] = Settings()
    _options: ClassVar[argparse.Namespace | None] = None
    """Those that the findings are for; shared, as all of the state is, by the subclasses."""

    def __init__(self, tree: ast.AST, filename: str, lines: list[str]) -> None:
        self._filename: Final = filename
        self._lines: Final = lines

    @classmethod
    def add_options(cls, manager: OptionManager) -> None:
        """Switch off the rules that are off by default everywhere."""
        from loopsafe.plugins import load_extensions

        try:
            rules = load_extensions().rules.values()
        except LoopsafeError as error:
            raise ExecutionError(f"loopsafe: {error}") from error
        manager.extend_default_ignore(
            [rule.code for rule in rules if rule.code.startswith(cls.prefix) and not rule.default]
        )

    @classmethod
    def parse_options(cls, manager: OptionManager, options: argparse.Namespace, args: list[str]) -> None:
        """Check everything that flake8 is going to check, however often our entry points are registered."""
        if Plugin._options is options:
            return
        paths = expand_paths(
            paths=options.filenames,
            stdin_display_name=options.stdin_display_name,
            filename_patterns=options.filename,
            exclude=(*options.exclude, *options.extend_exclude),
        )
        files = sorted({path for path in paths if path != _STDIN})
        Plugin._options = options
        Plugin._settings = _settings(options)
        Plugin._findings = _check(files, Plugin._settings, {}) if files else {}

    def run(self) -> Iterator[tuple[int, int, str, type[Plugin]]]:
        """Row, 0-based column, text and plugin for each finding of this file."""
        for one in self._own_findings():
            if one.code.startswith(self.prefix):
                yield one.span.row, one.span.column - 1, f"{one.code} {one.message}", type(self)

    def _own_findings(self) -> list[Diagnostic]:
        path = os.path.abspath(self._filename)
        if self._is_stdin():
            text = {self._filename: _encode("".join(self._lines))}
            return _check([self._filename], self._settings, text).get(path, [])
        known = self._findings.get(path)
        if known is None:  # another plugin gave flake8 a file that was not asked for
            known = _check([self._filename], self._settings, {}).get(path, [])
        return known

    def _is_stdin(self) -> bool:
        options = self._options
        if options is None or _STDIN not in options.filenames:
            return False
        return self._filename in (options.stdin_display_name, _STDIN, "stdin")


def _settings(options: argparse.Namespace) -> Settings:
    """Those of the configuration file, less what is flake8's part. flake8 keeps its `--isolated` to itself."""
    paths = [path for path in options.filenames if path != _STDIN]
    try:
        configured = read_settings(paths)
    except LoopsafeError as error:
        raise ExecutionError(f"loopsafe: {error}") from error
    return msgspec.structs.replace(
        configured, select=("ALL",), ignore_noqa=True, respect_gitignore=False, proposes_fixes=False
    )


def _check(paths: list[str], settings: Settings, overlays: Mapping[str, bytes]) -> dict[str, list[Diagnostic]]:
    """The findings by absolute path; those of standard input under its display name's."""
    from loopsafe import engine

    try:
        outcome = engine.check(paths, settings, overlays=overlays)
    except LoopsafeError as error:
        raise ExecutionError(f"loopsafe: {error}") from error
    findings: dict[str, list[Diagnostic]] = {os.path.abspath(path): [] for path in outcome.files}
    for one in outcome.diagnostics:
        findings[os.path.abspath(one.path)].append(one)
    return findings


def _encode(text: str) -> bytes:
    """The bytes that a file with this text holds: flake8 has decoded standard input by the text's own cookie."""
    data = text.encode("utf-8", "surrogatepass")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return text.encode(encoding)
    except (SyntaxError, UnicodeError):
        return data
