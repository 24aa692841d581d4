"""The pipeline from paths to findings, and from findings to new texts; what all front ends call.

Holds no analysis of its own: it runs the stages in order and keeps what one hands to the next.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias, TypeVar

import msgspec

from loopsafe import catalog, source
from loopsafe.cache import Cache, Stamp, cache_path, code_stamp, findings_key
from loopsafe.checks.check import Context
from loopsafe.config import Settings, resolve
from loopsafe.config.root import has_marker
from loopsafe.diagnostics import by_file, input_error, placed, syntax_error, with_shown_paths
from loopsafe.model import OLDEST_PYTHON, Applicability, Confidence, Diagnostic, Fix
from loopsafe.plugins import Extensions, load_extensions
from loopsafe.project import Libraries, Project, room_for_analysis, set_aside
from loopsafe.source.directives import read_directives
from loopsafe.source.discovery import modules_in, show_path
from loopsafe.source.environment import find_environment
from loopsafe.source.text import Source, UnreadableSource
from loopsafe.summary import ir, summarise
from loopsafe.suppress import UNUSED, silence

_MOST_PASSES: Final = 100
"""As in ruff: fixes that have not come to rest by then undo each other."""
_MOST_KEPT: Final = 2 << 20
"""Bytes of source texts that are kept in memory; of larger projects those with findings are read again."""
_MANY_FILES: Final = 500
"""Files of a project whose analysis leaves millions of objects."""
_T = TypeVar("_T")
Progress: TypeAlias = Callable[[str, int, "int | None"], None]


def _ignore(what: str, done: int, total: int | None) -> None:
    """Stand for a progress that nobody watches."""


class Outcome(msgspec.Struct, frozen=True):
    """What a run found."""

    diagnostics: tuple[Diagnostic, ...]
    """Sorted; suppressed ones left out."""
    files: tuple[str, ...]
    """Every file that was to be checked, as shown to users."""
    warnings: tuple[str, ...]
    """Odd but no finding: invalid suppression comments."""
    run: Run

    def sources(self, path: str) -> Source | None:
        """The text of a file as the run saw it; None if it cannot be read (any more)."""
        return self.run.source(path)


class Fixed(msgspec.Struct, frozen=True):
    """What fixing gives; nothing is written yet."""

    files: Mapping[str, bytes]
    """New contents of the files that change, by path as shown to users."""
    fixed: int
    remaining: Outcome
    applied: tuple[Diagnostic, ...] = ()
    """The findings that were fixed, in the order of the passes; places are those of their pass."""


def check(
    paths: Sequence[str],
    settings: Settings,
    *,
    overlays: Mapping[str, bytes] | None = None,
    progress: Progress = _ignore,
) -> Outcome:
    """Check files and folders.

    `overlays` gives contents that stand for those of a file, which need not exist; keys are paths as in `paths`.
    `progress` is told now and then what is being done, how much of it is, and of how much; fixing tells it too.
    Raises LoopsafeError for settings, rules or catalogue files that are wrong.
    """
    shown = {show_path(path): data for path, data in (overlays or {}).items()}
    place = cache_path(settings.root, settings.cache_dir) if settings.use_cache else None
    return Run(tuple(paths), settings, shown, Cache(place), progress=progress).outcome()


def fix(outcome: Outcome, settings: Settings) -> Fixed:
    """Apply fixes in passes, over all files at once, until none is left that may be applied.

    Every pass checks the project anew. A file whose text would no longer compile keeps its old text, and with it all
    that would have changed together with it.
    """
    from loopsafe.fixes.together import fix_once

    wanted = Applicability.UNSAFE if settings.unsafe_fixes else Applicability.SAFE
    contents: dict[str, bytes] = {}
    problems: dict[str, str] = {}
    fixed: list[Diagnostic] = []
    for number in range(_MOST_PASSES):
        outcome.run.progress("Fixing, pass", number + 1, None)
        changed, applied = fix_once(outcome.diagnostics, outcome.sources, wanted, problems)
        if not changed:
            break
        contents.update(changed)
        fixed += applied
        outcome = outcome.run.again(contents).outcome()
    else:
        problems.update(
            dict.fromkeys(contents, f"after {_MOST_PASSES} passes there are still fixes; please report this")
        )
    warnings = tuple(f"{path}: {problem}" for path, problem in sorted(problems.items()))
    remaining = msgspec.structs.replace(outcome, warnings=(*outcome.warnings, *warnings))
    return Fixed(contents, len(fixed), remaining, tuple(fixed))


class Run:
    """One check of one set of paths."""

    def __init__(
        self,
        paths: tuple[str, ...],
        settings: Settings,
        overlays: Mapping[str, bytes],
        cache: Cache,
        earlier: Run | None = None,
        progress: Progress = _ignore,
    ) -> None:
        """`earlier` is a run of the same process over the same paths; only the texts in `overlays` may differ since."""
        self._paths: Final = paths
        self._settings: Final = settings
        self._target: Final = settings.target_version or OLDEST_PYTHON
        self._overlays: Final = dict(overlays)
        self._cache: Final = cache
        self._summaries: Final[dict[str, ir.ModuleSummary]] = earlier._summaries if earlier is not None else {}
        """By content digest; shared between the passes of a fix."""
        self._sources: Final[dict[str, Source]] = _without(overlays, earlier._sources if earlier else {})
        self._digests: Final[dict[str, str]] = _without(overlays, earlier._digests if earlier else {})
        self.progress: Final = progress
        self._problems: Final[list[Diagnostic]] = []
        self._stamps: Final[dict[str, Stamp]] = {}
        self._bytes_kept = 0
        self._has_news = False
        """Whether a file had to be read that the cache does not know as it is now."""
        self._libraries: Final[dict[str, str]] = {}
        """Content digests of the installed modules that were needed, by path."""
        self._commented: Collection[str] = ()
        """Files to be checked that may have comments about our rules."""
        self._environment: Final = find_environment(settings.python, settings.root, os.environ)
        self._extensions: Final[Extensions] = load_extensions()
        self._enabled: Final = resolve(
            *settings.selections,
            known={code: rule.default for code, rule in self._extensions.rules.items()},
        )

    def again(self, overlays: Mapping[str, bytes]) -> Run:
        """The same run over changed contents."""
        return Run(self._paths, self._settings, {**self._overlays, **overlays}, Cache(None), self, self.progress)

    def source(self, path: str) -> Source | None:
        """A file's text, read at most once."""
        known = self._sources.get(path)
        if known is None:
            try:
                known = self._read(path)
            except UnreadableSource:
                return None
        return known

    def _read(self, path: str) -> Source:
        data = self._overlays.get(path)
        known = self._sources[path] = source.read(path) if data is None else source.decode(path, data)
        return known

    def outcome(self) -> Outcome:
        """Run the pipeline."""
        wanted = self._discover()
        with room_for_analysis():
            digests = self._read_all(wanted)
            key = self._key(digests, self._catalog(None), wanted)
            finished = self._cache.findings(key)
            is_new = finished is None
            found = self._check(self._summarise(digests, wanted), wanted) if is_new else []
            if len(digests) > _MANY_FILES:
                set_aside()
        if finished is None:
            finished = tuple(sorted(self._finish(found, wanted), key=lambda one: one.sort_key))
        if self._overlays:  # what is in an editor is gone with the next key: of that, nothing is kept
            if self._has_news:
                needed = [*_without(self._overlays, digests).values(), *self._libraries.values()]
                self._cache.save(self._stamps, needed, self._summaries, None)
        elif is_new or self._has_news:
            needed = [*digests.values(), *self._libraries.values()]
            self._cache.save(self._stamps, needed, self._summaries, (key, finished))
        files = tuple(sorted({*wanted, *(one.path for one in self._problems)}))
        diagnostics = sorted([*finished, *self._problems], key=lambda one: one.sort_key)
        return Outcome(tuple(diagnostics), files, tuple(self._warnings(finished, wanted)), self)

    def _discover(self) -> set[str]:
        existing = [path for path in self._paths if show_path(path) not in self._overlays]
        discovery = source.discover(existing, self._settings)
        for path in discovery.missing:
            self._problems.append(input_error(path, "No such file or directory (os error 2)"))
        for path, message in discovery.unreadable:
            self._problems.append(input_error(path, message))
        return {*discovery.files, *self._overlays}

    def _project_files(self, wanted: set[str]) -> list[str]:
        """Everything that the files may import: findings depend on it even where it is not itself checked."""
        root = Path(self._settings.root)
        if has_marker(root):
            around = source.discover([str(root)], self._settings).files
        else:
            folders = sorted({os.path.dirname(path) for path in wanted if path != "-"})
            around = tuple(os.path.join(folder, name) for folder in folders for name in modules_in(folder or "."))
        return sorted({*wanted, *around})

    def _read_all(self, wanted: set[str]) -> dict[str, str]:
        """The content digests of all files. What is new is summarised as it is read, and its text let go."""
        digests = {}
        files = self._project_files(wanted)
        for number, path in enumerate(files):
            self.progress("Reading file", number, len(files))
            digest = self._digest(path, wanted)
            if digest is not None:
                digests[path] = digest
        return digests

    def _digest(self, path: str, wanted: Collection[str]) -> str | None:
        """The content digest of a file, which is read only if it has changed since the last run."""
        if path in self._digests:
            return self._digests[path]
        status = _status(path) if self._cache.is_kept and path not in self._overlays else None
        absolute = os.path.abspath(path)
        digest = None if status is None else self._cache.digest(absolute, status)
        if digest is None:
            try:
                digest = self._read_new(path)
            except UnreadableSource as error:
                if path in wanted:
                    self._problems.append(input_error(path, error.message))
                return None
            self._has_news |= path not in self._overlays
        if status is not None:
            self._stamps[absolute] = Stamp(status.st_size, status.st_mtime_ns, digest)
        self._digests[path] = digest
        return digest

    def _read_new(self, path: str) -> str:
        """Read a file that is not known as it is now, and summarise it, so that its text need not be kept."""
        text = self._read(path)
        known = self._summaries.get(text.digest) or self._cache.summary(text.digest)
        self._summaries[text.digest] = known or summarise(text.text)
        self._bytes_kept += len(text.data)
        if self._bytes_kept > _MOST_KEPT and path not in self._overlays:
            del self._sources[path]
        return text.digest

    def _catalog(self, packages: Collection[str] | None) -> catalog.Catalog:
        added = [*self._extensions.catalogs, *map(Path, self._settings.catalogs)]
        return catalog.load(packages, added, self._environment.versions)

    def _key(self, digests: Mapping[str, str], loaded: catalog.Catalog, wanted: set[str]) -> str:
        settings = self._settings
        parts = {f"file {path}": digest for path, digest in digests.items()}
        parts["wanted"] = "\n".join(sorted(wanted))
        parts["catalogue"] = loaded.digest
        parts["rules"] = "\n".join(f"{code} {self._extensions.rules[code].name}" for code in sorted(self._enabled))
        parts["plugins"] = "\n".join(self._extensions.plugins)
        parts["code"] = code_stamp(self._extensions.folders)
        parts["environment"] = self._environment.key
        parts["settings"] = repr(
            (
                settings.ignore_noqa,
                settings.min_confidence,
                settings.target_version,
                settings.src,
                settings.root,
                settings.proposes_fixes,
                settings.offload,
            )
        )
        parts["folder"] = os.getcwd()
        return findings_key(parts)

    def _summarise(self, digests: Mapping[str, str], wanted: Collection[str]) -> dict[str, ir.ModuleSummary]:
        summaries = {}
        for path, digest in digests.items():
            summary = self._summaries.get(digest) or self._cache.summary(digest)
            if summary is None:  # the cache is damaged
                try:
                    digest = self._read_new(path)
                except UnreadableSource as error:  # it was there a moment ago, or the cache would not know it
                    if path in wanted:
                        self._problems.append(input_error(path, error.message))
                    continue
                summary = self._summaries[digest]
            self._summaries[digest] = summaries[path] = summary
        return summaries

    def _library(self, path: str) -> ir.ModuleSummary | None:
        """The summary of an installed module, from the cache unless it has changed."""
        status = _status(path) if self._cache.is_kept else None
        digest = None if status is None else self._cache.digest(path, status)
        summary = None if digest is None else self._summaries.get(digest) or self._cache.summary(digest)
        if digest is None or summary is None:
            try:
                text = source.read(path)
            except UnreadableSource:
                return None
            digest = text.digest
            summary = self._summaries.get(digest) or summarise(text.text)
            self._has_news = True
        if status is not None:
            self._stamps[path] = Stamp(status.st_size, status.st_mtime_ns, digest)
        self._libraries[path] = digest
        self._summaries[digest] = summary
        return summary

    def _check(self, summaries: Mapping[str, ir.ModuleSummary], wanted: set[str]) -> list[Diagnostic]:
        """Link, and run the checks."""
        packages = {name.partition(".")[0] for summary in summaries.values() for name in summary.imports}
        root = os.path.abspath(self._settings.root)
        sources = [os.path.join(root, folder) for folder in self._settings.src]
        by_path = {os.path.abspath(path): summary for path, summary in summaries.items()}
        loaded = self._catalog(packages)
        libraries = Libraries(self._environment.folders, self._library, loaded.describes)
        folders = [os.path.normpath(folder) for folder in sources]
        project = Project(by_path, loaded, root, folders, libraries, self._target)
        found: list[Diagnostic] = []
        for number, check in enumerate(self._extensions.checks):
            self.progress("Checking rule", number, len(self._extensions.checks))
            if not self._enabled.isdisjoint(check.codes):
                earlier = tuple(found) if check.is_secondary else ()
                context = Context(project, self._extensions.rules, self._enabled, earlier, self._settings.offload)
                found += [one for one in check.run(context) if one.code in self._enabled]
        shown = [with_shown_paths(one) for one in found]
        self._commented = [path for path, summary in summaries.items() if path in wanted and summary.mentions_codes]
        problems = [
            syntax_error(path, summary.problem)
            for path, summary in summaries.items()
            if path in wanted and summary.problem is not None
        ]
        return [one for one in shown if one.path in wanted] + problems

    def _finish(self, found: list[Diagnostic], wanted: Collection[str]) -> Iterator[Diagnostic]:
        """Drops what is suppressed, and looks for fixes for the rest."""
        wants_likely = self._settings.min_confidence is Confidence.LIKELY
        groups = by_file(found)
        unused_rule = self._extensions.rules[UNUSED].name if UNUSED in self._enabled else None
        for path in sorted({*groups, *self._commented}):
            text = self.source(path)
            if text is None:
                continue
            kept = [placed(text, one) for one in groups.get(path, ())]
            if not self._settings.ignore_noqa:
                kept = silence(text, kept, self._enabled, unused_rule)
            kept = [one for one in kept if wants_likely or one.confidence is Confidence.CERTAIN]
            if self._settings.proposes_fixes and any(one.remedy is not None for one in kept):
                from loopsafe.fixes import attach

                kept = attach(text, kept, target_version=self._target, others=partial(self._source_in, wanted))
            yield from kept

    def _source_in(self, wanted: Collection[str], path: str) -> Source | None:
        return self.source(path) if path in wanted else None

    def _warnings(self, found: Sequence[Diagnostic], wanted: set[str]) -> Iterator[str]:
        """About suppression comments that suppress nothing, in the files with findings: elsewhere they do no harm."""
        for path in by_file(found):
            text = self.source(path) if path in wanted else None
            if text is not None:
                yield from read_directives(text).warnings


def _without(overlays: Mapping[str, bytes], by_path: Mapping[str, _T]) -> dict[str, _T]:
    return {path: value for path, value in by_path.items() if path not in overlays}


def _status(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except (OSError, ValueError):
        return None


__all__ = ["Fix", "Fixed", "Outcome", "check", "fix"]
