"""How a call gets to a thread: what the module imports already, what the settings name, what Django needs."""

# ruff: noqa: E501  (a case is one row of a table)

from __future__ import annotations

import ast
import textwrap
from pathlib import Path

import pytest

from loopsafe import engine
from loopsafe.config import read_settings
from loopsafe.config.settings import Settings
from loopsafe.model import LoopsafeError

HEAD = """\
import requests


async def main(url):
    return requests.get(url, timeout=5)
"""


def fix(text: str, folder: Path, **settings: object) -> str:
    """Return a program after its safe fixes."""
    path = folder / "program.py"
    path.write_text(text)
    chosen = Settings(select=("ALL",), use_cache=False, root=str(folder), fix=True, **settings)  # type: ignore[arg-type]
    fixed = engine.fix(engine.check([str(path)], chosen), chosen)
    result = next(iter(fixed.files.values()), text.encode()).decode()
    compile(result, "result", "exec")
    return result


@pytest.mark.parametrize(
    ("imported", "call"),
    [
        pytest.param("import asyncio\n", "asyncio.to_thread(requests.get, url, timeout=5)", id="asyncio"),
        pytest.param("from asyncio import to_thread\n", "to_thread(requests.get, url, timeout=5)", id="a name of asyncio"),
        pytest.param("import anyio\n", "anyio.to_thread.run_sync(functools.partial(requests.get, url, timeout=5))", id="anyio"),
        pytest.param("import asyncio\nfrom anyio import to_thread\n",
                     "to_thread.run_sync(functools.partial(requests.get, url, timeout=5))", id="an alias of anyio"),
        pytest.param("import asyncio\nfrom starlette.concurrency import run_in_threadpool\n",
                     "run_in_threadpool(requests.get, url, timeout=5)", id="starlette"),
        pytest.param("from fastapi.concurrency import run_in_threadpool as pooled\n",
                     "pooled(requests.get, url, timeout=5)", id="fastapi, by another name"),
    ],
)  # fmt: skip
def test_follows_what_the_module_imports(imported: str, call: str, tmp_path: Path) -> None:
    result = fix(imported + HEAD, tmp_path)
    assert f"    return await {call}" in ast.unparse(ast.parse(result))
    assert result.count("run_in_threadpool") <= 2


@pytest.mark.parametrize(
    ("setting", "imported", "call"),
    [
        pytest.param("asyncio", "import asyncio", "asyncio.to_thread(requests.get, url, timeout=5)", id="asyncio"),
        pytest.param("trio", "import trio", "trio.to_thread.run_sync(functools.partial(requests.get, url, timeout=5))", id="trio"),
        pytest.param("app.threads.run", "from app.threads import run", "run(requests.get, url, timeout=5)", id="a function"),
    ],
)  # fmt: skip
def test_follows_the_setting(setting: str, imported: str, call: str, tmp_path: Path) -> None:
    result = fix(HEAD, tmp_path, offload=setting)
    assert f"    return await {call}" in ast.unparse(ast.parse(result))
    assert f"{imported}\n" in result


def test_a_name_that_is_taken_is_not_imported(tmp_path: Path) -> None:
    text = HEAD + "\n\ndef run():\n    pass\n"
    assert fix(text, tmp_path, offload="app.threads.run") == text


USED = """

async def other(url):
    return {call}
"""
HELPER = """\
import asyncio


async def run_sync(func, *args):
    return await asyncio.to_thread(func, *args)


async def run_any(func, /, *args, **kwargs):
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(None, functools.partial(func, *args, **kwargs))


async def run_safely(func, *args):
    try:
        return await asyncio.to_thread(func, *args)
    except OSError:
        return None


async def run_twice(func, *args):
    await asyncio.to_thread(func, *args)
    return await asyncio.to_thread(func, *args[1:])


async def run_later(func, *args):
    return asyncio.to_thread(func, *args)


async def run_for(seconds, func, *args):
    return await asyncio.to_thread(func, *args)


@asyncio.coroutine
def run_old(func, *args):
    return asyncio.to_thread(func, *args)
""".replace("import asyncio\n", "import asyncio\nimport functools\n", 1)


class TestHelpersOfTheProject:
    @pytest.mark.parametrize(
        ("imported", "used", "call"),
        [
            pytest.param("from threads import run_sync", "run_sync(requests.head, url)",
                         "run_sync(functools.partial(requests.get, url, timeout=5))", id="without keywords"),
            pytest.param("from threads import run_any", "run_any(requests.head, url)",
                         "run_any(requests.get, url, timeout=5)", id="with keywords"),
            pytest.param("from threads import run_any as off", "off(requests.head, url)",
                         "off(requests.get, url, timeout=5)", id="by another name"),
            pytest.param("from langchain_core.runnables.config import run_in_executor", "run_in_executor(None, requests.head, url)",
                         "run_in_executor(None, requests.get, url, timeout=5)", id="langchain, with the usual executor"),
            pytest.param("from langchain_core.runnables.config import run_in_executor", "run_in_executor(pool, requests.head, url)",
                         "asyncio.to_thread(requests.get, url, timeout=5)", id="langchain, with another executor"),
            pytest.param("from langchain_core.runnables.config import run_in_executor", "1",
                         "run_in_executor(None, requests.get, url, timeout=5)", id="langchain, not used otherwise"),
            pytest.param("from threads import run_sync", "1", "asyncio.to_thread(requests.get, url, timeout=5)", id="not used"),
            *(
                pytest.param(f"from threads import {name}", f"{name}(requests.head, url)",
                             "asyncio.to_thread(requests.get, url, timeout=5)", id=why)
                for name, why in {
                    "run_safely": "hides errors", "run_twice": "does more", "run_later": "gives a coroutine",
                    "run_for": "wants something else", "run_old": "nobody knows what",
                }.items()
            ),
        ],
    )  # fmt: skip
    def test_are_used_where_the_module_uses_them(self, imported: str, used: str, call: str, tmp_path: Path) -> None:
        (tmp_path / "threads.py").write_text(HELPER)
        result = fix(f"{imported}\n{HEAD}{USED.format(call=used)}", tmp_path)
        assert f"    return await {call}\n" in result

    def test_of_the_package(self, tmp_path: Path) -> None:
        folder = tmp_path / "app" / "web"
        folder.mkdir(parents=True)
        (tmp_path / "app" / "__init__.py").touch()
        (folder / "__init__.py").touch()
        (tmp_path / "app" / "threads.py").write_text(HELPER)
        text = f"from ..threads import run_any\n{HEAD}{USED.format(call='run_any(requests.head, url)')}"
        (folder / "views.py").write_text(text)
        settings = Settings(use_cache=False, root=str(tmp_path))
        fixed = engine.fix(engine.check([str(tmp_path)], settings), settings)
        assert b"    return await run_any(requests.get, url, timeout=5)\n" in fixed.files[str(folder / "views.py")]

    def test_of_the_module_itself(self, tmp_path: Path) -> None:
        result = fix(f"{HELPER}\n\n{HEAD}{USED.format(call='run_any(requests.head, url)')}", tmp_path)
        assert "    return await run_any(requests.get, url, timeout=5)\n" in result

    def test_not_where_the_name_means_something_else(self, tmp_path: Path) -> None:
        text = HEAD.replace("(url)", "(url, run_any)")
        assert fix(f"{HELPER}\n\n{text}{USED.format(call='run_any(requests.head, url)')}", tmp_path).endswith(
            text.partition("async")[2] + USED.format(call="run_any(requests.head, url)")
        )

    def test_not_with_a_keyword_that_they_take_themselves(self, tmp_path: Path) -> None:
        (tmp_path / "threads.py").write_text(HELPER.replace("func, /,", "func,"))
        text = HEAD.replace("timeout=5", "func=5")
        result = fix(f"from threads import run_any\n{text}{USED.format(call='run_any(requests.head, url)')}", tmp_path)
        assert "    return await run_any(functools.partial(requests.get, url, func=5))\n" in result


def test_runs_without_to_thread_on_old_pythons(tmp_path: Path) -> None:
    result = fix(HEAD, tmp_path, target_version=(3, 8))
    call = "asyncio.get_running_loop().run_in_executor(None, functools.partial(requests.get, url, timeout=5))"
    assert f"    return await {call}" in ast.unparse(ast.parse(result))


class TestDjango:
    def program(self, body: str, imported: str = "") -> str:
        head = f"{imported}from django.contrib.auth.models import User\nfrom django.db import connection, transaction\n\n\n"
        return head + "async def view(request):\n" + textwrap.indent(textwrap.dedent(body), "    ")

    def test_its_calls_go_to_the_thread_of_the_request(self, tmp_path: Path) -> None:
        result = fix(self.program("user = User.objects.get(pk=1)\nuser.save()\n"), tmp_path)
        assert result.startswith("from asgiref.sync import sync_to_async\nfrom django.contrib")
        assert (
            "    user = await sync_to_async(User.objects.get)(pk=1)\n    await sync_to_async(user.save)()\n" in result
        )

    def test_the_function_of_channels_is_kept(self, tmp_path: Path) -> None:
        imported = "from channels.db import database_sync_to_async as db\n"
        result = fix(self.program("return User.objects.filter(a=1).first()\n", imported), tmp_path)
        assert "    return await db(User.objects.filter(a=1).first)()\n" in result
        assert "asgiref" not in result

    @pytest.mark.parametrize("manager", ["transaction.atomic()", "connection.cursor() as cursor"])
    def test_a_transaction_is_not_torn_apart(self, manager: str, tmp_path: Path) -> None:
        text = self.program(f"with {manager}:\n    User.objects.create(name='a')\n")
        assert fix(text, tmp_path) == text

    def test_other_calls_go_to_any_thread(self, tmp_path: Path) -> None:
        result = fix(self.program("requests.get('a')\nUser.objects.count()\n", "import requests\n"), tmp_path)
        assert "await asyncio.to_thread(requests.get, 'a')" in result
        assert "await sync_to_async(User.objects.count)()" in result


class TestSetting:
    def write(self, folder: Path, value: str) -> str:
        (folder / "pyproject.toml").write_text(f"[project]\n\n[tool.loopsafe]\noffload = {value}\n")
        return str(folder)

    @pytest.mark.parametrize("value", ["auto", "asyncio", "anyio", "trio", "app.threads.run"])
    def test_it_is_read(self, value: str, tmp_path: Path) -> None:
        assert read_settings([self.write(tmp_path, f'"{value}"')]).offload == value

    @pytest.mark.parametrize("value", ['"curio"', '"app:run"', '""', '"app..run"', "true"])
    def test_a_wrong_value_names_file_line_and_key(self, value: str, tmp_path: Path) -> None:
        with pytest.raises(LoopsafeError) as caught:
            read_settings([self.write(tmp_path, value)])
        text = str(caught.value)
        assert text.startswith(f"{tmp_path / 'pyproject.toml'}:4: offload: ")
        assert text.endswith("""write it like `offload = "anyio"`""")
