"""Queries and updates with Supabase's synchronous client, as statements, values and results.

Fixed by: --fix
BlockBuster sees it.
"""

import os

from supabase import Client, create_client

client: Client = create_client(os.environ["SUPABASE_URL"], "anonymous")


async def add_story(title: str, status: str = "draft"):
    return client.table("stories").insert({"title": title, "status": status}).execute()


async def publish(number: int) -> None:
    client.table("stories").update({"status": "published"}).eq("id", number).execute()


async def published() -> list[dict]:
    return (
        client.table("stories")
        .select("id, title")
        .eq("status", "published")  # drafts are nobody's business
        .order("id")
        .execute()
        .data
    )


async def main() -> None:
    added = await add_story("Whale")
    await add_story("Squid")
    await publish(added.data[0]["id"])
    for story in await published():
        print(story["id"], story["title"])
    if not client.table("stories").select("id").eq("status", "lost").execute().data:
        print("none is lost")
