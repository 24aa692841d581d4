"""A service written with anyio: its own off-loader is the one to use.

Fixed by: --fix
BlockBuster sees it.
"""

import os
import time

import anyio
import requests

SERVICE = os.environ["SERVICE_URL"]
found: list[str] = []


async def look_up(name: str) -> None:
    response = requests.get(f"{SERVICE}/stations/{name}", timeout=10)
    found.append(response.json()["name"])


async def main() -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(look_up, "north")
        group.start_soon(look_up, "south")
    time.sleep(0.01)
    with anyio.fail_after(10):
        response = requests.post(f"{SERVICE}/login", json={"user": "ada"}, timeout=10)
    print(sorted(found), response.status_code)
