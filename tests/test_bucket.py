"""Objects in buckets, in a store that moto plays."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.data import FILES
from training import bucket
from training.errors import DataError

SECRET = "wJalrXUtnFEMI"  # noqa: S105


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def store(server: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client for a store with a bucket `marks`, which the environment leads to."""
    settings = {
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": server,
        "AWS_ALLOW_HTTP": "true",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", region_name="us-east-1", endpoint_url=server)
    client.create_bucket(Bucket="marks")
    for key in ["2025/a.csv", "2025/b.csv", "2025/deep/c.csv", "2025/notes.txt", "2025/[d].csv"]:
        client.put_object(Bucket="marks", Key=key, Body=b"hours,score\n1,2\n" + key.encode())
    return client


def found(url: str) -> list[str]:
    return [one.name.removeprefix("s3://marks/") for one in bucket.find(url)]


@pytest.mark.parametrize(
    ("url", "keys"),
    [
        ("s3://marks/2025/a.csv", ["2025/a.csv"]),
        ("s3://marks/2025/[d].csv", ["2025/[d].csv"]),
        ("s3://marks/2025/*.csv", ["2025/[d].csv", "2025/a.csv", "2025/b.csv"]),
        ("s3://marks/2025/[ab].csv", ["2025/a.csv", "2025/b.csv"]),
        ("s3://marks/2025/[!b].csv", ["2025/a.csv"]),
        ("s3://marks/20??/b.csv", ["2025/b.csv"]),
        ("s3://marks/**/c.csv", ["2025/deep/c.csv"]),
        ("s3://marks/**/a.csv", ["2025/a.csv"]),
        ("s3://marks/2025/deep", ["2025/deep/c.csv"]),
        ("s3://marks/2025/deep/", ["2025/deep/c.csv"]),
        ("s3://marks/2024", []),
        ("s3://marks/2025/d*.csv", []),
    ],
)
def test_objects_folders_and_globs_are_found(store: Any, url: str, keys: list[str]) -> None:
    assert found(url) == keys


def test_a_whole_bucket_is_found(store: Any) -> None:
    assert len(found("s3://marks")) == len(found("s3://marks/")) == 5


def test_an_object_is_read_from_any_place_and_known_by_its_etag(store: Any) -> None:
    content = (FILES / "calc.ods").read_bytes() * 300
    etag = store.put_object(Bucket="marks", Key="big", Body=content)["ETag"]
    (one,) = bucket.find("s3://marks/big")
    assert (one.size, one.version) == (len(content), etag)
    with one.open() as file:
        assert file.read(10) == content[:10]
        assert file.seek(-100, io.SEEK_END) == len(content) - 100
        assert file.read() == content[-100:]
        file.seek(5_000_000)
        assert file.read(99) == content[5_000_000:5_000_099]
        file.seek(0)
        assert file.read() == content


def test_it_is_seen_when_an_object_changes(store: Any) -> None:
    store.put_object(Bucket="marks", Key="moving", Body=b"hours,score\n1,2\n")
    (one,) = bucket.find("s3://marks/moving")
    before = one.state()
    assert one.state() == before
    store.put_object(Bucket="marks", Key="moving", Body=b"hours,score\n1,3\n")
    assert one.state() != before


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("s3://nothing/a.csv", "s3://nothing/a.csv: "),
        ("s3://", r"s3://\.\.\.: is no s3://BUCKET/KEY; credentials are given by environment"),
        (f"s3://AKIAIOSFODNN7:{SECRET}@marks/a.csv", "credentials are given by environment"),
        (f"az://marks?sig={SECRET}", "credentials are given by environment"),
    ],
)
def test_a_url_that_leads_nowhere_is_named_without_its_secrets(
    store: Any, url: str, message: str
) -> None:
    with pytest.raises(DataError, match=message) as error:
        list(bucket.find(url))
    assert SECRET not in str(error.value)
    assert "\n" not in str(error.value)
