"""Stage fix, last step: put new bytes where a file was, so that no reader ever sees half of them.

Nothing here decides what to write.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

_NEW_FILE_MODE = 0o644


def write(path: str, data: bytes) -> None:
    """Replace the contents of `path` by `data`, all or nothing.

    The file keeps its permissions. Where `path` is a symbolic link, the link stays and its target is
    replaced. On any failure the old file is as it was, no other file is left behind, and the `OSError` is the
    caller's.
    """
    import tempfile  # it costs more than a run that finds nothing new

    target = Path(path).resolve()
    try:
        mode = stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        mode = _NEW_FILE_MODE
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name[:40]}.", suffix=".tmp", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(mode)
        temporary.replace(target)
    except BaseException:  # an interrupt must not leave a temporary file either
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
