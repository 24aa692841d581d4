"""Records: what is worked out of an installed package's own source, in the form of a catalogue file.

Stands on `project`, beside the checks: the same pipeline, asked about a package's public names instead of coroutines.
"""

from __future__ import annotations

from loopsafe.records.api import is_asynchronous
from loopsafe.records.build import build
from loopsafe.records.packages import find_package
from loopsafe.records.text import write_record

__all__ = ["build", "find_package", "is_asynchronous", "write_record"]
