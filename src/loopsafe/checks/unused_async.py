"""LSA201: a coroutine function that awaits nothing, where no contract asks for one.

Quiet wherever something else may want it asynchronous: no caller in the project, decorators, overrides, protocols,
dunder methods, functions used as values, tests, bodies that need the running loop; and where a blocking call was
found, which is the thing to mend first. A handler of AWS Lambda must not be one at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from loopsafe.catalog import RoleKind
from loopsafe.checks.callers import KnownCallers
from loopsafe.checks.check import Check, Context
from loopsafe.model import Applicability, Diagnostic, Remedy, RemedyKind, Span
from loopsafe.project.decorators import has_role
from loopsafe.project.entities import Class, Code, Module
from loopsafe.project.values import Function
from loopsafe.summary import ir

_CONVENTION: Final = 3
"""So many modules with a function of one name follow a convention."""


def _run(context: Context) -> Iterator[Diagnostic]:
    modules = context.project.asynchronous_modules
    candidates = [code for module in modules for code in _find(context, module)]
    values = context.project.coroutine_values({code.scope.name for code in candidates})
    found = [code for code in candidates if code not in values]
    callers = KnownCallers(context.project, found)
    for code in found:
        message = f"`{code.scope.name}` awaits nothing: make it a plain `def`, and its callers stop awaiting it"
        span, calls = Span(*code.scope.span), callers.of(code)
        remedy = None
        if calls is not None:
            remedy = Remedy(RemedyKind.MAKE_SYNCHRONOUS, span, Applicability.UNSAFE, callers=calls)
        yield context.diagnostic(code.module.path, "LSA201", span, message, remedy)
    for module in modules:
        for code in filter(_is_lambda_handler, context.project.functions(module)):
            message = (
                f"AWS Lambda calls `{code.scope.name}` and does not await it, so nothing of it runs: "
                "make it a plain `def` that runs the coroutine"
            )
            yield context.diagnostic(module.path, "LSA201", Span(*code.scope.span), message)


def _is_lambda_handler(code: Code) -> bool:
    """Going by name and parameters, AWS Lambda calls the function, and expects a plain one."""
    scope = code.scope
    is_handler = scope.name == "lambda_handler" and [param.name for param in scope.params] == ["event", "context"]
    return is_handler and code.is_coroutine and code.parent.index == 0 and not code.maker.decorators


def _find(context: Context, module: Module) -> Iterator[Code]:
    blamed = {finding.chain[0].function for finding in context.earlier if finding.chain and finding.path == module.path}
    for code in context.project.functions(module):
        if not _is_bare(code) or code.qualname in blamed:
            continue
        if _has_contract(context, module, code):
            continue
        if not context.project.inference.callers.calls_of(code) or _is_handed_over(context, code):
            continue
        if _has_alternatives(context, code):
            continue
        if not context.project.loop_needs.of(context.project.inference.generic_frame(code)):
            yield code


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
    if code.scope.name.startswith(context.project.looked_for):
        return True
    if code.parent.scope.kind != ir.ScopeKind.CLASS:
        return _is_convention(context, code)
    inference = context.project.inference
    owner = inference.generic_frame(code.parent).owner
    assert owner is not None
    if inference.hierarchy.has_unknown_base(owner) or inference.hierarchy.is_protocol(owner):
        return True
    name = code.scope.name
    if not name.startswith("_") and _is_made_to_derive_from(context, owner):
        return True
    relatives = [*inference.hierarchy.order(owner)[1:], *inference.hierarchy.subclasses(owner)]
    for relative in relatives:
        if isinstance(relative, Class) and name in relative.code.scope.bindings:
            return True
        if isinstance(relative, str) and inference.catalog.find(relative, name) is not None:
            return True
    bases = [base for base in inference.hierarchy.order(owner)[1:] if isinstance(base, Class)]
    siblings = {sub: None for base in bases for sub in inference.hierarchy.subclasses(base)}
    is_shared = any(sub is not owner and _has_coroutine(sub, name) for sub in siblings) and not name.startswith("_")
    return is_shared or name in context.project.contract_names


def _has_coroutine(cls: Class, name: str) -> bool:
    return name in cls.methods and cls.methods[name].scope.is_async


def _is_convention(context: Context, code: Code) -> bool:
    """Whether many modules have a coroutine function of that name: somebody looks for it in each of them."""
    return context.project.coroutine_modules.get(code.scope.name, 0) >= _CONVENTION


def _is_made_to_derive_from(context: Context, owner: Class) -> bool:
    """Whether a class offers coroutine functions for others to override: it is abstract, or some are overridden."""
    inference = context.project.inference
    if any(has_role(inference, method, RoleKind.ABSTRACT) for method in owner.methods.values()):
        return True
    hooks = {name for name, method in owner.methods.items() if method.scope.is_async and not name.startswith("_")}
    return any(hooks & sub.methods.keys() for sub in inference.hierarchy.subclasses(owner))


def _has_alternatives(context: Context, code: Code) -> bool:
    """Whether some call of it may as well be a call of another coroutine function, which may await."""
    inference = context.project.inference
    for module, scope, ref in inference.callers.calls_of(code):
        node = module.scopes[scope].nodes[ref]
        assert isinstance(node, ir.Call)
        callees = inference.value(inference.generic_frame(module.code(scope)), node.func)
        if any(isinstance(one, Function) and one.code is not code and one.code.scope.is_async for one in callees):
            return True
    return False


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
