"""Options of the whole test suite."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-fixtures",
        action="store_true",
        help="rewrite the *.fixed.py beside the fixtures with what --fix makes of them, then review the diff",
    )


@pytest.fixture
def is_updating(request: pytest.FixtureRequest) -> bool:
    """Whether result files are to be rewritten instead of compared."""
    return bool(request.config.getoption("--update-fixtures"))
