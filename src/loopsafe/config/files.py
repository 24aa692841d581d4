"""Reads the configuration file of a run: `[tool.loopsafe]` in `pyproject.toml`, `loopsafe.toml` or `.loopsafe.toml`.

Spelling and search are ruff's. Nothing here knows flags, which win over files.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from loopsafe.config.root import common_folder, find_root
from loopsafe.config.selectors import Selection
from loopsafe.config.settings import Settings
from loopsafe.config.toml import Problem, complaint, line_of, locate, parse
from loopsafe.model import Confidence, LoopsafeError

_NAMES: Final = (".loopsafe.toml", "loopsafe.toml")
_PYPROJECT: Final = "pyproject.toml"
_OLDEST: Final = 7
_OFFLOAD: Final = re.compile(r"auto|asyncio|anyio|trio|[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
"""What `offload` may be; a dotted name is that of a function."""
_LOWER_BOUND: Final = re.compile(r"(?:>=?|~=|===?)\s*3\.(\d+)")


class _Lint(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """The keys of `[tool.loopsafe.lint]`, which may stand in `[tool.loopsafe]` as well."""

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] | None = None
    extend_select: tuple[str, ...] | None = None


class _File(_Lint, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """The keys of `[tool.loopsafe]`."""

    lint: _Lint = _Lint()
    exclude: tuple[str, ...] | None = None
    extend_exclude: tuple[str, ...] = ()
    respect_gitignore: bool = True
    force_exclude: bool = False
    fix: bool = False
    unsafe_fixes: bool | None = None
    min_confidence: Confidence = Confidence.LIKELY
    target_version: str | None = None
    src: tuple[str, ...] | None = None
    cache_dir: str | None = None
    python: str | None = None
    catalogs: tuple[str, ...] = ()
    offload: str = "auto"


_EXAMPLES: Final[Mapping[str, str]] = {
    "select": '["LSA1"]',
    "ignore": '["LSA103"]',
    "extend-select": '["LSA100"]',
    "exclude": '["build"]',
    "extend-exclude": '["build"]',
    "respect-gitignore": "true",
    "force-exclude": "true",
    "fix": "true",
    "unsafe-fixes": "true",
    "min-confidence": '"certain"',
    "target-version": '"py310"',
    "src": '["src"]',
    "cache-dir": '".cache"',
    "python": '".venv"',
    "catalogs": '["tools/blocking.toml"]',
    "offload": '"anyio"',
}
"""Each key with a value that is right, to show whoever wrote a wrong one."""


class _Config:
    """The text of a configuration file, its table, and the folder that paths in it are relative to."""

    def __init__(self, path: Path, text: str, folder: str) -> None:
        self.folder: Final = folder
        self._path: Final = path
        self._text: Final = text
        self._tables: Final = ("tool", "loopsafe") if path.name == _PYPROJECT else ()
        table: Any = parse(path, text)
        for name in self._tables:
            table = table.get(name) if isinstance(table, dict) else None
        self.has_table: Final = table is not None
        self._table: Final = {} if table is None else table

    def settings(self, root: str) -> Settings:
        """What the file asks for."""
        file = self._decode()
        if file.target_version is not None and not re.fullmatch(r"py3([7-9]|1[0-5])", file.target_version):
            raise self._complaint("target-version", f"`{file.target_version}` is no Python version that we know")
        if not _OFFLOAD.fullmatch(file.offload):
            raise self._complaint(
                "offload",
                f"`{file.offload}` is neither `auto`, `asyncio`, `anyio` or `trio`, nor a function with its module",
            )
        return Settings(
            configured=self._selection(file),
            exclude=None if file.exclude is None else self._patterns(file.exclude),
            extend_exclude=self._patterns(file.extend_exclude),
            respect_gitignore=file.respect_gitignore,
            force_exclude=file.force_exclude,
            fix=file.fix,
            unsafe_fixes=file.unsafe_fixes,
            min_confidence=file.min_confidence,
            target_version=None if file.target_version is None else (3, int(file.target_version[3:])),
            src=Settings().src if file.src is None else tuple(map(self._absolute, file.src)),
            cache_dir=None if file.cache_dir is None else self._absolute(file.cache_dir),
            python=None if file.python is None else self._absolute(file.python),
            catalogs=tuple(map(self._catalog, file.catalogs)),
            offload=file.offload,
            root=root,
        )

    def _decode(self) -> _File:
        try:
            return msgspec.convert(self._table, _File)
        except msgspec.ValidationError as error:
            problem = locate(self._text, str(error), self._first_row(".lint" if "`$.lint" in str(error) else ""))
            unknown = re.match(r"Object contains unknown field `([^`]+)`", problem.message)
            if unknown:
                raise complaint(self._path, problem._replace(message=_describe_unknown(unknown[1]))) from None
            raise self._complaint(problem.key, problem.message, problem.line) from None

    def _selection(self, file: _File) -> Selection:
        chosen = {}
        for key in _Lint.__struct_fields__:
            outside, inside = getattr(file, key), getattr(file.lint, key)
            if outside is not None and inside is not None:
                raise self._complaint(key.replace("_", "-"), "stands in the table `lint` as well; keep one of them")
            chosen[key] = inside or outside or ()
        return Selection(**chosen, origin=str(self._path))

    def _catalog(self, name: str) -> str:
        path = self._absolute(name)
        if not os.path.exists(path):
            raise self._complaint("catalogs", f"there is no file or folder `{path}`")
        return path

    def _absolute(self, name: str) -> str:
        return os.path.normpath(os.path.join(self.folder, os.path.expanduser(name)))

    def _patterns(self, patterns: Sequence[str]) -> tuple[str, ...]:
        return tuple(anchor(pattern, self.folder) for pattern in patterns)

    def _complaint(self, key: str, message: str, line: int | None = None) -> LoopsafeError:
        example = _EXAMPLES.get(key)
        remedy = f"; write it like `{key} = {example}`" if example else ""
        line = line or line_of(self._text, key, self._first_row())
        return complaint(self._path, Problem(line, key, f"{message}{remedy}"))

    def _first_row(self, below: str = "") -> int:
        """The row, from 0, of the table's header."""
        names = [*self._tables, *filter(None, below.split("."))]
        header = re.compile(r"\s*\[\s*" + r"\s*\.\s*".join(map(re.escape, names)) + r"\s*\]")
        rows = self._text.splitlines()
        return next((row for row, line in enumerate(rows) if names and header.match(line)), 0)


def read_settings(paths: Sequence[str], *, config: str | None = None, isolated: bool = False) -> Settings:
    """Return the settings of a run over `paths`: the defaults, changed by what the configuration file says.

    That is the file `config`, else the nearest one at or above all `paths`; with `isolated` there is none. Paths and
    patterns in it are relative to its folder, those in `config` to the working directory. Raises LoopsafeError that
    names file, line and key.
    """
    root = find_root(paths)
    if isolated:
        return Settings(root=root)
    found = _find(common_folder(paths)) if config is None else _open(Path(config), os.getcwd())
    settings = Settings(root=root) if found is None else found.settings(root)
    if settings.target_version is None:
        folder = root if found is None or config is not None else found.folder
        settings = msgspec.structs.replace(settings, target_version=_required_python(Path(folder, _PYPROJECT)))
    return settings


def anchor(pattern: str, folder: str) -> str:
    """Return `pattern` as if written in `folder`: what has a slash becomes absolute, the rest stays."""
    if "/" not in pattern.rstrip("/") or os.path.isabs(pattern):
        return pattern
    escaped = re.sub(r"([*?\[{\\])", r"\\\1", folder.rstrip("/"))
    return f"{escaped}/{pattern.removeprefix('./')}"


def _find(start: Path) -> _Config | None:
    """The nearest configuration file at or above a folder; a `pyproject.toml` without our table is none."""
    for folder in (start, *start.parents):
        for name in _NAMES:
            if (folder / name).is_file():
                return _open(folder / name, str(folder))
        pyproject = folder / _PYPROJECT
        if pyproject.is_file() and "loopsafe" in _read(pyproject):
            found = _open(pyproject, str(folder))
            if found.has_table:
                return found
    return None


def _open(path: Path, folder: str) -> _Config:
    return _Config(path, _read(path), folder)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise LoopsafeError(f"there is no configuration file `{path}`") from None
    except UnicodeDecodeError:
        raise LoopsafeError(f"{path}: is not UTF-8, as TOML must be") from None
    except OSError as error:
        raise LoopsafeError(f"{path}: cannot be read: {error.strerror}") from None


def _required_python(pyproject: Path) -> tuple[int, int] | None:
    """The oldest Python that the project says it runs on."""
    if not pyproject.is_file():
        return None
    text = _read(pyproject)
    if "requires-python" not in text:
        return None
    project = parse(pyproject, text).get("project")
    required = project.get("requires-python") if isinstance(project, dict) else None
    minors = [int(minor) for minor in _LOWER_BOUND.findall(required)] if isinstance(required, str) else []
    return (3, max(_OLDEST, *minors)) if minors else None


def _describe_unknown(key: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(key, [*_EXAMPLES, "lint"], n=1)
    return f"unknown key; did you mean `{near[0]}`?" if near else f"unknown key; those known are {', '.join(_EXAMPLES)}"
