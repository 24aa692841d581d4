"""Whether what is known of a node is all that it may be.

Stage: infer. Values say what a node may be as far as that is known; a check that claims that something fails needs to
know that nothing else was left out: a branch that could not be evaluated, an argument, an override.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from loopsafe.project.decorators import has_unknown_decorator
from loopsafe.project.entities import Class, Code, Frame
from loopsafe.project.values import ClassObject, External, Function, Instance, Method, ModuleObject, Value
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference

_DEEPEST: Final = 6
_SURE: Final = (ir.Const, ir.Literal, ir.Display, ir.MakeClass, ir.Import, ir.MakeFunction, ir.Name, ir.Phi)
"""Nodes that may be sure by themselves."""
_MOST_STORES: Final = 6
"""An attribute name that is stored in more places is too common for a claim about what it holds."""


class Sureness:
    """Answers `is_sure(frame, ref)`."""

    def __init__(self, inference: Inference) -> None:
        self._inference: Final = inference

    def is_sure(self, frame: Frame, ref: ir.Ref, depth: int = 0) -> bool:
        """Whether a node is one of its values, and can be nothing else."""
        node = frame.code.scope.nodes[ref] if ref >= 0 else None
        if node is None or depth > _DEEPEST or not self._inference.value(frame, ref):
            return False
        match node:
            case ir.Const() | ir.Literal() | ir.Display() | ir.MakeClass():
                return True
            case ir.Import():
                return self._is_sure_import(frame, node, depth)
            case ir.MakeFunction(scope=index):
                return self._is_undecorated(frame, ref, index)
            case ir.Name(name=name):
                return self._is_sure_name(frame, name, depth)
            case ir.Param(index=index):
                return self._is_self(frame.code, index)
            case ir.Attr():
                return self._is_sure_attribute(frame, node, depth)
            case ir.Call(func=func):
                callees = self._inference.value(frame, func)
                return self.is_sure(frame, func, depth + 1) and all(self._gives(one, depth) for one in callees)
            case ir.Narrow(value=value) | ir.Return(value=value):
                return self.is_sure(frame, value, depth + 1)
            case ir.Phi(options=options):
                return all(self.is_sure(frame, one, depth + 1) for one in options)
        return False

    def may_be_sure(self, code: Code, ref: ir.Ref) -> bool:
        """The same as far as the text tells, without a thought to values: mostly it says no."""
        while ref >= 0:
            match code.scope.nodes[ref]:
                case ir.Call(func=inner) | ir.Attr(value=inner) | ir.Narrow(value=inner) | ir.Return(value=inner):
                    ref = inner
                case ir.Param(index=index):
                    return self._is_self(code, index)
                case node:
                    return isinstance(node, _SURE)
        return False

    def _is_undecorated(self, frame: Frame, ref: ir.Ref, index: int) -> bool:
        """Whether a `def` binds the function that stands there, whatever its decorators do with it besides."""
        code = frame.code.module.code(index)
        values = self._inference.value(frame, ref)
        return code.scope.kind == ir.ScopeKind.GENERATOR or all(
            isinstance(value, Function) and value.code is code for value in values
        )

    def _is_sure_import(self, frame: Frame, node: ir.Import, depth: int) -> bool:
        origin = self._inference.modules.resolve(frame.code.module, node.module, node.level)
        if origin is None or node.name is None:
            return True
        return self._has_sure(ModuleObject(origin), node.name, depth)

    def _is_self(self, code: Code, index: int) -> bool:
        """The receiver of a method; what subclasses make of it is asked for attribute by attribute."""
        is_method = index == 0 and code.parent.scope.kind == ir.ScopeKind.CLASS
        return is_method and code.scope.params[0].name in ("self", "cls")

    def _is_sure_name(self, frame: Frame, name: str, depth: int) -> bool:
        closure = frame
        while closure.closure is not None:
            if closure.code.scope.kind != ir.ScopeKind.CLASS and name in closure.code.scope.bindings:
                refs = closure.code.scope.bindings[name]
                return len(refs) == 1 and self.is_sure(closure, refs[0], depth + 1)
            closure = closure.closure
        module = frame.code.module
        if module.global_stores.get(name):
            return False
        refs = module.scopes[0].bindings.get(name, ())
        if not refs:
            return not module.scopes[0].star_imports  # a builtin
        return len(refs) == 1 and self.is_sure(module.frame, refs[0], depth + 1)

    def _is_sure_attribute(self, frame: Frame, node: ir.Attr, depth: int) -> bool:
        if not self.is_sure(frame, node.value, depth + 1):
            return False
        return all(self._has_sure(value, node.name, depth) for value in self._inference.value(frame, node.value))

    def _has_sure(self, value: Value, name: str, depth: int) -> bool:
        match value:
            case ModuleObject(module):
                refs = module.scopes[0].bindings.get(name, ()) if module.scopes else ()
                return (
                    len(refs) == 1
                    and not module.global_stores.get(name)
                    and self.is_sure(module.frame, refs[0], depth + 1)
                )
            case Instance(Class() as cls) | ClassObject(Class() as cls):
                return not self._inference.hierarchy.has_unknown_base(cls) and self._is_sure_member(cls, name, depth)
            case Instance() | ClassObject() | External():
                return True  # the catalogue says what it is
        return False

    def _is_sure_member(self, cls: Class, name: str, depth: int) -> bool:
        """Whether all that an attribute may be was found: a method without overrides, or assignments that are sure."""
        lines = [*self._inference.hierarchy.order(cls), *self._inference.hierarchy.subclasses(cls)]
        owners = [one for one in lines if isinstance(one, Class) and name in (*one.code.scope.bindings, *one.stores)]
        places = list(islice(self._inference.index.stores(name), _MOST_STORES + 1))
        if len(owners) != 1:
            return False
        (owner,) = owners
        if name in owner.methods:
            return not places and not has_unknown_decorator(self._inference, owner.methods[name])
        stores = owner.stores.get(name, ())
        if len(places) != len(stores) or name in owner.code.scope.bindings:
            return False
        return all(self.is_sure(self._inference.generic_frame(code), node.value, depth + 1) for code, node in stores)

    def _gives(self, callee: Value, depth: int) -> bool:
        """Whether what calling a value gives is known for sure."""
        match callee:
            case Function(code=code):
                return self._inference.members.is_plain(callee) and self._returns_surely(code, depth)
            case ClassObject(Class() as cls):
                return not self._inference.hierarchy.has_unknown_base(cls) and not _makes_itself(cls)
            case ClassObject() | External() | Method():
                return True
        return False

    def _returns_surely(self, code: Code, depth: int) -> bool:
        scope = code.scope
        if scope.is_async or scope.is_generator:
            return True
        frame = self._inference.generic_frame(code)
        maker = code.maker
        if isinstance(maker, ir.MakeFunction) and any(position == -1 for position, _ in maker.annotations):
            return True
        return bool(scope.returns) and all(self.is_sure(frame, ref, depth + 1) for ref in scope.returns)


def _makes_itself(cls: Class) -> bool:
    """Whether a class decides itself what calling it gives."""
    maker = cls.maker
    return (
        "__new__" in cls.methods or bool(maker.decorators) or (isinstance(maker, ir.MakeClass) and bool(maker.keywords))
    )
