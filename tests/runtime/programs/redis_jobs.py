"""A worker that takes jobs from a Redis list and keeps their results.

Fixed by: --fix
BlockBuster sees it.
"""

import os

import redis

store = redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)


async def enqueue(*names: str) -> None:
    store.rpush("jobs", *names)


async def run_next() -> bool:
    job = store.lpop("jobs")
    if job is None:
        return False
    store.hset("results", job, job.upper())
    return True


async def results() -> dict[str, str]:
    with store.pipeline() as pipeline:
        pipeline.hgetall("results")
        pipeline.delete("results")
        found, _ = pipeline.execute()
    return found


async def main() -> None:
    await enqueue("resize", "mail")
    while await run_next():
        pass
    print(sorted((await results()).items()))
    print(store.exists("results"))
