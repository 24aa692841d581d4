"""Objects in S3 with boto3: a client for the whole module.

Fixed by: --fix
BlockBuster sees it.
"""

import os

import boto3

s3 = boto3.client(
    "s3",
    endpoint_url=os.environ["AWS_URL"],
    region_name="us-east-1",
    aws_access_key_id="key",
    aws_secret_access_key="secret",
)


async def store(name: str, data: bytes) -> str:
    response = s3.put_object(Bucket="covers", Key=name, Body=data)
    return response["ETag"]


async def size(name: str) -> int:
    return s3.head_object(Bucket="covers", Key=name)["ContentLength"]


async def names() -> list[str]:
    return [entry["Key"] for entry in s3.list_objects_v2(Bucket="covers").get("Contents", [])]


async def main() -> None:
    s3.create_bucket(Bucket="covers")
    print(await store("whale.txt", b"a whale"))
    print(await size("whale.txt"))
    print(await names())
