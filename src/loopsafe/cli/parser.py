"""The flags of `loopsafe check`, spelled and refused as ruff does it.

Nothing here acts on them: `read_options` returns plain values.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from loopsafe.cli.arguments import Parser
from loopsafe.config import Settings
from loopsafe.config.files import anchor
from loopsafe.model import Confidence
from loopsafe.report import Format, find, names

_VERSIONS: Final = tuple(f"py3{minor}" for minor in range(7, 16))
_CONFLICTS: Final = (
    ("statistics", "diff"),
    ("exit_zero", "exit_non_zero_on_fix"),
    ("config", "isolated"),
    ("show_fixes", "diff"),
    *(("add_noqa", other) for other in ("fix", "diff", "statistics", "ignore_noqa", "stdin_filename")),
)
_ADD_NOQA: Final = "--add-noqa"


def read_options(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the arguments of `check`; a mistake ends the process with 2."""
    parser = _build()
    # as in ruff the reason comes behind `=`, or a path would be taken for one
    options = parser.parse_intermixed_args([f"{_ADD_NOQA}=" if one == _ADD_NOQA else one for one in arguments])
    for first, second in _CONFLICTS:
        if getattr(options, first) not in (None, False) and getattr(options, second):
            flags = (f"'--{name.replace('_', '-')}'" for name in (first, second))
            parser.error("the argument {} cannot be used with {}".format(*flags))
    if "\n" in (options.add_noqa or ""):
        parser.error("the reason for '--add-noqa' cannot contain newline characters")
    if find_format(options.output_format) is None:
        parser.error(
            f"invalid value '{options.output_format}' for '--output-format <OUTPUT_FORMAT>'\n"
            f"  [possible values: {', '.join(sorted({*names(), *_foreign_formats()}))}]"
        )
    options.files = options.files or ["."]
    return options


def find_format(name: str) -> Format | None:
    """Return the format called `name`; plugins are only asked about names that are not ours."""
    return find(name) or _foreign_formats().get(name)


def _foreign_formats() -> dict[str, Format]:
    from loopsafe.plugins import load_extensions

    return {form.name: form for form in load_extensions().formats}


def to_settings(options: argparse.Namespace, configured: Settings) -> Settings:
    """Return the settings of the configuration file with those changed that flags ask for."""
    given = {
        "exclude": _patterns(options.exclude),
        "respect_gitignore": options.respect_gitignore,
        "force_exclude": options.force_exclude,
        "cache_dir": options.cache_dir or os.environ.get("LOOPSAFE_CACHE_DIR"),
        "fix": True if options.fix_only else options.fix,
        "unsafe_fixes": options.unsafe_fixes,
        "min_confidence": options.min_confidence and Confidence(options.min_confidence),
        "target_version": _version(options.target_version),
        "python": options.python,
    }
    return msgspec.structs.replace(
        configured,
        select=_flatten(options.select) or (),
        ignore=_flatten(options.ignore) or (),
        extend_select=_flatten(options.extend_select) or (),
        extend_exclude=configured.extend_exclude + (_patterns(options.extend_exclude) or ()),
        ignore_noqa=options.ignore_noqa,
        use_cache=not (options.no_cache or _is_set("LOOPSAFE_NO_CACHE")),
        diff=options.diff,
        **{name: value for name, value in given.items() if value is not None},
    )


def _build() -> argparse.ArgumentParser:
    parser = Parser("loopsafe check [OPTIONS] [FILES]...", "Check the given files and folders.")
    parser.add_argument("files", nargs="*", metavar="FILES", help="files or folders [default: .], or - for stdin")
    _add_actions(parser)
    _add_rules(parser)
    _add_files(parser)
    _add_output(parser)
    return parser


def _add_actions(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    toggle = argparse.BooleanOptionalAction
    add("--fix", action=toggle, default=None, help="apply safe fixes, then report what remains")
    add("--unsafe-fixes", action=toggle, default=None, help="count and apply unsafe fixes as well")
    add("--fix-only", action=toggle, default=None, help="apply fixes, but do not report what remains")
    add("--show-fixes", action=toggle, default=False, help="list what was fixed, by file and rule")
    add("--diff", action="store_true", help="show the fixes as a diff instead of applying them")
    add("--ignore-noqa", action="store_true", help="ignore suppression comments")
    add(_ADD_NOQA, nargs="?", metavar="REASON", help="suppress what is found by comments; --add-noqa=REASON says why")
    add("-n", "--no-cache", action="store_true", help="neither read nor write the cache")
    add("--cache-dir", metavar="CACHE_DIR", help="where the cache lies [env: LOOPSAFE_CACHE_DIR]")
    add("--config", metavar="FILE", help="read this configuration file instead of the nearest one")
    add("--isolated", action="store_true", help="ignore all configuration files")
    add("-e", "--exit-zero", action="store_true", help="exit with 0, even upon findings")
    add("--exit-non-zero-on-fix", action="store_true", help="exit with 1 if any file was changed")


def _add_rules(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--select", action="append", metavar="RULE_CODE", help="codes or prefixes to turn on, or ALL")
    add("--ignore", action="append", metavar="RULE_CODE", help="codes or prefixes to turn off")
    add("--extend-select", action="append", metavar="RULE_CODE", help="like --select, on top of the others")
    add("--extend-ignore", dest="ignore", action="append", help=argparse.SUPPRESS)
    add("--target-version", choices=_VERSIONS, metavar="TARGET_VERSION", help="oldest Python, e.g. py310")
    add(
        "--python",
        metavar="PATH",
        help="interpreter or environment whose packages are used [default: VIRTUAL_ENV, .venv]",
    )
    confidences = [confidence.value for confidence in Confidence]
    add("--min-confidence", choices=confidences, help="report nothing less sure than this [default: likely]")


def _add_files(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    toggle = argparse.BooleanOptionalAction
    add("--exclude", action="append", metavar="FILE_PATTERN", help="patterns that replace the default ones")
    add("--extend-exclude", action="append", metavar="FILE_PATTERN", help="patterns on top of the others")
    add("--force-exclude", action=toggle, default=None, help="exclude files named on the command line too")
    add("--respect-gitignore", action=toggle, default=None, help="leave out what git ignores [default: on]")
    add("--stdin-filename", metavar="STDIN_FILENAME", help="read stdin, and take it for this file")


def _add_output(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    default = os.environ.get("LOOPSAFE_OUTPUT_FORMAT") or "full"
    formats = ", ".join(names())
    add("--output-format", default=default, help=f"one of: {formats} [env: LOOPSAFE_OUTPUT_FORMAT]")
    output = os.environ.get("LOOPSAFE_OUTPUT_FILE")
    add(
        "-o",
        "--output-file",
        default=output,
        help="write there instead of stdout [env: LOOPSAFE_OUTPUT_FILE]",
    )
    add("--statistics", action="store_true", help="show counts for every rule")
    add("--color", choices=("auto", "always", "never"), default="auto", help="when to use colour")
    add("-v", "--verbose", action="store_true", help="show a traceback where there is one")
    add("-q", "--quiet", action="store_true", help="print diagnostics, but nothing else")
    add("-s", "--silent", action="store_true", help="print nothing")


def _flatten(values: list[str] | None) -> tuple[str, ...] | None:
    """Split repeated, comma-separated values; None if the flag was not given."""
    return None if values is None else tuple(part.strip() for value in values for part in value.split(","))


def _patterns(values: list[str] | None) -> tuple[str, ...] | None:
    """Return the patterns, which on the command line start from the working directory, not from the root."""
    patterns = _flatten(values)
    return None if patterns is None else tuple(anchor(pattern, str(Path.cwd())) for pattern in patterns)


def _version(text: str | None) -> tuple[int, int] | None:
    return None if text is None else (3, int(text.removeprefix("py3")))


def _is_set(variable: str) -> bool:
    return os.environ.get(variable, "").lower() not in ("", "0", "false", "no")
