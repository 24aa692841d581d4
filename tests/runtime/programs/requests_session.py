"""A crawler whose object keeps one session of requests for itself.

Fixed by: --fix --unsafe-fixes
BlockBuster sees it.
"""

import os

import requests

SERVICE = os.environ["SERVICE_URL"]


class Crawler:
    def __init__(self, start: str) -> None:
        self.session = requests.Session()
        self.session.headers["User-Agent"] = "crawler/1"
        self.waiting = [start]
        self.seen: list[str] = []

    async def crawl(self) -> list[str]:
        while self.waiting:
            page = self.waiting.pop()
            response = self.session.get(f"{SERVICE}/pages/{page}")
            if response.ok:
                self.seen.append(page)
                self.waiting.extend(link for link in response.json()["links"] if link not in self.seen)
        return self.seen

    async def close(self) -> None:
        self.session.close()


async def main() -> None:
    crawler = Crawler("index")
    print(await crawler.crawl())
    await crawler.close()
