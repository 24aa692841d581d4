"""`loopsafe check`: hand the paths to the engine, apply or show fixes, print, and choose the exit code.

Nothing here analyses anything.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from loopsafe.cli.engine import Engine, Fixed, Outcome, find_source, load
from loopsafe.cli.output import Output, warn, write_bytes, write_text
from loopsafe.cli.parser import find_format, read_options, to_settings
from loopsafe.cli.progress import Progress
from loopsafe.config import Settings, read_settings
from loopsafe.model import Diagnostic, LoopsafeError
from loopsafe.report import Format, Report
from loopsafe.report.parts.style import Style
from loopsafe.source import write
from loopsafe.source.discovery import is_excluded, show_path
from loopsafe.source.text import describe_os_error

_STDIN: Final = "-"


def run(arguments: list[str], engine: Engine | None = None) -> int:
    """Run `check` and return the exit code."""
    return _Check(read_options(arguments), engine).run()


class _Check:
    """One run of the command: the options, the stream of the results, and the steps that share them."""

    def __init__(self, options: argparse.Namespace, engine: Engine | None) -> None:
        self._options = options
        self._engine = engine
        self._stdin: bytes | None = None
        self._name = _STDIN
        if options.stdin_filename is not None or options.files == [_STDIN]:
            self._name = show_path(options.stdin_filename or _STDIN)
            self._stdin = sys.stdin.buffer.read()
        folder = os.path.dirname(self._name) or "."
        paths = options.files if self._stdin is None else [folder]
        configured = read_settings(paths, config=options.config, isolated=options.isolated)
        self._settings: Settings = to_settings(options, configured)
        self._output = Output(options.output_file, options.color)
        self._style = Style(self._output.color)
        self._is_terse = options.quiet or options.silent
        is_watched = self._stdin is None and not self._is_terse and sys.stderr.isatty()
        self._progress: Final = Progress() if is_watched else None

    def run(self) -> int:
        try:
            outcome = self._check()
            fixed: Fixed | None = None
            if outcome is not None and (self._settings.fix or self._settings.diff):
                fixed = self._load().fix(outcome, self._settings)
        finally:
            if self._progress is not None:
                self._progress.clear()
        if self._options.add_noqa is not None:
            return self._silence(outcome)
        self._warn(outcome if fixed is None else fixed.remaining)
        if self._settings.diff:
            return self._diff(outcome, fixed)
        self._write(fixed)
        if self._options.fix_only:
            return self._report_fixes(fixed)
        return self._report(outcome if fixed is None else fixed.remaining, fixed)

    def _load(self) -> Engine:
        if self._engine is None:
            self._engine = load()
        return self._engine

    def _silence(self, outcome: Outcome | None) -> int:
        """Put suppression comments on all rows with findings, each file at once."""
        from loopsafe.fixes.silencing import silence

        count = 0
        by_path: dict[str, list[Diagnostic]] = {}
        for one in outcome.diagnostics if outcome is not None and self._stdin is None else ():
            if one.noqa_row is not None:
                by_path.setdefault(one.path, []).append(one)
        for path, found in by_path.items():
            source = None if outcome is None else find_source(outcome.sources, path)
            if source is not None:
                silenced = silence(source, found, self._options.add_noqa)
                _write_file(path, source.encode(silenced.text))
                count += silenced.added
        self._warn(outcome)
        if count and not self._is_terse:
            write_text(sys.stderr, f"Added {count} noqa directive{'' if count == 1 else 's'}.\n")
        return 0

    def _check(self) -> Outcome | None:
        """Return the findings, None if there is nothing to look at."""
        if self._stdin is None and self._progress is not None:
            return self._load().check(self._options.files, self._settings, progress=self._progress)
        if self._stdin is None:
            return self._load().check(self._options.files, self._settings)
        if self._settings.force_exclude and is_excluded(self._name, self._settings):
            return None
        return self._load().check([self._name], self._settings, overlays={self._name: self._stdin})

    def _warn(self, outcome: Outcome | None) -> None:
        if self._is_terse or outcome is None:
            return
        color = self._output.color
        for text in outcome.warnings:
            warn(text, color)
        if not outcome.files:
            warn("No Python files found under the given path(s)", color)

    def _write(self, fixed: Fixed | None) -> None:
        files: Mapping[str, bytes] = {} if fixed is None else fixed.files
        if self._stdin is not None:
            if self._settings.fix:  # whoever pipes through a fixer wants the text back, changed or not
                write_bytes(sys.stdout, files.get(self._name, self._stdin))
            return
        for path in sorted(files):
            _write_file(path, files[path])

    def _diff(self, outcome: Outcome | None, fixed: Fixed | None) -> int:
        from loopsafe.cli.diffs import render_diff

        if outcome is None or fixed is None:
            return 0
        for path in sorted(fixed.files):
            source = find_source(outcome.sources, path)
            if source is not None:
                write_text(sys.stdout, render_diff(source, fixed.files[path], self._style) + "\n")
        self._summarize_fixes(fixed)
        return int(bool(fixed.files) and not self._options.exit_zero)

    def _report_fixes(self, fixed: Fixed | None) -> int:
        if fixed is None:
            return 0
        self._summarize_fixes(fixed)
        return int(fixed.fixed > 0 and self._options.exit_non_zero_on_fix)

    def _summarize_fixes(self, fixed: Fixed) -> None:
        from loopsafe.cli.summary import list_fixes, summarize_fixes

        if self._is_terse or not self._format().is_text:
            return
        remaining = fixed.remaining.diagnostics
        listed = list_fixes(fixed.applied, self._style) if self._options.show_fixes else ""
        text = summarize_fixes(remaining, fixed.fixed, self._settings.unsafe_fixes, self._settings.diff)
        self._print(listed + text)

    def _report(self, outcome: Outcome | None, fixed: Fixed | None) -> int:
        count = 0 if fixed is None else fixed.fixed
        applied = fixed.applied if fixed is not None and self._options.show_fixes else ()
        has_findings = outcome is not None and bool(outcome.diagnostics)
        if not self._options.silent:
            self._print(self._render(outcome, count, applied))
        if self._options.exit_zero:
            return 0
        return int(has_findings or (count > 0 and self._options.exit_non_zero_on_fix))

    def _render(self, outcome: Outcome | None, fixed: int, applied: Sequence[Diagnostic]) -> str:
        from loopsafe.cli.summary import list_fixes, summarize

        diagnostics = () if outcome is None else outcome.diagnostics
        unsafe_fixes = self._settings.unsafe_fixes
        if self._options.statistics:
            from loopsafe.cli.statistics import render_statistics

            text = render_statistics(diagnostics, self._options.output_format, unsafe_fixes, self._style)
            is_text = self._options.output_format != "json" and bool(diagnostics)
        else:
            form = self._format()
            text = form.render(
                Report(
                    diagnostics,
                    lambda path: None if outcome is None else find_source(outcome.sources, path),
                    os.getcwd(),
                    fixed,
                    unsafe_fixes,
                    self._output.color,
                )
            )
            is_text = form.is_text
            if is_text:
                text += list_fixes(applied, self._style)
        return text + (
            summarize(diagnostics, fixed, unsafe_fixes, self._style) if is_text and not self._options.quiet else ""
        )

    def _format(self) -> Format:
        form = find_format(self._options.output_format)
        assert form is not None, "the parser refuses unknown names"
        return form

    def _print(self, text: str) -> None:
        """Print a result, to standard error where standard output belongs to the fixed text."""
        if self._stdin is not None and (self._settings.fix or self._settings.diff) and text:
            write_text(sys.stderr, text)
        else:
            self._output.out(text)


def _write_file(path: str, data: bytes) -> None:
    try:
        write(path, data)
    except OSError as error:
        raise LoopsafeError(f"Cannot write `{path}`: {describe_os_error(error)}") from None
