"""Statements of the syntax tree: assignments, definitions, imports.

Stage: summarise. Control flow is in `flow`.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from typing import Any, Final

from loopsafe.summary import ir
from loopsafe.summary.flow import FlowReader
from loopsafe.summary.functions import FunctionNode, body_kind, is_implicit
from loopsafe.summary.places import Places

_SCALARS: Final = frozenset({"str", "int", "bool", "float", "bytes", "complex", "object"})


class StatementReader(FlowReader):
    """Reads a whole module."""

    def __init__(self, places: Places) -> None:
        super().__init__(places)
        self.imports: Final[set[str]] = set()
        self.stored: Final[set[str]] = set()
        self.overridden: Final[set[str]] = set()
        self.implicit: Final[set[str]] = set()
        self.methods: Final[set[str]] = set()
        self.has_async = False

    def read_statement(self, statement: ast.stmt) -> None:
        _STATEMENTS[statement.__class__](self, statement)

    # Assignments

    def bind(self, target: ast.expr, ref: ir.Ref) -> None:
        match target:
            case ast.Name(id=name):
                annotation = self.scope.declared.get(name)
                self.scope.assign(name, ref if annotation is None else self.scope.add(ir.Declared(annotation, ref)))
            case ast.Attribute(value=value, attr=attr):
                node = ir.StoreAttr(self.read(value), attr, ref, self.add_place(target))
                self.stored.add(attr)
                self.scope.stores.append(self.scope.add(node))
                if self.scope.env is not None and isinstance(value, ast.Name):
                    self.scope.env.pop(f"{value.id}.{attr}", None)
            case ast.Subscript(value=value, slice=index):
                container = self.read(value)
                self.look_at(index)
                key = index.value if isinstance(index, ast.Constant) and isinstance(index.value, str) else None
                self.scope.add(ir.StoreItem(container, ref, self.add_place(target), key))
                self.scope.add_addition(container, ref)
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                self._unpack(elements, ref)
            case ast.Starred(value=value):
                self.bind(value, self.scope.literal_node("list"))

    def _unpack(self, targets: list[ast.expr], ref: ir.Ref) -> None:
        value = self.scope.nodes[ref] if ref >= 0 else None
        starred = next((i for i, target in enumerate(targets) if isinstance(target, ast.Starred)), None)
        if isinstance(value, ir.Display) and starred is None and len(value.elements) == len(targets):
            for target, element in zip(targets, value.elements, strict=True):
                self.bind(target, element)
            return
        for position, target in enumerate(targets):
            if starred is not None and position > starred:
                position -= len(targets)
            self.bind(target, self.scope.add(ir.Element(ref, position)))

    def _assign(self, node: ast.Assign) -> None:
        ref = self.read(node.value)
        for target in node.targets:
            self.bind(target, ref)

    def _annotated(self, node: ast.AnnAssign) -> None:
        annotation = self.read_annotation(node.annotation)
        value = self.read(node.value)
        if node.value is None and not isinstance(node.target, ast.Name):
            self.bind(node.target, self.scope.add(ir.Declared(annotation, ir.UNKNOWN)))
            return
        self.bind(node.target, self.scope.add(ir.Declared(annotation, value)))
        if isinstance(node.target, ast.Name):
            self.scope.declared[node.target.id] = annotation

    def _augmented(self, node: ast.AugAssign) -> None:
        target = ast.copy_location(ast.BinOp(node.target, node.op, node.value), node)
        self.bind(node.target, self.read(target))

    def _expression(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            self.scope.discards.append(self.read(node.value))

    def _delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                if self.scope.env is not None:
                    self.scope.env.pop(target.id, None)
            elif isinstance(target, ast.Subscript):
                self.bind(target, ir.UNKNOWN)
            else:
                self.read(target)

    def read_annotation(self, node: ast.expr) -> ir.Ref:
        """Annotations may name what is defined later: their names are looked up, not traced."""
        if isinstance(node, ast.Name) and node.id in _SCALARS:
            return self.scope.name_node(node.id)
        env, self.scope.env = self.scope.env, {}
        outer, self.is_annotation = self.is_annotation, True
        ref = self.read(node)
        self.is_annotation = outer
        self.scope.env = env
        return ref

    # Definitions and imports

    def make_function(self, kind: int, name: str, span: ir.RawSpan, node: FunctionNode, body: Any) -> ir.Ref:
        decorators = () if isinstance(node, ast.Lambda) else self.read_all(node.decorator_list)
        parameters, defaults, annotations = self._parameters(node)
        outer = self.scope
        scope = self.scope = self.open_scope(kind, name, span)
        scope.params = tuple(parameters)
        for index, parameter in enumerate(parameters):
            scope.assign(parameter.name, scope.add(ir.Param(index)))
        if isinstance(node, ast.Lambda):
            scope.add_return(self.read(body))
        else:
            self.has_async = self.has_async or isinstance(node, ast.AsyncFunctionDef)
            scope.is_async = isinstance(node, ast.AsyncFunctionDef)
            scope.body = body_kind(node.body)
            self.read_body(body)
        self.scope = outer
        scope.maker = outer.add(ir.MakeFunction(scope.index, decorators, tuple(defaults), tuple(annotations)))
        return scope.maker

    def _parameters(
        self, node: FunctionNode
    ) -> tuple[list[ir.Parameter], list[tuple[int, ir.Ref]], list[tuple[int, ir.Ref]]]:
        arguments = node.args
        positional = [*arguments.posonlyargs, *arguments.args]
        params = [(arg, ir.ParamKind.POSITIONAL) for arg in positional]
        defaults = list(enumerate(self.read_all(arguments.defaults), len(positional) - len(arguments.defaults)))
        if arguments.vararg:
            params.append((arguments.vararg, ir.ParamKind.VARARGS))
        for arg, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            if default is not None:
                defaults.append((len(params), self.read(default)))
            params.append((arg, ir.ParamKind.KEYWORD))
        if arguments.kwarg:
            params.append((arguments.kwarg, ir.ParamKind.KWARGS))
        annotations = [
            ir.shared((i, self.read_annotation(arg.annotation))) for i, (arg, _) in enumerate(params) if arg.annotation
        ]
        returns = getattr(node, "returns", None)
        if returns is not None:
            annotations.append(ir.shared((-1, self.read_annotation(returns))))
        only = len(arguments.posonlyargs)
        return [ir.Parameter(arg.arg, kind, i < only) for i, (arg, kind) in enumerate(params)], defaults, annotations

    def _def(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        span = self.places.name_span(node)
        if self.scope.kind == ir.ScopeKind.CLASS:
            self.methods.add(node.name)
            if is_implicit(node):
                self.implicit.add(node.name)
        ref = self.make_function(ir.ScopeKind.FUNCTION, node.name, span, node, node.body)
        self.scope.assign(node.name, ref)

    def _class(self, node: ast.ClassDef) -> None:
        decorators = self.read_all(node.decorator_list)
        bases = tuple([self.read(base) for base in node.bases])
        self.overridden.update(_last_name(base) for base in node.bases)
        keywords = tuple([(keyword.arg, self.read(keyword.value)) for keyword in node.keywords])
        outer = self.scope
        scope = self.scope = self.open_scope(ir.ScopeKind.CLASS, node.name, self.places.name_span(node))
        self.read_block(node.body)
        self.scope = outer
        scope.maker = outer.add(ir.MakeClass(scope.index, bases, keywords, decorators))
        outer.assign(node.name, scope.maker)

    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.imports.add(alias.name)
            head = alias.name.partition(".")[0]
            module, name = (alias.name, alias.asname) if alias.asname else (head, head)
            self.scope.assign(name, self.scope.add(ir.Import(module, 0, None)))

    def _import_from(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        if node.level == 0:
            self.imports.add(module)
        for alias in node.names:
            self.mentioned.add(alias.name)
            if alias.name == "*":
                self.scope.star_imports.append((module, node.level))
            else:
                ref = self.scope.add(ir.Import(module, node.level, alias.name))
                self.scope.assign(alias.asname or alias.name, ref)

    def _global(self, node: ast.Global) -> None:
        self.scope.global_names.update(node.names)

    def _nonlocal(self, node: ast.Nonlocal) -> None:
        self.scope.nonlocal_names.update(node.names)

    def _pass(self, node: ast.stmt) -> None:
        pass


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Subscript):
        node = node.value
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


_STATEMENTS: Final[dict[type[ast.AST], Callable[..., None]]] = {
    ast.Assign: StatementReader._assign,
    ast.AnnAssign: StatementReader._annotated,
    ast.AugAssign: StatementReader._augmented,
    ast.Expr: StatementReader._expression,
    ast.Delete: StatementReader._delete,
    ast.If: StatementReader.read_if,
    ast.For: StatementReader.read_for,
    ast.AsyncFor: StatementReader.read_for,
    ast.While: StatementReader.read_while,
    ast.Break: StatementReader.read_break,
    ast.Continue: StatementReader.read_continue,
    ast.Return: StatementReader.read_return,
    ast.Raise: StatementReader.read_raise,
    ast.Assert: StatementReader.read_assert,
    ast.Try: StatementReader.read_try,
    ast.With: StatementReader.read_with,
    ast.AsyncWith: StatementReader.read_with,
    ast.Match: StatementReader.read_match,
    ast.FunctionDef: StatementReader._def,
    ast.AsyncFunctionDef: StatementReader._def,
    ast.ClassDef: StatementReader._class,
    ast.Import: StatementReader._import,
    ast.ImportFrom: StatementReader._import_from,
    ast.Global: StatementReader._global,
    ast.Nonlocal: StatementReader._nonlocal,
    ast.Pass: StatementReader._pass,
}
if sys.version_info >= (3, 11):
    _STATEMENTS[ast.TryStar] = StatementReader.read_try
if sys.version_info >= (3, 12):
    _STATEMENTS[ast.TypeAlias] = StatementReader._pass
