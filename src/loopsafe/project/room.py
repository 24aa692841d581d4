"""What an analysis asks of the process that it runs in: a deeper stack, and no looking for circles of objects."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_RECURSION_LIMIT: Final = 12_000 if sys.version_info >= (3, 11) else 4_000
"""Inference nests 120 values deep, each a dozen Python frames; before 3.11 those take the machine's stack."""


@contextmanager
def room_for_analysis() -> Iterator[None]:
    """Makes room while the block runs, and leaves the process as it was.

    An analysis keeps nearly all that it makes: looking for circles finds one object in fifty, at the cost of much time.
    """
    if gc.get_freeze_count():
        gc.unfreeze()
        gc.collect()
    limit, collects = sys.getrecursionlimit(), gc.isenabled()
    sys.setrecursionlimit(max(limit, _RECURSION_LIMIT))
    gc.disable()
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)
        if collects:
            gc.enable()


def set_aside() -> None:
    """Leaves what a large analysis has made until another one needs the room.

    It is one circle of millions of objects: taking it apart costs seconds, and mostly the process ends soon.
    """
    gc.freeze()
