"""Pictures in Supabase's storage: the client comes from a factory in another module.

Fixed by: --fix
BlockBuster sees it.
"""

import asyncio

from pictures import Pictures


pictures = Pictures("covers")


async def main() -> None:
    await asyncio.gather(pictures.upload_image("whale.png", b"whale" * 3), pictures.upload_image("squid.png", b"squid"))
    print(await pictures.download_image("whale.png"))
    print(sorted(await pictures.names()))
    await pictures.remove("squid.png")
    print(sorted(await pictures.names()))
