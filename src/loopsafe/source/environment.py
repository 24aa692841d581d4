"""Where a project's installed packages lie, and in which versions: read off the folders, no interpreter is run.

Stage: discover. Opens no file but a virtual environment's `pyvenv.cfg`, and imports nothing.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Final

from loopsafe.model import LoopsafeError

_FOLDERS: Final = ("site-packages", "dist-packages")
_BESIDE: Final = ".venv"
"""The virtual environment that uv, Poetry, PDM and Hatch put beside a project."""
_METADATA: Final = re.compile(r"(?P<name>.+?)-(?P<version>[^-]+)\.(?:dist-info|egg-info)")


class Environment:
    """The packages of a Python installation."""

    def __init__(self, folders: tuple[str, ...]) -> None:
        """`folders` hold the packages, as the installation's own `sys.path` would name them."""
        self.folders: Final = folders

    @cached_property
    def versions(self) -> Mapping[str, str]:
        """The version of each distribution, by its normalised name (PEP 503)."""
        found: dict[str, str] = {}
        for folder in self.folders:
            for name in _entries(folder):
                match = _METADATA.fullmatch(name)
                if match is not None:
                    found.setdefault(re.sub(r"[-_.]+", "-", match["name"]).lower(), match["version"])
        return found

    @cached_property
    def key(self) -> str:
        """Changes when something is installed, removed or replaced by another version."""
        return "\n".join([*self.folders, *(f"{name} {version}" for name, version in sorted(self.versions.items()))])


NO_ENVIRONMENT: Final = Environment(())


def find_environment(python: str | None, root: str, variables: Mapping[str, str]) -> Environment:
    """The environment that is named, else the activated one (`VIRTUAL_ENV`), else `.venv` in `root`, else none.

    `python` is an interpreter or the folder of an environment. Raises LoopsafeError if there are no packages with it.
    """
    if python is not None:
        folders = _packages_of(python)
        if not folders:
            raise LoopsafeError(
                f"no installed packages found for `{python}`; name a Python interpreter or the folder of a virtual "
                "environment"
            )
        return Environment(folders)
    for folder in (variables.get("VIRTUAL_ENV"), os.path.join(root, _BESIDE)):
        folders = _packages_of(folder) if folder else ()
        if folders:
            return Environment(folders)
    return NO_ENVIRONMENT


def _packages_of(python: str) -> tuple[str, ...]:
    """An interpreter in an environment is a link: its own place decides, then the one that it points to."""
    for path in dict.fromkeys((os.path.abspath(python), os.path.realpath(python))):
        prefix = path if os.path.isdir(path) else os.path.dirname(os.path.dirname(path))
        patterns = ("lib/python3*", "lib64/python3*", "local/lib/python3*", "lib/python3", "Lib")
        candidates = [
            os.path.join(library, name)
            for pattern in patterns
            for library in sorted(glob.glob(os.path.join(glob.escape(prefix), pattern)))
            for name in _FOLDERS
        ]
        folders = {os.path.realpath(folder): None for folder in candidates if os.path.isdir(folder)}
        if folders:
            return tuple(folders)
    return ()


def _entries(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
