"""A login with a session of requests that lives for one visit.

Fixed by: --fix
BlockBuster sees it.
"""

import os

import requests

SERVICE = os.environ["SERVICE_URL"]


async def fetch_account(user: str) -> dict[str, str]:
    with requests.Session() as session:
        session.post(f"{SERVICE}/login", json={"user": user}, timeout=10).raise_for_status()
        session.headers["X-Visit"] = "1"
        response = session.get(f"{SERVICE}/account", timeout=10)
        account = response.json()
    return account


async def main() -> None:
    print(await fetch_account("ada"))
