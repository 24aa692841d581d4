"""Where a project begins, which decides how modules are named and what patterns are relative to.

Nothing here reads a file's contents; `config.files`, still to come, will use the same walk upwards.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_MARKERS: Final = ("pyproject.toml", "setup.py", "setup.cfg", ".git")


def find_root(paths: Sequence[str]) -> str:
    """Return the nearest folder at or above all `paths` that looks like a project, else their common folder.

    The result is absolute. No paths at all mean the working directory.
    """
    common = _common_folder(paths or ["."])
    for folder in (common, *common.parents):
        if has_marker(folder):
            return str(folder)
    return str(common)


def has_marker(folder: Path) -> bool:
    """Tell whether `folder` is a project's own: only then is all that lies below it part of one project."""
    return any((folder / marker).exists() for marker in _MARKERS)


def _common_folder(paths: Sequence[str]) -> Path:
    try:
        common = Path(os.path.commonpath([os.path.abspath(path) for path in paths]))
    except ValueError:  # several drives of Windows
        return Path.cwd()
    return next((folder for folder in (common, *common.parents) if folder.is_dir()), common)
