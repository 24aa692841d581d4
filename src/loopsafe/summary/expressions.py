"""Expressions of the syntax tree become nodes, in the order in which Python evaluates them.

Stage: summarise. Facts only: which function a name means is for the link stage.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from typing import Any, Final

from loopsafe.summary import ir
from loopsafe.summary.annotations import unquoted
from loopsafe.summary.builder import Environment, ScopeBuilder
from loopsafe.summary.functions import FunctionNode
from loopsafe.summary.names import beginning_of_name, beginning_of_path
from loopsafe.summary.operators import COMPARISONS, OPERATORS
from loopsafe.summary.places import Places

_ADDING: Final = frozenset({"append", "appendleft", "add", "insert", "setdefault"})
"""Methods of the builtin containers that put their last argument into them."""
_LONGEST_STRING: Final = 120
"""Constants matter as attribute names, modes, import names and string annotations; longer ones are prose."""
_FSTRING_POSITIONS_ARE_EXACT: Final = sys.version_info >= (3, 12)


class ExpressionReader:
    """Reads expressions into the scope at hand (`self.scope`)."""

    def __init__(self, places: Places) -> None:
        self.places: Final = places
        self.scopes: Final[list[ScopeBuilder]] = []
        self.scope: ScopeBuilder = self.open_scope(ir.ScopeKind.MODULE, "<module>", (1, 1, 1, 1))
        self.parents: Final[set[int]] = set()
        """Indexes of scopes that hold functions: their variables may be read from within."""
        self.called: Final[set[str]] = set()
        self.mentioned: Final[set[str]] = set()
        self.beginnings: Final[set[str]] = set()
        self.is_annotation = False
        """Whether strings stand for what their texts say."""
        self._fstring: ast.JoinedStr | None = None

    def open_scope(self, kind: int, name: str, span: ir.RawSpan) -> ScopeBuilder:
        scope = ScopeBuilder(kind, name, getattr(self, "scope", None), len(self.scopes), span)
        self.scopes.append(scope)
        if scope.parent is not None:
            self.parents.add(scope.parent.index)
        return scope

    def read(self, node: ast.expr | None) -> ir.Ref:
        """The reference to the value of an expression."""
        if node is None:
            return ir.UNKNOWN
        return _READERS[node.__class__](self, node)

    def read_all(self, nodes: list[ast.expr]) -> tuple[ir.Ref, ...]:
        return ir.shared(tuple([_READERS[node.__class__](self, node) for node in nodes]))

    def span(self, node: ast.expr | ast.stmt) -> ir.RawSpan:
        if self._fstring is not None and not self.places.holds(node):
            return self.places.span(self._fstring)
        return self.places.span(node)

    # Names and constants

    def _name(self, node: ast.Name) -> ir.Ref:
        return self.scope.read(node.id)

    def _constant(self, node: ast.Constant) -> ir.Ref:
        value = node.value
        if self.is_annotation and isinstance(value, str):
            self.is_annotation = False
            ref = self.read(unquoted(value, node))
            self.is_annotation = True
            return ref
        if isinstance(value, str):
            if len(value) <= _LONGEST_STRING and value.isascii():
                return self.scope.const_node(value)
        elif value is None or (isinstance(value, int) and abs(value) < 1 << 62):
            return self.scope.const_node(value)
        return self.scope.literal_node(value.__class__.__name__)

    def _joined(self, node: ast.JoinedStr) -> ir.Ref:
        outer = self._fstring
        if not _FSTRING_POSITIONS_ARE_EXACT and outer is None:
            self._fstring = node
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self._formatted(part)
        self._fstring = outer
        self.beginnings.update(beginning_of_name(node))
        return self.scope.literal_node("str", beginning_of_path(node))

    def _formatted(self, node: ast.FormattedValue) -> ir.Ref:
        self.look_at(node.value, ir.Look.TEXT)
        self.read(node.format_spec)
        return self.scope.literal_node("str")

    def _template(self, node: Any) -> ir.Ref:
        """A t-string: its parts are evaluated, what comes out is no string (Python 3.14)."""
        for part in node.values:
            value = getattr(part, "value", None)
            if isinstance(value, ast.expr):
                self.look_at(value)
        return ir.UNKNOWN

    def look_at(self, node: ast.expr | None, how: int = ir.Look.OTHER) -> ir.Ref:
        """Reads an expression whose value is not handed on."""
        ref = self.read(node)
        self.scope.add_look(how, ref)
        return ref

    # Operators

    def _boolean(self, node: ast.BoolOp) -> ir.Ref:
        """`a or b` is one of both, `a and b` is `b` or nothing of interest.

        What is right of an operator runs only where the left test allows it.
        """
        scope = self.scope
        before = scope.env
        is_and = isinstance(node.op, ast.And)
        refs, tests = [], []
        for value in node.values:
            if value is node.values[-1]:
                refs.append(self.read(value))
                break
            ref, tested = self._operand(value)
            refs.append(ref)
            tests.append((tested, len(scope.nodes)))
            scope.env = self.narrowed(value, is_and)
        scope.add_operands([*tests, ((), len(scope.nodes))], is_and)
        scope.env = scope.merge(before, scope.env) if before is not scope.env else before
        if is_and:
            for ref in refs[:-1]:
                scope.add_look(ir.Look.TRUTH, ref)
            return refs[-1]
        refs[:-1] = [scope.add(ir.Narrow(ref, ir.UNKNOWN, True)) for ref in refs[:-1] if ref != ir.UNKNOWN]
        return scope.phi(refs)

    def _operand(self, node: ast.expr) -> tuple[ir.Ref, ir.Tested]:
        """What an operand is, and the values of which it tests the truth."""
        is_negation = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
        if is_negation or isinstance(node, ast.Compare):
            return self.scope.literal_node("bool"), self.read_test(node)
        ref = self.read(node)
        return ref, ((ref, True),) if ref >= 0 else ()

    def _conditional(self, node: ast.IfExp) -> ir.Ref:
        scope = self.scope
        tested, outcome = self.read_condition(node.test)
        before = scope.env
        start = len(scope.nodes)
        scope.env = self.narrowed(node.test, True)
        body = self.read(node.body)
        middle = len(scope.nodes)
        after_body, scope.env = scope.env, before
        scope.env = self.narrowed(node.test, False)
        orelse = self.read(node.orelse)
        ways = ir.shared((start, middle)), ir.shared((middle, len(scope.nodes)))
        scope.branches.append(ir.Branch(tested, *(ways if outcome else ways[::-1])))
        scope.env = scope.merge(after_body, scope.env)
        return scope.phi((body, orelse))

    def _binary(self, node: ast.BinOp) -> ir.Ref:
        """Long chains of `+` are read in a loop: generated code has thousands of operands."""
        chain = [node]
        while isinstance(chain[-1].left, ast.BinOp):
            chain.append(chain[-1].left)
        left = self.read(chain[-1].left)
        for link in reversed(chain):
            right = self.read(link.right)
            left = self.scope.add(ir.Binary(OPERATORS[link.op.__class__], left, right, self.add_place(link)))
        return left

    def _unary(self, node: ast.UnaryOp) -> ir.Ref:
        operand = node.operand
        if isinstance(node.op, ast.USub) and isinstance(operand, ast.Constant) and operand.value.__class__ is int:
            return self._constant(ast.Constant(-operand.value))
        if isinstance(node.op, ast.Not):
            self.look_at(operand, ir.Look.TRUTH)
            return self.scope.literal_node("bool")
        return self.read(operand)

    def _compare(self, node: ast.Compare) -> ir.Ref:
        left = self.read(node.left)
        for operator, comparator in zip(node.ops, node.comparators, strict=True):
            right = self.read(comparator)
            self.add_comparison(operator, left, right, node)
            left = right
        return self.scope.literal_node("bool")

    def add_comparison(self, operator: ast.cmpop, left: ir.Ref, right: ir.Ref, node: ast.Compare) -> None:
        """The special method that a comparison calls, if any."""
        if isinstance(operator, ast.In | ast.NotIn):
            self.scope.add(ir.Binary("__contains__", right, left, self.add_place(node)))
        elif operator.__class__ in COMPARISONS:
            self.scope.add(ir.Binary(COMPARISONS[operator.__class__], left, right, self.add_place(node)))
        else:
            self.scope.add_look(ir.Look.IDENTITY, left)
            self.scope.add_look(ir.Look.IDENTITY, right)

    def add_place(self, node: ast.expr) -> ir.Place:
        """A place without a text of its own: messages put one together."""
        return self.scope.add_place(self.span(node), "")

    # Access and calls

    def _attribute(self, node: ast.Attribute, *, is_callee: bool = False) -> ir.Ref:
        value = self.read(node.value)
        env = self.scope.env
        if env is not None and isinstance(node.value, ast.Name):
            narrowed = env.get(f"{node.value.id}.{node.attr}")
            if narrowed is not None:
                return narrowed
        if is_callee:
            return self.scope.add(ir.Attr(value, node.attr, ir.NOWHERE))
        self.mentioned.add(node.attr)
        return self.scope.add(ir.Attr(value, node.attr, self.add_place(node)))

    def _subscript(self, node: ast.Subscript) -> ir.Ref:
        value, index = self.read(node.value), self.read(node.slice)
        return self.scope.add(ir.Item(value, index, self.add_place(node)))

    def _slice(self, node: ast.Slice) -> ir.Ref:
        for part in (node.lower, node.upper, node.step):
            self.look_at(part)
        return self.scope.literal_node("slice")

    def _call(self, node: ast.Call) -> ir.Ref:
        callee = node.func
        func = self._attribute(callee, is_callee=True) if isinstance(callee, ast.Attribute) else self.read(callee)
        starred = next((i for i, arg in enumerate(node.args) if isinstance(arg, ast.Starred)), -1)
        args = self.read_all(node.args)
        keywords = tuple([(keyword.arg, self.read(keyword.value)) for keyword in node.keywords])
        name = callee.attr if isinstance(callee, ast.Attribute) else getattr(callee, "id", "")
        self.called.add(name)
        if name == "getattr" and len(node.args) > 1:
            self.mentioned.add(str(getattr(node.args[1], "value", "")))
        if args and isinstance(callee, ast.Attribute) and callee.attr in _ADDING:
            attribute = self.scope.nodes[func]
            self.scope.add_addition(attribute.value if isinstance(attribute, ir.Attr) else ir.UNKNOWN, args[-1])
        place = self.scope.add_place(self.span(node), self.places.callee_text(callee))
        return self.scope.add_call(ir.Call(func, args, keywords, starred, place))

    def _starred(self, node: ast.Starred) -> ir.Ref:
        return self.read(node.value)

    def _await(self, node: ast.Await) -> ir.Ref:
        self.scope.has_await = True
        value = self.read(node.value)
        place = self.scope.add_place(self.span(node.value), self.places.text(node.value))
        return self.scope.add(ir.Await(value, place))

    def _yield(self, node: ast.Yield) -> ir.Ref:
        self.scope.is_generator = True
        ref = self.read(node.value) if node.value is not None else self.scope.const_node(None)
        self.scope.yields.append(ref)
        return self.scope.add(ir.Yield(ref))

    def _yield_from(self, node: ast.YieldFrom) -> ir.Ref:
        self.scope.is_generator = True
        element = self.add_next(node.value, False)
        self.scope.yields.append(element)
        return ir.UNKNOWN

    def add_next(self, iterable: ast.expr, is_async: bool, ref: ir.Ref | None = None) -> ir.Ref:
        """A node for each element of an iterable expression, which is read unless its value is given."""
        value = self.read(iterable) if ref is None else ref
        if is_async:
            self.scope.has_await = True
        place = self.scope.add_place(self.span(iterable), self.places.text(iterable))
        return self.scope.add(ir.Next(value, is_async, place))

    # Displays, comprehensions, functions

    def _list(self, node: ast.List | ast.Set | ast.Tuple) -> ir.Ref:
        elements = [
            self.add_next(one.value, False) if isinstance(one, ast.Starred) else self.read(one) for one in node.elts
        ]
        return self.scope.add(ir.Display(node.__class__.__name__.lower(), tuple(elements)))

    def _dict(self, node: ast.Dict) -> ir.Ref:
        keys, values = [], []
        for key, value in zip(node.keys, node.values, strict=True):
            keys.append(self.look_at(key))
            values.append(self.read(value))
        return self.scope.add(ir.Display("dict", tuple(values), (), tuple(keys)))

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp) -> ir.Ref:
        scope = self.scope
        before = dict(scope.env) if scope.env is not None else None
        start = len(scope.nodes)
        targets = self._generators(node.generators, None)
        if isinstance(node, ast.DictComp):
            self.look_at(node.key)
            element = self.read(node.value)
        else:
            element = self.read(node.elt)
        self._leave_comprehension(before, targets)
        scope.add_comprehension(start)
        class_name = node.__class__.__name__.removesuffix("Comp").lower()
        return scope.add(ir.Display(class_name, (element,)))

    def _generators(self, generators: list[ast.comprehension], first: ir.Ref | None) -> set[str]:
        """The `for … in … if …` parts; gives the names that they bind."""
        targets: set[str] = set()
        for generator in generators:
            element = self.add_next(generator.iter, bool(generator.is_async), first)
            first = None
            self.bind(generator.target, element)
            targets.update(name.id for name in ast.walk(generator.target) if isinstance(name, ast.Name))
            for test in generator.ifs:
                self.look_at(test, ir.Look.TRUTH)
                self.scope.env = self.narrowed(test, True)
        return targets

    def _leave_comprehension(self, before: Environment | None, targets: set[str]) -> None:
        """Only what `:=` bound inside stays bound."""
        env = self.scope.env
        if before is None or env is None:
            return
        leaked = {name: ref for name, ref in env.items() if name not in targets and "." not in name}
        self.scope.env = {**before, **{name: ref for name, ref in leaked.items() if before.get(name) != ref}}

    def _generator_expression(self, node: ast.GeneratorExp) -> ir.Ref:
        """A scope of its own that runs when it is iterated; its first iterable is evaluated here."""
        first = self.read(node.generators[0].iter)
        outer = self.scope
        scope = self.scope = self.open_scope(ir.ScopeKind.GENERATOR, "<genexpr>", self.span(node))
        scope.is_generator = True
        scope.params = (ir.Parameter(".0", ir.ParamKind.POSITIONAL),)
        self._generators(node.generators, scope.add(ir.Param(0)))
        element = self.read(node.elt)
        scope.yields.append(element)
        scope.is_async = scope.has_await
        self.scope = outer
        scope.maker = outer.add(ir.MakeFunction(scope.index, (), ((0, first),)))
        return scope.maker

    def _lambda(self, node: ast.Lambda) -> ir.Ref:
        return self.make_function(ir.ScopeKind.LAMBDA, "<lambda>", self.span(node), node, node.body)

    def _named(self, node: ast.NamedExpr) -> ir.Ref:
        ref = self.read(node.value)
        self.bind(node.target, ref)
        return ref

    # For `statements`, which completes this class

    def bind(self, target: ast.expr, ref: ir.Ref) -> None:
        """`target = <ref>`"""
        raise NotImplementedError

    def narrowed(self, test: ast.expr, positive: bool) -> Environment | None:
        """The environment after a test has come out that way."""
        raise NotImplementedError

    def read_test(self, test: ast.expr) -> ir.Tested:
        raise NotImplementedError

    def read_condition(self, test: ast.expr) -> tuple[ir.Tested, bool]:
        raise NotImplementedError

    def make_function(self, kind: int, name: str, span: ir.RawSpan, node: FunctionNode, body: Any) -> ir.Ref:
        raise NotImplementedError


_READERS: Final[dict[type[ast.AST], Callable[..., ir.Ref]]] = {
    ast.Name: ExpressionReader._name,
    ast.Constant: ExpressionReader._constant,
    ast.JoinedStr: ExpressionReader._joined,
    ast.FormattedValue: ExpressionReader._formatted,
    ast.BoolOp: ExpressionReader._boolean,
    ast.IfExp: ExpressionReader._conditional,
    ast.BinOp: ExpressionReader._binary,
    ast.UnaryOp: ExpressionReader._unary,
    ast.Compare: ExpressionReader._compare,
    ast.Attribute: ExpressionReader._attribute,
    ast.Subscript: ExpressionReader._subscript,
    ast.Slice: ExpressionReader._slice,
    ast.Call: ExpressionReader._call,
    ast.Starred: ExpressionReader._starred,
    ast.Await: ExpressionReader._await,
    ast.Yield: ExpressionReader._yield,
    ast.YieldFrom: ExpressionReader._yield_from,
    ast.List: ExpressionReader._list,
    ast.Set: ExpressionReader._list,
    ast.Tuple: ExpressionReader._list,
    ast.Dict: ExpressionReader._dict,
    ast.ListComp: ExpressionReader._comprehension,
    ast.SetComp: ExpressionReader._comprehension,
    ast.DictComp: ExpressionReader._comprehension,
    ast.GeneratorExp: ExpressionReader._generator_expression,
    ast.Lambda: ExpressionReader._lambda,
    ast.NamedExpr: ExpressionReader._named,
}
if sys.version_info >= (3, 14):
    _READERS[ast.TemplateStr] = ExpressionReader._template
