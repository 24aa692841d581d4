"""The settings of a run, as one frozen value that every stage may read.

Nothing here reads files: configuration files become `Settings` in `config.files`, and flags change them in `cli`.
"""

from __future__ import annotations

from typing import Final

import msgspec

from loopsafe.config.selectors import Selection
from loopsafe.model import Confidence

DEFAULT_EXCLUDE: Final[tuple[str, ...]] = (
    ".bzr", ".direnv", ".eggs", ".git", ".git-rewrite", ".hg", ".ipynb_checkpoints", ".mypy_cache", ".nox",
    ".pants.d", ".pyenv", ".pytest_cache", ".pytype", ".ruff_cache", ".svn", ".tox", ".venv", ".vscode",
    "__pypackages__", "_build", "buck-out", "dist", "node_modules", "site-packages", "venv",
)  # fmt: skip
"""What is not walked into unless `exclude` says otherwise: ruff's list, so that both see the same files."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a run does; the defaults are those of `loopsafe check` without any flag or configuration file."""

    configured: Selection = Selection()
    """The rules that configuration files choose; the three below overrule them."""
    select: tuple[str, ...] = ()
    """Rule selectors; empty means those of the configuration files, else the rules that are on by default."""
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
    offload: str = "auto"
    """How fixes move a call to a thread: `asyncio`, `anyio`, a function's qualified name, or `auto`: as the module."""
    catalogs: tuple[str, ...] = ()
    """Files and folders of the project's own catalogue."""
    python: str | None = None
    """An interpreter or virtual environment, for the packages installed in it; None looks where they usually are."""
    src: tuple[str, ...] = (".", "src")
    """Folders from which modules are imported, relative to `root`."""
    root: str = "."
    """The project's folder; patterns with a slash are relative to it."""

    @property
    def selections(self) -> tuple[Selection, Selection]:
        """The choices of rules, in the order in which they overrule each other."""
        return self.configured, Selection(self.select, self.ignore, self.extend_select)

    @property
    def exclusions(self) -> tuple[str, ...]:
        """All exclusion patterns in force."""
        return (DEFAULT_EXCLUDE if self.exclude is None else self.exclude) + self.extend_exclude
