"""A story whose picture is uploaded by a synchronous service, two modules away from the coroutine.

Fixed by: --fix
BlockBuster sees it.
"""

from stories import StoryService
from storage import StorageService


service = StoryService(StorageService("pictures"))


async def main() -> None:
    story = await service.create_story("The whale", b"\x89PNG")
    print(story)
    print(await service.illustrate(story["id"]))
