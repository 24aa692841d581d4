"""Plugins: hooks that are called once per run, never per node; our own checks, rules and formats use them as well."""

from loopsafe.plugins.hookspecs import hookimpl
from loopsafe.plugins.manager import Extensions, load_extensions

__all__ = ["Extensions", "hookimpl", "load_extensions"]
