"""Statements of the syntax tree: control flow decides which definition of a variable reaches where.

Stage: summarise. One pass in the order of the text; loops get their `Phi` nodes before their bodies are read. Code that
control cannot reach leaves no nodes.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from loopsafe.summary import ir
from loopsafe.summary.builder import Environment, Loop
from loopsafe.summary.expressions import ExpressionReader
from loopsafe.summary.functions import body_kind, has_yield, is_implicit
from loopsafe.summary.names import bound_names
from loopsafe.summary.narrowing import claims, place_name
from loopsafe.summary.places import Places

_SCALARS: Final = frozenset({"str", "int", "bool", "float", "bytes", "complex", "object"})


class StatementReader(ExpressionReader):
    """Reads a whole module."""

    def __init__(self, places: Places) -> None:
        super().__init__(places)
        self.imports: Final[set[str]] = set()
        self.stored: Final[set[str]] = set()
        self.overridden: Final[set[str]] = set()
        self.implicit: Final[set[str]] = set()
        self.has_async = False
        self._open_after: list[list[Callable[[int], None]]] = []
        """For each block being read, who waits to hear at which node it ends."""

    def read_block(self, statements: Sequence[ast.stmt]) -> None:
        self._open_after.append([])
        for index, statement in enumerate(statements):
            if self.scope.env is None:
                self.scope.is_generator = self.scope.is_generator or any(map(has_yield, statements[index:]))
                break
            _STATEMENTS[statement.__class__](self, statement)
        for close in self._open_after.pop():
            close(len(self.scope.nodes))

    def _on_block_end(self, close: Callable[[int], None]) -> None:
        self._open_after[-1].append(close)

    # Assignments

    def bind(self, target: ast.expr, ref: ir.Ref) -> None:
        match target:
            case ast.Name(id=name):
                self.scope.assign(name, ref)
            case ast.Attribute(value=value, attr=attr):
                node = ir.StoreAttr(self.read(value), attr, ref)
                self.stored.add(attr)
                self.scope.stores.append(self.scope.add(node))
                if self.scope.env is not None and isinstance(value, ast.Name):
                    self.scope.env.pop(f"{value.id}.{attr}", None)
            case ast.Subscript(value=value, slice=index):
                container = self.read(value)
                self.read(index)
                self.scope.add(ir.StoreItem(container, ref))
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
        else:
            self.bind(node.target, self.scope.add(ir.Declared(annotation, value)))

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
            else:
                self.read(target)

    def read_annotation(self, node: ast.expr) -> ir.Ref:
        """Annotations may name what is defined later: their names are looked up, not traced."""
        if isinstance(node, ast.Name) and node.id in _SCALARS:
            return self.scope.name_node(node.id)
        env, self.scope.env = self.scope.env, {}
        ref = self.read(_UNQUOTE.visit(node))
        self.scope.env = env
        return ref

    # Branches and loops

    def narrowed(self, test: ast.expr, positive: bool) -> Environment | None:
        env = self.scope.env
        if env is None:
            return None
        result = env
        for claim in claims(test, positive):
            name = place_name(claim.place)
            value = env.get(name)
            if value is None:
                if isinstance(claim.place, ast.Name) or claim.class_or_tuple is None:
                    continue
                value = self.read(claim.place)
            class_or_tuple = self.read(claim.class_or_tuple)
            if result is env:
                result = dict(env)
            result[name] = self.scope.add(ir.Narrow(value, class_or_tuple, claim.positive))
        return result

    def read_test(self, test: ast.expr) -> tuple[tuple[ir.Ref, bool], ...]:
        """Reads a condition; gives the values of which it tests the truth, and how (`ir.Branch.tested`)."""
        match test:
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                tested = self.read_test(operand)
                return ((tested[0][0], not tested[0][1]),) if len(tested) == 1 else ()
            case ast.BoolOp(op=ast.And(), values=values):
                before = self.scope.env
                tested = ()
                for value in values:
                    tested += self.read_test(value)
                    self.scope.env = self.narrowed(value, True)
                self.scope.env = before
                return tested
            case ast.Compare(left=left, ops=[ast.Is() | ast.IsNot() as op], comparators=[ast.Constant(value=None)]):
                return ((self.read(left), isinstance(op, ast.IsNot)),)
        ref = self.read(test)
        return ((ref, True),) if ref != ir.UNKNOWN else ()

    def _if(self, node: ast.If) -> None:
        scope = self.scope
        tested = self.read_test(node.test)
        before = scope.env
        scope.env = self._copy(self.narrowed(node.test, True))
        start = len(scope.nodes)
        self.read_block(node.body)
        after_body, scope.env = scope.env, before
        scope.env = self._copy(self.narrowed(node.test, False))
        middle = len(scope.nodes)
        self.read_block(node.orelse)
        branch = ir.Branch(tested, (start, middle), (middle, len(scope.nodes)))
        self._add_branch(branch, after_body is None, scope.env is None)
        scope.env = scope.merge(after_body, scope.env)

    def _add_branch(self, branch: ir.Branch, body_leaves: bool, orelse_leaves: bool) -> None:
        branches = self.scope.branches
        index = len(branches)
        branches.append(branch)
        if body_leaves is orelse_leaves:
            return
        first = len(self.scope.nodes)

        def extend(end: int) -> None:
            branches[index] = msgspec.structs.replace(branch, after=(first, end), outcome_after=orelse_leaves)

        self._on_block_end(extend)

    def _copy(self, env: Environment | None) -> Environment | None:
        return dict(env) if env is not None else None

    def _enter_loop(self, body: Sequence[ast.stmt], extra: ast.expr | None) -> dict[str, ir.Ref]:
        """Gives each variable that the loop assigns a place for what comes round from its end."""
        scope = self.scope
        scope.loops.append(Loop())
        assert scope.env is not None
        scope.env = dict(scope.env)
        joints = {}
        for name in bound_names(body, extra):
            if name in scope.env and name not in scope.global_names | scope.nonlocal_names:
                before = scope.env[name]
                scope.env[name] = joints[name] = scope.add(ir.Phi((before,)))
        return joints

    def _leave_loop(self, joints: dict[str, ir.Ref], exhausted: Environment | None, orelse: Sequence[ast.stmt]) -> None:
        scope = self.scope
        loop = scope.loops.pop()
        arriving = [env for env in (scope.env, *loop.continues) if env is not None]
        for name, joint in joints.items():
            (before, *_) = scope.nodes[joint].options  # type: ignore[union-attr]  # `_enter_loop` put a Phi there
            options = dict.fromkeys([before, *[env[name] for env in arriving if name in env]])
            options.pop(joint, None)
            scope.nodes[joint] = ir.Phi(tuple(options))
        if exhausted is not None:
            for env in arriving:
                exhausted = {**{name: ref for name, ref in env.items() if "." not in name}, **exhausted}
        scope.env = self._copy(exhausted)
        self.read_block(orelse) if scope.env is not None else None
        scope.env = scope.merge(scope.env, *loop.breaks)

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        element = self.add_next(node.iter, isinstance(node, ast.AsyncFor))
        joints = self._enter_loop(node.body, node.target)
        exhausted = self._copy(self.scope.env)
        self.bind(node.target, element)
        self.read_block(node.body)
        self._leave_loop(joints, exhausted, node.orelse)

    def _while(self, node: ast.While) -> None:
        joints = self._enter_loop(node.body, None)
        scope = self.scope
        self.read(node.test)
        head = scope.env
        is_endless = isinstance(node.test, ast.Constant) and bool(node.test.value)
        exhausted = None if is_endless else self._copy(self.narrowed(node.test, False))
        scope.env = head
        scope.env = self._copy(self.narrowed(node.test, True))
        self.read_block(node.body)
        self._leave_loop(joints, exhausted, node.orelse)

    def _break(self, node: ast.Break) -> None:
        if self.scope.loops and self.scope.env is not None:
            self.scope.loops[-1].breaks.append(self.scope.env)
        self.scope.env = None

    def _continue(self, node: ast.Continue) -> None:
        if self.scope.loops and self.scope.env is not None:
            self.scope.loops[-1].continues.append(self.scope.env)
        self.scope.env = None

    def _return(self, node: ast.Return) -> None:
        ref = self.read(node.value) if node.value is not None else self.scope.const_node(None)
        self.scope.returns.append(ref)
        self.scope.env = None

    def _raise(self, node: ast.Raise) -> None:
        self.read(node.exc)
        self.read(node.cause)
        self.scope.env = None

    def _assert(self, node: ast.Assert) -> None:
        self.read(node.test)
        before = self.scope.env
        self.scope.env = self.narrowed(node.test, True)
        after = self.scope.env
        if node.msg is not None:
            self.scope.env = before
            self.read(node.msg)
            self.scope.env = after

    def _try(self, node: Any) -> None:
        """`try` and `try … except*`."""
        scope = self.scope
        before = self._copy(scope.env)
        log: list[tuple[str, ir.Ref]] = []
        scope.assigned.append(log)
        start = len(scope.nodes)
        self.read_block(node.body)
        scope.assigned.pop()
        tried = (start, len(scope.nodes))
        after_body = scope.env
        interrupted = self._interrupted(before, log)
        ends, bodies = [], []
        for handler in node.handlers:
            scope.env = self._copy(interrupted)
            bodies.append(self._handler(handler))
            ends.append(scope.env)
        scope.env = after_body
        self.read_block(node.orelse)
        success_leaves = scope.env is None
        scope.env = scope.merge(scope.env, *ends)
        if node.finalbody:
            leaves = scope.env is None
            scope.env = self._copy(interrupted) if leaves else scope.env
            self.read_block(node.finalbody)
            scope.env = None if leaves else scope.env
        self._add_handlers(tried, bodies, success_leaves)

    def _interrupted(self, before: Environment | None, log: list[tuple[str, ir.Ref]]) -> Environment | None:
        """What may hold after a block was left at an unknown point: any of its assignments may have been made."""
        if before is None:
            return None
        env = dict(before)
        for name in dict(log):
            refs = [ref for logged, ref in log if logged == name]
            env[name] = self.scope.phi([env[name], *refs] if name in env else refs)
        return env

    def _handler(self, node: ast.ExceptHandler) -> ir.NodeRange:
        start = len(self.scope.nodes)
        self.read(node.type)
        if node.name is not None:
            self.scope.assign(node.name, ir.UNKNOWN)
        self.read_block(node.body)
        return (start, len(self.scope.nodes))

    def _add_handlers(self, tried: ir.NodeRange, bodies: list[ir.NodeRange], success_leaves: bool) -> None:
        handlers = self.scope.handlers
        first, count = len(handlers), len(bodies)
        end = len(self.scope.nodes)
        handlers.extend(ir.Handler(tried, body, (end, end)) for body in bodies)
        if not success_leaves:
            return

        def extend(block_end: int) -> None:
            for index in range(first, first + count):
                handlers[index] = msgspec.structs.replace(handlers[index], after=(end, block_end))

        self._on_block_end(extend)

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        is_async = isinstance(node, ast.AsyncWith)
        if is_async:
            self.scope.has_await = True
        for item in node.items:
            value = self.read(item.context_expr)
            text = self.places.text(item.context_expr)
            ref = self.scope.add(ir.With(value, is_async, self.span(item.context_expr), text))
            if item.optional_vars is not None:
                self.bind(item.optional_vars, ref)
        self.read_block(node.body)

    def _match(self, node: ast.Match) -> None:
        scope = self.scope
        subject = self.read(node.subject)
        before = scope.env
        ends: list[Environment | None] = []
        is_exhaustive = False
        for case in node.cases:
            scope.env = self._copy(before)
            self._pattern(case.pattern, subject)
            self.read(case.guard)
            self.read_block(case.body)
            ends.append(scope.env)
            is_wild = isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None
            is_exhaustive = is_exhaustive or (is_wild and case.guard is None)
        scope.env = scope.merge(*ends) if is_exhaustive else scope.merge(before, *ends)

    def _pattern(self, pattern: ast.pattern, subject: ir.Ref) -> None:
        """Binds what a pattern captures: a class pattern's own name to an instance of it, parts of it to nothing known."""
        for part in ast.walk(pattern):
            name = getattr(part, "name", None) or getattr(part, "rest", None)
            if not isinstance(name, str):
                continue
            inner = getattr(part, "pattern", None)
            if part is pattern and inner is None:
                self.scope.assign(name, subject)
            elif part is pattern and isinstance(inner, ast.MatchClass):
                narrowed = ir.Narrow(subject, self.read(inner.cls), True)
                self.scope.assign(name, self.scope.add(narrowed))
            else:
                self.scope.assign(name, ir.UNKNOWN)

    # Definitions and imports

    def make_function(
        self, kind: int, name: str, span: ir.RawSpan, node: ast.Lambda | ast.FunctionDef | ast.AsyncFunctionDef, body: Any
    ) -> ir.Ref:
        decorators = () if isinstance(node, ast.Lambda) else self.read_all(node.decorator_list)
        parameters, defaults, annotations = self._parameters(node)
        outer = self.scope
        scope = self.scope = self.open_scope(kind, name, span)
        scope.params = tuple(parameters)
        for index, parameter in enumerate(parameters):
            scope.assign(parameter.name, scope.add(ir.Param(index)))
        if isinstance(node, ast.Lambda):
            scope.returns.append(self.read(body))
        else:
            self.has_async = self.has_async or isinstance(node, ast.AsyncFunctionDef)
            scope.is_async = isinstance(node, ast.AsyncFunctionDef)
            scope.body = body_kind(node.body)
            self.read_block(body)
        self.scope = outer
        return outer.add(ir.MakeFunction(scope.index, decorators, tuple(defaults), tuple(annotations)))

    def _parameters(
        self, node: ast.Lambda | ast.FunctionDef | ast.AsyncFunctionDef
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
        annotations = [(i, self.read_annotation(arg.annotation)) for i, (arg, _) in enumerate(params) if arg.annotation]
        returns = getattr(node, "returns", None)
        if returns is not None:
            annotations.append((-1, self.read_annotation(returns)))
        only = len(arguments.posonlyargs)
        return [ir.Parameter(arg.arg, kind, i < only) for i, (arg, kind) in enumerate(params)], defaults, annotations

    def _def(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        span = self.places.name_span(node)
        if self.scope.kind == ir.ScopeKind.CLASS and is_implicit(node):
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
        outer.assign(node.name, outer.add(ir.MakeClass(scope.index, bases, keywords, decorators)))

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


class _Unquote(ast.NodeTransformer):
    """String annotations, also within others, become what they say."""

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        if not isinstance(node.value, str):
            return node
        try:
            expression = ast.parse(node.value.strip(), mode="eval").body
        except (SyntaxError, ValueError):
            return node
        for part in ast.walk(expression):
            ast.copy_location(part, node)
        return expression


_UNQUOTE: Final = _Unquote()


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
    ast.If: StatementReader._if,
    ast.For: StatementReader._for,
    ast.AsyncFor: StatementReader._for,
    ast.While: StatementReader._while,
    ast.Break: StatementReader._break,
    ast.Continue: StatementReader._continue,
    ast.Return: StatementReader._return,
    ast.Raise: StatementReader._raise,
    ast.Assert: StatementReader._assert,
    ast.Try: StatementReader._try,
    ast.With: StatementReader._with,
    ast.AsyncWith: StatementReader._with,
    ast.Match: StatementReader._match,
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
    _STATEMENTS[ast.TryStar] = StatementReader._try
if sys.version_info >= (3, 12):
    _STATEMENTS[ast.TypeAlias] = StatementReader._pass
