"""The JSON schema of catalogue files, for editors: generated from `schema`, so that both say the same.

Says what one file may look like. That names lie within `import`, and what a type expression is, only the loader knows.
"""

from __future__ import annotations

import ast
import inspect
from typing import Any, Final

import msgspec

from loopsafe.catalog import schema

_RECORDS: Final = (
    schema.CatalogFile,
    schema.CallRecord,
    schema.ClassRecord,
    schema.ShapeRecord,
    schema.Guard,
    schema.Role,
)
_RULES: Final[dict[str, dict[str, Any]]] = {
    "CatalogFile": {
        "oneOf": [{"required": [kind]} for kind in schema.KINDS],
        "dependentRequired": {"versions": ["distribution"]},
    },
    "ClassRecord": {"dependentRequired": {"unless": ["every"]}},
    "Guard": {"anyOf": [{"required": [key]} for key in ("name", "position", "method")]},
}
"""What holds between the keys of a table."""
_NOT_EMPTY: Final = ("source", *schema.KINDS)


def make_json_schema() -> dict[str, Any]:
    """The schema, in the 2020-12 dialect."""
    made = msgspec.json.schema(schema.CatalogFile)
    tables = made["$defs"]
    for record in _RECORDS:
        table = tables[record.__name__]
        table.update(_RULES.get(record.__name__, {}))
        words = _describe(record)
        for key, value in table["properties"].items():
            table["properties"][key] = {**_without_null(value), **words.get(key, {})}
    for key in _NOT_EMPTY:
        tables["CatalogFile"]["properties"][key]["minLength"] = 1
    for table in tables.values():
        table["description"] = inspect.cleandoc(table["description"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Catalogue of loopsafe",
        **made,
    }


def _without_null(value: dict[str, Any]) -> dict[str, Any]:
    """TOML has no null: a key without value is left out."""
    options = [option for option in value.get("anyOf", ()) if option != {"type": "null"}]
    rest = {key: item for key, item in value.items() if key not in ("anyOf", "default")}
    return {**rest, **options[0]} if len(options) == 1 else {**rest, "anyOf": options} if options else rest


def _describe(record: type[msgspec.Struct]) -> dict[str, dict[str, str]]:
    """The description of each key: the docstring below the field."""
    body = ast.parse(inspect.getsource(record)).body[0]
    assert isinstance(body, ast.ClassDef)
    keys = {field.name: field.encode_name for field in msgspec.structs.fields(record)}
    found = {}
    for field, below in zip(body.body, body.body[1:], strict=False):
        match field, below:
            case ast.AnnAssign(target=ast.Name(name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[keys[name]] = {"description": inspect.cleandoc(text)}
    return found
