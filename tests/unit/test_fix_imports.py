"""The off-loader's name: reused where it is imported, imported once where it is not, refused where it means another."""

# ruff: noqa: E501  (a case is one row of a table)

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from loopsafe.fixes import Proposal, apply, propose
from loopsafe.model import Diagnostic, Remedy, RemedyKind, Span
from loopsafe.source.text import decode

CODE = "async def main():\n    block()\n"


def find_blocks(text: str, **remedy: object) -> list[Diagnostic]:
    """Return a finding for each call of `block` in ASCII `text`."""
    spans = [
        Span(node.lineno, node.col_offset + 1, node.end_lineno or 0, (node.end_col_offset or 0) + 1)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "block"
    ]
    return [
        Diagnostic("a.py", "LSA101", "x", "x", span, remedy=Remedy(RemedyKind.OFFLOAD, span, **remedy))  # type: ignore[arg-type]
        for span in sorted(spans)
    ]


def fix_all(text: str, path: str = "a.py", target: tuple[int, int] = (3, 10), **remedy: object) -> str:
    proposals = propose(decode(path, text.encode()), find_blocks(text, **remedy), target_version=target)
    assert [one.refusal for one in proposals if one.refusal] == []
    return apply(text, [one.fix for one in proposals]).text


def propose_first(text: str, path: str = "a.py") -> Proposal:
    return propose(decode(path, text.encode()), find_blocks(text))[0]


HEADS = [
    # (row, sentence, head before, head after); {} stands for nothing changed
    ("69", "a sorted block of the standard library", "import abc\nimport os\nfrom re import sub\n\n\n",
     "import abc\nimport asyncio\nimport os\nfrom re import sub\n\n\n"),
    ("69", "a block that sorts wholly before", "import abc\nfrom re import sub\n\nimport requests\n\n\n",
     "import abc\nimport asyncio\nfrom re import sub\n\nimport requests\n\n\n"),
    ("69", "a block that sorts wholly after", "import os\n\n\n", "import asyncio\nimport os\n\n\n"),
    ("69", "a block of from imports", "from os import path\n\n\n", "import asyncio\nfrom os import path\n\n\n"),
    ("69", "a block sorted by module", "from abc import ABC\nimport os\nfrom re import sub\n\n\n",
     "from abc import ABC\nimport asyncio\nimport os\nfrom re import sub\n\n\n"),
    ("69", "an unsorted block", "import sys\nimport abc\n\n\n", "import asyncio\nimport sys\nimport abc\n\n\n"),
    ("69", "only installed packages", "import requests\n\n\n", "import asyncio\n\nimport requests\n\n\n"),
    ("69", "only relative imports", "from . import x\n\n\n", "import asyncio\n\nfrom . import x\n\n\n"),
    ("69", "a docstring and installed packages", '"""Doc."""\n\nimport requests\n\n\n',
     '"""Doc."""\n\nimport asyncio\n\nimport requests\n\n\n'),
    ("69", "a docstring right above", '"""Doc."""\nimport requests\n\n\n', '"""Doc."""\n\nimport asyncio\n\nimport requests\n\n\n'),
    ("69", "a future import", '"""Doc."""\n\nfrom __future__ import annotations\n\nimport os\n\n\n',
     '"""Doc."""\n\nfrom __future__ import annotations\n\nimport asyncio\nimport os\n\n\n'),
    ("69", "a future import only", "from __future__ import annotations\n\n\n",
     "from __future__ import annotations\n\nimport asyncio\n\n\n"),
    ("69", "a heading of a group", "# installed\nimport requests\n\n\n", "# installed\nimport asyncio\n\nimport requests\n\n\n"),
    ("69", "a heading of a second group", '"""Doc."""\n\n# installed\nimport requests\n\n\n',
     '"""Doc."""\n\nimport asyncio\n\n# installed\nimport requests\n\n\n'),
    ("69", "a comment within a group", "import abc\n# why\nimport os\n\n\n", "import abc\nimport asyncio\n# why\nimport os\n\n\n"),
    ("69", "two imports in a row", "import abc; import os\n\n\n", "import abc; import os\nimport asyncio\n\n\n"),
    ("69", "an import beside the docstring", '"""Doc."""; import os\n\n\n', '"""Doc."""; import os\nimport asyncio\n\n\n'),
    ("69", "an import over several rows", "from abc import (\n    ABC,\n)\nimport os\n\n\n",
     "from abc import (\n    ABC,\n)\nimport asyncio\nimport os\n\n\n"),
    ("69", "code above the imports", "X = 1\nimport os\n\n\n", "X = 1\nimport asyncio\nimport os\n\n\n"),
    ("72", "something else from asyncio", "from asyncio import run\n\n\n", "import asyncio\nfrom asyncio import run\n\n\n"),
    ("74", "an import for type checkers", "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    import asyncio\n\n\n",
     "import asyncio\nfrom typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    import asyncio\n\n\n"),
    ("74", "an import in a try statement", "try:\n    import asyncio\nexcept ImportError:\n    asyncio = None\n\n\n",
     "import asyncio\n\ntry:\n    import asyncio\nexcept ImportError:\n    asyncio = None\n\n\n"),
    ("74", "an import in another function", "def f():\n    import asyncio\n\n\n", "import asyncio\n\n\ndef f():\n    import asyncio\n\n\n"),
    ("78", "an empty head", "", "import asyncio\n\n\n"),
    ("78", "blank rows", "\n\n", "import asyncio\n\n\n"),
    ("78", "a docstring", '"""Doc."""\n\n\n', '"""Doc."""\n\nimport asyncio\n\n\n'),
    ("78", "a docstring that touches the code", '"""Doc."""\n', '"""Doc."""\n\nimport asyncio\n\n\n'),
    ("78", "a docstring over several rows", '"""Doc.\n\nMore.\n"""\n\n\n', '"""Doc.\n\nMore.\n"""\n\nimport asyncio\n\n\n'),
    ("78", "shebang and coding cookie", "#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n\n\n",
     "#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n\nimport asyncio\n\n\n"),
    ("78", "a licence", "# Copyright me.\n# All mine.\n\n\n", "# Copyright me.\n# All mine.\n\nimport asyncio\n\n\n"),
    ("78", "a comment on the code", "# Runs.\n", "import asyncio\n\n\n# Runs.\n"),
    ("78", "a constant", "X = 1\n\n\n", "import asyncio\n\nX = 1\n\n\n"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after"), [pytest.param(*one[2:], id=f"row {one[0]}: {one[1]}") for one in HEADS])
def test_adds_the_import_after(before: str, after: str) -> None:
    result = fix_all(before + CODE)
    assert result == after + CODE.replace("block()", "await asyncio.to_thread(block)")
    compile(result, "result", "exec")


REUSED = [
    ("70", "an alias", "import asyncio as aio", "aio.to_thread"),
    ("70", "the function itself", "from asyncio import to_thread", "to_thread"),
    ("70", "the function under another name", "from asyncio import to_thread as hop", "hop"),
    ("70", "the function before the module", "import asyncio\nfrom asyncio import to_thread", "to_thread"),
    ("71", "a submodule", "import asyncio.subprocess", "asyncio.to_thread"),
    ("76", "a star import beside it", "import asyncio\nfrom x import *", "asyncio.to_thread"),
    ("74", "a second one for type checkers", "import asyncio\nif TYPE_CHECKING:\n    import asyncio", "asyncio.to_thread"),
]  # fmt: skip


@pytest.mark.parametrize(("head", "spelling"), [pytest.param(*one[2:], id=f"row {one[0]}: {one[1]}") for one in REUSED])
def test_reuses(head: str, spelling: str) -> None:
    assert fix_all(f"{head}\n{CODE}") == f"{head}\n" + CODE.replace("block()", f"await {spelling}(block)")


def test_reuses_an_import_of_the_function_itself_or_one_around_it() -> None:
    local = "async def main():\n    import asyncio as a\n    block()\n"
    assert fix_all(local) == local.replace("block()", "await a.to_thread(block)")
    outer = "def make():\n    import asyncio\n    async def main():\n        block()\n"
    assert fix_all(outer) == outer.replace("block()", "await asyncio.to_thread(block)")


def test_imports_on_top_where_the_module_imports_below() -> None:  # row 75
    text = CODE + "import asyncio\n"
    result = fix_all("import os\n" + text)
    assert result.startswith("import asyncio\nimport os\n")


REFUSED = [
    ("75", "a local import below", "import asyncio\nasync def main():\n    block()\n    import asyncio\n"),
    ("75", "a local import under a condition", "async def main():\n    if x:\n        import asyncio\n    block()\n"),
    ("73", "a parameter", "import asyncio\nasync def main(asyncio):\n    block()\n"),
    ("73", "a parameter without an import", "async def main(*, asyncio=None):\n    block()\n"),
    ("73", "a local name", "async def main():\n    asyncio = 1\n    block()\n"),
    ("73", "a name of the function around it", "def f(asyncio):\n    async def main():\n        block()\n"),
    ("73", "a global name", "asyncio = object()\n" + CODE),
    ("73", "a global function", "import asyncio\ndef asyncio(): pass\n" + CODE),
    ("73", "an assignment from a function", "import asyncio\ndef f():\n    global asyncio\n    asyncio = 1\n" + CODE),
    ("73", "an assignment from a function, joined rows", "import asyncio\ndef f():\n    global x, \\\n        asyncio\n    asyncio = 1\n" + CODE),
    ("73", "another module's asyncio", "from redis import asyncio\n" + CODE),
    ("73", "another module under that name", "import uvloop as asyncio\n" + CODE),
    ("73", "a deleted module", "import asyncio\ndel asyncio\n" + CODE),
    ("76", "a star import as the only source", "from x import *\n" + CODE),
    ("70", "a shadowed alias", "from asyncio import to_thread\ndef asyncio(): pass\nasync def main(to_thread):\n    block()\n"),
]  # fmt: skip


@pytest.mark.parametrize("text", [pytest.param(one[2], id=f"row {one[0]}: {one[1]}") for one in REFUSED])
def test_refuses(text: str) -> None:
    proposal = propose_first(text)
    assert proposal.fix is None
    assert proposal.refusal


def test_a_shadowed_alias_gives_way_to_the_module() -> None:
    text = "import asyncio\nfrom asyncio import to_thread\nasync def main(to_thread):\n    block()\n"
    assert fix_all(text) == text.replace("block()", "await asyncio.to_thread(block)")


def test_refuses_beside_a_module_of_that_name(tmp_path: Path) -> None:  # row 77
    path = str(tmp_path / "a.py")
    assert propose_first(CODE, path).fix is not None
    (tmp_path / "asyncio.py").touch()
    assert propose_first(CODE, path).fix is None
    (tmp_path / "__init__.py").touch()  # inside a package the neighbour is `package.asyncio`
    assert propose_first(CODE, path).fix is not None


def test_one_import_serves_several_fixes() -> None:
    text = "async def main():\n    block()\n    block()\n\n\nasync def other(x):\n    block(block(x))\n"
    result = fix_all(text)
    assert result.count("import asyncio\n") == 1
    assert result.count("await asyncio.to_thread(block") == 3


def test_imports_two_modules_where_each_belongs() -> None:
    text = "import abc\nimport enum\nimport os\nasync def main():\n    block(k=1)\n"
    assert fix_all(text, target=(3, 8)) == (
        "import abc\nimport asyncio\nimport enum\nimport functools\nimport os\nasync def main():\n"
        "    await asyncio.get_running_loop().run_in_executor(\n"
        "        None, functools.partial(block, k=1)\n    )\n"
    )
    bare = "async def main():\n    block(1)\n"
    assert fix_all(bare, target=(3, 8)).startswith("import asyncio\nimport functools\n\n\nasync def")


def test_imports_an_installed_library_after_the_standard_one() -> None:
    text = "import os\nasync def main():\n    block(k=1)\n"
    assert fix_all(text, offloader="anyio.to_thread.run_sync") == (
        "import functools\nimport os\n\nimport anyio\nasync def main():\n"
        "    await anyio.to_thread.run_sync(functools.partial(block, k=1))\n"
    )


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_ends_the_import_as_the_file_does(newline: str) -> None:  # row 79
    text = '"""Doc."""\n\n\nasync def main():\n    block(\n        1,\n    )'.replace("\n", newline)
    source = decode("a.py", text.encode())
    fixes = [one.fix for one in propose(source, find_blocks(text))]
    call = "await asyncio.to_thread(\n        block,\n        1,\n    )"
    expected = f'"""Doc."""\n\nimport asyncio\n\n\nasync def main():\n    {call}'
    assert apply(text, fixes).text == expected.replace("\n", newline)
