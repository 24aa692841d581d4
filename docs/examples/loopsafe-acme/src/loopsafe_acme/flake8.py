"""Speaks in flake8 for the codes of this plugin; the analysis is made once for loopsafe's codes and these."""

from __future__ import annotations

import loopsafe.flake8


class Plugin(loopsafe.flake8.Plugin):
    prefix = "ACM"
