"""The entry point: picks the subcommand, and turns whatever goes wrong into words and an exit code.

Nothing here knows what a subcommand does, and no user ever sees a traceback.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from loopsafe import __version__

if TYPE_CHECKING:
    from loopsafe.cli.engine import Engine

EXIT_OK: Final = 0
EXIT_FINDINGS: Final = 1
EXIT_ABNORMAL: Final = 2
EXIT_INTERRUPT: Final = 130

USAGE: Final = """\
loopsafe finds every call that blocks a Python event loop, proves it with the path, and fixes it.

Usage: loopsafe [OPTIONS] <COMMAND>

Commands:
  check    Check the given files and folders
  rule     Explain a rule (or all rules)
  linter   List who brings rules
  catalog  Look into the catalogue of what blocks
  version  Display the version
  help     Print this message, or the help of a command

Options:
  -h, --help     Print help
  -V, --version  Print version

Log levels:
  -v, --verbose  Show a traceback where there is one
  -q, --quiet    Print diagnostics, but nothing else
  -s, --silent   Print nothing (but still exit with 1 upon detecting diagnostics)

Global options:
      --config <FILE>  Read this configuration file instead of the nearest one
      --isolated       Ignore all configuration files
      --color <WHEN>   Control when colored output is used [possible values: auto, always, never]

For help with a specific command, see: `loopsafe help <command>`.
"""
_HINT: Final = "\n\nUsage: loopsafe [OPTIONS] <COMMAND>\n\nFor more information, try '--help'.\n"
_GLOBAL_OPTIONS: Final = frozenset(("--color", "--config"))
_GLOBAL_FLAGS: Final = frozenset(("-v", "--verbose", "-q", "--quiet", "-s", "--silent", "--isolated", "-qv", "-vq"))


def main(argv: Sequence[str] | None = None, *, engine: Engine | None = None) -> int:
    """Run the command line `argv` (the process's own by default) and return the exit code.

    `engine` stands in for `loopsafe.engine`.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        code = _dispatch(arguments, engine)
        sys.stdout.flush()
        return code
    except SystemExit as stop:  # argparse
        return stop.code if isinstance(stop.code, int) else EXIT_ABNORMAL
    except KeyboardInterrupt:
        return EXIT_INTERRUPT
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        _silence_stdout()
        return EXIT_OK
    except Exception as error:
        return _fail(error, is_verbose="-v" in arguments or "--verbose" in arguments)


def _dispatch(arguments: list[str], engine: Engine | None) -> int:
    before, command, rest = _split(arguments)
    if command in ("-V", "--version", "version"):
        print(f"loopsafe {__version__}")
        return EXIT_OK
    if command in ("-h", "--help") or (command == "help" and not rest):
        print(USAGE, end="")
        return EXIT_OK
    if command == "help":
        return _dispatch([*rest, "--help"], engine)
    if command == "check":
        from loopsafe.cli.check import run

        return run([*before, *rest], engine)
    if command == "rule":
        from loopsafe.cli.rule import run as run_rule

        return run_rule([*before, *rest])
    if command == "linter":
        from loopsafe.cli.linter import run as run_linter

        return run_linter([*before, *rest])
    if command == "catalog":
        from loopsafe.cli.catalog import run as run_catalog

        options, subcommand, following = _split(rest)
        return run_catalog(subcommand, [*before, *options, *following])
    if command is None:
        print(USAGE, end="", file=sys.stderr)
    elif command.startswith("-"):
        print(f"error: unexpected argument '{command}' found{_HINT}", end="", file=sys.stderr)
    else:
        print(f"error: unrecognized subcommand '{command}'{_HINT}", end="", file=sys.stderr)
    return EXIT_ABNORMAL


def _split(arguments: list[str]) -> tuple[list[str], str | None, list[str]]:
    """Return the global options before the subcommand, the subcommand, and what follows it."""
    index = 0
    while index < len(arguments):
        argument = arguments[index]
        if argument in _GLOBAL_OPTIONS:
            index += 2
        elif argument in _GLOBAL_FLAGS or argument.partition("=")[0] in _GLOBAL_OPTIONS:
            index += 1
        else:
            return arguments[:index], argument, arguments[index + 1 :]
    return arguments, None, []


def _fail(error: Exception, *, is_verbose: bool) -> int:
    """Say what went wrong, cause by cause."""
    from loopsafe.model import LoopsafeError

    if is_verbose:
        import traceback

        traceback.print_exception(error)
    causes = []
    cause: BaseException | None = error
    while cause is not None:
        is_ours = isinstance(cause, LoopsafeError)
        text = str(cause) if is_ours else f"{type(cause).__name__}: {cause}"
        causes.append("  Cause: " + text.replace("\n", "\n  ") + "\n")
        cause = cause.__cause__
    text = "loopsafe failed\n" + "".join(causes)
    if not isinstance(error, LoopsafeError | OSError):
        text += "\nThis is a bug in loopsafe; `--verbose` shows where it happened.\n"
    sys.stderr.write(text.encode("utf-8", "backslashreplace").decode())
    return EXIT_ABNORMAL


def _silence_stdout() -> None:
    """Keep the interpreter from complaining about the closed pipe when it flushes at exit."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
    except (OSError, ValueError):
        pass
