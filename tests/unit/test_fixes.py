"""Every verdict of the autofix trap table, by row: what is rewritten and how, what is only offered, what is refused.

A case marks the expression of the remedy with « and ». Cases of one statement stand in a coroutine of a module that
imports asyncio.
"""

# ruff: noqa: E501  (a case is one row of a table)

from __future__ import annotations

import textwrap

import pytest

from loopsafe.fixes import Proposal, apply, propose
from loopsafe.model import Applicability, Diagnostic, Position, Remedy, RemedyKind, Span
from loopsafe.source.text import Source, decode

SAFE, UNSAFE = Applicability.SAFE, Applicability.UNSAFE


def unmark(marked: str) -> tuple[str, list[Span]]:
    """Return the text without marks and the marked spans, outer ones first."""
    text, opened, spans = "", list[Position](), list[Span]()
    row, column = 1, 1
    for character in marked:
        if character == "«":
            opened.append(Position(row, column))
        elif character == "»":
            spans.append(Span(*opened.pop(), row, column))
        else:
            text += character
            row, column = (row + 1, 1) if character == "\n" else (row, column + 1)
    assert not opened
    return text, sorted(spans, key=lambda span: (span.start, -span.end_row, -span.end_column))


def find(
    marked: str,
    *,
    kind: RemedyKind = RemedyKind.OFFLOAD,
    code: str = "LSA101",
    path: str = "example.py",
    **remedy: object,
) -> tuple[Source, list[Diagnostic]]:
    text, spans = unmark(marked)
    if kind is RemedyKind.REPLACE_AWAITED:
        remedy.setdefault("replacement", "asyncio.sleep")
    found = [
        Diagnostic(path, code, "x", "x", span, remedy=Remedy(kind, span, **remedy))  # type: ignore[arg-type]
        for span in spans
    ]
    return decode(path, text.encode()), found


def propose_one(marked: str, *, target: tuple[int, int] = (3, 10), **options: object) -> tuple[str, Proposal]:
    source, found = find(marked, **options)  # type: ignore[arg-type]
    proposals = propose(source, found, target_version=target)
    return source.text, proposals[0]


def in_coroutine(body: str) -> str:
    return "import asyncio\n\n\nasync def main():\n" + textwrap.indent(textwrap.dedent(body).strip("\n"), "    ") + "\n"


def fixed(marked: str, applicability: Applicability = SAFE, **options: object) -> str:
    text, proposal = propose_one(marked, **options)  # type: ignore[arg-type]
    assert proposal.fix is not None, proposal.refusal
    assert (proposal.fix.applicability, bool(proposal.doubts)) == (applicability, applicability is UNSAFE)
    result = apply(text, [proposal.fix], applicability).text
    compile(result, "result", "exec")
    return result


SAFE_STATEMENTS = [
    # (row, sentence, before, after, options)
    (0, "a call with keywords", "«f(a, k=b)»", "await asyncio.to_thread(f, a, k=b)", {}),
    (0, "a method of self", "x = «self.db.get(1)»", "x = await asyncio.to_thread(self.db.get, 1)", {}),
    (5, "a default of a nested function", "def g(x=«f(1)»): pass", "def g(x=await asyncio.to_thread(f, 1)): pass", {}),
    (5, "a default of a lambda", "g = lambda x=«f(1)»: x", "g = lambda x=await asyncio.to_thread(f, 1): x", {}),
    (5, "a decorator of a nested function", "@«f(1)»\ndef g(): pass", "@await asyncio.to_thread(f, 1)\ndef g(): pass", {}),
    (5, "a base of a nested class", "class A(«f(1)»): pass", "class A(await asyncio.to_thread(f, 1)): pass", {}),
    (6, "a list comprehension's element", "[«g(x)» for x in xs]", "[await asyncio.to_thread(g, x) for x in xs]", {}),
    (6, "a set comprehension's condition", "{x for x in xs if «g(x)»}", "{x for x in xs if await asyncio.to_thread(g, x)}", {}),
    (6, "a dict comprehension's value", "{x: «g(x)» for x in xs}", "{x: await asyncio.to_thread(g, x) for x in xs}", {}),
    (6, "a second iterable", "[x for y in ys for x in «g(y)»]", "[x for y in ys for x in await asyncio.to_thread(g, y)]", {}),
    (8, "a generator expression's first iterable", "any(x for x in «f()»)", "any(x for x in await asyncio.to_thread(f))", {}),
    (8, "the loop over a list that a call returns", "for x in «cur.fetchall()»: pass",
     "for x in await asyncio.to_thread(cur.fetchall): pass", {}),
    (10, "a yielded value", "yield «f()»", "yield await asyncio.to_thread(f)", {}),
    (11, "an argument that yields", "«f((yield))»", "await asyncio.to_thread(f, (yield))", {}),
    (12, "a match subject", "match «f()»:\n    case 1: pass", "match await asyncio.to_thread(f):\n    case 1: pass", {}),
    (12, "a match guard", "match x:\n    case 1 if «f()»: pass", "match x:\n    case 1 if await asyncio.to_thread(f): pass", {}),
    (12, "an assertion", "assert «f()», «g()»", "assert await asyncio.to_thread(f), g()", {}),
    (12, "an argument of a with item", "with ctx(«f()») as y: pass", "with ctx(await asyncio.to_thread(f)) as y: pass", {}),
    (12, "an exception type", "try: pass\nexcept («f()»): pass", "try: pass\nexcept (await asyncio.to_thread(f)): pass", {}),
    (12, "conditions and operands", "a if «f()» else b", "a if await asyncio.to_thread(f) else b", {}),
    (16, "the middle of a row", "a(); «g()»; b()", "a(); await asyncio.to_thread(g); b()", {}),
    (19, "an attribute of the result", "«requests.get(u)».json()", "(await asyncio.to_thread(requests.get, u)).json()", {}),
    (20, "an index", "«f(x)»[0]", "(await asyncio.to_thread(f, x))[0]", {}),
    (20, "a call of the result", "«f(x)»(y)", "(await asyncio.to_thread(f, x))(y)", {}),
    (20, "a power", "«f(x)» ** 2", "await asyncio.to_thread(f, x) ** 2", {}),
    (20, "an exponent", "2 ** «f(x)»", "2 ** await asyncio.to_thread(f, x)", {}),
    (20, "a negative", "-«f(x)»", "-await asyncio.to_thread(f, x)", {}),
    (20, "a negation", "not «f(x)»", "not await asyncio.to_thread(f, x)", {}),
    (20, "an unpacked argument", "g(*«f(x)», **«f(y)»)", "g(*await asyncio.to_thread(f, x), **f(y))", {}),
    (20, "a slice", "a[«f(x)»:]", "a[await asyncio.to_thread(f, x):]", {}),
    (20, "the object of an assignment", "«f(x)».y = 1", "(await asyncio.to_thread(f, x)).y = 1", {}),
    (21, "parentheses that are there", "(«f(x)»).y", "(await asyncio.to_thread(f, x)).y", {}),
    (21, "parentheses with a comment", "(«f(x)»  # why\n).y", "(await asyncio.to_thread(f, x)  # why\n).y", {}),
    (21, "a call over several rows", "y = («a\n    .get(u)»\n    .json())",
     "y = (await asyncio.to_thread(a.get, u)).json()", {}),
    (21, "a word that touches a parenthesis", "return(«f(x)»)", "return(await asyncio.to_thread(f, x))", {}),
    (21, "a callee in parentheses that touches a word", "return«(f)(x)»", "return await asyncio.to_thread((f), x)", {}),
    (22, "a chain on a builder", "«sb.table('t').select('*').eq(1).execute()»",
     "await asyncio.to_thread(sb.table('t').select('*').eq(1).execute)", {}),
    (23, "a chain that blocks throughout", "x = «create(u, k).table('t').execute()».data",
     "x = (await asyncio.to_thread(lambda: create(u, k).table('t').execute())).data", {"prefix_blocks": True}),
    (24, "reading a file that is opened for it", "«open(p).read()»", "await asyncio.to_thread(lambda: open(p).read())",
     {"prefix_blocks": True}),
    (24, "a lambda over several rows", "x = («open(p)\n     .read()»)",
     "x = await asyncio.to_thread(lambda: open(p).read())", {"prefix_blocks": True}),
    (26, "an argument that awaits", "«f(await g())»", "await asyncio.to_thread(f, await g())", {}),
    (27, "an argument that assigns", "«f(y := g())»", "await asyncio.to_thread(f, y := g())", {}),
    (29, "unpacked arguments", "«f(*a, **k)»", "await asyncio.to_thread(f, *a, **k)", {}),
    (29, "a keyword called func", "«f(func=1)»", "await asyncio.to_thread(f, func=1)", {}),
    (29, "a bare generator expression", "«f(x for x in y)»", "await asyncio.to_thread(f, (x for x in y))", {}),
    (29, "a bare generator expression whose value is used", "«f (x for x in y)».z",
     "(await asyncio.to_thread(f, (x for x in y))).z", {}),
    (31, "a callee with side effects", "«d[k()].run(x)»", "await asyncio.to_thread(d[k()].run, x)", {}),
    (32, "a method of the base class", "«super().m()»", "await asyncio.to_thread(super().m)", {}),
    (33, "a private method", "«self.__private()»", "await asyncio.to_thread(self.__private)", {}),
    (34, "next with a default", "«next(it, None)»", "await asyncio.to_thread(next, it, None)", {}),
    (35, "an f-string", "f'{«get(\"u\")».text}'", "f'{(await asyncio.to_thread(get, \"u\")).text}'", {}),
    (35, "an f-string with a lambda and a format", "f'{«open(p).read()»!r:>3}'",
     "f'{await asyncio.to_thread(lambda: open(p).read())!r:>3}'", {"prefix_blocks": True}),
    (45, "augmented assignment to a local name", "n = 0\nn += «f()»", "n = 0\nn += await asyncio.to_thread(f)", {}),
    (45, "plain assignment to an attribute", "self.x = «f()»", "self.x = await asyncio.to_thread(f)", {}),
    (46, "a check of something else", "if k in other: cache[k] = «f()»", "if k in other: cache[k] = await asyncio.to_thread(f)", {}),
    (46, "a check of a container of one's own", "c = {}\nif k not in c: c[k] = «f()»",
     "c = {}\nif k not in c: c[k] = await asyncio.to_thread(f)", {}),
    (47, "sleeping", "«time.sleep(x)»", "await asyncio.sleep(x)", {"kind": RemedyKind.REPLACE_AWAITED}),
    (47, "sleeping, as a value", "x = «time.sleep(\n    1,  # s\n)».real", "x = (await asyncio.sleep(\n    1,  # s\n)).real",
     {"kind": RemedyKind.REPLACE_AWAITED}),
    (48, "a process", "r = «subprocess.run(c, text=True)»", "r = await asyncio.to_thread(subprocess.run, c, text=True)", {}),
    (65, "a try statement", "try:\n    «f()»\nexcept KeyError: pass", "try:\n    await asyncio.to_thread(f)\nexcept KeyError: pass", {}),
    (68, "Python 3.8", "«f(a, k=1)»",
     "await asyncio.get_running_loop().run_in_executor(None, partial(f, a, k=1))", {"target": (3, 8)}),
    (68, "Python 3.8 without arguments", "«f()»", "await asyncio.get_running_loop().run_in_executor(None, f)", {"target": (3, 8)}),
    (68, "Python 3.8 with a lambda", "«open(p).read()»",
     "await asyncio.get_running_loop().run_in_executor(None, lambda: open(p).read())", {"target": (3, 8), "prefix_blocks": True}),
    (81, "comments and a trailing comma", "«f(  # why\n    a,  # b\n)»",
     "await asyncio.to_thread(  # why\n    f,\n    a,  # b\n)", {}),
    (81, "arguments that start on the next row", "«f(\n    a,\n)»", "await asyncio.to_thread(\n    f,\n    a,\n)", {}),
    (81, "arguments on a row of their own", "x = «f(\n    a, k=1\n)»", "x = await asyncio.to_thread(f, a, k=1)", {}),
    (81, "a value that is used on", "x = «f(\n    a,\n)».y",
     "x = (\n    await asyncio.to_thread(\n        f,\n        a,\n    )\n).y", {}),
    (81, "a comment behind the parenthesis", "«f(  # why\n    a,\n)»", "await asyncio.to_thread(  # why\n    f,\n    a,\n)", {}),
    (81, "one argument without a comma", "«f(\n    [\n        1,\n    ]\n)»",
     "await asyncio.to_thread(\n    f,\n    [\n        1,\n    ],\n)", {}),
    (81, "a generator expression over rows", "«f(\n    x\n    for x in y\n)»", "await asyncio.to_thread(f, (\n    x\n    for x in y\n))", {}),
    (81, "aligned arguments", "«f(a,\n  b)»", "await asyncio.to_thread(f, a,\n                        b)", {}),
    (81, "a chain in parentheses", "x = (\n    «a.b()\n    .c(1)\n    .d()»\n)", "x = await asyncio.to_thread(a.b().c(1).d)", {}),
    (81, "a chain in parentheses that is used on", "x = (\n    «a.b()\n    .c(1)  # c\n    .d()»\n    .e\n)",
     "x = (\n    await asyncio.to_thread(\n        a.b()\n        .c(1)  # c\n        .d\n    )\n).e", {}),
    (81, "parentheses that are needed", "x = (\n    «a.b()\n    .c()»\n)[0]", "x = (await asyncio.to_thread(a.b().c))[0]", {}),
    (81, "arguments of another call", "g(\n    «a.b()\n    .c()»\n)", "g(\n    await asyncio.to_thread(a.b().c)\n)", {}),
    (81, "a joined row", "«f \\\n (a)»", "await asyncio.to_thread(f \\\n , a)", {}),
    (81, "blanks around the parenthesis", "«f ( a )»", "await asyncio.to_thread(f, a )", {}),
    (82, "no arguments but blanks", "«f( )»", "await asyncio.to_thread(f)", {}),
    (82, "no arguments but a row", "«f(\n)»", "await asyncio.to_thread(f)", {}),
    (82, "no arguments but a comment", "«f(  # c\n)»", "await asyncio.to_thread(  # c\n    f,\n)", {}),
    (83, "a comment for another tool", "x = «f(\n    a\n)»  # type: ignore", "x = await asyncio.to_thread(f,\n    a\n)  # type: ignore", {}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "options"),
    [pytest.param(*case[2:], id=f"row {case[0]}: {case[1]}") for case in SAFE_STATEMENTS],
)
def test_rewrites(before: str, after: str, options: dict[str, object]) -> None:
    head = "from functools import partial\n"
    result = fixed(head + in_coroutine(before), **options)  # type: ignore[arg-type]
    assert result == head + in_coroutine(after)
    if "# type: ignore" in before:
        assert result.count("\n") == (head + in_coroutine(before)).count("\n")


UNSAFE_STATEMENTS = [
    (13, "a property", "x = «self.v»", "x = await asyncio.to_thread(lambda: self.v)", {}),
    (13, "a property whose value is used", "«self.v».w", "(await asyncio.to_thread(lambda: self.v)).w", {}),
    (13, "an item", "x = «shelf[k]»", "x = await asyncio.to_thread(lambda: shelf[k])", {}),
    (15, "a finally block", "try: pass\nfinally: «f()»", "try: pass\nfinally: await asyncio.to_thread(f)", {}),
    (15, "a cancellation handler", "try: pass\nexcept (A, asyncio.CancelledError): «f()»",
     "try: pass\nexcept (A, asyncio.CancelledError): await asyncio.to_thread(f)", {}),
    (15, "a bare handler", "try: pass\nexcept: «f()»", "try: pass\nexcept: await asyncio.to_thread(f)", {}),
    (15, "a sleep in a finally block", "try: pass\nfinally: «time.sleep(1)»", "try: pass\nfinally: await asyncio.sleep(1)",
     {"kind": RemedyKind.REPLACE_AWAITED}),
    (39, "a callee that looks at its caller", "«warnings.warn('x', stacklevel=2)»",
     "await asyncio.to_thread(warnings.warn, 'x', stacklevel=2)", {}),
    (46, "check, then act", "if k not in cache: cache[k] = «f()»", "if k not in cache: cache[k] = await asyncio.to_thread(f)", {}),
    (46, "check, then act on an attribute", "if self._c is None:\n    self._c = «f()»",
     "if self._c is None:\n    self._c = await asyncio.to_thread(f)", {}),
    (46, "check, leave, then act", "if k in cache:\n    return cache[k]\nv = «f()»\ncache[k] = v",
     "if k in cache:\n    return cache[k]\nv = await asyncio.to_thread(f)\ncache[k] = v", {}),
    (46, "look up, check, then act", "v = cache.get(k)\nif v is None:\n    v = «f()»\n    cache[k] = v",
     "v = cache.get(k)\nif v is None:\n    v = await asyncio.to_thread(f)\n    cache[k] = v", {}),
    (46, "check, then add", "if k not in self.seen:\n    «f()»\n    self.seen.add(k)",
     "if k not in self.seen:\n    await asyncio.to_thread(f)\n    self.seen.add(k)", {}),
    (46, "try, then act", "try:\n    return cache[k]\nexcept KeyError:\n    cache[k] = «f()»",
     "try:\n    return cache[k]\nexcept KeyError:\n    cache[k] = await asyncio.to_thread(f)", {}),
    (46, "check, then rebind a global", "global g\nif g is None:\n    g = «f()»",
     "global g\nif g is None:\n    g = await asyncio.to_thread(f)", {}),
    (46, "read and write of one attribute", "self.x = self.x + «f()»", "self.x = self.x + await asyncio.to_thread(f)", {}),
    (49, "input", "«input('?')»", "await asyncio.to_thread(input, '?')", {}),
    (61, "work for the processor", "«hash_it(x)»", "await asyncio.to_thread(hash_it, x)", {"code": "LSA108"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "options"),
    [pytest.param(*case[2:], id=f"row {case[0]}: {case[1]}") for case in UNSAFE_STATEMENTS],
)
def test_offers_as_unsafe(before: str, after: str, options: dict[str, object]) -> None:
    assert fixed(in_coroutine(before), UNSAFE, **options) == in_coroutine(after)


def test_offers_as_unsafe_where_a_decorator_runs_the_coroutine() -> None:  # row 18
    before = "import asyncio\n@app.task\nasync def main():\n    «f()»\n"
    assert "await asyncio.to_thread(f)" in fixed(before, UNSAFE)
    assert "await asyncio.to_thread(f)" in fixed(before.replace("task", "get('/')"))


def test_never_trusts_more_than_the_remedy() -> None:
    for degree in Applicability:
        _, proposal = propose_one(in_coroutine("«f()»"), applicability=degree)
        assert proposal.fix is not None
        assert proposal.fix.applicability is degree
    _, proposal = propose_one(in_coroutine("try: pass\nfinally: «f()»"), applicability=Applicability.DISPLAY)
    assert proposal.fix is not None
    assert proposal.fix.applicability is Applicability.DISPLAY


REFUSED_STATEMENTS = [
    (1, "in a lambda", "g = lambda: «f()»", "lambda", {}),
    (2, "in a synchronous function", "def g():\n    «f()»", "synchronous function", {}),
    (3, "in a class body", "class A:\n    x = «f()»", "class body", {}),
    (7, "in a generator expression", "any(«f(x)» for x in xs)", "generator expression", {}),
    (7, "in a generator expression's condition", "any(x for x in xs if «f(x)»)", "generator expression", {}),
    (7, "in a list inside a generator expression", "any([«f(x)» for x in y] for y in ys)", "generator expression", {}),
    (6, "in a comprehension in a comprehension, for 3.10", "[[«f(x)» for x in y] for y in ys]", "3.11", {}),
    (5, "as a decorator, for 3.8", "@«f(1)»\ndef g(): pass", "3.9", {"target": (3, 8)}),
    (9, "in an annotation", "a: «f()» = 1", "annotation", {}),
    (9, "in an argument's annotation", "def g(a: «f()»): pass", "annotation", {}),
    (9, "in a return annotation", "async def g() -> «f()»: pass", "annotation", {}),
    (13, "an attribute that is assigned", "«self.v» = 1", "assignment", {}),
    (13, "a name", "«v»", "only calls", {}),
    (26, "a lambda around await", "«open(await g()).read()»", "await", {"prefix_blocks": True}),
    (11, "a lambda around yield", "«open((yield)).read()»", "yield", {"prefix_blocks": True}),
    (27, "a lambda around a walrus", "«open(p := 1).read()»", "stays there", {"prefix_blocks": True}),
    (32, "a lambda around super", "«super().m().n()»", "super", {"prefix_blocks": True}),
    (32, "super in a comprehension", "[«super().m(x)» for x in xs]", "super", {}),
    (39, "a lambda around locals", "«open(locals()).read()»", "locals", {"prefix_blocks": True}),
    (34, "next without a default", "«next(it)»", "StopIteration", {}),
    (34, "the method behind next", "«it.__next__()»", "StopIteration", {}),
    (35, "an f-string that prints its own text", "f'{«f(x)»=}'", "not mean", {}),
    (40, "a with item", "with «open(p)» as f: pass", "with", {}),
    (40, "a file in a with block", "with open(p) as f:\n    x = «f.read()»", "as a whole", {"code": "LSA103"}),
    (41, "a cursor in a with block", "with c.cursor() as cur:\n    «cur.execute(1)»", "as a whole", {"code": "LSA102"}),
    (41, "a block whose item blocks", "x = «r.read()»\nwith «urlopen(u)» as r:\n    «r.read()»", "as a whole", {"which": 2}),
    (43, "a loop over a cursor", "for row in «self.cursor»: pass", "loop", {}),
    (43, "a loop over a lazy call", "for row in «os.walk(p)»: pass", "loop", {}),
    (43, "a comprehension over a lazy call", "[x for x in «p.iterdir()»]", "loop", {}),
    (44, "an async with item", "async with «open(p)» as f: pass", "with", {}),
    (44, "an async loop", "async for x in «f()»: pass", "async for", {}),
    (45, "augmented assignment to an attribute", "self.x += «f()»", "augmented", {}),
    (45, "augmented assignment to an item", "d[k] += «f()»", "augmented", {}),
    (45, "augmented assignment to a global", "global g\ng += «f()»", "augmented", {}),
    (47, "a sleep with a keyword", "«time.sleep(secs=1)»", "differently", {"kind": RemedyKind.REPLACE_AWAITED}),
    (50, "already awaited", "await «f()»", "already awaited", {}),
    (50, "called where a reference was meant", "await asyncio.to_thread(«f()»)", "reference", {}),
    (50, "called for an executor", "await loop.run_in_executor(None, «f()»)", "reference", {}),
    (73, "asyncio is a local name", "asyncio = 1\n«f()»", "something else", {}),
    (58, "a lock is held", "with self._lock:\n    «f()»", "lock", {}),
    (58, "a lock is held while sleeping", "with self._lock:\n    «time.sleep(1)»", "lock", {"kind": RemedyKind.REPLACE_AWAITED}),

]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "reason", "options"),
    [pytest.param(*case[2:], id=f"row {case[0]}: {case[1]}") for case in REFUSED_STATEMENTS],
)
def test_refuses(before: str, reason: str, options: dict[str, object]) -> None:
    options = dict(options)
    which, target = options.pop("which", 0), options.pop("target", (3, 10))
    source, found = find(in_coroutine(before), **options)  # type: ignore[arg-type]
    proposal = propose(source, found, target_version=target)[which]  # type: ignore[index, arg-type]
    assert proposal.fix is None
    assert reason in (proposal.refusal or "")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("async def f(x=«g()»): pass\n", "outside", id="row 4: a default at module level"),
        pytest.param("@«g()»\nasync def f(): pass\n", "outside", id="row 4: a decorator at module level"),
        pytest.param("class A:\n    def __init__(self):\n        «g()»\n", "synchronous", id="row 14: a constructor"),
        pytest.param("«g()»\n", "outside", id="row 17: module level"),
        pytest.param("async def f():\n    «g()»\n    return )\n", "parse", id="row 85: a syntax error"),
        pytest.param("import anyio\nimport trio\nasync def f():\n    «g()»\n", "library", id="row 67: two libraries"),
    ],
)
def test_refuses_in_a_module(text: str, reason: str) -> None:
    _, proposal = propose_one(text)
    assert proposal.fix is None
    assert reason in (proposal.refusal or "")


def test_refuses_stub_files_and_findings_without_remedy() -> None:  # row 85
    _, proposal = propose_one(in_coroutine("«f()»"), path="example.pyi")
    assert proposal.refusal == "a stub file never runs"
    source, found = find(in_coroutine("«f()»"))
    bare = [Diagnostic(one.path, one.code, "x", "x", one.span) for one in found]
    assert propose(source, bare)[0].fix is None


def test_refuses_a_span_that_is_no_expression() -> None:
    source, found = find(in_coroutine("«f(a», b)"))
    assert propose(source, found)[0].refusal == "no expression stands at the place"


def test_a_comprehension_in_a_comprehension_is_fixed_for_new_pythons() -> None:  # row 6
    source, found = find(in_coroutine("[[«f(x)» for x in y] for y in ys]"))
    assert propose(source, found, target_version=(3, 11))[0].fix is not None


@pytest.mark.parametrize(
    ("library", "call", "expected"),
    [
        pytest.param("anyio", "«f(a)»", "await anyio.to_thread.run_sync(f, a)", id="anyio without keywords"),
        pytest.param("anyio", "«f(a, k=1)»", "await anyio.to_thread.run_sync(functools.partial(f, a, k=1))", id="anyio"),
        pytest.param("trio", "«f(**k)»", "await trio.to_thread.run_sync(functools.partial(f, **k))", id="trio"),
        pytest.param("trio", "«f(x for x in y)»", "await trio.to_thread.run_sync(f, (x for x in y))", id="generator"),
        pytest.param("anyio", "«f(\n        k=1,\n    ).x()»",
                     "await anyio.to_thread.run_sync(\n        lambda: f(\n            k=1,\n        ).x()\n    )", id="lambda"),
    ],
)  # fmt: skip
def test_spells_other_libraries_their_way(library: str, call: str, expected: str) -> None:  # rows 30 and 67
    before = f"import functools\n\nimport {library}\n\n\nasync def main():\n    {call}\n"
    result = fixed(before, offloader=f"{library}.to_thread.run_sync", prefix_blocks=".x" in call)
    assert result == before.replace(call, expected)


def test_sleeps_in_other_libraries() -> None:
    before = "import trio\nasync def main():\n    «time.sleep(1)»\n"
    result = fixed(before, kind=RemedyKind.REPLACE_AWAITED, replacement="trio.sleep")
    assert result == "import trio\nasync def main():\n    await trio.sleep(1)\n"


def test_says_what_the_fix_does() -> None:
    def message(marked: str, **options: object) -> str:
        _, proposal = propose_one(in_coroutine(marked), **options)  # type: ignore[arg-type]
        assert proposal.fix is not None
        return proposal.fix.message

    assert message("«requests\\\n.get(u)»") == "Run `requests.get` in a thread with `asyncio.to_thread`"
    assert message("«self.v»") == "Read `self.v` in a thread with `asyncio.to_thread`"
    sleep = message("«time.sleep(1)»", kind=RemedyKind.REPLACE_AWAITED)
    assert sleep == "Replace `time.sleep` by `await asyncio.sleep`"
    long = message(f"«{'a' * 80}.execute()»")
    assert len(long) < 100
    assert "…" in long
    assert ".execute`" in long


def test_nested_findings_end_up_both_fixed() -> None:  # rows 25 and 86
    source, found = find(in_coroutine("«get(«get(u)».url)»; «f(1, «g(2)»)»"))
    fixes = [one.fix for one in propose(source, found)]
    result = apply(source.text, fixes)
    assert result.applied == (0, 2, 3)
    assert (
        in_coroutine(
            "await asyncio.to_thread(get, get(u).url); await asyncio.to_thread(f, 1, await asyncio.to_thread(g, 2))"
        )
        == result.text
    )


def test_an_outer_lambda_wins_over_the_call_inside() -> None:
    source, (outer, inner) = find(in_coroutine("x = ««open(q)».read()»"), prefix_blocks=True)
    fixes = [one.fix for one in propose(source, [inner, outer])]
    assert None not in fixes
    result = apply(source.text, fixes)
    assert result.applied == (1,)
    assert result.text == in_coroutine("x = await asyncio.to_thread(lambda: open(q).read())")


PROGRAM = """
import asyncio
import functools
import threading

loop_thread = threading.get_ident()
log = []


def work(*values, **named):
    log.append(threading.get_ident() != loop_thread)
    return (values, tuple(named.items()))


class Thing:
    def __init__(self, *values):
        self.values = values

    def go(self, *values, **named):
        return work(self.values, *values, **named)

    async def run(self):
        return [BODY]


class Child(Thing):
    def go(self, *values, **named):
        return "child", super().go(*values, **named)


def run():
    return asyncio.run(Child(1).run())
"""
EXPRESSIONS = [
    "«work(1, a=2)»", "«work()»[0]", "«self.go(*[1, 2], **{'a': 3})»[1:]", "«work(x * 2 for x in range(3))» != ()",
    "[«work(x)» for x in range(3)]", "list(x for x in «work(1, 2)»)", "-len(«work(1)»)", "«Thing(4).go(5)»[0][0]",
    "f'{«work(1)»[0]!r:>10}'", "«work(y := 3)», y", "(«work  (  # c\n 1,\n )»\n).__len__()", "«super().__eq__(1)»",
    "{x: y for x, y in [(1, «work(2)»)]}", "(lambda z=«work(9)»: z)()", "«work(*(1, 2), c=3)» == ((1, 2), (('c', 3),))",
]  # fmt: skip


@pytest.mark.parametrize("target", [(3, 8), (3, 11)])
@pytest.mark.parametrize("prefix_blocks", [False, True])
def test_fixed_programs_give_the_same_results_off_the_loop(target: tuple[int, int], prefix_blocks: bool) -> None:
    kept = [one for one in EXPRESSIONS if not (prefix_blocks and (":=" in one or "super" in one))]
    marked = PROGRAM.replace("BODY", ",\n".join(kept))
    source, found = find(marked, prefix_blocks=prefix_blocks)
    proposals = propose(source, found, target_version=target)
    assert [one.refusal for one in proposals] == [None] * len(kept)
    result = apply(source.text, [one.fix for one in proposals])
    assert len(result.applied) == len(kept)
    before, after = dict[str, object](), dict[str, object]()
    exec(compile(source.text, "before", "exec"), before)
    exec(compile(result.text, "after", "exec"), after)
    assert after["run"]() == before["run"]()  # type: ignore[operator]
    assert set(before["log"]) == {False}  # type: ignore[call-overload]
    assert set(after["log"]) == {True}  # type: ignore[call-overload]
