"""The settings of a run, as one frozen value that every stage may read.

Nothing here reads files: flags become `Settings` in `cli`, configuration files will in `config.files`.
"""

from __future__ import annotations

from typing import Final

import msgspec

from loopsafe.model import Confidence

DEFAULT_EXCLUDE: Final[tuple[str, ...]] = (
    ".bzr", ".direnv", ".eggs", ".git", ".git-rewrite", ".hg", ".ipynb_checkpoints", ".mypy_cache", ".nox",
    ".pants.d", ".pyenv", ".pytest_cache", ".pytype", ".ruff_cache", ".svn", ".tox", ".venv", ".vscode",
    "__pypackages__", "_build", "buck-out", "dist", "node_modules", "site-packages", "venv",
)  # fmt: skip
"""What is not walked into unless `exclude` says otherwise: ruff's list, so that both see the same files."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a run does; the defaults are those of `loopsafe check` without any flag or configuration file."""

    select: tuple[str, ...] = ()
    """Rule selectors; empty means the rules that are on by default."""
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    exclude: tuple[str, ...] | None = None
    """Patterns that replace `DEFAULT_EXCLUDE`; None keeps it."""
    extend_exclude: tuple[str, ...] = ()
    respect_gitignore: bool = True
    force_exclude: bool = False
    """Exclusions hold for paths given by name as well."""
    ignore_noqa: bool = False
    use_cache: bool = True
    cache_dir: str | None = None
    fix: bool = False
    unsafe_fixes: bool | None = None
    """True: unsafe fixes count and apply. False: not a word about them. None: not applied, but mentioned."""
    diff: bool = False
    proposes_fixes: bool = True
    """Findings come with their fixes; switched off where nobody can see them."""
    min_confidence: Confidence = Confidence.LIKELY
    target_version: tuple[int, int] | None = None
    python: str | None = None
    """An interpreter or virtual environment, for the packages installed in it; None looks where they usually are."""
    src: tuple[str, ...] = (".", "src")
    """Folders from which modules are imported, relative to `root`."""
    root: str = "."
    """The project's folder; patterns with a slash are relative to it."""

    @property
    def exclusions(self) -> tuple[str, ...]:
        """All exclusion patterns in force."""
        return (DEFAULT_EXCLUDE if self.exclude is None else self.exclude) + self.extend_exclude
