"""Control flow: which definition of a variable reaches where.

Stage: summarise. One pass in the order of the text; loops get their `Phi` nodes before their bodies are read. Code that
control cannot reach starts with nothing known.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from loopsafe.summary import ir
from loopsafe.summary.builder import Environment, Loop
from loopsafe.summary.expressions import ExpressionReader
from loopsafe.summary.names import bound_names
from loopsafe.summary.narrowing import claims, place_name
from loopsafe.summary.places import Places

_COMPARISONS: Final[dict[type[ast.cmpop], str]] = {
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.In: "in",
    ast.NotIn: "not in",
}


class FlowReader(ExpressionReader):
    """Reads blocks, branches, loops and handlers; what a single statement does is for `statements`."""

    def __init__(self, places: Places) -> None:
        super().__init__(places)
        self._open_after: list[list[Callable[[int], None]]] = []
        """For each block being read, who waits to hear at which node it ends."""

    def read_statement(self, statement: ast.stmt) -> None:
        raise NotImplementedError

    def read_block(self, statements: Sequence[ast.stmt], is_continued: bool = False) -> None:
        """Reads statements; what follows a block that is continued is like a part of it: the end of an `elif` chain."""
        if not is_continued:
            self._open_after.append([])
        for index, statement in enumerate(statements):
            if self.scope.env is None:
                self._read_unreachable(statements[index:])
                break
            self.read_statement(statement)
        if not is_continued:
            self._close_block()

    def read_body(self, statements: Sequence[ast.stmt]) -> None:
        """All statements of a function; what its last block leads to is its end."""
        self._open_after.append([])
        self.read_block(statements, is_continued=True)
        self.scope.add_end()
        self._close_block()

    def _close_block(self) -> None:
        for close in self._open_after.pop():
            close(len(self.scope.nodes))

    def _read_unreachable(self, statements: Sequence[ast.stmt]) -> None:
        """Code after a `return` is judged like any other; only what variables hold there is not known."""
        self.scope.env = {}
        self.read_block(statements)
        self.scope.env = None

    def _on_block_end(self, close: Callable[[int], None]) -> None:
        self._open_after[-1].append(close)

    def narrowed(self, test: ast.expr, positive: bool) -> Environment | None:
        env = self.scope.env
        if env is None:
            return None
        result = env
        for claim in claims(test, positive):
            name = place_name(claim.place)
            value = env.get(name)
            if value is None:
                if isinstance(claim.place, ast.Name) or isinstance(claim.class_or_tuple, ast.Constant | None):
                    continue
                value = self.read(claim.place)
            class_or_tuple = self.read(claim.class_or_tuple)
            if result is env:
                result = dict(env)
            result[name] = self.scope.add(ir.Narrow(value, class_or_tuple, claim.positive))
        return result

    def read_test(self, test: ast.expr) -> ir.Tested:
        """Reads a condition; gives the values of which it tests the truth, and how (`ir.Branch.tested`)."""
        match test:
            case ast.Constant(value=bool() as literal):  # as a name: a variable may be the constant's node as well
                return ((self.scope.name_node(str(literal)), True),)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return _negated(self.read_test(operand))
            case ast.BoolOp(op=ast.And(), values=values):
                return tuple(each for tested in self._read_operands(values, True) for each in tested)
            case ast.Compare(left=left, ops=[ast.Is() | ast.IsNot() as op], comparators=[ast.Constant(value=None)]):
                ref = self.look_at(left, ir.Look.IDENTITY)
                test_for_none = ir.Compare("is not", ref, self.scope.const_node(None))
                return ((self.scope.add(test_for_none), isinstance(op, ast.IsNot)),)
            case ast.Compare(left=left, ops=[op], comparators=[right]) if op.__class__ in _COMPARISONS:
                sides = self.read(left), self.read(right)
                self.add_comparison(op, *sides, test)
                return ((self.scope.add(ir.Compare(_COMPARISONS[op.__class__], *sides)), True),)
        ref = self.look_at(test, ir.Look.TRUTH)
        return ((ref, True),) if ref != ir.UNKNOWN else ()

    def read_condition(self, test: ast.expr) -> tuple[ir.Tested, bool]:
        """The same, and how the values come out where the condition holds: of `a or b`, none is true where it fails."""
        match test:
            case ast.UnaryOp(op=ast.Not(), operand=ast.BoolOp() as operand):
                tested, outcome = self.read_condition(operand)
                return tested, not outcome
            case ast.BoolOp(op=ast.Or(), values=values):
                tests = [_negated(tested) for tested in self._read_operands(values, False)]
                return tuple(each for tested in tests for each in tested) if all(tests) else (), False
        return self.read_test(test), True

    def _read_operands(self, values: Sequence[ast.expr], is_and: bool) -> list[ir.Tested]:
        """The tests of operands that are evaluated one after the other, while they come out so."""
        before = self.scope.env
        tests: list[tuple[ir.Tested, int]] = []
        for value in values:
            tests.append((self.read_test(value), len(self.scope.nodes)))
            self.scope.env = self.narrowed(value, is_and)
        is_same = is_and or self.scope.env is before
        self.scope.env = before if is_same else self.scope.merge(before, self.scope.env)
        self.scope.add_operands(tests, is_and)
        return [tested for tested, _ in tests]

    def read_if(self, node: ast.If) -> None:
        scope = self.scope
        tested, outcome = self.read_condition(node.test)
        before = scope.env
        start = len(scope.nodes)
        scope.env = self._copy(self.narrowed(node.test, True))
        self.read_block(node.body)
        after_body, scope.env = scope.env, before
        middle = len(scope.nodes)
        scope.env = self._copy(self.narrowed(node.test, False))
        self.read_block(node.orelse, is_continued=after_body is None)
        body, orelse = ir.shared((start, middle)), ir.shared((middle, len(scope.nodes)))
        branch = ir.Branch(tested, body, orelse) if outcome else ir.Branch(tested, orelse, body)
        self._add_branch(branch, after_body is None, scope.env is None, outcome)
        scope.env = scope.merge(after_body, scope.env)

    def _add_branch(self, branch: ir.Branch, body_leaves: bool, orelse_leaves: bool, outcome: bool) -> None:
        branches = self.scope.branches
        index = len(branches)
        branches.append(branch)
        if body_leaves is orelse_leaves:
            return
        first = len(self.scope.nodes)

        def extend(end: int) -> None:
            branches[index] = msgspec.structs.replace(
                branch, after=(first, end), outcome_after=orelse_leaves is outcome
            )

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

    def read_for(self, node: ast.For | ast.AsyncFor) -> None:
        element = self.add_next(node.iter, isinstance(node, ast.AsyncFor))
        joints = self._enter_loop(node.body, node.target)
        exhausted = self._copy(self.scope.env)
        self.bind(node.target, element)
        self.read_block(node.body)
        self.scope.add_block(element, element + 1)
        self._leave_loop(joints, exhausted, node.orelse)

    def read_while(self, node: ast.While) -> None:
        joints = self._enter_loop(node.body, None)
        scope = self.scope
        start = len(scope.nodes)
        self.look_at(node.test, ir.Look.TRUTH)
        head = scope.env
        is_endless = isinstance(node.test, ast.Constant) and bool(node.test.value)
        exhausted = None if is_endless else self._copy(self.narrowed(node.test, False))
        scope.env = head
        scope.env = self._copy(self.narrowed(node.test, True))
        self.read_block(node.body)
        scope.add_block(ir.UNKNOWN, start)
        self._leave_loop(joints, exhausted, node.orelse)

    def read_break(self, node: ast.Break) -> None:
        if self.scope.loops and self.scope.env is not None:
            self.scope.loops[-1].breaks.append(self.scope.env)
        self.scope.env = None

    def read_continue(self, node: ast.Continue) -> None:
        if self.scope.loops and self.scope.env is not None:
            self.scope.loops[-1].continues.append(self.scope.env)
        self.scope.env = None

    def read_return(self, node: ast.Return) -> None:
        ref = self.read(node.value) if node.value is not None else self.scope.const_node(None)
        self.scope.add_return(ref)
        self.scope.env = None

    def read_raise(self, node: ast.Raise) -> None:
        self.look_at(node.exc)
        self.look_at(node.cause)
        self.scope.env = None

    def read_assert(self, node: ast.Assert) -> None:
        self.look_at(node.test, ir.Look.TRUTH)
        before = self.scope.env
        self.scope.env = self.narrowed(node.test, True)
        after = self.scope.env
        if node.msg is not None:
            self.scope.env = before
            self.read(node.msg)
            self.scope.env = after

    def read_try(self, node: Any) -> None:
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
        self.look_at(node.type)
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

    def read_with(self, node: ast.With | ast.AsyncWith) -> None:
        is_async = isinstance(node, ast.AsyncWith)
        if is_async:
            self.scope.has_await = True
        heads = []
        for item in node.items:
            value = self.read(item.context_expr)
            place = self.scope.add_place(self.span(item.context_expr), self.places.text(item.context_expr))
            ref = self.scope.add(ir.With(value, is_async, place))
            heads.append(ref)
            if item.optional_vars is not None:
                self.bind(item.optional_vars, ref)
        self.read_block(node.body)
        for ref in heads:
            self.scope.add_block(ref, ref + 1)

    def read_match(self, node: ast.Match) -> None:
        scope = self.scope
        subject = self.look_at(node.subject)
        before = scope.env
        ends: list[Environment | None] = []
        is_exhaustive = False
        for case in node.cases:
            scope.env = self._copy(before)
            self._pattern(case.pattern, subject)
            self.look_at(case.guard, ir.Look.TRUTH)
            self.read_block(case.body)
            ends.append(scope.env)
            is_wild = isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None
            is_exhaustive = is_exhaustive or (is_wild and case.guard is None)
        scope.env = scope.merge(*ends) if is_exhaustive else scope.merge(before, *ends)

    def _pattern(self, pattern: ast.pattern, subject: ir.Ref) -> None:
        """Binds what a pattern captures: a class pattern's own name to an instance, its parts to nothing known."""
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


def _negated(tested: ir.Tested) -> ir.Tested:
    """The test for the opposite, if a single value decides."""
    return ((tested[0][0], not tested[0][1]),) if len(tested) == 1 else ()
