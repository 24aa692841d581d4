"""`loopsafe rule` and `loopsafe linter`: what they print, and what they say of mistakes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from loopsafe.plugins import manager
from loopsafe.rulebook import read_rules, shipped_folder

from .conftest import Run

Loopsafe = Callable[..., Run]

KEYS = [
    "name",
    "code",
    "linter",
    "summary",
    "message_formats",
    "fix",
    "fix_availability",
    "explanation",
    "preview",
    "status",
    "category",
    "source_location",
]
"""Those of `ruff rule --output-format json`, in ruff's order."""
RULES = read_rules([shipped_folder()])
DOCUMENT = """\
+++
code = "ACM001"
name = "coroutine-name"
default = true
fix = "always"
since = "1.2.0"
message = "`…` is no good name"
+++
## What it does
Looks at names.
"""


class Entry:
    """An entry point, as `importlib.metadata` gives it."""

    name = "acme"
    value = "acme"
    dist = None

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self) -> object:
        from loopsafe.plugins import hookimpl

        folder = self._folder

        class Plugin:
            @hookimpl
            def loopsafe_rules(self) -> list[Path]:
                return [folder]

        return Plugin()


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A plugin with one rule."""
    folder = tmp_path / "codes"
    folder.mkdir()
    (folder / "ACM001-coroutine-name.md").write_text(DOCUMENT, encoding="utf-8")
    monkeypatch.setattr(manager.importlib.metadata, "entry_points", lambda group: [Entry(folder)])
    manager.load_extensions.cache_clear()
    yield
    manager.load_extensions.cache_clear()


def test_text_has_heading_fix_and_document(loopsafe: Loopsafe) -> None:
    run = loopsafe("rule", "LSA105")
    assert (run.code, run.err) == (0, "")
    assert run.out.startswith(
        "# blocking-sleep-call (LSA105)\n\nDerived from the **loopsafe** linter.\n\n"
        f"Fix is {RULES['LSA105'].fix} available.\n\n## What it does\n"
    )
    assert "## Why is this bad?\n" in run.out
    assert run.out.endswith(")\n")
    assert "+++" not in run.out


def test_text_of_a_rule_without_fix_says_nothing_of_one(loopsafe: Loopsafe) -> None:
    code = next(code for code, rule in RULES.items() if rule.fix == "never")
    assert "linter.\n\n## What it does\n" in loopsafe("rule", code).out


@pytest.mark.parametrize("code", RULES)
def test_json_has_the_keys_of_ruff_in_its_order(code: str, loopsafe: Loopsafe) -> None:
    run = loopsafe("rule", code, "--output-format", "json")
    entry = json.loads(run.out)
    assert list(entry) == KEYS
    rule = RULES[code]
    assert (entry["name"], entry["code"], entry["linter"]) == (rule.name, code, "loopsafe")
    assert entry["message_formats"] == [entry["summary"]] == [rule.message]
    words = {"always": "always available", "sometimes": "sometimes available", "never": "not available"}
    assert entry["fix"] == f"Fix is {words[rule.fix]}."
    assert entry["fix_availability"] == {"always": "Always", "sometimes": "Sometimes", "never": "None"}[rule.fix]
    assert entry["explanation"].startswith("## What it does\n")
    assert entry["status"] == {"Stable": {"since": rule.since}}
    assert entry["preview"] is False
    assert Path(entry["source_location"]["file"]).name == f"{code}-{rule.name}.md"


def test_json_has_no_newline_at_its_end(loopsafe: Loopsafe) -> None:
    assert loopsafe("rule", "LSA105", "--output-format", "json").out.endswith("\n}")
    assert loopsafe("rule", "--all", "--output-format", "json").out.endswith("\n]")


def test_all_are_sorted_by_code(loopsafe: Loopsafe) -> None:
    entries = json.loads(loopsafe("rule", "--all", "--output-format", "json").out)
    assert [entry["code"] for entry in entries] == sorted(RULES)
    text = loopsafe("rule", "--all").out
    headings = [f"# {rule.name} ({rule.code})\n" for rule in RULES.values()]
    places = [text.index(heading) for heading in headings]
    assert places == sorted(places)
    assert f"\n\n{headings[1]}" in text


def test_name_stands_for_the_code(loopsafe: Loopsafe) -> None:
    assert loopsafe("rule", "blocking-sleep-call") == loopsafe("rule", "LSA105")


@pytest.mark.parametrize("name", ["LSA999", "lsa105", "LSA1", ""])
def test_unknown_rule_is_refused(name: str, loopsafe: Loopsafe) -> None:
    run = loopsafe("rule", name)
    assert (run.code, run.out) == (2, "")
    assert run.err == f"error: invalid value '{name}' for '[RULE]'\n\nFor more information, try '--help'.\n"


def test_no_rule_is_refused(loopsafe: Loopsafe) -> None:
    run = loopsafe("rule")
    assert (run.code, run.out) == (2, "")
    assert run.err == (
        "error: the following required arguments were not provided:\n  <RULE|--all>\n\n"
        "Usage: loopsafe rule <RULE|--all>\n\nFor more information, try '--help'.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("rule", "LSA105", "--all"), "the argument '--all' cannot be used with '[RULE]'"),
        (("rule", "LSA105", "LSA106"), "unexpected argument 'LSA106' found"),
        (("rule", "LSA105", "--output-format", "xml"), "invalid value 'xml'"),
        (("linter", "--output-format", "xml"), "invalid value 'xml'"),
        (("linter", "LSA"), "unexpected argument 'LSA' found"),
    ],
)
def test_mistakes_are_refused(arguments: tuple[str, ...], message: str, loopsafe: Loopsafe) -> None:
    run = loopsafe(*arguments)
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith(f"error: {message}")


def test_global_options_may_stand_before_the_command(loopsafe: Loopsafe) -> None:
    assert loopsafe("--color", "never", "-q", "rule", "LSA105", "--isolated") == loopsafe("rule", "LSA105")


def test_linter_lists_prefixes(loopsafe: Loopsafe) -> None:
    assert loopsafe("linter") == Run(0, "LSA loopsafe\n", "")
    assert json.loads(loopsafe("linter", "--output-format", "json").out) == [{"prefix": "LSA", "name": "loopsafe"}]


@pytest.mark.usefixtures("plugin")
def test_plugins_have_rules_as_well(loopsafe: Loopsafe) -> None:
    assert loopsafe("linter").out == "ACM acme\nLSA loopsafe\n"
    assert loopsafe("rule", "ACM001").out == (
        "# coroutine-name (ACM001)\n\nDerived from the **acme** linter.\n\nFix is always available.\n\n"
        "## What it does\nLooks at names.\n"
    )
    assert json.loads(loopsafe("rule", "ACM001", "--output-format", "json").out)["status"] == {
        "Stable": {"since": "1.2.0"}
    }


@pytest.mark.parametrize("command", ["rule", "linter"])
def test_help_names_the_command(command: str, loopsafe: Loopsafe) -> None:
    run = loopsafe("help", command)
    assert run.code == 0
    assert f"loopsafe {command}" in run.out
    assert command in loopsafe("--help").out
