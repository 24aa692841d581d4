"""Awaits, tasks and calls over generated code: it parses, nothing else changes, fixing twice is fixing once."""

# ruff: noqa: E501  (a case is one row of a table)

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from itertools import pairwise

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from loopsafe.fixes import propose
from loopsafe.fixes.together import is_whole
from loopsafe.model import Applicability, Diagnostic, Remedy, RemedyKind, Span
from loopsafe.source.text import Source, columns, decode, rows

from ..settling import settle

FEW = settings(max_examples=3 * settings().max_examples)
K = RemedyKind

# The grammar: text with holes, `$p` for something that may stand before a dot, `$e` for any expression.
PRIMARY = [
    "a", "self.b", "coro()", "coro($e, k=$e)", "coro(\n        $e,\n    )", "(coro)($e)", "run(main($e))", "run(\n        main(\n            $e,\n        )\n    )",
    "run( (main($e)) )", "applied(job)", "applied(job, $e, *[$e])", "wrap(work)($e, k=$e)", "wrap( work )( )", "run(  # c\n        main($e))", "(await sync($e))", "(await sync($e).x)",
    "$p.x", "$p[$e]", "$p($e)", "($e)", "[$e, $e]", "[$e for z in [1, 2]]", "(lambda: $e)", "(lambda q=$e: q)", "f\"{coro(a).x!r:>9}{run(main(a))}\"", "f'''{wrap(work)(a)}é'''",
    "coro \\\n    ($e)", "run(main('''\n  x'''))",
    "(await plain($e))", "(await plain($e)).x", "(await  plain(a))[$e]", "(await (plain($e)))", "[(await plain(a)) for z in x]",
    "(await handed(step, $e, k=$e))", "(await handed(step)).x", "(await handed(\n        step,\n        $e,\n    ))", "(await handed((step), $e))", "(await handed(step,  # c\n        $e))",
    "start(task)", "start([task, $p], $e)", "start($e, k=task)", "start((task))", "start(task, task)",
    "make(is_async=True)", "make($e, is_async=True, k=$e)", "make($e, is_async=True,)", "make(\n        $e,\n        is_async=True,\n    )", "make(is_async=True, **$p)", "make($e, (a), is_async=True).x",
]  # fmt: skip
EXPRESSION = [
    "$p",
    "$p + $e",
    "$p ** $p",
    "-$p",
    "not $p",
    "$p if $p else $p",
    "$p and $p",
    "(w := $e)",
    "await sync($e)",
]
STATEMENT = [
    "$e", "x = $e", "return $e", "x += $e", "a.x = $e", "a[$e] = $e", "assert $e, $e", "spawn(main($e))", "spawn(\n    main($e)\n)  # d", "kept = spawn(main(a))",
    "if $e:\n$s\nelse:\n$s", "for z in $p:\n$s", "with a as c:\n$s", "with entered($e) as c:\n$s", "async with left($e):\n$s", "async for z in walked($e):\n$s", "for z in flowing($e):\n$s",
    "try:\n$s\nfinally:\n$s", "try:\n$s\nexcept ($e):\n$s", "while $e:\n$s\n    break", "def g(p=$e):\n$s", "async def h():\n$s", "class C(Base($e)):\n$s", "match $e:\n    case y if $e:\n    $s",
    "return($p)", "x = yes if$p else no", "spawn(main(a)); x = $e", "if a: spawn(main(a))",
]  # fmt: skip
MORE = {"start": {"subject": "task"}, "make": {"subject": "is_async", "replacement": "twins.amake"}}
"""What a remedy of that name says besides."""
KINDS = {
    "coro": K.AWAIT, "run": K.AWAIT_ARGUMENT, "applied": K.AWAIT_APPLIED, "wrap": K.AWAIT_UNWRAPPED, "spawn": K.KEEP_TASK, "sync": K.OFFLOAD_AWAITED,
    "plain": K.DROP_AWAIT, "handed": K.APPLY, "start": K.CALL, "make": K.USE_TWIN,
    "entered": K.SWITCH_PROTOCOL, "left": K.SWITCH_PROTOCOL, "walked": K.SWITCH_PROTOCOL, "flowing": K.SWITCH_PROTOCOL,
}  # fmt: skip


@st.composite
def expressions(draw: st.DrawFn, depth: int, primary: bool = False) -> str:
    template = "a" if depth <= 0 else draw(st.sampled_from(PRIMARY if primary else EXPRESSION))
    return re.sub(r"\$([pe])", lambda hole: draw(expressions(depth - 1, hole[1] == "p" or depth <= 1)), template)


@st.composite
def statements(draw: st.DrawFn, depth: int) -> str:
    template = draw(st.sampled_from(STATEMENT))

    def fill(hole: re.Match[str]) -> str:
        if hole[1] != "s":
            return draw(expressions(3, hole[1] == "p"))
        inner = draw(statements(depth - 1)) if depth > 0 else "pass"
        return "".join("    " + row for row in inner.splitlines(keepends=True))

    return re.sub(r"\$([pes])", fill, template)


@st.composite
def modules(draw: st.DrawFn) -> str:
    head = draw(
        st.sampled_from(["", '"""é"""\n', "import asyncio\n", "import os\nx: int = 1\n", "# c\n\nfrom re import sub\n"])
    )
    body = "\n".join(draw(st.lists(statements(2), min_size=1, max_size=4)))
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    text = f"{head}async def outer(a, self, x=0):\n" + "\n".join("    " + row for row in body.split("\n")) + "\n"
    assume(is_whole(text))
    return text.replace("\n", newline)


def find(source: Source) -> list[Diagnostic]:
    """Stand in for the linter: each call of one of the names that has not been fixed yet is a finding."""
    lines, tree = rows(source.text), ast.parse(source.text)
    awaited = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Await)}
    asynchronous = {id(expr) for node in ast.walk(tree) for expr in heads(node, (ast.AsyncWith, ast.AsyncFor))}
    kept = {id(node.value) for body in bodies(tree) for node, after in pairwise(body) if is_kept(node, after)}
    found = []
    for node in ast.walk(tree):
        name = callee(node)
        if name not in KINDS or not isinstance(node, ast.Call):
            continue
        is_wanted = {
            "coro": id(node) not in awaited, "sync": id(node) in awaited, "plain": id(node) in awaited, "start": mentions_task(node), "spawn": id(node) not in kept,
            "entered": id(node) not in asynchronous, "flowing": id(node) not in asynchronous,
            "left": id(node) in asynchronous, "walked": id(node) in asynchronous,
        }  # fmt: skip
        if is_wanted.get(name, True):
            start = columns(lines[node.lineno - 1], node.col_offset)
            end = columns(lines[(node.end_lineno or 0) - 1], node.end_col_offset or 0)
            span = Span(node.lineno, start, node.end_lineno or 0, end)
            found.append(
                Diagnostic("a.py", "LSA999", "x", "x", span, remedy=Remedy(KINDS[name], span, **MORE.get(name, {})))
            )
    return sorted(found, key=lambda one: one.sort_key)


def mentions_task(node: ast.Call) -> bool:
    """Whether it is still given `task` itself."""
    given = [*node.args, *(keyword.value for keyword in node.keywords)]
    parts = [part for one in given for part in (one.elts if isinstance(one, ast.List) else [one])]
    return any(isinstance(part, ast.Name) and part.id == "task" for part in parts)


def callee(node: ast.AST) -> str:
    match node:
        case ast.Call(func=ast.Name(id=name)):
            return name
        case ast.Call(func=ast.Call(func=ast.Name(id="wrap"))):
            return "wrap"
    return ""


def heads(node: ast.AST, kinds: tuple[type, ...]) -> Iterator[ast.AST]:
    if isinstance(node, kinds):
        yield from ([item.context_expr for item in node.items] if hasattr(node, "items") else [node.iter])  # type: ignore[attr-defined]


def bodies(tree: ast.AST) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(tree):
        for field in ("body", "orelse", "finalbody"):
            body = getattr(node, field, None)
            if isinstance(body, list):
                yield body


def is_kept(node: ast.stmt, after: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Assign) and ast.unparse(after) == f"_background_tasks.add({ast.unparse(node.targets[0])})"
    )


class Undo(ast.NodeTransformer):
    """Takes every fix back."""

    def visit_Await(self, node: ast.Await) -> ast.AST:
        self.generic_visit(node)
        match node.value:
            case ast.Call(func=ast.Name(id="coro")):
                return node.value
            case ast.Call(func=ast.Name(id="step") as step, args=args, keywords=keywords):
                handed = ast.Name(id="handed", ctx=ast.Load())
                return ast.Await(value=ast.Call(func=handed, args=[step, *args], keywords=keywords))
            case ast.Call(func=ast.Name(id="amake"), args=args, keywords=keywords):
                option = ast.keyword(arg="is_async", value=ast.Constant(value=True))
                return ast.Call(func=ast.Name(id="make", ctx=ast.Load()), args=args, keywords=[option, *keywords])
            case ast.Await(value=ast.Call(func=ast.Name(id="plain"))):
                return node.value
            case ast.Call(func=ast.Name(id="main")):
                return ast.Call(func=ast.Name(id="run", ctx=ast.Load()), args=[node.value], keywords=[])
            case ast.Call(func=ast.Name(id="job") as job, args=args):
                return ast.Call(func=ast.Name(id="applied", ctx=ast.Load()), args=[job, *args], keywords=[])
            case ast.Call(func=ast.Name(id="work") as work, args=args, keywords=keywords):
                wrapped = ast.Call(func=ast.Name(id="wrap", ctx=ast.Load()), args=[work], keywords=[])
                return ast.Call(func=wrapped, args=args, keywords=keywords)
            case ast.Call(func=ast.Attribute(attr="to_thread"), args=[func, *rest], keywords=keywords):
                return ast.Await(value=ast.Call(func=func, args=rest, keywords=keywords))
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        match node:
            case ast.Call(func=ast.Name(id="plain")):
                return ast.Await(value=node)
            case ast.Call(func=ast.Name(id="task") as task, args=[], keywords=[]):
                return task
        return node

    def visit_With(self, node: ast.With) -> ast.AST:
        return self._switch(node, node.items[0].context_expr, "left", ast.AsyncWith)

    def visit_AsyncWith(self, node: ast.AsyncWith) -> ast.AST:
        return self._switch(node, node.items[0].context_expr, "entered", ast.With)

    def visit_For(self, node: ast.For) -> ast.AST:
        return self._switch(node, node.iter, "walked", ast.AsyncFor)

    def visit_AsyncFor(self, node: ast.AsyncFor) -> ast.AST:
        return self._switch(node, node.iter, "flowing", ast.For)

    def _switch(self, node: ast.stmt, head: ast.expr, name: str, twin: type[ast.stmt]) -> ast.AST:
        is_fixed = callee(head) == name
        self.generic_visit(node)
        return twin(**dict(ast.iter_fields(node))) if is_fixed else node

    def generic_visit(self, node: ast.AST) -> ast.AST:
        for field in ("body", "orelse", "finalbody"):
            body = getattr(node, field, None)
            if isinstance(body, list):
                setattr(node, field, [*without_keeping(body)])
        return super().generic_visit(node)


def without_keeping(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    skipped = 0
    for index, node in enumerate(body):
        if skipped:
            skipped -= 1
        elif isinstance(node, ast.Assign) and index + 1 < len(body) and is_kept(node, body[index + 1]):
            skipped = 2
            yield node if ast.unparse(node.targets[0]) == "kept" else ast.Expr(value=node.value)
        elif not re.match(r"import asyncio$|from twins import amake$|_background_tasks = set\(\)$", ast.unparse(node)):
            yield node


def comments(text: str) -> list[str]:
    return [
        token.string
        for token in tokenize.generate_tokens(io.StringIO(text, newline="").readline)
        if token.type == tokenize.COMMENT
    ]


@FEW
@given(modules())
def test_fixes_change_exactly_what_they_say(text: str) -> None:
    source = decode("a.py", text.encode())
    result = settle(source, find, wanted=Applicability.UNSAFE)
    assert result.problem is None
    assert is_whole(result.source.text)
    before, after = ast.parse(text), Undo().visit(ast.parse(result.source.text))
    assert ast.dump(after) == ast.dump(Undo().generic_visit(before) if "import asyncio" in text else before)
    assert comments(result.source.text) == comments(text)
    assert all(one.fix is None for one in result.remaining)
    assert len(find(source)) >= len(result.remaining)
    assert source.newline == "\n" or "\n" not in result.source.text.replace("\r\n", "")
    again = settle(result.source, find, wanted=Applicability.UNSAFE)
    assert again.source.text == result.source.text


@FEW
@given(modules())
def test_every_fix_is_proved_or_refused_for_a_reason(text: str) -> None:
    source = decode("a.py", text.encode())
    for proposal in propose(source, find(source)):
        assert (proposal.fix is None) == bool(proposal.refusal)
        assert proposal.refusal != "the rewritten text would not mean what it should"


class Demoted(ast.NodeTransformer):
    """Makes `job` a plain function, and takes the `await` from its calls."""

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        self.generic_visit(node)
        return ast.FunctionDef(**dict(ast.iter_fields(node))) if node.name == "job" else node

    def visit_Await(self, node: ast.Await) -> ast.AST:
        self.generic_visit(node)
        return node.value if callee(node.value) == "job" else node


def find_demotion(source: Source) -> list[Diagnostic]:
    """The function that needs no `async`, with all its callers."""
    lines, tree = rows(source.text), ast.parse(source.text)

    def span_of(node: ast.expr) -> Span:
        start = columns(lines[node.lineno - 1], node.col_offset)
        return Span(
            node.lineno,
            start,
            node.end_lineno or 0,
            columns(lines[(node.end_lineno or 0) - 1], node.end_col_offset or 0),
        )

    callers = tuple(
        ("a.py", span_of(one)) for one in ast.walk(tree) if isinstance(one, ast.Call) and callee(one) == "job"
    )
    return [
        Diagnostic("a.py", "LSA201", "x", "x", span, remedy=Remedy(K.MAKE_SYNCHRONOUS, span, callers=callers))
        for node in ast.walk(tree)
        if isinstance(node, ast.AsyncFunctionDef) and node.name == "job"
        for span in [Span(node.lineno, 11, node.lineno, 14)]
    ]


@FEW
@given(modules())
def test_a_function_loses_async_together_with_its_callers(text: str) -> None:
    newline = "\r\n" if "\r\n" in text else "\n"
    text = text.replace("plain(", "job(") + newline.join(["", "", "async def job(*a, **k):", "    return a", ""])
    source = decode("a.py", text.encode())
    (proposal,) = propose(source, find_demotion(source))
    result = settle(source, find_demotion, wanted=Applicability.UNSAFE)
    assert result.problem is None
    assert (result.source is source) is (proposal.fix is None)
    if proposal.fix is not None:
        assert ast.dump(ast.parse(result.source.text)) == ast.dump(Demoted().visit(ast.parse(text)))
        assert comments(result.source.text) == comments(text)
        assert find_demotion(result.source) == []
    else:
        assert proposal.refusal != "the rewritten text would not mean what it should"
