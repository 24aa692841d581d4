"""Servers that take their time: a small web service, a proxy that delays, a pipe that fills slowly."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

STATIONS = {"north": {"name": "North", "temperature": -4.5}, "south": {"name": "South", "temperature": 21.0}}
LINKS = {"index": ["news", "about"], "news": ["index", "about", "lost"], "about": []}


class Handler(BaseHTTPRequestHandler):
    """Answers after a delay what `reply` gives, as JSON unless it is bytes."""

    protocol_version = "HTTP/1.1"

    def __init__(self, delay: float, *args: Any) -> None:
        self.delay = delay
        super().__init__(*args)

    def reply(self, body: bytes) -> tuple[int, Any]:
        """The status and body that answer a request."""
        raise NotImplementedError

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        time.sleep(self.delay)
        status, value = self.reply(body)
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


class Service(Handler):
    """Weather stations, a few linked pages, a login."""

    def reply(self, body: bytes) -> tuple[int, Any]:
        _, kind, *rest = self.path.partition("?")[0].split("/")
        name = rest[0] if rest else ""
        if kind == "stations":
            return (200, STATIONS[name]) if name in STATIONS else (404, {"missing": name})
        if kind == "pages":
            return (200, {"links": LINKS[name]}) if name in LINKS else (404, {"missing": name})
        if kind == "account":
            return 200, {"visit": self.headers["X-Visit"], "owner": "ada"}
        return 200, {"rating": len(name), **json.loads(body or b"{}")}


@contextmanager
def serve(handler: type[Handler], delay: float) -> Iterator[str]:
    """A server on a free port; gives its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, delay))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def delayed(port: int, delay: float, mark: bytes) -> Iterator[int]:
    """A port behind which the server of another one is, but what holds `mark` arrives there late."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", port))
                for source, target, slow in ((client, server, mark), (server, client, None)):
                    threading.Thread(target=pump, args=(source, target, slow), daemon=True).start()

    def pump(source: socket.socket, target: socket.socket, slow: bytes | None) -> None:
        with source, target, suppress(OSError):
            while data := source.recv(1 << 16):
                if slow is not None and slow in data:
                    time.sleep(delay)
                target.sendall(data)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)  # else `accept` waits on
        listener.close()
        thread.join()


@contextmanager
def slow_pipe(path: Path, text: str, delay: float) -> Iterator[Path]:
    """A named pipe: everyone who opens it gets `text`, after a while."""
    os.mkfifo(path)
    is_over = threading.Event()

    def fill() -> None:
        while True:
            with suppress(BrokenPipeError), path.open("w") as pipe:
                if is_over.is_set():
                    return
                time.sleep(delay)
                pipe.write(text)
            time.sleep(delay / 5)  # until its reader has seen the end

    thread = threading.Thread(target=fill, daemon=True)
    thread.start()
    try:
        yield path
    finally:
        is_over.set()
        reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # else the thread would wait for one
        thread.join()
        os.close(reader)
