"""A question and an answer over a socket that is opened for them.

Fixed by: --fix
BlockBuster sees it.
"""

import os
import socket
from urllib.parse import urlsplit

SERVICE = urlsplit(os.environ["SERVICE_URL"])


async def ask(path: str) -> str:
    with socket.create_connection((SERVICE.hostname, SERVICE.port), timeout=10) as connection:
        connection.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        answer = connection.recv(15)
    return answer.decode()


async def main() -> None:
    print(await ask("/stations/north"))
