"""Names: what a variable that is not local means, and what a module offers to others.

Stage: infer.
"""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Final

from loopsafe.project.arguments import Arguments
from loopsafe.project.entities import Frame, Module
from loopsafe.project.values import NONE, NOTHING, Constant, ModuleObject, Values, unite
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference


class Names:
    """Answers `lookup(frame, name)` and `exported(module, name)`."""

    def __init__(self, inference: Inference) -> None:
        self._inference: Final = inference
        self._searched: Final[dict[tuple[Module, str], None]] = {}
        """Where the search under way has looked through star imports: modules may import one another so."""

    def lookup(self, frame: Frame, name: str) -> Values:
        """A name that is not local: enclosing functions, the module, the builtins."""
        current: Frame | None = frame
        while current is not None:
            scope = current.code.scope
            if scope.kind == ir.ScopeKind.MODULE:
                break
            if scope.kind != ir.ScopeKind.CLASS or current is frame:
                refs = scope.bindings.get(name)
                if refs is not None:
                    return self._inference.values(current, refs)
            current = current.closure
        module = frame.code.module
        found = self._variable(module, name)
        return found if found is not None else self._builtin(name)

    def exported(self, module: Module, name: str) -> Values | None:
        """What others get from a module under that name; None if it has nothing of that name."""
        found = self._variable(module, name)
        if found is None and module.summary is not None and module.scopes:
            refs = module.scopes[0].bindings.get("__getattr__", ())
            getters = self._inference.values(module.frame, refs) if refs else NOTHING
            arguments = Arguments.of((Constant(name),))
            found = (
                self._inference.each(getters, lambda getter: self._inference.calls.result(getter, arguments)) or None
            )
        return found

    def _variable(self, module: Module, name: str) -> Values | None:
        """What a module's variable of that name may be; None if the module has none."""
        if name in module.variables:
            return module.variables[name]
        found = self._find_variable(module, name)
        if self._inference.is_settled and not self._searched:
            module.variables[name] = found
        return found

    def _find_variable(self, module: Module, name: str) -> Values | None:
        if module.summary is not None and module.scopes:
            scope = module.scopes[0]
            refs = scope.bindings.get(name)
            stores = module.global_stores.get(name, ())
            if refs is not None or stores:
                stored = [
                    self._inference.value(self._inference.generic_frame(module.code(index)), ref)
                    for index, ref in stores
                ]
                values = unite(self._inference.values(module.frame, refs) if refs else NOTHING, *stored)
                if values == (NONE,):
                    values = unite(values, self._inference.members.stored_in_module(module, name))
                return self._inference.containers.variable(module, name, values)
            if scope.star_imports:
                found = self._starred(module, scope, name)
                if found is not None:
                    return found
        submodule = self._inference.modules.submodule(module, name)
        if submodule is None and module.summary is None:
            return self._elsewhere(f"{module.name}.{name}")
        return (ModuleObject(submodule),) if submodule is not None else None

    def _elsewhere(self, name: str) -> Values:
        """A part of a namespace package, as other distributions bring it."""
        installed = self._inference.modules.installed(name)
        return (self._inference.externals.named(name),) if installed is None else (ModuleObject(installed),)

    def _starred(self, module: Module, scope: ir.Scope, name: str) -> Values | None:
        """What the star imports of a module bring; each module is looked through once, whatever the ways to it."""
        if (module, name) in self._searched:
            return None
        is_first = not self._searched
        self._searched[module, name] = None
        try:
            for source, level in reversed(scope.star_imports):  # the last one wins
                origin = self._inference.modules.resolve(module, source, level)
                if origin is None:
                    if self._inference.externals.has_member(source, name):
                        return (self._inference.externals.named(f"{source}.{name}"),)
                elif is_starred(origin, name):
                    found = self.exported(origin, name)
                    if found is not None:
                        return found
            return None
        finally:
            if is_first:
                self._searched.clear()

    def _builtin(self, name: str) -> Values:
        return (self._inference.externals.named(f"builtins.{name}"),) if hasattr(builtins, name) else NOTHING


def is_starred(module: Module, name: str) -> bool:
    """Whether `from module import *` brings a name: `__all__` decides where it is a plain list."""
    scope = module.scopes[0] if module.scopes else None
    refs = scope.bindings.get("__all__") if scope is not None else None
    listed = scope.nodes[refs[0]] if scope is not None and refs is not None and refs[0] >= 0 else None
    if scope is None or not isinstance(listed, ir.Display):
        return not name.startswith("_")
    return any(scope.nodes[ref] == ir.Const(name) for ref in listed.elements if ref >= 0)
