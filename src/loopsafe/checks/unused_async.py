"""LSA201: a coroutine function that awaits nothing, where no contract asks for one.

Quiet wherever something else may want it asynchronous: no caller in the project, decorators, overrides, protocols,
dunder methods, functions used as values, tests, bodies that need the running loop; and where a blocking call was
found, which is the thing to mend first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from loopsafe.checks.check import Check, Context
from loopsafe.model import Diagnostic, Span
from loopsafe.project.entities import Class, Code, Module
from loopsafe.summary import ir


def _run(context: Context) -> Iterator[Diagnostic]:
    blamed = {(finding.path, step.function) for finding in context.earlier for step in finding.chain[:1]}
    for module in context.project.asynchronous_modules:
        for code in context.project.functions(module):
            if not _is_bare(code) or (module.path, code.qualname) in blamed:
                continue
            if code in context.project.coroutine_values or _has_contract(context, module, code):
                continue
            if not context.project.inference.callers.calls_of(code) or _is_handed_over(context, code):
                continue
            if context.project.loop_needs.of(context.project.inference.generic_frame(code)):
                continue
            message = f"`{code.scope.name}` awaits nothing: make it a plain `def`, and its callers stop awaiting it"
            yield context.diagnostic(module.path, "LSA201", Span(*code.scope.span), message)


def _is_bare(code: Code) -> bool:
    """Going by its own text, the function is asynchronous for no reason."""
    scope = code.scope
    return (
        scope.is_async
        and not scope.has_await
        and not scope.is_generator
        and scope.body == ir.BodyKind.NORMAL
        and not code.maker.decorators
        and not _is_special(scope.name)
    )


def _is_special(name: str) -> bool:
    """Names that a protocol or a test runner calls."""
    return (
        (name.startswith("__") and name.endswith("__"))
        or name in ("aclose", "asend", "athrow")
        or name.startswith("test_")
    )


def _has_contract(context: Context, module: Module, code: Code) -> bool:
    """Whether a class around it, or one like it elsewhere, may ask for a coroutine function."""
    if code.parent.scope.kind != ir.ScopeKind.CLASS:
        return False
    inference = context.project.inference
    owner = inference.generic_frame(code.parent).owner
    assert owner is not None
    if inference.hierarchy.has_unknown_base(owner) or inference.hierarchy.is_protocol(owner):
        return True
    name = code.scope.name
    relatives = [*inference.hierarchy.order(owner)[1:], *inference.hierarchy.subclasses(owner)]
    for relative in relatives:
        if isinstance(relative, Class) and name in relative.code.scope.bindings:
            return True
        if isinstance(relative, str) and inference.catalog.find(relative, name) is not None:
            return True
    return name in context.project.contract_names


def _is_handed_over(context: Context, code: Code) -> bool:
    """Whether its coroutine goes to something other than an `await`: a task, another thread's loop, a caller."""
    inference = context.project.inference
    for module, scope, ref in inference.callers.calls_of(code):
        caller = module.code(scope)
        if ref in caller.awaited or ref in caller.scope.discards:
            continue
        returned = {node.value for node in caller.scope.nodes if isinstance(node, ir.Return)}
        if ref in returned and not caller.scope.is_async:
            return True
        if any(isinstance(node, ir.Call) and ref in node.args for node in caller.scope.nodes):
            return True
    return False


CHECK: Final = Check(("LSA201",), _run, is_secondary=True)
