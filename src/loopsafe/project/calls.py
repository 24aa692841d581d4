"""Calls: what they give back, which frame they run in, and what a parameter may be.

Stage: infer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from loopsafe.catalog import RoleKind
from loopsafe.project.arguments import Arguments, Given, arguments_at, evaluated, is_present, is_telling
from loopsafe.project.branches import is_deciding
from loopsafe.project.entities import Class, Code, Frame
from loopsafe.project.roles import result_of_role
from loopsafe.project.signatures import Slot
from loopsafe.project.values import (
    NONE,
    NOTHING,
    PRESENT,
    Awaitable,
    ClassObject,
    Constant,
    Coroutine,
    External,
    Form,
    Function,
    Generator,
    Instance,
    Manager,
    Method,
    ModuleObject,
    Offloaded,
    Partial,
    Super,
    Value,
    Values,
    builtin,
    is_entries,
    is_informative,
    unite,
)
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference

_CONTAINERS: Final = frozenset({"list", "set", "frozenset", "tuple", "sorted", "reversed", "enumerate"})


class Calls:
    """Results of calls, without a thought to their effects."""

    def __init__(self, inference: Inference) -> None:
        self._inference: Final = inference
        self._making: Final[set[Class]] = set()
        """Classes whose constructors' arguments are being looked at: a linked list's need not be told apart."""

    def arguments(self, frame: Frame, node: ir.Call) -> Arguments:
        """The arguments of a call node; `*args` of known length are spread."""
        return arguments_at(self._inference, frame, node)

    def result_at(self, frame: Frame, node: ir.Call) -> Values:
        """What a call node gives."""
        entry = self._inference.keys.found(frame, node) if frame.arguments else NOTHING
        if entry:
            return entry
        callees = self._inference.value(frame, node.func)
        if not callees:
            return NOTHING
        arguments = self.arguments(frame, node)
        special = self._language(frame, callees, arguments)
        if special is not None:
            return special
        if len(callees) == 1 and isinstance(callees[0], ClassObject) and isinstance(callees[0].cls, Class):
            return (self._inference.secluded.marked(self.make(callees[0].cls, arguments), frame.code, node),)
        return self._inference.each(callees, lambda callee: self.result(callee, arguments))

    def result(self, callee: Value, arguments: Arguments) -> Values:
        """What calling a value gives."""
        match callee:
            case Function():
                return self._of_function(callee, arguments)
            case ClassObject(cls):
                return self._of_class(callee, arguments) if isinstance(cls, str) else (self.make(cls, arguments),)
            case External() | Method():
                return result_of_role(self._inference, callee, arguments)
            case Partial(inner, positional, keywords):
                return self.result(inner, arguments.after(positional, keywords))
            case Offloaded(inner):
                return (Awaitable(self.awaited_result(inner, arguments), True),)
            case Instance():
                called = self._inference.members.find(callee, "__call__")
                return self._inference.each(called, lambda member: self.result(member, arguments))
            case Form(admitted):
                return admitted
        return NOTHING

    def functions(self, callees: Values) -> Iterator[Function]:
        """The project's functions that run when these are called; of a class its constructor."""
        for callee in callees:
            match callee:
                case Function():
                    yield callee
                case ClassObject(Class() as cls):
                    found = self._inference.members.find(Instance(cls, (), True), "__init__")
                    yield from (member for member in found if isinstance(member, Function))

    def make(self, cls: Class, arguments: Arguments) -> Instance:
        """A new object of a class of the project, which remembers what it was made from."""
        plain = Instance(cls, (), True)
        if not arguments.is_open and cls not in self._making:
            self._making.add(cls)
            try:
                for member in self._inference.members.find(plain, "__init__"):
                    if isinstance(member, Function):
                        return Instance(cls, (), True, self.frame(member, arguments))
                return Instance(cls, (), True, self._inference.fields.made(cls, arguments))
            finally:
                self._making.discard(cls)
        return plain

    def awaited_result(self, callee: Value, arguments: Arguments) -> Values:
        """What calling a value gives in the end, if it is a coroutine function after awaiting."""
        result = self.result(callee, arguments)
        return unite(*[self._inference.protocols.awaited(value) or (value,) for value in result])

    def _of_function(self, function: Function, arguments: Arguments) -> Values:
        frame = self.frame(function, arguments)
        scope = function.code.scope
        if scope.is_generator:
            return (Manager(frame),) if function.kind == "manager" else (Generator(frame),)
        if scope.is_async:
            return (Coroutine(frame),)
        result = self._inference.value(frame, -2)
        if not result and self._inference.members.is_abstract(function.code):
            options = self._inference.members.implementations(function)
            result = unite(*[self._inference.value(self.frame(option, arguments), -2) for option in options])
        return result

    def _of_class(self, callee: ClassObject, arguments: Arguments) -> Values:
        cls = callee.cls
        assert isinstance(cls, str)
        package, _, last = cls.rpartition(".")
        if package == "builtins" and last in _CONTAINERS and arguments.positional:
            return (builtin(last, self._inference.each(arguments.positional[0], self._inference.protocols.element_of)),)
        if self._inference.catalog.role(cls) is not None:
            return result_of_role(self._inference, callee, arguments)
        declared = self._inference.catalog.returns(cls)
        found = self._inference.externals.instances(declared) if declared is not None else (Instance(cls),)
        return tuple(Instance(value.cls, value.args, True) if isinstance(value, Instance) else value for value in found)

    def _language(self, frame: Frame, callees: Values, arguments: Arguments) -> Values | None:
        """What looks at the place of the call or at names: `super()`, `getattr(x, "name")`, `import_module("name")`."""
        name = callees[0].cls if isinstance(callees[0], ClassObject) else getattr(callees[0], "name", None)
        if name == "builtins.super":
            return self._super(frame, arguments)
        if name == "builtins.getattr" and len(arguments.positional) >= 2:
            names = [value.value for value in arguments.positional[1] if isinstance(value, Constant)]
            if len(names) == 1 and isinstance(names[0], str):
                attribute = names[0]
                get = self._inference.members.get
                found = self._inference.each(arguments.positional[0], lambda value: get(value, attribute))
                return unite(found, *arguments.positional[2:])
            return NOTHING
        if name == "importlib.import_module" and arguments.positional:
            names = [value.value for value in arguments.positional[0] if isinstance(value, Constant)]
            return self._imported(frame, names[0]) if len(names) == 1 and isinstance(names[0], str) else NOTHING
        if name == "builtins.type" and len(arguments.positional) == 1:
            return tuple(ClassObject(value.cls) for value in arguments.positional[0] if isinstance(value, Instance))
        return None

    def _imported(self, frame: Frame, name: str) -> Values:
        """A module by its name; one that begins with dots is of this package, whose name nearly always comes second."""
        absolute = name.lstrip(".")
        level = len(name) - len(absolute)
        module = self._inference.modules.resolve(frame.code.module, absolute, level)
        if module is None and level:
            return NOTHING
        return (self._inference.externals.named(name),) if module is None else (ModuleObject(module),)

    def _super(self, frame: Frame, arguments: Arguments) -> Values:
        method: Frame | None = frame
        while method is not None and (method.closure is None or method.closure.owner is None):
            method = method.closure
        if method is None or method.closure is None or method.closure.owner is None:
            return NOTHING
        receiver = self.parameter(method, 0)
        return (Super(method.closure.owner, receiver[0]),) if receiver else NOTHING

    # Frames

    def frame(self, function: Function, arguments: Arguments) -> Frame:
        """The frame in which a function runs when called so: only telling arguments make a difference."""
        if function.receiver is not None and function.kind != "static":
            arguments = arguments.before((self._plain(function.receiver),))
        params = function.code.scope.params
        given = arguments.bind(params)
        bound: list[Values | None] = [None] * len(params)
        for slot in self._inference.signatures.of(function):
            if given[slot.param] is not None or not arguments.is_open:
                bound[slot.param] = self._told_apart(function.code, slot, given[slot.param])
        return self._inference.frame(function.code, function.closure, tuple(bound))

    def _told_apart(self, code: Code, slot: Slot, given: Given | None) -> Values | None:
        """What a frame remembers of an argument, if that makes a difference."""
        matters = slot.is_decisive or slot.is_kept
        if given is None:
            values = slot.default if matters else None
        else:
            values = evaluated(given) if matters or slot.is_free else None
        if values is not None:
            if slot.is_decisive and is_deciding(values):
                return values
            if given is not None and slot.is_free and is_telling(values):
                return values
            if slot.is_kept and (is_telling(values) or values == (NONE,)):
                return values
        if given is None or not slot.has_keys:
            return None
        entries = self._inference.keys.entries(code, slot.param, given)
        return entries or (PRESENT if slot.is_decisive and is_present(given) else None)

    def _plain(self, receiver: Value) -> Value:
        """Whether an object is exactly of its class makes no difference to a class without subclasses."""
        match receiver:
            case Instance(Class() as cls, args, True, None) if not self._inference.hierarchy.subclasses(cls):
                return Instance(cls, args)
        return receiver

    def annotation(self, closure: Frame, maker: ir.MakeFunction | ir.MakeClass, index: int) -> Values:
        """What is declared for a parameter, if that says anything; -1 stands for the result."""
        if not isinstance(maker, ir.MakeFunction):
            return NOTHING
        for position, ref in maker.annotations:
            if position == index:
                declared = self._inference.declared(closure, ref)
                return declared if any(is_informative(value) for value in declared) else NOTHING
        return NOTHING

    # Parameters

    def parameter(self, frame: Frame, index: int) -> Values:
        """What a parameter may be: the frame's own argument, its annotation, its default, what callers pass."""
        given = frame.arguments[index] if index < len(frame.arguments) else None
        if given == PRESENT or is_entries(given):
            return tuple(value for value in self._unspecified(frame, index) if value != NONE)
        return self._unspecified(frame, index) if given is None else given

    def _unspecified(self, frame: Frame, index: int) -> Values:
        """What a parameter may be, going by its annotation, its default, and what callers pass."""
        closure, code = frame.closure, frame.code
        if closure is None:
            return NOTHING
        if index == 0 and closure.owner is not None:
            receiver = self._receiver(frame, closure.owner)
            if receiver:
                return receiver
        annotation = self.annotation(closure, code.maker, index)
        if annotation and self.is_interface(annotation):
            annotation = self._inference.callers.passed(code, index) or annotation
        if annotation:
            return _collected(annotation, code.scope.params[index].kind)
        default = self._default(frame, index)
        return unite(default, self._inference.callers.passed(code, index))

    def _receiver(self, frame: Frame, owner: Class) -> Values:
        made = self._inference.value(owner.frame, frame.code.scope.maker)
        kinds = {value.kind for value in made if isinstance(value, Function) and value.code is frame.code}
        if "static" in kinds:
            return NOTHING
        return (ClassObject(owner),) if "class" in kinds else (Instance(owner),)

    def _default(self, frame: Frame, index: int) -> Values:
        closure = frame.closure
        maker = frame.code.maker
        if closure is None or not isinstance(maker, ir.MakeFunction):
            return NOTHING
        for position, ref in maker.defaults:
            if position == index:
                injected = self.injected(closure, ref)
                values = injected or self._inference.value(closure, ref)
                return tuple(value for value in values if not isinstance(value, Constant) or value.value is None)
        return NOTHING

    def injected(self, frame: Frame, ref: ir.Ref) -> Values:
        """What a framework puts in the place of a default or annotation such as `Depends(get_session)`."""
        node = frame.code.scope.nodes[ref] if ref >= 0 else None
        if not isinstance(node, ir.Call):
            return NOTHING
        inference = self._inference
        for callee in inference.value(frame, node.func):
            name = callee.cls if isinstance(callee, ClassObject) else getattr(callee, "name", None)
            role = inference.catalog.role(name) if isinstance(name, str) else None
            if role is not None and role.role is RoleKind.DEPENDS:
                provider = self.arguments(frame, node).get(
                    role.callable if isinstance(role.callable, int) else 0, "dependency"
                )
                return inference.each(provider or NOTHING, lambda value: self._provided(value))
        return NOTHING

    def _provided(self, provider: Value) -> Values:
        """What a dependency gives: returned, awaited, or yielded."""
        result = self.result(provider, Arguments.of())
        protocols = self._inference.protocols
        found = []
        for value in result:
            if isinstance(value, Generator | Manager):
                found.append(self._inference.value(value.frame, -3))
            else:
                found.append(protocols.awaited(value) or (value,))
        return unite(*found)

    def is_interface(self, values: Values) -> bool:
        """Whether a declared type only says what its objects can do: what is really there says more."""
        classes = [value.cls for value in values if isinstance(value, Instance)]
        is_protocol = self._inference.hierarchy.is_protocol
        return bool(classes) and all(isinstance(cls, Class) and is_protocol(cls) for cls in classes)


def _collected(values: Values, kind: int) -> Values:
    """The annotation of `*args` and `**kwargs` is that of their parts."""
    if kind == ir.ParamKind.VARARGS:
        return (builtin("list", values),)
    if kind == ir.ParamKind.KWARGS:
        return (builtin("dict", values),)
    return values
