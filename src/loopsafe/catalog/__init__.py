"""The catalogue stage: what is known of the standard library, SDKs and frameworks, read from data files.

`load` is the way in; the names below are all that later stages use.
"""

from loopsafe.catalog.catalog import Catalog, load
from loopsafe.catalog.schema import Affinity, CatalogFile, Fact, Guard, Role, RoleKind, RoleResult, ShapeRecord, When
from loopsafe.catalog.types import (
    AWAITABLE,
    NONE,
    SELF,
    UNKNOWN,
    ElementType,
    Named,
    NoneType,
    SelfType,
    TypeExpr,
    Union,
    Unknown,
)

__all__ = [
    "AWAITABLE",
    "NONE",
    "SELF",
    "UNKNOWN",
    "Affinity",
    "Catalog",
    "CatalogFile",
    "ElementType",
    "Fact",
    "Guard",
    "Named",
    "NoneType",
    "Role",
    "RoleKind",
    "RoleResult",
    "SelfType",
    "ShapeRecord",
    "TypeExpr",
    "Union",
    "Unknown",
    "When",
    "load",
]
