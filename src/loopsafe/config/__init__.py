"""What the user asked for: settings, where they come from, and which rules they switch on."""

from __future__ import annotations

from loopsafe.config.files import read_settings
from loopsafe.config.root import find_root
from loopsafe.config.selectors import Selection, resolve
from loopsafe.config.settings import DEFAULT_EXCLUDE, Settings

__all__ = ["DEFAULT_EXCLUDE", "Selection", "Settings", "find_root", "read_settings", "resolve"]
