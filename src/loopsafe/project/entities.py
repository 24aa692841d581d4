"""The things that a project consists of, once linked: modules, classes, functions, and the frames they run in.

They hold summaries and what has been found out about them so far; finding out is for the other modules of this package.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from typing import Final

from loopsafe.project.values import Instance, Values
from loopsafe.summary import ir

NAMED: Final = (ir.Name, ir.Attr, ir.Import)
"""Nodes that have the name of what they stand for."""
EVENTS: Final[frozenset[type[ir.Node]]] = frozenset(
    {ir.Call, ir.Next, ir.With, ir.Attr, ir.Binary, ir.Item, ir.StoreAttr, ir.StoreItem, ir.MakeClass}
)
"""Kinds of nodes at which something may run."""
_NONE: Final[frozenset[ir.Ref]] = frozenset()
_MAKERS: Final = (ir.MakeFunction, ir.MakeClass)


def mentioned_name(module: Module, node: ir.Node | None) -> str | None:
    """The name by which a node's value was mentioned."""
    if isinstance(node, NAMED):
        return node.name
    return module.scopes[node.scope].name if isinstance(node, _MAKERS) else None


class Module:
    """A file, or a folder that is a package without `__init__.py` (it has no summary then)."""

    def __init__(
        self, path: str, name: str, is_package: bool, summary: ir.ModuleSummary | None, *, is_library: bool = False
    ) -> None:
        self.path: Final = path
        self.name: Final = name
        """Dotted name from the folder that it is imported from; several modules may share one."""
        self.is_package: Final = is_package
        self.folder: Final = path if summary is None else os.path.dirname(path)
        self.summary: Final = summary
        self.is_library: Final = is_library
        """Installed, not part of the project."""
        self.codes: Final[dict[int, Code]] = {}
        self.variables: Final[dict[str, Values | None]] = {}
        """What its variables may be, as far as that has been found out; None where it has no such variable."""

    @cached_property
    def scopes(self) -> tuple[ir.Scope, ...]:
        return ir.decoded(self.summary.scopes) if self.summary is not None else ()

    @cached_property
    def frame(self) -> Frame:
        """The module's own frame; only for modules with a summary."""
        return Frame(self.code(0), None, ())

    def code(self, index: int) -> Code:
        code = self.codes.get(index)
        if code is None:
            code = self.codes[index] = Code(self, index)
        return code

    @cached_property
    def class_scopes(self) -> tuple[int, ...]:
        return tuple(index for index, scope in enumerate(self.scopes) if scope.kind == ir.ScopeKind.CLASS)

    @cached_property
    def inner(self) -> dict[int, list[Code]]:
        """The functions, lambdas and generator expressions that each scope makes, in the order of the text."""
        inner: dict[int, list[Code]] = {}
        for index, scope in enumerate(self.scopes):
            if scope.kind not in (ir.ScopeKind.MODULE, ir.ScopeKind.CLASS):
                inner.setdefault(scope.parent, []).append(self.code(index))
        return inner

    @cached_property
    def calls(self) -> dict[str, list[tuple[int, ir.Ref]]]:
        """Calls, by the last name of what is called."""
        calls: dict[str, list[tuple[int, ir.Ref]]] = {}
        for index, scope in enumerate(self.scopes):
            nodes = scope.nodes
            for ref, node in scope.each_call():
                func = nodes[node.func] if node.func >= 0 else None
                if isinstance(func, ir.Param):  # `cls(…)`
                    name: str | None = scope.params[func.index].name
                else:
                    name = mentioned_name(self, func)
                if name is not None:
                    calls.setdefault(name, []).append((index, ref))
        return calls

    @cached_property
    def mentions(self) -> dict[str, list[tuple[int, ir.Ref]]]:
        """Reads of attributes and of variables that are not local, imports, and `getattr(value, "name")`, by name."""
        mentions: dict[str, list[tuple[int, ir.Ref]]] = {}
        for index, scope in enumerate(self.scopes):
            nodes = scope.nodes
            for ref, node in enumerate(nodes):
                name = node.name if isinstance(node, NAMED) else None
                if isinstance(node, ir.Call) and len(node.args) > 1 and min(node.func, node.args[1]) >= 0:
                    asked = nodes[node.args[1]] if nodes[node.func] == ir.Name("getattr") else None
                    name = str(asked.value) if isinstance(asked, ir.Const) else None
                if name is not None:
                    mentions.setdefault(name, []).append((index, ref))
        return mentions

    @cached_property
    def attribute_stores(self) -> dict[str, list[tuple[int, ir.Ref]]]:
        """Stores to attributes, by the attribute's name."""
        stores: dict[str, list[tuple[int, ir.Ref]]] = {}
        for index, scope in enumerate(self.scopes):
            for ref in scope.stores:
                node = scope.nodes[ref]
                assert isinstance(node, ir.StoreAttr)
                stores.setdefault(node.name, []).append((index, ref))
        return stores

    @cached_property
    def global_stores(self) -> dict[str, list[tuple[int, ir.Ref]]]:
        """Stores to the module's variables from within functions that declare them `global`."""
        stores: dict[str, list[tuple[int, ir.Ref]]] = {}
        for index, scope in enumerate(self.scopes):
            for name, ref in scope.globals:
                stores.setdefault(name, []).append((index, ref))
        return stores

    @cached_property
    def entry_stores(self) -> dict[str, list[tuple[int, ir.Ref]]]:
        """Stores of entries, by the last name of what they are stored in: `_cache[key] = value`."""
        stores: dict[str, list[tuple[int, ir.Ref]]] = {}
        for index, scope in enumerate(self.scopes):
            for ref, node in enumerate(scope.nodes):
                container = scope.nodes[node.object] if isinstance(node, ir.StoreItem) and node.object >= 0 else None
                if isinstance(container, ir.Name | ir.Attr):
                    stores.setdefault(container.name, []).append((index, ref))
        return stores

    def __repr__(self) -> str:
        return f"<module {self.name}>"


class Code:
    """A scope in its module: what a function or class is before anything is known of the values in it."""

    __slots__ = ("_awaited", "index", "module", "parent", "scope")

    def __init__(self, module: Module, index: int) -> None:
        self.module: Final = module
        self.index: Final = index
        self.scope: Final = module.scopes[index]
        self.parent: Final[Code] = self if index == 0 else module.code(self.scope.parent)
        """What it stands in; a module in itself."""
        self._awaited: frozenset[ir.Ref] | None = None

    @property
    def qualname(self) -> str:
        """Dotted name within the module, without `<locals>`; `<module>` for the module itself."""
        names = []
        code = self
        while code.index != 0:
            names.append(code.scope.name)
            code = code.parent
        return ".".join(reversed(names)) or "<module>"

    @property
    def full_name(self) -> str:
        return f"{self.module.name}.{self.qualname}"

    @property
    def is_coroutine(self) -> bool:
        return self.scope.is_async and not self.scope.is_generator

    @property
    def sort_key(self) -> tuple[str, int]:
        return (self.module.path, self.index)

    @property
    def maker(self) -> ir.MakeFunction | ir.MakeClass:
        """The node that makes this function or class; not for modules."""
        node = self.parent.scope.nodes[self.scope.maker]
        assert isinstance(node, _MAKERS)
        return node

    @property
    def inner(self) -> Sequence[Code]:
        """The functions, lambdas and generator expressions that it makes."""
        return self.module.inner.get(self.index, ())

    @property
    def events(self) -> tuple[ir.Ref, ...]:
        """The nodes at which something may run."""
        return tuple([ref for ref, node in enumerate(self.scope.nodes) if node.__class__ in EVENTS])

    @property
    def awaited(self) -> frozenset[ir.Ref]:
        """The nodes that are awaited on the spot."""
        if self._awaited is None:
            found = [node.value for node in self.scope.nodes if node.__class__ is ir.Await]
            self._awaited = frozenset(found) if found else _NONE
        return self._awaited

    def __repr__(self) -> str:
        return f"<code {self.full_name}>"


class Open:
    """A value that is not settled: it depends on one that is still being computed, `depth` levels down the stack."""

    __slots__ = ("depth", "values")

    def __init__(self, values: Values, depth: int) -> None:
        self.values: Final = values
        self.depth: Final = depth


class Frame:
    """A scope with what is known of the outside: the frame it was made in, and its arguments.

    Frames are interned by `Frames`: the same code, closure and arguments are the same object.
    """

    __slots__ = ("arguments", "closure", "code", "memo", "owner")

    def __init__(self, code: Code, closure: Frame | None, arguments: tuple[Values | None, ...]) -> None:
        self.code: Final = code
        self.closure: Final = closure
        self.arguments: Final = arguments
        """By parameter index; None where nothing is known of this frame's argument in particular."""
        self.memo: Final[dict[ir.Ref, Values | Open]] = {}
        self.owner: Class | None = None
        """Of a class body, its class."""

    @property
    def sort_key(self) -> tuple[str, int, str]:
        return (*self.code.sort_key, repr(self.arguments))

    def __repr__(self) -> str:
        return f"<frame {self.code.full_name} {self.arguments}>"


class Class:
    """A class of the project."""

    def __init__(self, code: Code, closure: Frame) -> None:
        self.code: Final = code
        self.frame: Final = Frame(code, closure, ())
        self.frame.owner = self
        self.name: Final = code.scope.name
        self.full_name: Final = code.full_name
        self.instances: Final[Values] = (Instance(self),)
        """An object of the class of which no more is known."""
        self.maker: Final = code.maker
        assert isinstance(self.maker, ir.MakeClass)

    @cached_property
    def methods(self) -> dict[str, Code]:
        """Functions defined directly in the class body, by the name that they are bound to at its end."""
        scope = self.code.scope
        found = {}
        for name, refs in scope.bindings.items():
            node = scope.nodes[refs[-1]] if refs[-1] >= 0 else None
            if isinstance(node, ir.MakeFunction):
                found[name] = self.code.module.code(node.scope)
        return found

    @cached_property
    def stores(self) -> dict[str, list[tuple[Code, ir.StoreAttr]]]:
        """`self.name = …` in the methods of this class, nested functions included, by name."""
        stores: dict[str, list[tuple[Code, ir.StoreAttr]]] = {}
        for method in self.methods.values():
            for code in (method, *_nested(method)):
                for ref in code.scope.stores:
                    node = code.scope.nodes[ref]
                    assert isinstance(node, ir.StoreAttr)
                    stores.setdefault(node.name, []).append((code, node))
        return stores

    @cached_property
    def fillings(self) -> dict[str, list[tuple[Code, ir.Ref]]]:
        """`values[name] = …` in methods with parameters such as `cls, values`: what is stored, by name."""
        fillings: dict[str, list[tuple[Code, ir.Ref]]] = {}
        for code in self.methods.values():
            nodes = code.scope.nodes if code.maker.decorators else ()  # a validator is decorated as one
            for node in nodes:
                if isinstance(node, ir.StoreItem) and node.key is not None and nodes[node.object] == ir.Param(1):
                    fillings.setdefault(node.key, []).append((code, node.value))
        return fillings

    def __repr__(self) -> str:
        return f"<class {self.full_name}>"


def _nested(code: Code) -> list[Code]:
    """Functions made within a function, however deep."""
    return [found for inner in code.inner for found in (inner, *_nested(inner))]
