"""Whether packages still pass their own tests after `loopsafe check --fix` on their source: suites_after_fix.py FOLDER

FOLDER is for downloads, virtual environments and logs; what is already in it is used again. Of each package, the sdist
is unpacked and installed in place, its tests run, the safe fixes applied to its source, and the tests run again. A
test that passed before has to pass afterwards; one that does not has a second chance, alone, since some depend on time.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

SECONDS = 1_500


class Suite(NamedTuple):
    """A package, what its tests need and how they are run."""

    name: str
    version: str
    needed: tuple[str, ...]
    tests: tuple[str, ...]
    """Arguments of pytest."""
    conftest: str = ""
    """What the package's own way to run its tests does before them."""


QUIET = 'import logging\nlogging.getLogger("tornado.access").setLevel(logging.CRITICAL)\n'
SUITES = (
    Suite(
        "aiosmtpd",
        "1.4.6",
        ("pytest<8", "pytest-asyncio<0.22", "pytest-cov", "pytest-mock", "setuptools<70"),
        ("aiosmtpd/tests", "--override-ini=addopts=", "--override-ini=filterwarnings="),
    ),
    Suite(
        "jupyter_client",
        "8.10.0",
        ("anyio", "ipykernel", "msgpack", "pytest<9", "pytest-jupyter[client]", "pytest-timeout"),
        ("tests", "-k", "not test_shutdown", "--timeout=60", "--timeout-method=signal"),  # that one may wait for ever
    ),
    Suite("tornado", "6.6.1", ("pytest<9",), ("tornado/test",), QUIET),
)


def run(*command: str | Path, cwd: Path, log: Path) -> int:
    """Run a command to its end and keep what it says."""
    with log.open("a") as file:
        return subprocess.run(command, cwd=cwd, stdout=file, stderr=file, timeout=SECONDS, check=False).returncode


def install(suite: Suite, folder: Path, log: Path) -> tuple[Path, Path]:
    """Unpack the package anew; return its folder and the Python in which it is installed."""
    python = folder / f"{suite.name}-venv" / "bin" / "python"
    pinned = f"{suite.name}=={suite.version}"
    if not python.exists():
        run(sys.executable, "-m", "venv", python.parents[1], cwd=folder, log=log)
    if not (archives := list(folder.glob(f"{suite.name}-{suite.version}.tar.gz"))):
        run(python, "-m", "pip", "download", "--no-deps", "--no-binary=:all:", pinned, cwd=folder, log=log)
        archives = list(folder.glob(f"{suite.name}-{suite.version}.tar.gz"))
    root = folder / f"{suite.name}-{suite.version}"
    shutil.rmtree(root, ignore_errors=True)
    with tarfile.open(archives[0]) as archive:
        archive.extractall(folder, filter="data")
    if suite.conftest:
        (root / "conftest.py").write_text(suite.conftest)
    if run(python, "-m", "pip", "install", "--quiet", "-e", root, *suite.needed, cwd=folder, log=log) != 0:
        raise SystemExit(f"{pinned} cannot be installed, see {log}")
    return root, python


def passing(python: Path, root: Path, tests: Sequence[str], log: Path) -> tuple[set[str], set[str]]:
    """Run tests; return those that pass and those that do not."""
    report = root.parent / "report.xml"
    report.unlink(missing_ok=True)
    run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *tests, cwd=root, log=log)
    passed: set[str] = set()
    failed: set[str] = set()
    for case in ElementTree.parse(report).iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        outcomes = {child.tag for child in case}
        if "skipped" not in outcomes:
            (failed if outcomes & {"failure", "error"} else passed).add(name)
    return passed - failed, failed


def fix(root: Path, package: str, log: Path) -> str:
    """Apply the safe fixes; return loopsafe's own last words."""
    flags = ["--isolated", "--no-cache", "--fix", "--extend-exclude=test,tests"]
    command = [sys.executable, "-m", "loopsafe", "check", *flags, package]
    finished = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=SECONDS, check=False)
    log.write_text(finished.stdout + finished.stderr)
    said = re.findall(r"^Found .*|^All checks passed!", finished.stdout, re.MULTILINE)
    return said[-1] if said else f"exit {finished.returncode}"


def measure(suite: Suite, folder: Path) -> bool:
    """Print how one package does; return whether all is well."""
    log = folder / f"{suite.name}.log"
    log.write_text("")
    root, python = install(suite, folder, log)
    before, broken_before = passing(python, root, suite.tests, log)
    said = fix(root, suite.name, folder / f"{suite.name}-fix.log")
    after, _ = passing(python, root, suite.tests, log)
    lost = before - after
    if lost:
        names = " or ".join(sorted({name.rpartition("::")[2].partition("[")[0] for name in lost}))
        lost -= passing(python, root, [*suite.tests, "-k", names], log)[0]
    print(f"{suite.name} {suite.version}: {said}")
    print(f"    tests that pass before: {len(before)}, after: {len(after)}, broken by fixes: {len(lost)}", flush=True)
    print(f"    tests that fail before: {len(broken_before)}")
    for name in sorted(lost):
        print(f"    {name}")
    return not lost and bool(before)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--packages", help="only these, separated by commas")
    options = parser.parse_args()
    folder = options.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    wanted = options.packages.split(",") if options.packages else [suite.name for suite in SUITES]
    are_well = [measure(suite, folder) for suite in SUITES if suite.name in wanted]
    return 0 if all(are_well) else 1


if __name__ == "__main__":
    sys.exit(main())
