"""loopsafe finds every call that blocks a Python event loop, proves it with the path, and fixes it."""

from __future__ import annotations

from typing import Final

__all__ = ["__version__"]

__version__: Final = "0.1.0"
