"""What each kind of remedy writes, or refuses, besides moving calls to threads (see test_fixes).

A case marks the expression of the remedy with « and »; it is the body of a coroutine.
"""

# ruff: noqa: E501  (a case is one row of a table)

from __future__ import annotations

import textwrap

import pytest

from loopsafe.fixes import Proposal, apply, propose
from loopsafe.model import Applicability, Diagnostic, Remedy, RemedyKind, Span
from loopsafe.source.text import decode

SAFE, UNSAFE = Applicability.SAFE, Applicability.UNSAFE
HEAD = "import asyncio\n\n\n"
K = RemedyKind


def locate(text: str, offset: int) -> tuple[int, int]:
    before = text[:offset]
    return before.count("\n") + 1, offset - before.rfind("\n")


def propose_one(marked: str, kind: RemedyKind, **remedy: object) -> tuple[str, Proposal]:
    start = marked.index("«")
    end = marked.index("»") - 1
    text = marked.replace("«", "").replace("»", "")
    span = Span(*locate(text, start), *locate(text, end))
    found = [Diagnostic("a.py", "LSA999", "x", "x", span, remedy=Remedy(kind, span, **remedy))]  # type: ignore[arg-type]
    return text, propose(decode("a.py", text.encode()), found)[0]


def in_coroutine(body: str, head: str = "async def main():\n") -> str:
    return HEAD + head + textwrap.indent(body, "    ") + "\n"


def fixed(marked: str, kind: RemedyKind, degree: Applicability = SAFE, **remedy: object) -> str:
    text, proposal = propose_one(marked, kind, **remedy)
    assert proposal.fix is not None, proposal.refusal
    assert proposal.fix.applicability is degree, proposal.doubts
    result = apply(text, [proposal.fix], UNSAFE).text
    compile(result, "result", "exec")
    return result


WRITTEN = [
    (K.AWAIT, "a statement", "«f(a)»", "await f(a)"),
    (K.AWAIT, "a condition", "if «f()»: pass", "if await f(): pass"),
    (K.AWAIT, "an attribute of the result", "«f()».x", "(await f()).x"),
    (K.AWAIT, "an item of the result, in parentheses", "(«f()»)[0]", "(await f())[0]"),
    (K.AWAIT, "a variable", "x = f()\nif «x»: pass", "x = f()\nif await x: pass"),
    (K.AWAIT, "a word that touches", "x = 1 if(«f()») else 2", "x = 1 if(await f()) else 2"),
    (K.AWAIT, "a list of results", "x = [«f(y)» for y in z]", "x = [await f(y) for y in z]"),
    (K.AWAIT, "an f-string", "f'{«f()»!r}'", "f'{await f()!r}'"),
    (K.AWAIT_ARGUMENT, "a call", "return «asyncio.run(f(a))»", "return await f(a)"),
    (K.AWAIT_ARGUMENT, "an attribute of the result", "«asyncio.run(f())».x", "(await f()).x"),
    (K.AWAIT_ARGUMENT, "an argument that binds less than await", "«asyncio.run(f() if a else g())»", "await (f() if a else g())"),
    (K.AWAIT_ARGUMENT, "an argument that awaits", "«asyncio.run(await f())»", "await (await f())"),
    (K.AWAIT_ARGUMENT, "redundant parentheses and a comma", "«asyncio.run((f()),)»", "await f()"),
    (K.AWAIT_ARGUMENT, "rows", "x = «asyncio.run(\n    f(\n        a,  # why\n\n        b,\n    )\n)»", "x = await f(\n    a,  # why\n\n    b,\n)"),
    (K.AWAIT_ARGUMENT, "rows of which one is text", "«asyncio.run(\n    f('''a\n    b''')\n)»", "await f('''a\n    b''')"),
    (K.AWAIT_ARGUMENT, "an argument on the first row", "«asyncio.run(f(\n    a,\n))»", "await f(\n    a,\n)"),
    (K.AWAIT_ARGUMENT, "a loop that is fetched for it", "loop = asyncio.get_event_loop()\nreturn «loop.run_until_complete(f())»", "return await f()"),
    (K.AWAIT_ARGUMENT, "a loop that is used otherwise", "loop = asyncio.get_event_loop()\nx = «loop.run_until_complete(f())»\nloop.stop()", "loop = asyncio.get_event_loop()\nx = await f()\nloop.stop()"),
    (K.AWAIT_ARGUMENT, "a loop in an attribute", "«self.loop.run_until_complete(f())»", "await f()"),
    (K.AWAIT_APPLIED, "arguments", "x = «anyio.run(f, a, *b)».y", "x = (await f(a, *b)).y"),
    (K.AWAIT_APPLIED, "an argument in parentheses", "«anyio.run(f, (x := 1))»", "await f((x := 1))"),
    (K.AWAIT_APPLIED, "rows", "«anyio.run(\n    f,\n    a,\n)»", "await f(\n    a,\n)"),
    (K.AWAIT_APPLIED, "no arguments", "«anyio.run(self.f)»", "await self.f()"),
    (K.AWAIT_APPLIED, "no arguments and a use", "«anyio.run(f)».y", "(await f()).y"),
    (K.AWAIT_UNWRAPPED, "arguments", "x = «async_to_sync(self.f)(a, k=1)»", "x = await self.f(a, k=1)"),
    (K.AWAIT_UNWRAPPED, "a use", "«async_to_sync(f)()»[0]", "(await f())[0]"),
    (K.OFFLOAD_AWAITED, "arguments", "x = await «c.get(a, k=1)»", "x = await asyncio.to_thread(c.get, a, k=1)"),
    (K.OFFLOAD_AWAITED, "a use", "(await «c.get()»).x", "(await asyncio.to_thread(c.get)).x"),
    (K.APPLY, "arguments", "await «asyncio.to_thread(f, a, *b, k=c)»", "await f(a, *b, k=c)"),
    (K.APPLY, "no arguments", "await(«asyncio.to_thread(self.f)»)", "await(self.f())"),
    (K.APPLY, "rows", "await «asyncio.to_thread(\n    f,\n    a,\n)»", "await f(\n    a,\n)"),
    (K.DROP_AWAIT, "a statement", "await «f(a)»", "f(a)"),
    (K.DROP_AWAIT, "a word that touches", "x = 1 if(await «f(a)»).x else 2", "x = 1 if f(a).x else 2"),
    (K.DROP_AWAIT, "a use", "x = (await «f(a)»).x + 1", "x = f(a).x + 1"),
    (K.SWITCH_PROTOCOL, "an asynchronous block", "with «a» as b: pass", "async with a as b: pass"),
    (K.SWITCH_PROTOCOL, "a synchronous block", "async with «a» as b:\n    pass", "with a as b:\n    pass"),
    (K.SWITCH_PROTOCOL, "an asynchronous loop", "for x in «a()»: pass\nelse: pass", "async for x in a(): pass\nelse: pass"),
    (K.SWITCH_PROTOCOL, "a synchronous loop", "async  for x in «a()»: pass", "for x in a(): pass"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [pytest.param(case[0], *case[2:], id=f"{case[0].value}: {case[1]}") for case in WRITTEN],
)
def test_writes(kind: RemedyKind, before: str, after: str) -> None:
    assert fixed(in_coroutine(before), kind) == in_coroutine(after)


DOUBTED = [
    (K.AWAIT_ARGUMENT, "a handler around it", "try:\n    «asyncio.run(f())»\nexcept RuntimeError:\n    pass"),
    (K.AWAIT_ARGUMENT, "a finally block", "try:\n    pass\nfinally:\n    «asyncio.run(f())»"),
    (K.AWAIT, "a finally block", "try:\n    pass\nfinally:\n    «f()»"),
    (K.SWITCH_PROTOCOL, "a finally block", "try:\n    pass\nfinally:\n    with «f()»: pass"),
]


@pytest.mark.parametrize(
    ("kind", "before"), [pytest.param(case[0], case[2], id=f"{case[0].value}: {case[1]}") for case in DOUBTED]
)
def test_does_not_trust(kind: RemedyKind, before: str) -> None:
    fixed(in_coroutine(before), kind, UNSAFE)


REFUSED = [
    (K.AWAIT, "a lambda", "g = lambda: «f()»", "lambda"),
    (K.AWAIT, "a generator expression", "any(«f(x)» for x in y)", "generator"),
    (K.AWAIT, "awaited", "await «f()»", "already"),
    (K.AWAIT, "a lock", "with self._lock:\n    «f()»", "lock"),
    (K.AWAIT_ARGUMENT, "a second argument", "«asyncio.run(f(), debug=True)»", "other arguments"),
    (K.AWAIT_ARGUMENT, "unpacked", "«asyncio.run(*f())»", "other arguments"),
    (K.AWAIT_ARGUMENT, "a comment", "«asyncio.run(  # why\n    f()\n)»", "comment"),
    (K.AWAIT_ARGUMENT, "a loop fetched on a shared row", "loop = asyncio.get_event_loop(); «loop.run_until_complete(f())»", "row"),
    (K.AWAIT_APPLIED, "a setting", "«anyio.run(f, backend='trio')»", "other arguments"),
    (K.AWAIT_APPLIED, "a lambda", "«anyio.run(lambda: f())»", "not named"),
    (K.APPLY, "not awaited", "«asyncio.to_thread(f)»", "nothing awaits"),
    (K.APPLY, "a lambda", "await «asyncio.to_thread(lambda: f())»", "not named"),
    (K.APPLY, "a comment", "await «asyncio.to_thread(  # c\n    f, a)»", "comment"),
    (K.APPLY, "no callable", "await «asyncio.to_thread(*f)»", "not named"),
    (K.AWAIT_UNWRAPPED, "wrapped elsewhere", "«g(1)»", "elsewhere"),
    (K.AWAIT_UNWRAPPED, "a setting", "«async_to_sync(f, force_new_loop=True)()»", "more than one way"),
    (K.OFFLOAD_AWAITED, "not awaited", "«c.get()»", "nothing awaits"),
    (K.DROP_AWAIT, "a list", "await «[f(), g()]»", "no call"),
    (K.DROP_AWAIT, "not awaited", "«f()»", "nothing awaits"),
    (K.SWITCH_PROTOCOL, "a lock of threads", "async with «self._lock»: pass", "lock"),
    (K.SWITCH_PROTOCOL, "several items", "with a, «b»: pass", "other items"),
    (K.SWITCH_PROTOCOL, "no statement", "x = [y for y in «z»]", "no statement"),
    (K.SWITCH_PROTOCOL, "a lock", "with self.lock:\n    with «a»: pass", "lock"),
    (K.KEEP_TASK, "a used task", "x = [«asyncio.create_task(f())»]", "used"),
    (K.KEEP_TASK, "two names", "x = y = «asyncio.create_task(f())»", "used"),
    (K.KEEP_TASK, "a shared row", "a(); «asyncio.create_task(f())»", "row"),
    (K.KEEP_TASK, "a one-line suite", "if a: «asyncio.create_task(f())»", "row"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "before", "reason"),
    [pytest.param(case[0], *case[2:], id=f"{case[0].value}: {case[1]}") for case in REFUSED],
)
def test_refuses(kind: RemedyKind, before: str, reason: str) -> None:
    _, proposal = propose_one(in_coroutine(before), kind)
    assert proposal.fix is None
    assert reason in (proposal.refusal or "")


@pytest.mark.parametrize("kind", [K.AWAIT, K.SWITCH_PROTOCOL])
def test_awaits_only_in_coroutines(kind: RemedyKind) -> None:
    _, proposal = propose_one("def f():\n    with «g()»: pass\n", kind)
    assert proposal.fix is None


class TestCall:
    @pytest.mark.parametrize(
        ("before", "after"),
        [
            pytest.param("await «f»", "await f()", id="awaited"),
            pytest.param(
                "await «asyncio.gather(f, g(), (h))»", "await asyncio.gather(f(), g(), (h))", id="an argument"
            ),
            pytest.param("«run(main=f)»", "run(main=f())", id="a keyword"),
            pytest.param("await «asyncio.wait([f, g()])»", "await asyncio.wait([f(), g()])", id="in a list"),
        ],
    )
    def test_calls(self, before: str, after: str) -> None:
        assert fixed(in_coroutine(before), K.CALL, subject="f") == in_coroutine(after)

    def test_calls_what_a_module_hands_over(self) -> None:
        before = "import asyncio\n\nif __name__ == '__main__':\n    «asyncio.run(main)»\n"
        assert fixed(before, K.CALL, subject="main") == before.replace("«asyncio.run(main)»", "asyncio.run(main())")

    @pytest.mark.parametrize("before", ["await («f or g»)", "«run(f, f)»", "«run(x.f)»", "«f[0]»"])
    def test_refuses_what_is_not_plain(self, before: str) -> None:
        _, proposal = propose_one(in_coroutine(before), K.CALL, subject="f")
        assert "not named" in (proposal.refusal or "")


class TestUseTwin:
    @pytest.mark.parametrize(
        ("head", "before", "head_after", "after"),
        [
            pytest.param("from supabase import create_client\n", "x = «create_client(u, k, is_async=True)»",
                         "from supabase import acreate_client\n", "x = await acreate_client(u, k)", id="only use"),
            pytest.param("from supabase import Client, create_client\ny = create_client(1)\n", "«create_client(is_async=True)».x",
                         "from supabase import Client, acreate_client, create_client\ny = create_client(1)\n", "(await acreate_client()).x", id="other uses"),
            pytest.param("import supabase\n", "await «supabase.create_client(is_async=True, u=1)»",
                         "import supabase\n", "await supabase.acreate_client(u=1)", id="module, awaited already"),
            pytest.param("from supabase import create_client as make\n", "«make(u,\n    is_async=True,\n)»",
                         "from supabase import acreate_client\nfrom supabase import create_client as make\n", "await acreate_client(u,\n)", id="alias"),
        ],
    )  # fmt: skip
    def test_calls_the_twin(self, head: str, before: str, head_after: str, after: str) -> None:
        coroutine = "async def main():\n    "
        result = fixed(
            head + coroutine + before + "\n", K.USE_TWIN, replacement="supabase.acreate_client", subject="is_async"
        )
        assert result == head_after + coroutine + after + "\n"

    def test_needs_a_coroutine(self) -> None:
        _, proposal = propose_one("x = «f(is_async=True)»\n", K.USE_TWIN, replacement="a.g", subject="is_async")
        assert "outside" in (proposal.refusal or "")


class TestKeepTask:
    def test_puts_the_task_into_a_set_of_the_module(self) -> None:
        before = in_coroutine("«asyncio.create_task(f(), name='a')»  # why\nreturn 1")
        wanted = in_coroutine(
            "task = asyncio.create_task(f(), name='a')  # why\n"
            "_background_tasks.add(task)\n"
            "task.add_done_callback(_background_tasks.discard)\n"
            "return 1"
        )
        wanted = wanted.replace("import asyncio\n", "import asyncio\n\n_background_tasks = set()\n")
        assert fixed(before, K.KEEP_TASK, UNSAFE) == wanted

    def test_works_in_synchronous_functions_and_at_the_end_of_a_file(self) -> None:
        before = "import asyncio\n\nclass A:\n    def start(self):\n        «asyncio.create_task(\n            self.f()\n        )»"
        result = fixed(before, K.KEEP_TASK, UNSAFE)
        assert result.startswith("import asyncio\n\n_background_tasks = set()\n\n\nclass A:\n")
        assert result.endswith(
            "        task = asyncio.create_task(\n            self.f()\n        )\n"
            "        _background_tasks.add(task)\n        task.add_done_callback(_background_tasks.discard)"
        )

    def test_keeps_the_variable_that_holds_it(self) -> None:
        before = in_coroutine("job = «asyncio.create_task(f())»")
        result = fixed(before, K.KEEP_TASK, UNSAFE)
        assert (
            "    job = asyncio.create_task(f())\n    _background_tasks.add(job)\n    job.add_done_callback(" in result
        )

    def test_annotates_where_the_code_does(self) -> None:
        before = in_coroutine("«asyncio.create_task(f())»", "async def main() -> None:\n")
        assert "_background_tasks: set[asyncio.Task[object]] = set()\n" in fixed(before, K.KEEP_TASK, UNSAFE)

    def test_uses_the_set_that_is_there(self) -> None:
        head = "jobs: set[asyncio.Task[None]] = set()\ndef g(t):\n    t.add_done_callback(jobs.discard)\n"
        before = in_coroutine("«asyncio.create_task(f())»", head + "async def main():\n")
        result = fixed(before, K.KEEP_TASK, UNSAFE)
        assert "    jobs.add(task)\n    task.add_done_callback(jobs.discard)\n" in result
        assert "_background_tasks" not in result

    def test_chooses_free_names(self) -> None:
        before = in_coroutine("task = _background_tasks = 1\n«asyncio.create_task(f())»\nreturn task")
        result = fixed(before, K.KEEP_TASK, UNSAFE)
        assert "task_2 = asyncio.create_task(f())\n    _background_tasks_2.add(task_2)\n" in result

    def test_starts_it_in_the_group_around_it(self) -> None:
        before = in_coroutine(
            "async with asyncio.TaskGroup() as tg:\n    if a:\n        «asyncio.create_task(f(), name='a')»"
        )
        after = before.replace("«asyncio.create_task", "tg.create_task").replace("»", "")
        assert fixed(before, K.KEEP_TASK, UNSAFE) == after

    def test_a_group_takes_coroutines_only(self) -> None:
        before = in_coroutine("async with asyncio.TaskGroup() as tg:\n    «asyncio.ensure_future(future)»")
        _, proposal = propose_one(before, K.KEEP_TASK)
        assert "coroutines only" in (proposal.refusal or "")


class TestMakeSynchronous:
    def test_takes_async_and_await_away(self) -> None:
        before = "class A:\n    @x\n    async  def «f»(self): return 1\n\n    async def g(self):\n        return (await self.f()).x + await self.f()\n"
        calls = (("a.py", Span(6, 23, 6, 31)), ("a.py", Span(6, 43, 6, 51)))
        result = fixed(before, K.MAKE_SYNCHRONOUS, callers=calls)
        assert (
            result
            == "class A:\n    @x\n    def f(self): return 1\n\n    async def g(self):\n        return self.f().x + self.f()\n"
        )

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            pytest.param("async def «f»():\n    await g()\n", "awaits something", id="await"),
            pytest.param("async def «f»():\n    return [x async for x in y]\n", "awaits something", id="comprehension"),
            pytest.param("async \\\n def «f»():\n    return\n", "different rows", id="rows"),
            pytest.param("def «f»():\n    return\n", "no coroutine function", id="synchronous"),
            pytest.param("async def «f»(): pass\nasync def g(): return f()\n", "on the spot", id="call that is not awaited"),
        ],
    )  # fmt: skip
    def test_refuses(self, text: str, reason: str) -> None:
        callers = (("a.py", Span(2, 23, 2, 26)),) if "return f()" in text else ()
        _, proposal = propose_one(text, K.MAKE_SYNCHRONOUS, callers=callers)
        assert proposal.fix is None
        assert reason in (proposal.refusal or "")

    def test_refuses_when_a_caller_is_in_a_file_that_is_not_checked(self) -> None:
        _, proposal = propose_one("async def «f»(): pass\n", K.MAKE_SYNCHRONOUS, callers=(("b.py", Span(1, 1, 1, 4)),))
        assert "b.py" in (proposal.refusal or "")
