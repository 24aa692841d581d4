"""What an analysis asks of the process that it runs in: a deeper stack, and less looking for circles of objects."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_RECURSION_LIMIT: Final = 12_000 if sys.version_info >= (3, 11) else 4_000
"""Inference nests 120 values deep, each a dozen Python frames; before 3.11 those take the machine's stack."""
_OBJECTS_BETWEEN_COLLECTIONS: Final = 1_000_000
"""An analysis keeps nearly all that it makes: looking for circles every 700 objects costs an eighth of its time."""


@contextmanager
def room_for_analysis() -> Iterator[None]:
    """Makes room while the block runs, and leaves the process as it was."""
    if gc.get_freeze_count():
        gc.unfreeze()
        gc.collect()
    limit, thresholds = sys.getrecursionlimit(), gc.get_threshold()
    sys.setrecursionlimit(max(limit, _RECURSION_LIMIT))
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, *thresholds[1:])
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)
        gc.set_threshold(*thresholds)


def set_aside() -> None:
    """Leaves what a large analysis has made until another one needs the room.

    It is one circle of millions of objects: taking it apart costs seconds, and mostly the process ends soon.
    """
    gc.freeze()
