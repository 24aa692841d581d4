"""What fixing makes of calls that their authors had off-loaded: unoffload_fix.py WORK [--packages a,b] [--out FILE]

WORK holds `mut/<package>` with a `truth.json`: packages in which `await asyncio.to_thread(f, a)` and the like were
undone, and where. Each is fixed in a copy, unsafe fixes included. A site counts as flagged if a finding lies on its
lines, and as off the loop if its own call runs in a thread afterwards: it is handed to an off-loader, or stands in a
function or lambda that is. Every file has to compile. For what stays on the loop the fixer's reason is printed.
"""

from __future__ import annotations

import argparse
import ast
import collections
import json
import os
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import msgspec

from loopsafe import engine
from loopsafe.config.settings import Settings
from loopsafe.fixes.proposals import propose
from loopsafe.model import Diagnostic

Site: TypeAlias = dict[str, Any]
"""One entry of `truth.json`; what is measured is added to it."""
SETTINGS = Settings(select=("LSA1",), ignore_noqa=True, use_cache=False, fix=True, unsafe_fixes=True)
OFFLOADERS = {"to_thread", "run_sync", "run_in_executor", "run_in_threadpool", "sync_to_async", "partial", "make_async"}
REPLACED = {"time.sleep": "asyncio.sleep"}
NESTED = (ast.FunctionDef, ast.Lambda)
SHOWN_ROWS = 6


class Use(NamedTuple):
    """A place where a function is called, or handed to an off-loader."""

    row: int
    column: int
    function: int
    """The coroutine that it stands in, counted from the top of the file."""
    callee: str
    is_on_loop: bool


def find_uses(tree: ast.Module) -> list[Use]:
    """Every use of a function within a coroutine, in the order of the text."""
    uses: list[Use] = []
    coroutines = [node for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef)]
    coroutines.sort(key=lambda node: (node.lineno, node.col_offset))
    for number, coroutine in enumerate(coroutines):
        handed = set(find_handed(coroutine))
        stack: list[tuple[ast.AST, bool]] = [(node, True) for node in coroutine.body]
        while stack:
            node, is_on_loop = stack.pop()
            if isinstance(node, ast.AsyncFunctionDef | ast.ClassDef):
                continue
            if isinstance(node, ast.Call) and (node.func not in handed or isinstance(node.func, ast.Name)):
                uses.append(Use(node.lineno, node.col_offset, number, ast.unparse(node.func), is_on_loop))
            elif node in handed:
                uses.append(Use(node.lineno, node.col_offset, number, ast.unparse(node), False))
            leaves = isinstance(node, NESTED) and (node in handed or getattr(node, "name", None) in names_of(handed))
            stack += [(child, is_on_loop and not leaves) for child in ast.iter_child_nodes(node)]
    return sorted(uses)


def find_handed(coroutine: ast.AST) -> Iterator[ast.expr]:
    """The arguments of off-loaders, each of which may be what runs in the thread."""
    for node in ast.walk(coroutine):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in OFFLOADERS:
            yield from node.args


def names_of(nodes: set[ast.expr]) -> set[str]:
    return {node.id for node in nodes if isinstance(node, ast.Name)}


def locate(site: Site, uses: Sequence[Use], tree: ast.Module) -> list[Use]:
    """The uses that were off-loaded: the outermost call that stands at the site, or what its lambda called."""
    wanted = [inner["callee"] for inner in site.get("inner_callees", ())] or [site["callee"]]
    rows = range(site["line"], site["end_line"] + 1)
    return [use for use in uses if use.is_on_loop and use.row in rows and use.callee in wanted]


def is_off_loop(use: Use, before: Sequence[Use], after: Sequence[Use]) -> bool | None:
    """Whether a use has left the loop; None if it cannot be told apart from others."""
    old = [one for one in before if (one.function, one.callee) == (use.function, use.callee)]
    new = [one for one in after if (one.function, one.callee) == (use.function, use.callee)]
    if len(old) == len(new):
        return not new[old.index(use)].is_on_loop
    return None if any(one.is_on_loop for one in new) else True


def flag(sites: Sequence[Site], diagnostics: Sequence[Diagnostic]) -> None:
    """Note at each site which findings lie on its lines."""
    by_path = collections.defaultdict(list)
    for one in diagnostics:
        by_path[one.path].append(one)
    for site in sites:
        rows = range(site["line"], site["end_line"] + 1)
        site["findings"] = [one for one in by_path[site["path"]] if one.span.row in rows]


def explain(sites: Sequence[Site], outcome: engine.Outcome) -> None:
    """Note at each flagged site why its findings got no fix in the first pass, or got an unsafe one."""
    for path in sorted({site["path"] for site in sites if site["findings"]}):
        source = outcome.sources(path)
        assert source is not None
        found = [msgspec.structs.replace(one, fix=None) for one in outcome.diagnostics if one.path == path]
        given = {one.sort_key: proposal for one, proposal in zip(found, propose(source, found), strict=True)}
        for site in sites:
            if site["path"] == path:
                site["proposals"] = [given[one.sort_key] for one in site["findings"]]


def judge(site: Site, before: ast.Module, after: ast.Module) -> str:
    """What has become of a flagged site, in a word or with the fixer's reason."""
    old, new = find_uses(before), find_uses(after)
    uses = locate(site, old, before)
    if not uses:
        return "unclear: its call is not found"
    verdicts = {is_off_loop(use, old, new) for use in uses}
    if verdicts == {True}:
        return "fixed"
    flagged = {(one.span.row, one.span.column - 1) for one in site["findings"]}
    if flagged.isdisjoint((use.row, use.column) for use in uses):
        return "another call on its lines is flagged"
    reasons = sorted({one.refusal for one in site["proposals"] if one.refusal})
    return "; ".join(reasons) or ("unclear: calls of one name" if None in verdicts else "a later pass gave it no fix")


def measure(work: Path, package: str, folder: Path) -> tuple[list[Site], list[str], int]:
    """Fix one package in `folder`; return its sites, the files that do not compile and the number of fixes."""
    shutil.copytree(work / "mut" / package, folder, dirs_exist_ok=True)
    sites: list[Site] = json.loads((folder / "truth.json").read_text())["sites"]
    os.chdir(folder)
    outcome = engine.check(["."], SETTINGS)
    flag(sites, outcome.diagnostics)
    explain(sites, outcome)
    fixed = engine.fix(outcome, SETTINGS)
    old = {path: Path(path).read_bytes() for path in fixed.files}
    for path, data in fixed.files.items():
        Path(path).write_bytes(data)
    broken = [path for path, data in fixed.files.items() if not is_whole(data) and is_whole(old[path])]
    for site in sites:
        if site["findings"]:
            new = fixed.files.get(site["path"])
            before = ast.parse(old.get(site["path"]) or Path(site["path"]).read_bytes())
            site["verdict"] = judge(site, before, ast.parse(new) if new is not None else before)
            site["ours"] = "" if new is None else excerpt(site, before, new.decode(errors="replace"))
    return sites, [f"{package}/{path}" for path in broken], fixed.fixed


def is_whole(data: bytes) -> bool:
    try:
        compile(data, "file", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def excerpt(site: Site, before: ast.Module, after: str) -> str:
    """The rows around the site in the fixed text: where its callee is used the same number of times before."""
    old, new = find_uses(before), find_uses(ast.parse(after))
    uses = locate(site, old, before)
    if not uses:
        return ""
    same = [one for one in old if (one.function, one.callee) == (uses[0].function, uses[0].callee)]
    there = [one for one in new if (one.function, one.callee) == (uses[0].function, uses[0].callee)]
    if not there:
        return ""
    row = there[min(same.index(uses[0]), len(there) - 1)].row
    return "\n".join(after.splitlines()[max(row - SHOWN_ROWS, 0) : row + SHOWN_ROWS])


def report(sites: Sequence[Site]) -> None:
    """Print the reasons for what stays on the loop, most frequent first, with the places."""
    reasons = collections.defaultdict(list)
    for site in sites:
        if site["findings"] and site["verdict"] != "fixed":
            reasons[site["verdict"]].append(site["id"])
    for reason, places in sorted(reasons.items(), key=lambda item: (-len(item[1]), item[0])):
        print(f"{len(places):4} {reason}")
        for place in places:
            print(f"       {place}")


def as_data(site: Site) -> Site:
    """A site without values that JSON does not know."""
    plain = {key: value for key, value in site.items() if key not in ("findings", "proposals")}
    proposals = site.get("proposals", ())
    found = [
        {
            "code": one.code,
            "message": one.message,
            "fix": proposal.fix and proposal.fix.message,
            "applicability": proposal.fix and proposal.fix.applicability.value,
            "refusal": proposal.refusal,
            "doubts": list(proposal.doubts),
        }
        for one, proposal in zip(site["findings"], proposals, strict=False)
    ]
    return {**plain, "findings": found}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("--packages", help="only these, separated by commas")
    parser.add_argument("--out", type=Path, help="write all sites there, as JSON")
    options = parser.parse_args()
    work = options.work.absolute()
    out = options.out and options.out.absolute()
    packages = options.packages.split(",") if options.packages else sorted(os.listdir(work / "mut"))
    warnings.simplefilter("ignore", SyntaxWarning)
    everything: list[Site] = []
    broken: list[str] = []
    for package in packages:
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            sites, problems, count = measure(work, package, Path(folder))
            os.chdir(work)
        broken += problems
        everything += sites
        print(line(package, sites), f" {count} fixes, {time.monotonic() - started:.0f} s", flush=True)
        if out:
            out.write_text(json.dumps([as_data(site) for site in everything], indent=1))
    print(line("all", everything))
    report(everything)
    for path in broken:
        print(f"does not compile any more: {path}")
    return 1 if broken else 0


def line(name: str, sites: Sequence[Site]) -> str:
    flagged = [site for site in sites if site["findings"]]
    fixed = [site for site in flagged if site["verdict"] == "fixed"]
    share = len(fixed) / max(1, len(flagged))
    return f"{name:20} {len(sites):4} sites {len(flagged):4} flagged {len(fixed):4} off the loop = {share:.1%}"


if __name__ == "__main__":
    sys.exit(main())
