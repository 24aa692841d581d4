"""An object in S3 whose body is read after the request for it.

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
s3.create_bucket(Bucket="covers")
s3.put_object(Bucket="covers", Key="whale.txt", Body=b"a whale")


async def load(name: str) -> bytes:
    response = s3.get_object(Bucket="covers", Key=name)
    return response["Body"].read()


async def main() -> None:
    print(await load("whale.txt"))
