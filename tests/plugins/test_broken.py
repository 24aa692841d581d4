"""A plugin that does not fit ends the run with 2 and one message that names it; nobody sees a traceback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HEAD = """\
from pathlib import Path

from loopsafe.checks import Check
from loopsafe.model import Diagnostic, Span
from loopsafe.plugins import hookimpl
from loopsafe.report import Format

HERE = Path(__file__).parent
"""
RULE = """\
+++
code = "{code}"
name = "{name}"
default = true
fix = "never"
since = "1"
message = "m"
+++
## What it does
"""
BAD001 = {"codes/BAD001.md": RULE.format(code="BAD001", name="bad")}
RULES = "@hookimpl\ndef loopsafe_rules(): return [HERE / 'codes']\n"
CATALOGS = "@hookimpl\ndef loopsafe_catalogs(): return [HERE / 'catalog']\n"

Case = tuple[str, dict[str, str], str]

CASES: dict[str, Case] = {
    "import fails": ("1 / 0", {}, "cannot be loaded: ZeroDivisionError: division by zero"),
    "syntax error": ("def f(:", {}, "cannot be loaded: SyntaxError: "),
    "unknown hook": ("@hookimpl\ndef loopsafe_chekcs(): return []", {}, "unknown hook 'loopsafe_chekcs'"),
    "wrong signature": ("@hookimpl\ndef loopsafe_checks(tree): return []", {}, "'tree'"),
    "no decorator": ("def loopsafe_checks(): return []", {}, "loopsafe_checks lacks the decorator"),
    "hook fails": (
        "@hookimpl\ndef loopsafe_checks(): raise KeyError('x')",
        {},
        "loopsafe_checks failed: KeyError: 'x'",
    ),
    "hook returns nothing": (
        "@hookimpl\ndef loopsafe_rules(): pass",
        {},
        "loopsafe_rules failed: TypeError: 'NoneType' object is not iterable",
    ),
    "text for a folder": ("@hookimpl\ndef loopsafe_rules(): return ['codes']", {}, "'codes' is no `pathlib.Path`"),
    "missing folder": (RULES, {}, "codes is no folder"),
    "missing catalogue": (CATALOGS, {}, "catalog is no folder"),
    "no check": ("@hookimpl\ndef loopsafe_checks(): return [1]", {}, "1 is no `Check`"),
    "no format": ("@hookimpl\ndef loopsafe_formats(): return [1]", {}, "1 is no `Format`"),
    "check without a document": (
        "@hookimpl\ndef loopsafe_checks(): return [Check(('BAD001',), lambda context: [])]",
        {},
        "a check reports BAD001, of which the plugin has no rule document",
    ),
    "check for a rule of ours": (
        "@hookimpl\ndef loopsafe_checks(): return [Check(('LSA101',), lambda context: [])]",
        {},
        "a check reports LSA101, of which the plugin has no rule document",
    ),
    "code of ours": (
        RULES,
        {"codes/LSA101.md": RULE.format(code="LSA101", name="bad")},
        "code LSA101 is already taken by plugin `loopsafe`",
    ),
    "prefix of ours": (
        RULES,
        {"codes/LSA999.md": RULE.format(code="LSA999", name="bad")},
        "code LSA999 begins with LSA, which is kept for loopsafe's own rules",
    ),
    "code that flake8 refuses": (
        RULES,
        {"codes/BAD.md": RULE.format(code="BADLY1", name="bad")},
        "codes/BAD.md: front matter: ",
    ),
    "document without front matter": (RULES, {"codes/BAD.md": "# Bad\n"}, "codes/BAD.md: begins with no front matter"),
    "document with a typo": (
        RULES,
        {"codes/BAD.md": BAD001["codes/BAD001.md"].replace("fix =", "fixx =")},
        "codes/BAD.md: front matter: ",
    ),
    "one code twice": (
        RULES,
        {**BAD001, "codes/again.md": BAD001["codes/BAD001.md"]},
        "codes/again.md: code BAD001 is already taken by rule `bad`",
    ),
    "catalogue with a typo": (
        CATALOGS,
        {"catalog/x.toml": 'module = "x"\nsource = "y"\n[[call]]\nname = ["x.f"]\neffect = "nap"\n'},
        "catalog/x.toml:5: effect: ",
    ),
    "catalogue that is no TOML": (CATALOGS, {"catalog/x.toml": "module = \n"}, "catalog/x.toml:1: "),
    "check fails": (
        f"{RULES}def run(context): raise ValueError('oops')\n"
        "@hookimpl\ndef loopsafe_checks(): return [Check(('BAD001',), run)]",
        BAD001,
        "the check for BAD001 failed: ValueError: oops",
    ),
    "check fails in the middle": (
        f"{RULES}def run(context):\n    yield from ()\n    raise ValueError('oops')\n"
        "@hookimpl\ndef loopsafe_checks(): return [Check(('BAD001',), run)]",
        BAD001,
        "the check for BAD001 failed: ValueError: oops",
    ),
    "check gives something else": (
        f"{RULES}@hookimpl\ndef loopsafe_checks(): return [Check(('BAD001',), lambda context: ['x'])]",
        BAD001,
        "the check for BAD001 reports 'x', which is no `Diagnostic`",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_plugin_that_does_not_fit(
    run: Callable[..., Any], install: Callable[..., Any], folder: Path, case: Case
) -> None:
    code, files, message = case
    files = {"bad/__init__.py": HEAD + code + "\n", **{f"bad/{path}": text for path, text in files.items()}}
    done = run("loopsafe", "check", cwd=folder, env=install("bad", files))
    assert (done.code, done.out) == (2, ""), done
    assert message in done.err
    assert "bad" in done.err.splitlines()[1]
    assert "Traceback" not in done.err
    assert "bug in loopsafe" not in done.err


def test_format_that_fails(run: Callable[..., Any], install: Callable[..., Any], folder: Path) -> None:
    code = (
        "@hookimpl\ndef loopsafe_formats():\n"
        "    return [Format('a', lambda report: 1 / 0), Format('b', lambda report: 1)]"
    )
    environment = install("bad", {"bad/__init__.py": HEAD + code + "\n"})
    done = run("loopsafe", "check", "--output-format", "a", cwd=folder, env=environment)
    assert (done.code, done.out) == (2, "")
    assert "plugin `bad`: format `a` failed: ZeroDivisionError: division by zero" in done.err
    done = run("loopsafe", "check", "--output-format", "b", cwd=folder, env=environment)
    assert (done.code, done.out) == (2, "")
    assert "plugin `bad`: format `b` returns int, no text" in done.err


def test_package_that_is_gone(run: Callable[..., Any], install: Callable[..., Any], folder: Path) -> None:
    done = run("loopsafe", "check", cwd=folder, env=install("bad", {}, "not_there"))
    assert (done.code, done.out) == (2, "")
    assert "plugin bad of loopsafe-bad 2.0: cannot be loaded: ModuleNotFoundError" in done.err


@pytest.mark.parametrize(
    ("code", "files", "message"),
    [
        (RULES, BAD001, "code BAD001 is already taken by plugin `one`"),
        (
            "@hookimpl\ndef loopsafe_formats(): return [Format('same', lambda report: '')]\n",
            {},
            "a format called `same` is there already",
        ),
    ],
)
def test_plugins_that_clash(
    run: Callable[..., Any],
    install: Callable[..., Any],
    folder: Path,
    code: str,
    files: dict[str, str],
    message: str,
) -> None:
    for name in ("two", "one"):
        own = {f"{name}/{path}": text for path, text in files.items()}
        environment = install(name, {f"{name}/__init__.py": HEAD + code, **own})
    done = run("loopsafe", "check", cwd=folder, env=environment)
    assert (done.code, done.out) == (2, "")
    assert f"plugin `two`: {message}" in done.err


def test_flake8_says_it_in_one_line(run: Callable[..., Any], install: Callable[..., Any], folder: Path) -> None:
    done = run("flake8", "--isolated", cwd=folder, env=install("bad", {"bad/__init__.py": "1 / 0\n"}))
    assert done.code == 1
    assert "loopsafe: plugin bad of loopsafe-bad 2.0: cannot be loaded: ZeroDivisionError" in done.out
    assert "Traceback" not in done.out + done.err


def test_changed_check_is_not_hidden_by_the_cache(
    run: Callable[..., Any], install: Callable[..., Any], folder: Path
) -> None:
    """Who writes a check runs it again and again over a project that does not change."""
    code = (
        f"{HEAD}{RULES}def run(context):\n"
        "    for module in context.project.modules.by_path.values():\n"
        "        yield context.diagnostic(module.path, 'BAD001', Span(1, 1, 1, 2), 'first words')\n"
        "@hookimpl\ndef loopsafe_checks(): return [Check(('BAD001',), run)]\n"
    )
    files = {"bad/__init__.py": code, **{f"bad/{path}": text for path, text in BAD001.items()}}
    environment = install("bad", files)
    assert "BAD001 first words" in run("loopsafe", "check", cwd=folder, env=environment).out
    module = Path(environment["PYTHONPATH"]) / "bad" / "__init__.py"
    module.write_text(code.replace("first words", "other words!"), encoding="utf-8")
    assert "BAD001 other words!" in run("loopsafe", "check", cwd=folder, env=environment).out
