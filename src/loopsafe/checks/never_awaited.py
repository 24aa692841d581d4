"""LSA401: a coroutine is made by a call that stands as a statement, so nothing ever awaits it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from loopsafe.checks.check import Check, Context
from loopsafe.model import Diagnostic
from loopsafe.project.decorators import has_unknown_decorator
from loopsafe.project.entities import Code
from loopsafe.project.infer import Inference
from loopsafe.project.project import node_span, node_text
from loopsafe.project.roles import callable_name
from loopsafe.project.values import ClassObject, External, Function, Method, Value
from loopsafe.summary import ir


def _run(context: Context) -> Iterator[Diagnostic]:
    for module in context.project.modules.by_path.values():
        for index, scope in enumerate(module.scopes):
            if scope.discards:
                yield from _in_scope(context, module.code(index))


def _in_scope(context: Context, code: Code) -> Iterator[Diagnostic]:
    inference = context.project.inference
    frame = inference.generic_frame(code)
    for ref in code.scope.discards:
        node = code.scope.nodes[ref] if ref >= 0 else None
        if not isinstance(node, ir.Call):
            continue
        callees = inference.value(frame, node.func)
        if callees and all(_is_coroutine_function(inference, callee) for callee in callees):
            text = node_text(frame, ref)
            message = f"the coroutine of `{text}` is never awaited, so nothing of it runs: put `await` before the call"
            yield context.diagnostic(code.module.path, "LSA401", node_span(frame, ref), message)


def _is_coroutine_function(inference: Inference, callee: Value) -> bool:
    """A plain function that returns a coroutine does not count: what it returns may depend on where it is called."""
    match callee:
        case Function(code):
            return code.is_coroutine and not has_unknown_decorator(inference, code)
        case External() | Method() | ClassObject():
            name = callable_name(callee)
            return name is not None and inference.catalog.is_async(name)
    return False


CHECK: Final = Check(("LSA401",), _run)
