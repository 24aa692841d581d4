import os

from supabase import create_client


class StorageService:
    def __init__(self, bucket: str) -> None:
        self.client = create_client(os.environ["SUPABASE_URL"], "anonymous")
        self.bucket = bucket

    def upload_image(self, name: str, data: bytes, *, content_type: str = "image/png") -> str:
        files = self.client.storage.from_(self.bucket)
        files.upload(name, data, {"content-type": content_type})
        return files.get_public_url(name).partition("/storage/")[2]

    def read_image(self, name: str) -> bytes:
        return self.client.storage.from_(self.bucket).download(name)
