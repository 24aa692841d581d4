"""The rules as their documents describe them: `rules/codes/*.md`, the one home of names, defaults and texts.

Nothing here knows what a rule checks.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

import msgspec

from loopsafe.model import LoopsafeError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_FRONT_MATTER: Final = re.compile(r"\A\+\+\+\r?\n(.*?)^\+\+\+\r?\n", re.DOTALL | re.MULTILINE)


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The front matter of a rule's document."""

    code: Annotated[str, msgspec.Meta(pattern="^[A-Z]{1,3}[0-9]{3}\\Z")]
    """At most three letters and three digits: flake8 refuses to start over others."""
    name: Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9-]*\\Z")]
    default: bool
    """Whether the rule is on without being selected."""
    fix: Literal["always", "sometimes", "never"]
    since: str
    message: str
    """What the rule says, in general."""


def read_rule(path: Path) -> tuple[Rule, str]:
    """A rule and the Markdown text below its front matter.

    Raises LoopsafeError, with file and remedy, for a document without proper front matter.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LoopsafeError(f"{path}: cannot be read: {error}") from error
    match = _FRONT_MATTER.match(text)
    if match is None:
        raise LoopsafeError(f"{path}: begins with no front matter between two lines `+++`")
    try:
        raw: dict[str, Any] = tomllib.loads(match[1])
        return msgspec.convert(raw, Rule), text[match.end() :]
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise LoopsafeError(f"{path}: front matter: {error}") from error


def read_rules(folders: Iterable[Path]) -> Mapping[str, Rule]:
    """All rules of some folders of documents, by code, sorted."""
    rules: dict[str, Rule] = {}
    for folder in folders:
        for path in sorted(folder.glob("*.md")):
            rule, _ = read_rule(path)
            if rule.code in rules:
                raise LoopsafeError(f"{path}: code {rule.code} is already taken by rule `{rules[rule.code].name}`")
            rules[rule.code] = rule
    return MappingProxyType(dict(sorted(rules.items())))


@cache
def shipped_folder() -> Path:
    """The documents that come with loopsafe: in the wheel beside this module, in a checkout at its top."""
    package = Path(__file__).parent
    for folder in (package / "_rules" / "codes", package.parents[1] / "rules" / "codes"):
        if folder.is_dir():
            return folder
    raise LoopsafeError(f"no rules found beside {package}; install loopsafe again")
