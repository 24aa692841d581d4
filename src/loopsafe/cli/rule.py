"""`loopsafe rule`: what a rule's document says, as text or as JSON with ruff's keys.

Knows no rule: documents are found where plugins, ours included, say that theirs are.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from loopsafe.cli.arguments import Parser, add_ignored
from loopsafe.cli.output import write_text
from loopsafe.plugins import load_extensions
from loopsafe.rulebook import Rule, read_rule

_AVAILABILITY: Final = {"always": "Always", "sometimes": "Sometimes", "never": "None"}
_FIX: Final = {
    "always": "Fix is always available.",
    "sometimes": "Fix is sometimes available.",
    "never": "Fix is not available.",
}
_CATEGORY: Final = "suspicious"
"""The category in which ruff has its own rules about blocking calls in coroutines."""


class _Document(NamedTuple):
    """A rule, whose it is, and its text."""

    linter: str
    path: Path
    rule: Rule
    text: str


class _SourceLocation(msgspec.Struct, frozen=True):
    file: str
    line: int


class _Entry(msgspec.Struct, frozen=True):
    """A rule, as the JSON shows it."""

    name: str
    code: str
    linter: str
    summary: str
    message_formats: tuple[str, ...]
    fix: str
    fix_availability: str
    explanation: str
    preview: bool
    status: dict[str, dict[str, str]]
    category: str
    source_location: _SourceLocation


def run(arguments: Sequence[str]) -> int:
    """Explain one rule, or all, and return the exit code."""
    parser = Parser("loopsafe rule <RULE|--all>", "Explain a rule (or all rules).")
    parser.add_argument("rule", nargs="?", metavar="RULE", help="code or name of the rule to explain")
    parser.add_argument("--all", action="store_true", help="explain all rules")
    parser.add_argument("--output-format", choices=("text", "json"), default="text", help="text [default] or json")
    add_ignored(parser)
    options = parser.parse_intermixed_args(list(arguments))
    if options.all and options.rule is not None:
        parser.error("the argument '--all' cannot be used with '[RULE]'")
    if not options.all and options.rule is None:
        parser.error("the following arguments are required: RULE|--all")
    documents = _read_documents()
    if options.all:
        write_text(sys.stdout, _render_all(documents, options.output_format))
        return 0
    found = [document for document in documents if options.rule in (document.rule.code, document.rule.name)]
    if not found:
        sys.stderr.write(f"error: invalid value '{options.rule}' for '[RULE]'\n\nFor more information, try '--help'.\n")
        return 2
    is_json = options.output_format == "json"
    write_text(sys.stdout, _encode(_make_entry(found[0])) if is_json else _draw(found[0]))
    return 0


def _read_documents() -> list[_Document]:
    documents = [
        _Document(plugin, path, *read_rule(path))
        for plugin, folder in load_extensions().documents
        for path in sorted(folder.glob("*.md"))
    ]
    return sorted(documents, key=lambda document: document.rule.code)


def _render_all(documents: list[_Document], form: str) -> str:
    if form == "json":
        return _encode([_make_entry(document) for document in documents])
    return "\n".join(map(_draw, documents))


def _draw(document: _Document) -> str:
    rule = document.rule
    fix = "" if rule.fix == "never" else f"{_FIX[rule.fix]}\n\n"
    head = f"# {rule.name} ({rule.code})\n\nDerived from the **{document.linter}** linter.\n\n"
    return f"{head}{fix}{document.text.strip()}\n"


def _make_entry(document: _Document) -> _Entry:
    rule = document.rule
    return _Entry(
        name=rule.name,
        code=rule.code,
        linter=document.linter,
        summary=rule.message,
        message_formats=(rule.message,),
        fix=_FIX[rule.fix],
        fix_availability=_AVAILABILITY[rule.fix],
        explanation=document.text.strip() + "\n",
        preview=False,
        status={"Stable": {"since": rule.since}},
        category=_CATEGORY,
        source_location=_SourceLocation(str(document.path), 1),
    )


def _encode(value: object) -> str:
    """JSON as ruff prints it here: two blanks, no newline at the end."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
