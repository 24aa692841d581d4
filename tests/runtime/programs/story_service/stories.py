from storage import StorageService


class StoryService:
    def __init__(self, storage_service: StorageService) -> None:
        self.storage_service = storage_service
        self.stories: dict[int, str] = {}

    async def create_story(self, title: str, picture: bytes) -> dict[str, object]:
        number = len(self.stories) + 1
        url = self.storage_service.upload_image(
            f"{number}.png",
            picture,
            content_type="image/png",
        )
        self.stories[number] = title
        return {"id": number, "title": title, "picture": url}

    async def illustrate(self, number: int) -> str:
        return f"{self.stories[number]}: {len(self.storage_service.read_image(f'{number}.png'))} bytes"
