"""The message of a finding names the asynchronous equivalent, where the catalogue knows one."""

from __future__ import annotations

from pathlib import Path

import pytest

from loopsafe.config import Settings
from loopsafe.engine import check

CALLS = {
    "supabase.create_client(u, k).table('t').select('*').execute()": "supabase.acreate_client",
    "supabase.create_client(u, k).auth.sign_out()": "supabase.acreate_client",
    "supabase.create_client(u, k).storage.list_buckets()": "supabase.acreate_client",
    "redis.Redis().get(k)": "redis.asyncio.Redis",
    "redis.RedisCluster().get(k)": "redis.asyncio.RedisCluster",
    "httpx.get(u)": "httpx.AsyncClient",
    "httpx.Client().post(u)": "httpx.AsyncClient",
    "psycopg.connect(u)": "psycopg.AsyncConnection.connect",
    "psycopg.connect(u).cursor()": "psycopg.AsyncConnection.connect",
    "openai.OpenAI().chat.completions.create(model=k, messages=[])": "openai.AsyncOpenAI",
    "openai.OpenAI().embeddings.create(model=k, input=u)": "openai.AsyncOpenAI",
    "pymongo.MongoClient().db.things.find_one({})": "pymongo.AsyncMongoClient",
    "boto3.client('s3').put_object(Bucket=u, Key=k)": "aioboto3.Session.client",
    "boto3.resource('dynamodb').Table(u).put_item(Item={})": "aioboto3.Session.resource",
    "cohere.ClientV2().chat(model=k, messages=[])": "cohere.AsyncClientV2",
}


def message(folder: Path, text: str) -> str:
    (folder / "a.py").write_text(text, encoding="utf-8")
    settings = Settings(select=("LSA101", "LSA102", "LSA111", "LSA112"), use_cache=False, root=str(folder))
    *_, last = check([str(folder / "a.py")], settings).diagnostics
    return last.message


@pytest.mark.parametrize(("call", "twin"), CALLS.items())
def test_twin_is_named(tmp_path: Path, call: str, twin: str) -> None:
    package = call.partition(".")[0]
    direct = message(tmp_path, f"import {package}\n\n\nasync def f(u, k):\n    {call}\n")
    assert direct.endswith(f": run it in a thread, or use `{twin}`")
    helper = f"import {package}\n\n\ndef helper(u, k):\n    {call}\n\n\nasync def f(u, k):\n    helper(u, k)\n"
    assert message(tmp_path, helper).endswith(f"; its asynchronous twin is `{twin}`")


def test_nothing_is_named_where_there_is_none(tmp_path: Path) -> None:
    text = "import requests\n\n\nasync def f(u):\n    requests.get(u)\n"
    assert message(tmp_path, text).endswith(": run it in a thread")
