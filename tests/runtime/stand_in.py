"""A stand-in for Supabase: the part of its REST and storage endpoints that the programs use."""

from __future__ import annotations

import json
from email import message_from_bytes
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from .slow import Handler


def stand_in() -> type[Handler]:
    """A handler with tables and buckets of its own, both empty."""
    tables: dict[str, list[dict[str, Any]]] = {}
    files: dict[str, bytes] = {}

    class Supabase(Handler):
        def reply(self, body: bytes) -> tuple[int, Any]:
            parts = urlsplit(self.path)
            path = unquote(parts.path)
            if path.startswith("/rest/v1/"):
                return self.query(tables.setdefault(path.removeprefix("/rest/v1/"), []), parts.query, body)
            return self.store(path.removeprefix("/storage/v1/object/"), body)

        def query(self, table: list[dict[str, Any]], query: str, body: bytes) -> tuple[int, Any]:
            given = dict(parse_qsl(query))
            if self.command == "POST":
                rows = json.loads(body)
                for row in rows if isinstance(rows, list) else [rows]:
                    table.append({"id": len(table) + 1, **row})
                return 201, table[-1:]
            filters = {key: value.removeprefix("eq.") for key, value in given.items() if value.startswith("eq.")}
            found = [row for row in table if all(str(row[key]) == value for key, value in filters.items())]
            if self.command == "PATCH":
                for row in found:
                    row.update(json.loads(body))
            columns = [name.strip() for name in given.get("select", "*").split(",")]
            return 200, [{key: row[key] for key in row if columns == ["*"] or key in columns} for row in found]

        def store(self, path: str, body: bytes) -> tuple[int, Any]:
            if path.startswith("list/"):
                bucket = path.removeprefix("list/") + "/"
                return 200, [{"name": name.removeprefix(bucket)} for name in files if name.startswith(bucket)]
            if self.command in ("POST", "PUT"):
                files[path] = self.payload(body)
                return 200, {"Id": str(len(files)), "Key": path}
            if self.command == "DELETE":
                names = [f"{path}/{name}" for name in json.loads(body)["prefixes"]]
                return 200, [{"name": name} for name in names if files.pop(name, None) is not None]
            return (200, files[path]) if path in files else (404, {"statusCode": "404", "message": "not found"})

        def payload(self, body: bytes) -> bytes:
            kind = self.headers["Content-Type"]
            if not kind.startswith("multipart/"):
                return body
            message = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
            data = next(part for part in message.walk() if part.get_filename() is not None).get_payload(decode=True)
            assert isinstance(data, bytes)
            return data

    return Supabase
