"""LSA109: a coroutine gives way while it holds a lock that is made for threads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from loopsafe.checks.check import Check, Context
from loopsafe.model import Diagnostic
from loopsafe.project.entities import Frame
from loopsafe.project.project import node_span, node_text
from loopsafe.project.values import Instance
from loopsafe.summary import ir

_LOCKS: Final = ("threading.", "multiprocessing.")
"""Where the classes of locks are that belong to threads and processes."""
_REENTRANT: Final = ("RLock", "Condition")
"""The last names of those that let their own thread in again."""


def _run(context: Context) -> Iterator[Diagnostic]:
    for frame in context.project.coroutines:
        scope = frame.code.scope
        for block in scope.blocks:
            node = scope.nodes[block.head] if block.head >= 0 else None
            if isinstance(node, ir.With) and not node.is_async and _gives_way(scope, block):
                name = _lock(context, frame, node.value)
                if name is not None:
                    text = node_text(frame, block.head)
                    span = node_span(frame, block.head)
                    yield context.diagnostic(frame.code.module.path, "LSA109", span, _describe(text, name))


def _gives_way(scope: ir.Scope, block: ir.Block) -> bool:
    """Whether other coroutines run before the block is left."""
    return any(
        isinstance(node, ir.Await | ir.Yield) or (isinstance(node, ir.With | ir.Next) and node.is_async)
        for node in scope.nodes[slice(*block.body)]
    )


def _lock(context: Context, frame: Frame, ref: ir.Ref) -> str | None:
    """The class of a lock, if a node surely is one."""
    catalog = context.project.catalog
    names = [
        value.cls if isinstance(value, Instance) and isinstance(value.cls, str) else ""
        for value in context.project.inference.value(frame, ref)
    ]
    is_lock = all(name.startswith(_LOCKS) and catalog.find(name, "acquire") is not None for name in names)
    return names[0] if names and is_lock else None


def _describe(text: str, name: str) -> str:
    if name.endswith(_REENTRANT):
        effect = "other coroutines run meanwhile and get in as well, since they are in the same thread"
    else:
        effect = "another coroutine that wants it meanwhile blocks the event loop, and this one never releases it"
    return f"`{text}` is held across an `await`: {effect}; use `asyncio.Lock`, or release it before"


CHECK: Final = Check(("LSA109",), _run)
