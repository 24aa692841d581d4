"""What an expression may be: abstract values of nodes, on demand.

Stage: infer. Nothing is computed that nobody asks for; what was computed is kept. Unknown stays unknown: the empty
tuple. A value that depends on itself is unknown where the circle closes, and nothing that was seen only from inside
the circle is kept. Library names do not occur here: what they mean is in the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from loopsafe.catalog import Catalog
from loopsafe.project import decorators, forms
from loopsafe.project.arguments import simplified
from loopsafe.project.attributes import Attributes
from loopsafe.project.branches import Branches
from loopsafe.project.callers import Callers
from loopsafe.project.calls import Calls
from loopsafe.project.certainty import Certainty
from loopsafe.project.classes import Hierarchy
from loopsafe.project.containers import Containers
from loopsafe.project.deciders import Deciders
from loopsafe.project.entities import Class, Code, Frame, Module, Open
from loopsafe.project.externals import Externals
from loopsafe.project.fields import Fields
from loopsafe.project.index import Index
from loopsafe.project.keys import Keys
from loopsafe.project.members import Members
from loopsafe.project.modules import Modules
from loopsafe.project.names import Names
from loopsafe.project.protocols import Protocols
from loopsafe.project.results import Results
from loopsafe.project.secluded import Secluded
from loopsafe.project.signatures import Signatures
from loopsafe.project.values import (
    NONE,
    NOTHING,
    ClassObject,
    Constant,
    External,
    Form,
    Instance,
    ModuleObject,
    Value,
    Values,
    builtin,
    constant,
    unite,
)
from loopsafe.summary import ir

RETURNS: Final[ir.Ref] = -2
"""Pseudo node of a function: what it returns."""
YIELDS: Final[ir.Ref] = -3
"""Pseudo node of a generator: what it yields."""

_DEEPEST: Final = 120
"""Expressions that depend on one another further than this are unknown; in real code nine in ten stay below twelve."""
_PENDING: Final = [Open(NOTHING, depth) for depth in range(_DEEPEST + 1)]
"""What stands for a value that is being computed, by how deep it is in others."""
_CONTAINERS: Final = frozenset({"builtins.list", "builtins.dict", "builtins.set", "collections.defaultdict"})


class Inference:
    """Answers `value(frame, ref)`; its collaborators answer for attributes, calls, classes and protocols."""

    def __init__(self, modules: Modules, catalog: Catalog) -> None:
        self.modules: Final = modules
        self.catalog: Final = catalog
        self.index: Final = Index(modules)
        self.hierarchy: Final = Hierarchy(self)
        self.externals: Final = Externals(catalog)
        self.members: Final = Members(self)
        self.calls: Final = Calls(self)
        self.results: Final = Results(self)
        self.secluded: Final = Secluded(self)
        self.callers: Final = Callers(self)
        self.certainty: Final = Certainty(self)
        self.branches: Final = Branches(self)
        self.deciders: Final = Deciders(self)
        self.signatures: Final = Signatures(self)
        self.keys: Final = Keys(self)
        self.attributes: Final = Attributes(self)
        self.containers: Final = Containers(self)
        self.fields: Final = Fields(self)
        self.names: Final = Names(self)
        self.protocols: Final = Protocols(self)
        self._frames: Final[dict[tuple[Code, Frame | None, tuple[Values | None, ...]], Frame]] = {}
        self._contexts: Final[dict[tuple[Code, int], int]] = {}
        self._classes: Final[dict[tuple[Code, Frame], Class]] = {}
        self._provisional: Final[list[tuple[Frame, ir.Ref]]] = []
        self.depth = 0
        """Of the values that are being computed."""
        self._lowest = _DEEPEST + 1
        """Depth of the outermost pending value that the value at hand has turned out to depend on."""
        self.generic_frame = lru_cache(maxsize=None)(self._make_generic_frame)

    # Frames and classes

    def frame(self, code: Code, closure: Frame | None, arguments: tuple[Values | None, ...]) -> Frame:
        """The one frame of a function for these arguments; without them once there are too many."""
        owner = closure.owner if closure is not None else None
        if owner is not None and arguments and arguments[0] == owner.instances:
            arguments = (None, *arguments[1:])
        if not any(arguments):
            arguments = ()
        key = (code, closure, arguments)
        frame = self._frames.get(key)
        if frame is None:
            if arguments:
                limit, simpler = simplified(arguments)
                count = self._contexts[code, limit] = self._contexts.get((code, limit), 0) + 1
                if count > limit:
                    return self.frame(code, closure, simpler)
            frame = self._frames[key] = Frame(code, closure, arguments)
        return frame

    def _make_generic_frame(self, code: Code) -> Frame:
        """The frame of a scope when nothing is known of how it is entered."""
        if code.scope.kind == ir.ScopeKind.MODULE:
            return code.module.frame
        closure = self.generic_frame(code.parent)
        if code.scope.kind == ir.ScopeKind.CLASS:
            return self.class_in(code, closure).frame
        return self.frame(code, closure, ())

    def class_in(self, code: Code, closure: Frame) -> Class:
        """The class that a class statement makes in a frame."""
        cls = self._classes.get((code, closure))
        if cls is None:
            cls = self._classes[code, closure] = Class(code, closure)
        return cls

    def class_at(self, module: Module, scope: int) -> Class:
        """The class of a class scope, nothing known of how its surroundings are entered."""
        owner = self.generic_frame(module.code(scope)).owner
        assert owner is not None
        return owner

    # Values

    def value(self, frame: Frame, ref: ir.Ref) -> Values:
        """What a node of a frame's scope may be."""
        known = frame.memo.get(ref)
        if known.__class__ is tuple:
            return known
        if isinstance(known, Open):
            if known.depth < self._lowest:
                self._lowest = known.depth
            return known.values
        if ref == ir.UNKNOWN:
            return NOTHING
        if self.depth >= _DEEPEST:
            self.leave_open(1)  # asked again from nearer, it may be found out
            return NOTHING
        return self._compute(frame, ref)

    def _compute(self, frame: Frame, ref: ir.Ref) -> Values:
        """Evaluates with a guard against circles.

        While a value is pending, whoever needs it gets the unknown, and so does everything on the way up to it: those
        in-between results are provisional, and forgotten once the pending value is known.
        """
        outer_lowest, self._lowest = self._lowest, _DEEPEST + 1
        self.depth += 1
        depth = self.depth
        memo = frame.memo
        memo[ref] = _PENDING[depth]
        mark = len(self._provisional)
        try:
            if ref < 0:
                values = self.results.returned(frame) if ref == RETURNS else self.results.yielded(frame)
            else:
                node = frame.code.scope.nodes[ref]
                values = _HANDLERS[node.__class__](self, frame, node)
        except BaseException:
            del memo[ref]
            raise
        finally:
            self.depth -= 1
        lowest = self._lowest
        if lowest < depth:
            memo[ref] = Open(values, lowest)
            self._provisional.append((frame, ref))
        else:
            memo[ref] = values
            if len(self._provisional) > mark:
                for other, other_ref in self._provisional[mark:]:
                    other.memo.pop(other_ref, None)
                del self._provisional[mark:]
        self._lowest = min(outer_lowest, lowest) if depth > 1 else _DEEPEST + 1
        return values

    def leave_open(self, depth: int) -> None:
        """What is being computed was cut short: it stands only until the pending value at that depth is known."""
        self._lowest = min(self._lowest, depth)

    @property
    def is_settled(self) -> bool:
        """Whether nothing on the way here turned out to depend on a value that is still being computed."""
        return self._lowest > _DEEPEST

    def values(self, frame: Frame, refs: tuple[ir.Ref, ...]) -> Values:
        """The values of any of several nodes."""
        if len(refs) == 1:
            return self.value(frame, refs[0])
        return unite(*[self.value(frame, ref) for ref in refs])

    def declared(self, frame: Frame, ref: ir.Ref) -> Values:
        """What an annotation admits."""
        return forms.instances(self.value(frame, ref))

    # Nodes

    def _name(self, frame: Frame, node: ir.Name) -> Values:
        return self.names.lookup(frame, node.name)

    def _const(self, frame: Frame, node: ir.Const) -> Values:
        return (constant(node.value),)

    def _literal(self, frame: Frame, node: ir.Literal) -> Values:
        return (builtin(node.class_name),)

    def _param(self, frame: Frame, node: ir.Param) -> Values:
        return self.calls.parameter(frame, node.index)

    def _phi(self, frame: Frame, node: ir.Phi) -> Values:
        if frame.arguments and frame.code.scope.branches:
            dead = self.branches.is_dead
            return unite(*[self.value(frame, option) for option in node.options if not dead(frame, option)])
        return self.values(frame, node.options)

    def _attr(self, frame: Frame, node: ir.Attr) -> Values:
        owners = self.value(frame, node.value)
        if len(owners) == 1:  # as nearly always: no need for what `each` takes
            return self.members.get(owners[0], node.name)
        return self.each(owners, lambda value: self.members.get(value, node.name))

    def each(self, values: Values, function: Callable[[Value], Values]) -> Values:
        """The results for every one of a set of values."""
        if len(values) == 1:
            return function(values[0])
        return unite(*[function(value) for value in values])

    def _call(self, frame: Frame, node: ir.Call) -> Values:
        return self.calls.result_at(frame, node)

    def _await(self, frame: Frame, node: ir.Await) -> Values:
        return self.each(self.value(frame, node.value), self.protocols.awaited)

    def _item(self, frame: Frame, node: ir.Item) -> Values:
        entry = self.keys.found(frame, node) if frame.arguments else NOTHING
        if entry:
            return entry
        values = self.value(frame, node.value)
        form = forms.subscripted(self, frame, values, node)
        if form is not None:
            return form
        return self.each(values, lambda value: self.protocols.item(value, self.value(frame, node.index)))

    def _element(self, frame: Frame, node: ir.Element) -> Values:
        return self.each(self.value(frame, node.value), lambda value: self.protocols.part(value, node.position))

    def _next(self, frame: Frame, node: ir.Next) -> Values:
        return self.each(self.value(frame, node.value), lambda value: self.protocols.element(value, node.is_async))

    def _with(self, frame: Frame, node: ir.With) -> Values:
        return self.each(self.value(frame, node.value), lambda value: self.protocols.entered(value, node.is_async))

    def _binary(self, frame: Frame, node: ir.Binary) -> Values:
        left = self.value(frame, node.left)
        if node.method == "__or__" and any(isinstance(value, ClassObject | Form) or value == NONE for value in left):
            return forms.union(left, self.value(frame, node.right))
        if node.method == "__or__" and all(isinstance(value, External) for value in left):
            flags = self.value(frame, node.right)  # of one value made of several, each is known
            if all(isinstance(value, External) for value in flags):
                return unite(left, flags)
        return self.each(left, lambda value: self.protocols.operated(value, node.method))

    def _display(self, frame: Frame, node: ir.Display) -> Values:
        parts = tuple([self.value(frame, element) for element in node.elements])
        if node.class_name == "tuple":
            return (builtin("tuple", *parts),)
        added = [self.value(frame, element) for element in node.added]
        return (builtin(node.class_name, unite(*parts, *added)),)

    def _make_function(self, frame: Frame, node: ir.MakeFunction) -> Values:
        return decorators.decorated(self, frame, node)

    def _make_class(self, frame: Frame, node: ir.MakeClass) -> Values:
        return (ClassObject(self.class_in(frame.code.module.code(node.scope), frame)),)

    def _import(self, frame: Frame, node: ir.Import) -> Values:
        module = frame.code.module
        origin = self.modules.resolve(module, node.module, node.level)
        if origin is None:
            if node.level:
                return NOTHING
            part = self.modules.installed(f"{node.module}.{node.name}") if node.name is not None else None
            if part is not None:  # of an installed namespace package, which has no module itself
                return (ModuleObject(part),)
            name = node.module if node.name is None else f"{node.module}.{node.name}"
            return (self.externals.named(name),)
        if node.name is None:
            return (ModuleObject(origin),)
        if origin is module:
            submodule = self.modules.submodule(origin, node.name)
            return (ModuleObject(submodule),) if submodule is not None else NOTHING
        found = self.names.exported(origin, node.name)
        return found if found is not None else NOTHING

    def _yield(self, frame: Frame, node: ir.Yield) -> Values:
        return NOTHING

    def _compare(self, frame: Frame, node: ir.Compare) -> Values:
        return (builtin("bool"),)

    def _narrow(self, frame: Frame, node: ir.Narrow) -> Values:
        values = self.value(frame, node.value)
        if node.class_or_tuple == ir.UNKNOWN:
            return tuple(value for value in values if not (isinstance(value, Constant) and not value.value))
        wanted = self.value(frame, node.class_or_tuple)
        if wanted == (NONE,):
            return wanted if node.positive else tuple(value for value in values if value != NONE)
        classes = forms.classes(wanted)
        if classes is None:
            return NOTHING if node.positive else values
        is_one = self.hierarchy.is_subclass
        kept = tuple(
            value
            for value in values
            if isinstance(value, Instance) and any(is_one(value.cls, cls) for cls in classes) is node.positive
        )
        if not node.positive:
            return kept
        is_open = all(value == NONE for value in values) and not self.certainty.is_certain(frame, node.value)
        narrower = tuple(
            Instance(cls)
            for cls in classes
            if is_open or any(isinstance(value, Instance) and is_one(cls, value.cls) for value in values)
        )
        return unite(kept, narrower)

    def _declared(self, frame: Frame, node: ir.Declared) -> Values:
        assigned = self.value(frame, node.value)
        if any(value != NONE and not _is_empty(value) for value in assigned):
            return assigned
        if forms.is_module_type(self.value(frame, node.annotation)):
            return self._lazily_imported(frame, node.value)
        return self.declared(frame, node.annotation) or assigned

    def _lazily_imported(self, frame: Frame, ref: ir.Ref) -> Values:
        """`boto3: ModuleType = lazy_import("boto3")`: annotation and argument together say which module it is."""
        node = frame.code.scope.nodes[ref] if ref >= 0 else None
        first = self.value(frame, node.args[0]) if isinstance(node, ir.Call) and node.args else NOTHING
        names = [value.value for value in first if isinstance(value, Constant) and isinstance(value.value, str)]
        return (self.externals.named(names[0]),) if len(names) == 1 else NOTHING

    def _passed_on(self, frame: Frame, node: ir.StoreAttr | ir.StoreItem | ir.Return) -> Values:
        return self.value(frame, node.value)


def _is_empty(value: Value) -> bool:
    """Whether a value is a container of which only the annotation can say what will be in it."""
    return isinstance(value, Instance) and value.cls in _CONTAINERS and not unite(*value.args)


_HANDLERS: Final[dict[type[Any], Callable[..., Values]]] = {
    ir.Const: Inference._const,
    ir.Literal: Inference._literal,
    ir.Name: Inference._name,
    ir.Param: Inference._param,
    ir.Phi: Inference._phi,
    ir.Attr: Inference._attr,
    ir.Call: Inference._call,
    ir.Await: Inference._await,
    ir.Item: Inference._item,
    ir.Element: Inference._element,
    ir.Next: Inference._next,
    ir.With: Inference._with,
    ir.Binary: Inference._binary,
    ir.Display: Inference._display,
    ir.MakeFunction: Inference._make_function,
    ir.MakeClass: Inference._make_class,
    ir.Import: Inference._import,
    ir.Yield: Inference._yield,
    ir.Compare: Inference._compare,
    ir.Narrow: Inference._narrow,
    ir.Declared: Inference._declared,
    ir.StoreAttr: Inference._passed_on,
    ir.StoreItem: Inference._passed_on,
    ir.Return: Inference._passed_on,
}
