"""The catalogue costs little: only what is asked about is decoded, and what a wheel holds is quick to read."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from loopsafe.catalog import Catalog, load
from loopsafe.catalog import loader as loading
from loopsafe.catalog.loader import PACKED, pack_shipped

SDKS = ("boto3", "httpx", "kubernetes", "openai", "psycopg2", "pymongo", "redis", "requests", "sqlalchemy", "supabase")


def look_up() -> Catalog:
    catalog = load(SDKS)
    for name in SDKS:
        catalog.facts(f"{name}.anything")
    return catalog


def least(work: Callable[[], object]) -> float:
    """CPU seconds of the quickest of several runs."""
    times = []
    for _ in range(5):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def test_only_files_that_may_know_the_name_are_decoded() -> None:
    catalog = load(SDKS)
    assert not catalog._files
    catalog.facts("requests.get")
    assert {Path(catalog.texts[index].path).stem for index in catalog._files} == {"requests"}
    assert len(look_up()._files) < len(catalog.texts) / 10


def test_packed_files_are_read_several_times_faster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = least(look_up)
    (tmp_path / PACKED).write_bytes(pack_shipped())
    monkeypatch.setattr(loading, "find_rules", lambda: tmp_path)
    assert least(look_up) * 3 < plain
