"""The example in `docs/examples/loopsafe-acme`, installed by pip and used from the shell."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SHOP = """\
import asyncio

from acme_queue import in_thread, open_queue

queue = open_queue()


def announce(order):
    queue.publish(order)


async def order_async(order):
    queue.publish(order)
    announce(order)
    await in_thread(announce, order)


async def cancel(order):
    await asyncio.sleep(1)
"""
EXPECTED = [("LSA101", 13, 5), ("LSA111", 14, 5), ("ACM001", 18, 11)]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "pyproject.toml").write_text("", encoding="utf-8")
    (folder / "shop.py").write_text(SHOP, encoding="utf-8")
    return folder


def find(done: Any) -> list[tuple[str, int, int]]:
    return [(one["code"], one["location"]["row"], one["location"]["column"]) for one in json.loads(done.out)]


def test_its_knowledge_and_its_rule_give_findings(run: Callable[..., Any], acme: dict[str, str], shop: Path) -> None:
    flags = ("--output-format", "json")
    done = run("loopsafe", "check", *flags, cwd=shop, env=acme)
    assert (done.code, done.err, find(done)) == (1, "", EXPECTED)
    assert run("loopsafe", "check", *flags, cwd=shop, env=acme) == done, "from the cache"
    assert find(run("loopsafe", "check", *flags, cwd=shop)) == [], "not without the plugin, cache or no cache"
    assert run("loopsafe", "check", *flags, cwd=shop, env=acme) == done


@pytest.mark.parametrize(
    ("flags", "codes"),
    [
        (["--select", "ACM"], ["ACM001"]),
        (["--select", "ACM001,LSA101"], ["LSA101", "ACM001"]),
        (["--ignore", "ACM"], ["LSA101", "LSA111"]),
        (["--select", "ALL", "--ignore", "LSA"], ["ACM001"]),
    ],
)
def test_its_codes_are_selected_like_any(
    run: Callable[..., Any], acme: dict[str, str], shop: Path, flags: list[str], codes: list[str]
) -> None:
    done = run("loopsafe", "check", "--output-format", "json", *flags, cwd=shop, env=acme)
    assert [code for code, _, _ in find(done)] == codes


def test_its_codes_are_suppressed_like_any(run: Callable[..., Any], acme: dict[str, str], shop: Path) -> None:
    text = SHOP.replace("async def cancel(order):", "async def cancel(order):  # noqa: ACM001")
    (shop / "shop.py").write_text(text, encoding="utf-8")
    done = run("loopsafe", "check", "--output-format", "json", cwd=shop, env=acme)
    assert find(done) == EXPECTED[:2]


def test_its_selectors_are_unknown_without_it(run: Callable[..., Any], shop: Path) -> None:
    done = run("loopsafe", "check", "--select", "ACM", cwd=shop)
    assert (done.code, done.out) == (2, "")
    assert "`ACM`" in done.err


def test_its_format(run: Callable[..., Any], acme: dict[str, str], shop: Path) -> None:
    done = run("loopsafe", "check", "--output-format", "acme-tally", cwd=shop, env=acme)
    assert done == (1, "    3 shop.py\n", "")
    done = run("loopsafe", "check", "--output-format", "acme-tally", cwd=shop)
    assert (done.code, done.out) == (2, "")
    assert "invalid value 'acme-tally'" in done.err
    assert "acme-tally" in run("loopsafe", "check", "--output-format", "?", cwd=shop, env=acme).err


@pytest.mark.parametrize("jobs", ["-j1", "-j2"])
def test_its_codes_in_flake8(run: Callable[..., Any], acme: dict[str, str], shop: Path, jobs: str) -> None:
    (shop / "other.py").write_text("async def go():\n    pass\n", encoding="utf-8")
    flags = ("--isolated", jobs, "--format=%(code)s %(path)s:%(row)d:%(col)d")
    done = run("flake8", *flags, cwd=shop, env=acme)
    assert done.err == ""
    assert done.out.splitlines() == [
        "ACM001 ./other.py:1:11",
        *(f"{code} ./shop.py:{row}:{column}" for code, row, column in EXPECTED),
    ]
    done = run("flake8", *flags, "--extend-ignore=ACM001", cwd=shop, env=acme)
    assert [line[:6] for line in done.out.splitlines()] == ["LSA101", "LSA111"]


def test_its_codes_in_flake8_from_standard_input(run: Callable[..., Any], acme: dict[str, str], shop: Path) -> None:
    flags = ("--isolated", "--format=%(code)s:%(row)d", "--stdin-display-name=shop.py", "-")
    done = run("flake8", *flags, cwd=shop, env=acme, stdin=SHOP.encode())
    assert (done.out.split(), done.err) == (["LSA101:13", "LSA111:14", "ACM001:18"], "")
