"""Packages from PyPI, unpacked into a folder but neither installed nor run: only wheels, which need no build step."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from typing import Final

from loopsafe.model import LoopsafeError

_PATIENCE: Final = 900
"""Seconds for a package with all that it depends on."""


def download(requirement: str, folder: str) -> str:
    """Fetch `NAME==VERSION` and its dependencies with pip; return the folder below `folder` that then holds them.

    Raises LoopsafeError if pip fails, for instance because there is no wheel.
    """
    wheels, site = os.path.join(folder, "wheels"), os.path.join(folder, "site-packages")
    command = [sys.executable, "-m", "pip", "download", "--only-binary=:all:", "--quiet", "--dest", wheels, "--"]
    try:
        done = subprocess.run([*command, requirement], capture_output=True, text=True, timeout=_PATIENCE)
    except subprocess.TimeoutExpired as error:
        raise LoopsafeError(f"pip took more than {_PATIENCE} seconds to download {requirement}") from error
    if done.returncode != 0:
        raise LoopsafeError(f"pip could not download {requirement} as wheels:\n{done.stderr.strip()}")
    for name in sorted(os.listdir(wheels)):
        _unpack(os.path.join(wheels, name), site)
    return site


def _unpack(wheel: str, site: str) -> None:
    """`extractall` keeps names inside the folder: it drops `..` and leading slashes."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)
    except (zipfile.BadZipFile, OSError) as error:
        raise LoopsafeError(f"{os.path.basename(wheel)} is not a wheel that can be unpacked: {error}") from error
