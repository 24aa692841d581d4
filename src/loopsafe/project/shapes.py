"""What a chain of calls on an object of unknown type says of it: `db.table("a").select("*").execute().data`.

Stage: infer. Two signs are needed: the chain has the shape that the catalogue gives, and the module imports the
package. The result must also be used on the spot, as a coroutine cannot be. What is found so is likely, no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from loopsafe.catalog import Fact, ShapeRecord, When
from loopsafe.project.entities import Code, Frame, Module
from loopsafe.summary import ir

if TYPE_CHECKING:
    from loopsafe.project.infer import Inference


class Shapes:
    """Answers `facts(frame, ref, node)`."""

    def __init__(self, inference: Inference) -> None:
        self._inference: Final = inference
        self._by_method: Final[dict[str, list[tuple[frozenset[str], ShapeRecord]]]] = {}
        for file in inference.catalog.imported_files():
            packages = frozenset(package.partition(".")[0] for package in file.packages)
            for shape in file.shapes:
                for method in shape.methods:
                    self._by_method.setdefault(method, []).append((packages, shape))

    def facts(self, frame: Frame, ref: ir.Ref, node: ir.Call) -> Iterator[Fact]:
        """What a call would do if the object at the beginning of its chain is what the chain looks like."""
        func = frame.code.scope.nodes[node.func] if node.func >= 0 else None
        candidates = self._by_method.get(func.name, ()) if isinstance(func, ir.Attr) else ()
        for packages, shape in candidates:
            assert isinstance(func, ir.Attr)
            name = f"{shape.owner}.{func.name}"
            for fact in self._inference.catalog.facts(self._inference.catalog.canonical(name), When.CALL):
                if (
                    _imports(frame.code.module, packages, fact)
                    and self._has_unknown_root(frame, func, shape.first)
                    and _is_used_on_the_spot(frame.code, ref)
                ):
                    yield fact

    def _has_unknown_root(self, frame: Frame, func: ir.Attr, first: tuple[str, ...]) -> bool:
        """Whether the chain begins with one of these methods, on something of which nothing is known or said."""
        nodes = frame.code.scope.nodes
        method, root = func.name, func.value
        while root >= 0:
            node = nodes[root]
            callee = nodes[node.func] if isinstance(node, ir.Call) and node.func >= 0 else None
            if isinstance(callee, ir.Attr):
                method, root = callee.name, callee.value
            elif isinstance(node, ir.With) and not node.is_async:
                root = node.value
            else:
                begins_so = not first or method in first
                return begins_so and _may_be_unknown(frame, node) and not self._inference.value(frame, root)
        return False


def _may_be_unknown(frame: Frame, node: ir.Node) -> bool:
    """Whether nobody has said what a name, an attribute or a parameter is."""
    maker = frame.code.maker
    if isinstance(node, ir.Param) and isinstance(maker, ir.MakeFunction):
        return all(index != node.index for index, _ in maker.annotations)
    return isinstance(node, ir.Attr | ir.Name)


def _imports(module: Module, packages: frozenset[str], fact: Fact) -> bool:
    """Whether a module imports the package, and not its asynchronous half."""
    imports = module.summary.imports if module.summary is not None else ()
    tops = {name.partition(".")[0] for name in imports}
    names = {node.name for node in module.scopes[0].nodes if isinstance(node, ir.Import) and node.name is not None}
    twin = (fact.twin or "").rpartition(".")[2]
    return not tops.isdisjoint(packages) and twin not in names and not any(name.startswith("Async") for name in names)


def _is_used_on_the_spot(code: Code, ref: ir.Ref) -> bool:
    """Whether a result is used as no coroutine can be: its attribute is read, it is iterated; or it is dropped."""
    if ref in code.awaited:
        return False
    return ref in code.scope.discards or any(
        isinstance(node, ir.Attr | ir.Item | ir.Next) and node.value == ref for node in code.scope.nodes
    )
