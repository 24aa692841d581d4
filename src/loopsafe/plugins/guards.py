"""Wraps what plugins offer, so that a mistake in foreign code ends the run with its name, not with a puzzle."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec

from loopsafe.checks import Check
from loopsafe.model import Diagnostic, LoopsafeError

if TYPE_CHECKING:
    from loopsafe.checks.check import Context
    from loopsafe.report import Format, Report

_R = TypeVar("_R")


def guard_check(plugin: str, offered: object, *, is_ours: bool) -> Check:
    """The check, whose failures are blamed on its plugin, unless that is us."""
    if not isinstance(offered, Check):
        raise LoopsafeError(f"plugin `{plugin}`: {offered!r} is no `Check`")
    if is_ours:
        return offered
    what = f"the check for {', '.join(offered.codes)}"

    def run(context: Context) -> Iterable[Diagnostic]:
        found = _run(plugin, what, lambda: list(offered.run(context)))
        for one in found:
            if not isinstance(one, Diagnostic):
                raise LoopsafeError(f"plugin `{plugin}`: {what} reports {one!r}, which is no `Diagnostic`")
        return found

    return msgspec.structs.replace(offered, run=run)


def guard_format(plugin: str, offered: object) -> Format:
    """The format, whose failures are blamed on its plugin. Recognised by its fields: importing `report` costs time."""
    if not isinstance(getattr(offered, "name", None), str) or not callable(getattr(offered, "render", None)):
        raise LoopsafeError(f"plugin `{plugin}`: {offered!r} is no `Format`")
    form: Any = offered

    def render(report: Report) -> str:
        text = _run(plugin, f"format `{form.name}`", lambda: form.render(report))
        if not isinstance(text, str):
            raise LoopsafeError(f"plugin `{plugin}`: format `{form.name}` returns {type(text).__name__}, no text")
        return text

    return cast("Format", msgspec.structs.replace(form, render=render))


def _run(plugin: str, what: str, call: Callable[[], _R]) -> _R:
    try:
        return call()
    except Exception as error:
        raise LoopsafeError(f"plugin `{plugin}`: {what} failed: {type(error).__name__}: {error}") from error
