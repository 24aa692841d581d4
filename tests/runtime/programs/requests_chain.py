"""A weather page that asks two stations with requests and reads the answers.

Fixed by: --fix
BlockBuster sees it.
"""

import asyncio
import os

import requests

SERVICE = os.environ["SERVICE_URL"]
STATIONS = ("north", "south")


async def temperature(station: str) -> float:
    return requests.get(f"{SERVICE}/stations/{station}", params={"unit": "C"}, timeout=10).json()["temperature"]


async def describe(station: str) -> str:
    answer = requests.get(
        f"{SERVICE}/stations/{station}",
        headers={"Accept": "application/json"},  # the service can do XML as well
        timeout=10,
    )
    answer.raise_for_status()
    return f"{station}: {answer.status_code} {answer.json()['name']}"


async def main() -> None:
    print(sum([await temperature(station) for station in STATIONS]))
    print([requests.head(f"{SERVICE}/stations/{station}", timeout=10).status_code for station in STATIONS])
    if (found := requests.get(f"{SERVICE}/stations/west", timeout=10)).status_code == 404:
        print("no station", found.json()["missing"])
    print(*await asyncio.gather(*map(describe, STATIONS)), sep="\n")
