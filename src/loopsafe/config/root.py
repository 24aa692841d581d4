"""Where a project begins, which decides how modules are named and what patterns are relative to.

Nothing here reads a file's contents; `config.files` walks upwards from the same folder.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_MARKERS: Final = ("pyproject.toml", "setup.py", "setup.cfg", ".git", "loopsafe.toml", ".loopsafe.toml")


def find_root(paths: Sequence[str]) -> str:
    """Return the nearest folder at or above all `paths` that looks like a project, else their common folder.

    The result is absolute. No paths at all mean the working directory.
    """
    common = common_folder(paths)
    for folder in (common, *common.parents):
        if has_marker(folder):
            return str(folder)
    return str(common)


def has_marker(folder: Path) -> bool:
    """Tell whether `folder` is a project's own: only then is all that lies below it part of one project."""
    return any((folder / marker).exists() for marker in _MARKERS)


def common_folder(paths: Sequence[str]) -> Path:
    """Return the folder that all `paths` lie in; that of no path at all is the working directory."""
    try:
        common = Path(os.path.commonpath([os.path.abspath(path) for path in paths or ["."]]))
    except ValueError:  # several drives of Windows
        return Path.cwd()
    return next((folder for folder in (common, *common.parents) if folder.is_dir()), common)
