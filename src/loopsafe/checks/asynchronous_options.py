"""LSA503: a synchronous client is asked for with an option that would make it asynchronous, which it does not have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from loopsafe.checks.check import Check, Context
from loopsafe.model import Applicability, Diagnostic, Remedy, RemedyKind
from loopsafe.project.entities import Frame, Module
from loopsafe.project.project import node_span, node_text
from loopsafe.project.roles import callable_name
from loopsafe.project.values import ClassObject, External, Instance, Truth
from loopsafe.summary import ir

_OPTIONS: Final = frozenset({"is_async", "async_", "asynchronous", "use_async", "async_mode", "enable_async"})
"""What people, and language models, take such an option to be called."""


def _run(context: Context) -> Iterator[Diagnostic]:
    for module in context.project.modules.by_path.values():
        if module.summary is not None and module.summary.imports:
            yield from _in_module(context, module)


def _in_module(context: Context, module: Module) -> Iterator[Diagnostic]:
    for index, scope in enumerate(module.scopes):
        for ref, node in scope.each_call():
            for name, value in node.keywords:
                if name not in _OPTIONS:
                    continue
                frame = context.project.inference.generic_frame(module.code(index))
                twin = _twin(context, frame, node)
                if twin is not None and Truth(False) not in context.project.inference.value(frame, value):
                    text = node_text(frame, ref)
                    message = (
                        f"`{text}` has no option `{name}`: what it makes is synchronous, or it raises TypeError; "
                        f"use `{twin}` instead"
                    )
                    span, remedy = node_span(frame, ref), None
                    if context.project.catalog.is_async(twin):
                        unsafe = Applicability.UNSAFE
                        remedy = Remedy(RemedyKind.USE_TWIN, span, unsafe, replacement=twin, subject=name)
                    yield context.diagnostic(module.path, "LSA503", span, message, remedy)


def _twin(context: Context, frame: Frame, node: ir.Call) -> str | None:
    """The asynchronous equivalent of what a call from outside the project makes."""
    inference = context.project.inference
    for callee in inference.value(frame, node.func):
        name = callable_name(callee) if isinstance(callee, External | ClassObject) else None
        declared = inference.catalog.returns(name) if name is not None else None
        for value in inference.externals.instances(declared):
            if isinstance(value, Instance) and isinstance(value.cls, str):
                return inference.catalog.twin(value.cls)
    return None


CHECK: Final = Check(("LSA503",), _run)
