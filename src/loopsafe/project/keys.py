"""Dictionaries whose keys are known: made in the text for one call, and given no others before they are looked at.

Stage: infer. A key is known as long as all who see the dictionary only read it; who is not known may do anything to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from loopsafe.project.arguments import Contents, Given, Passed, contents_of, evaluated
from loopsafe.project.entities import Code, Frame
from loopsafe.project.handling import Doings, Handling
from loopsafe.project.leaves import LOOKUPS, bare
from loopsafe.project.values import (
    NONE,
    NOTHING,
    ClassObject,
    Constant,
    Entries,
    Values,
)
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference

_MOST_KEYS: Final = 24
"""A larger dictionary is a table of data: nobody hands it over to say how something is to be done."""


class Keys:
    """Answers `contents(frame, ref, user)` for what is made here, `entries(code, index, given)` for arguments."""

    def __init__(self, inference: Inference) -> None:
        self._inference: Final = inference
        self._handling: Final = Handling(inference)

    def contents(self, frame: Frame, ref: ir.Ref, user: ir.Node) -> Contents | None:
        """What a dictionary holds for the node that uses it; None if that is not known."""
        ref = bare(frame.code.scope, ref)
        node = frame.code.scope.nodes[ref] if ref >= 0 else None
        if isinstance(node, ir.Display):
            if node.class_name != "dict" or not len(node.keys) == len(node.elements) <= _MOST_KEYS:
                return None
            doings = self._handling.around(frame, ref, user)
            return None if doings is None else _changed(self._displayed(frame, node), doings)
        entries = self._handed_over(frame, ref)
        return None if entries is None else Contents(dict(entries.known), entries.is_open)

    def _displayed(self, frame: Frame, display: ir.Display) -> Contents:
        items: dict[str, Given | None] = {}
        is_open = False
        for key, element in zip(display.keys, display.elements, strict=True):
            name = self.key(frame, key)
            if name is not None:
                items[name] = Passed(self._inference, frame, element, display)
                continue
            inner = self.contents(frame, element, display) if key == ir.UNKNOWN else None
            if inner is None or inner.is_open:  # of those before it, any may be overwritten
                items = {name: None if given is None else NOTHING for name, given in items.items()}
                is_open = True
            for name, given in inner.items.items() if inner is not None else ():
                items[name] = NOTHING if given is None and items.get(name) is not None else given
        return Contents(items, is_open)

    def key(self, frame: Frame, ref: ir.Ref) -> str | None:
        """The string that a node surely is; a member of an enumeration is as good as one."""
        constant = self._inference.branches.constant(frame, ref)
        if constant is None or not isinstance(constant.value, str):
            return None
        node = frame.code.scope.nodes[ref]
        if isinstance(node, ir.Attr):
            for owner in self._inference.value(frame, node.value):
                if isinstance(owner, ClassObject) and self._is_enumeration(owner):
                    return f"{owner.cls}.{node.name}"  # no string is equal to it
        return constant.value

    def _is_enumeration(self, owner: ClassObject) -> bool:
        """Whether the members of a class are no strings."""
        is_subclass = self._inference.hierarchy.is_subclass
        return is_subclass(owner.cls, "enum.Enum") and not is_subclass(owner.cls, "builtins.str")

    def entries(self, code: Code, index: int, given: Given) -> Values | None:
        """What a function knows of the keys of an argument, whatever it does to them itself."""
        contents = contents_of(given)
        doings = self._handling.within((code, index)) if contents is not None else None
        if contents is None or doings is None or len(contents.items) > _MOST_KEYS:
            return None
        items, is_open = _changed(contents, doings)
        if is_open and not items:
            return None
        known = ((name, None if one is None else _constants(one)) for name, one in sorted(items.items(), key=_name))
        return (Entries(tuple(known), is_open),)

    # Looking keys up

    def holds(self, frame: Frame, ref: ir.Ref, key: ir.Ref) -> bool | None:
        """Whether a key is in a dictionary that this very call hands over; None if that is open."""
        entries = self._handed_over(frame, ref)
        name = self.key(frame, key) if entries is not None else None
        return None if entries is None or name is None else _has(entries, name)

    def found(self, frame: Frame, node: ir.Item | ir.Call) -> Values:
        """What is surely found under a key of such a dictionary, or instead of it; nothing if that is open."""
        if isinstance(node, ir.Item):
            ref, key = node.value, node.index
        else:
            func = frame.code.scope.nodes[node.func] if node.func >= 0 else None
            if not isinstance(func, ir.Attr) or func.name not in LOOKUPS or len(node.args) not in (1, 2):
                return NOTHING
            ref, key = func.value, node.args[0]
        entries = self._handed_over(frame, ref)
        name = self.key(frame, key) if entries is not None else None
        if entries is None or name is None:
            return NOTHING
        if _has(entries, name) is not False:
            return dict(entries.known).get(name) or NOTHING
        return self._default(frame, node) if isinstance(node, ir.Call) else NOTHING

    def _default(self, frame: Frame, node: ir.Call) -> Values:
        """What `get` and `pop` give for a key that is not there, if it is a constant."""
        func = frame.code.scope.nodes[node.func]
        if len(node.args) == 1:
            return (NONE,) if isinstance(func, ir.Attr) and func.name == "get" else NOTHING
        constant = self._inference.branches.constant(frame, node.args[1])
        return NOTHING if constant is None else (constant,)

    def _handed_over(self, frame: Frame, ref: ir.Ref) -> Entries | None:
        match self._inference.branches.argument(frame, ref) if frame.arguments else ():
            case (Entries() as entries,):
                return entries
        return None


def _name(item: tuple[str, Given | None]) -> str:
    return item[0]


def _has(entries: Entries, name: str) -> bool | None:
    known = dict(entries.known)
    if name not in known:
        return None if entries.is_open else False
    return True if known[name] is not None else None


def _constants(given: Given) -> Values:
    """The constants that an argument surely is one of; other values would tell too many calls apart."""
    values = evaluated(given)
    return values if all(isinstance(value, Constant) for value in values) else NOTHING


def _changed(contents: Contents, doings: Doings) -> Contents:
    """What is known of the keys while all that is going on."""
    touched = doings.put | doings.taken
    items = {name: None if name in touched else given for name, given in contents.items.items()}
    return Contents({**dict.fromkeys(sorted(doings.put)), **items}, contents.is_open)
