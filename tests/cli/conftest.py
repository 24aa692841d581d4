"""Runs the command line in this process, on real files, with a small engine in place of the real one."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from loopsafe.cli.main import main

from .stand_in import StandIn


class Run(NamedTuple):
    """What a run of the command line leaves behind."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in ("FORCE_COLOR", "CLICOLOR_FORCE", "NO_COLOR", "LOOPSAFE_OUTPUT_FORMAT"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def loopsafe(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Run]:
    def run(*arguments: str, stdin: bytes | None = None, engine: object = None) -> Run:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin or b"")))
        code = main(arguments, engine=engine or StandIn())  # type: ignore[arg-type]
        sys.stderr.flush()
        out, err = capfdbinary.readouterr()
        return Run(code, out.decode("utf-8", "surrogateescape"), err.decode())

    return run


@pytest.fixture
def check(loopsafe: Callable[..., Run]) -> Callable[..., Run]:
    def run(*arguments: str, **options: object) -> Run:
        return loopsafe("check", "--output-format", "concise", *arguments, **options)

    return run


@pytest.fixture
def write(folder: Path) -> Callable[..., Path]:
    def write(path: str, text: str | bytes) -> Path:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode() if isinstance(text, str) else text)
        return target

    return write
