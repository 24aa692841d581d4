"""Where an object was made, and how long it lives: as long as one run of a loop, or beyond it.

Stage: propagate. An object is known by the node that makes it. It is followed through variables, attributes, factories
and arguments; where that fails, by way of containers or foreign code, nothing is concluded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from loopsafe.catalog import Affinity, RoleKind
from loopsafe.project.arguments import given_refs
from loopsafe.project.decorators import has_role, role_of
from loopsafe.project.entities import Class, Code, Frame, Module
from loopsafe.project.values import ClassObject, Function, Instance, Method, ModuleObject, Value
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference

_DEEPEST: Final = 24
"""Steps from a use back to where the object was made; real code has fewer than ten."""
_DEEPEST_GIFT: Final = 3
"""An object that was given an object that was given an object: deeper ones are not told apart."""


class Life:
    """How long an object lives that is made at some place."""

    RUN: Final = "run"
    """No longer than the run of the loop."""
    CALL: Final = "call"
    """As long as the call of the function that starts the run."""
    OBJECT: Final = "object"
    """As long as the object whose method starts the run."""
    PROCESS: Final = "process"


class Thing(NamedTuple):
    """An object: one of the project's classes, or a client from outside."""

    frame: Frame
    ref: ir.Ref
    """The call that makes it; unknown for the `self` of a method that starts a run."""
    cls: Class | str
    life: str
    given: tuple[tuple[int, Thing], ...] = ()
    """What its constructor was given, by parameter."""


class Scene(NamedTuple):
    """A function as it is run, with the objects that it is given."""

    frame: Frame
    life: str
    """Of what it makes."""
    given: tuple[tuple[int, Thing], ...] = ()
    around: Scene | None = None
    """The scene in which the function itself was made."""


class Origins:
    """Answers `thing(scene, ref)` and which functions a call leads to."""

    def __init__(self, inference: Inference) -> None:
        self._inference: Final = inference
        self._known: Final[dict[tuple[Scene, ir.Ref], Thing | None]] = {}
        self._depth = 0

    # Functions

    def called(self, scene: Scene, ref: ir.Ref) -> Iterator[Scene]:
        """The project's functions that a call runs, or whose coroutine it makes, with what they are given."""
        node = scene.frame.code.scope.nodes[ref]
        assert isinstance(node, ir.Call)
        members = self._inference.members
        for function in self._inference.calls.functions(self._inference.value(scene.frame, node.func)):
            yield self._entered(scene, node, function)
            if members.is_abstract(function.code):
                for other in members.implementations(function):
                    yield self._entered(scene, node, other)

    def _entered(self, scene: Scene, node: ir.Call, function: Function) -> Scene:
        arguments = self._inference.calls.arguments(scene.frame, node)
        frame = self._inference.calls.frame(function, arguments)
        around: Scene | None = scene
        while around is not None and around.frame is not function.closure:
            around = around.around
        return Scene(frame, scene.life, self._bound(scene, node, function), around)

    def _bound(self, scene: Scene, node: ir.Call, function: Function) -> tuple[tuple[int, Thing], ...]:
        """The objects that a call gives to a function, by parameter."""
        func = scene.frame.code.scope.nodes[node.func] if node.func >= 0 else None
        refs = given_refs(node, func, function)
        things = ((index, self.thing(scene, ref)) for index, ref in sorted(refs.items()))
        return tuple((index, _shallow(thing)) for index, thing in things if thing is not None)

    # Objects

    def thing(self, scene: Scene, ref: ir.Ref) -> Thing | None:
        """The object that a node gives, if it can be told where it is made."""
        if ref < 0 or self._depth > _DEEPEST:
            return None
        key = (scene, ref)
        if key not in self._known:
            self._known[key] = None  # ends the circle of what depends on itself
            self._depth += 1
            self._known[key] = self._find(scene, ref, scene.frame.code.scope.nodes[ref])
            self._depth -= 1
        return self._known[key]

    def _find(self, scene: Scene, ref: ir.Ref, node: ir.Node) -> Thing | None:
        match node:
            case ir.Param(index=index):
                return self._parameter(scene, index)
            case ir.Name(name=name):
                return self._named(scene, name)
            case ir.Attr():
                return self._attribute(scene, node)
            case ir.Call():
                return self._result(scene, ref, node)
            case ir.Await(value=value) | ir.Narrow(value=value) | ir.Declared(value=value) | ir.Return(value=value):
                return self.thing(scene, value)
            case ir.Yield(value=value) | ir.With(value=value):
                return self.thing(scene, value)
            case ir.Item(value=value):
                holder = self.thing(scene, value)
                return holder if holder is not None and isinstance(holder.cls, str) else None
            case ir.Phi(options=options):
                return _longest(self.thing(scene, one) for one in options)
        return None

    def _parameter(self, scene: Scene, index: int) -> Thing | None:
        for position, thing in scene.given:
            if position == index:
                return thing
        owner = scene.frame.closure.owner if scene.frame.closure is not None else None
        if index == 0 and owner is not None and scene.life == Life.CALL:
            return Thing(owner.frame, ir.UNKNOWN, owner, Life.OBJECT)
        return None

    def _named(self, scene: Scene, name: str) -> Thing | None:
        closure, around = scene.frame.closure, scene.around
        while closure is not None and closure.closure is not None:
            refs = closure.code.scope.bindings.get(name) if closure.owner is None else None
            while around is not None and around.frame is not closure and around.around is not None:
                around = around.around
            if refs is not None:
                found = around if around is not None and around.frame is closure else None
                return _longest(self.thing(found, ref) for ref in refs) if found is not None else None
            closure = closure.closure
        return self._global(scene.frame.code.module, name)

    # Variables of modules

    def _global(self, module: Module, name: str) -> Thing | None:
        """What a module's variable holds, as long as the process lives."""
        if not module.scopes:
            return None
        found = [self._defined(module, ref) for ref in module.scopes[0].bindings.get(name, ())]
        for index, ref in module.global_stores.get(name, ()):
            code = module.code(index)
            if not self._is_once(code, ref):
                return None
            found.append(self.thing(Scene(self._inference.generic_frame(code), Life.PROCESS), ref))
        return _living(_longest(found), Life.PROCESS)

    def _defined(self, module: Module, ref: ir.Ref) -> Thing | None:
        node = module.scopes[0].nodes[ref] if ref >= 0 else None
        if not isinstance(node, ir.Import):
            return self.thing(Scene(module.frame, Life.PROCESS), ref)
        origin = self._inference.modules.resolve(module, node.module, node.level)
        if origin is None or node.name is None or origin is module or self._depth > _DEEPEST:
            return None
        self._depth += 1
        found = self._global(origin, node.name)
        self._depth -= 1
        return found

    def _is_once(self, code: Code, ref: ir.Ref) -> bool:
        """Whether an assignment is made only where there is nothing yet, whatever loop is running."""
        scope = code.scope
        frame = self._inference.generic_frame(code)
        callees = (callee for _, node in scope.each_call() for callee in self._inference.value(frame, node.func))
        if _is_none(scope, ref) or any(role_of(self._inference, callee) is RoleKind.RUNNING_LOOP for callee in callees):
            return False
        ranges = (one for branch in scope.branches for one in (branch.body, branch.orelse, branch.after))
        return any(start <= ref < end for start, end in ranges)

    # Attributes

    def _attribute(self, scene: Scene, node: ir.Attr) -> Thing | None:
        for value in self._inference.value(scene.frame, node.value):
            match value:
                case ModuleObject(module):
                    return self._global(module, node.name)
                case ClassObject(Class() as cls):
                    return self._of_class(cls, node.name)
        holder = self.thing(scene, node.value)
        if holder is None or isinstance(holder.cls, str):
            return holder  # a part of a client is bound as the client is
        for value in self._inference.value(scene.frame, node.value):
            match value:
                case Instance(Class() as cls) if self._inference.hierarchy.is_subclass(cls, holder.cls):
                    return self._of_object(holder, cls, node.name)
        return self._of_object(holder, holder.cls, node.name)

    def _of_class(self, cls: Class, name: str) -> Thing | None:
        """What a class attribute holds, as long as the process lives."""
        refs = cls.code.scope.bindings.get(name, ())
        found = [self.thing(Scene(cls.frame, Life.PROCESS), ref) for ref in refs]
        for code, node in cls.stores.get(name, ()):
            if code.scope.nodes[node.object] == ir.Param(0) and code.scope.params[0].name == "cls":
                if not self._is_once(code, node.value):
                    return None
                found.append(self.thing(Scene(self._inference.generic_frame(code), Life.PROCESS), node.value))
        return _living(_longest(found), Life.PROCESS)

    def _of_object(self, holder: Thing, cls: Class, name: str) -> Thing | None:
        """What an attribute of an object holds, as long as the object lives."""
        for owner in self._inference.hierarchy.order(cls):
            if not isinstance(owner, Class):
                continue
            stores = owner.stores.get(name)
            if stores:
                return self._stored(holder, owner, stores)
            if name in owner.methods:
                return self._property(holder, owner, owner.methods[name])
            if name in owner.code.scope.bindings:
                return self._of_class(owner, name)
        return None

    def _stored(self, holder: Thing, owner: Class, stores: Iterable[tuple[Code, ir.StoreAttr]]) -> Thing | None:
        found = []
        for code, node in stores:
            if code.parent is not owner.code or (code.scope.name != "__init__" and not self._is_once(code, node.value)):
                return None  # every run may make a new one, or put it back
            given = ((0, holder), *(holder.given if code.scope.name == "__init__" else ()))
            frame = self._inference.generic_frame(code)
            found.append(_living(self.thing(Scene(frame, holder.life, given), node.value), holder.life))
        return _longest(found)

    def _property(self, holder: Thing, owner: Class, code: Code) -> Thing | None:
        values = self._inference.value(owner.frame, code.scope.maker)
        if not any(isinstance(value, Function) and value.kind == "property" for value in values):
            return None
        is_kept = has_role(self._inference, code, RoleKind.CACHED_PROPERTY)
        scene = Scene(self._inference.generic_frame(code), holder.life if is_kept else Life.RUN, ((0, holder),))
        return _longest(self.thing(scene, ref) for ref in code.scope.returns)

    # Results of calls

    def _result(self, scene: Scene, ref: ir.Ref, node: ir.Call) -> Thing | None:
        for callee in self._inference.value(scene.frame, node.func):
            match callee:
                case Function():
                    return self._given_back(scene, node, callee)
                case ClassObject(Class() as cls):
                    return Thing(scene.frame, ref, cls, scene.life, self._given_to(scene, node, callee))
                case Method() | Instance():
                    func = scene.frame.code.scope.nodes[node.func]
                    is_method = isinstance(callee, Method)
                    owner = self.thing(scene, func.value if is_method and isinstance(func, ir.Attr) else node.func)
                    if owner is not None:
                        return owner
        return self._foreign(scene, ref, node)

    def _given_to(self, scene: Scene, node: ir.Call, callee: Value) -> tuple[tuple[int, Thing], ...]:
        functions = self._inference.calls.functions((callee,))
        return next((self._bound(scene, node, function) for function in functions), ())

    def _given_back(self, scene: Scene, node: ir.Call, function: Function) -> Thing | None:
        """What a function of the project returns, or yields as a context manager."""
        inner = self._entered(scene, node, function)
        is_kept = has_role(self._inference, function.code, RoleKind.CACHES)
        if is_kept:
            inner = inner._replace(life=Life.PROCESS)
        scope = function.code.scope
        found = _longest(self.thing(inner, one) for one in (scope.yields if scope.is_generator else scope.returns))
        return _living(found, Life.PROCESS) if is_kept else found

    def _foreign(self, scene: Scene, ref: ir.Ref, node: ir.Call) -> Thing | None:
        """A client that is made here, by its class or by a function from outside; another client if it is given one."""
        given = (*node.args, *(one for _, one in node.keywords))
        for one in given:
            thing = self.thing(scene, one)
            if thing is not None and isinstance(thing.cls, str):
                return thing  # no newer than what it is made from
        handed = (value for one in given for value in self._inference.value(scene.frame, one))
        if any(role_of(self._inference, value) is RoleKind.KEEPS_NOTHING for value in handed):
            return None
        pending = [*self._inference.value(scene.frame, ref)]
        pending += [inner for value in pending for inner in getattr(value, "result", ())]
        for value in pending:
            cls = value.cls if isinstance(value, Instance) else None
            if isinstance(cls, str) and self._inference.catalog.affinity(cls) is Affinity.LOOP:
                return Thing(scene.frame, ref, cls, scene.life)
        return None


def _longest(things: Iterable[Thing | None]) -> Thing | None:
    """Of several objects, one that lives longer than the run."""
    found = [thing for thing in things if thing is not None]
    return next((thing for thing in found if thing.life != Life.RUN), found[0] if found else None)


def _living(thing: Thing | None, life: str) -> Thing | None:
    """An object that is kept by something: it lives as long as that, if it did not live longer anyway."""
    if thing is None or thing.life == Life.PROCESS:
        return thing
    return thing._replace(life=life)


def _shallow(thing: Thing, depth: int = 0) -> Thing:
    """An object without what was given to what was given to it."""
    if depth >= _DEEPEST_GIFT or not thing.given:
        return thing._replace(given=())
    return thing._replace(given=tuple((index, _shallow(inner, depth + 1)) for index, inner in thing.given))


def _is_none(scope: ir.Scope, ref: ir.Ref) -> bool:
    return ref >= 0 and scope.nodes[ref] == ir.Const(None)
