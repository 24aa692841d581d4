from clients import get_client


class Pictures:
    def __init__(self, bucket, client=None):
        self.bucket = bucket
        self.supabase = client or get_client()

    async def upload_image(self, path, data):
        self.supabase.storage.from_(self.bucket).upload(path, data, {"content-type": "image/png"})

    async def download_image(self, path):
        data = self.supabase.storage.from_(self.bucket).download(path)
        return data

    async def names(self):
        return [entry["name"] for entry in self.supabase.storage.from_(self.bucket).list()]

    async def remove(self, *paths):
        self.supabase.storage.from_(self.bucket).remove(list(paths))
