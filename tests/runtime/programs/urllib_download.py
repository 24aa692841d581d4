"""Downloads with the standard library: urllib and http.client.

Fixed by: --fix
BlockBuster sees it.
"""

import http.client
import json
import os
import urllib.request
from urllib.parse import urlsplit

SERVICE = os.environ["SERVICE_URL"]
HOST = urlsplit(SERVICE).hostname
PORT = urlsplit(SERVICE).port


async def with_urllib(name: str) -> str:
    with urllib.request.urlopen(f"{SERVICE}/stations/{name}", timeout=10) as response:
        return json.load(response)["name"]


async def with_http_client(name: str) -> int:
    connection = http.client.HTTPConnection(HOST, PORT, timeout=10)
    connection.request("GET", f"/stations/{name}")
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status if body else 0


async def main() -> None:
    print(await with_urllib("north"))
    print(await with_http_client("south"))
