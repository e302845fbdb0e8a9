"""Objects in buckets, in a store that moto plays."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest
from moto.server import ThreadedMotoServer

from tests.command import report, train
from tests.data import FILES, assert_refused, read_rows, write_parquet
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
        put(client, key, b"hours,score\n1,2\n" + key.encode())
    return client


def put(store: Any, key: str, body: bytes) -> Any:
    """Put an object into the bucket `marks`; returns its ETag."""
    return store.put_object(Bucket="marks", Key=key, Body=body)["ETag"]


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
    etag = put(store, "big", content)
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
    put(store, "moving", b"hours,score\n1,2\n")
    (one,) = bucket.find("s3://marks/moving")
    before = one.state()
    assert one.state() == before
    put(store, "moving", b"hours,score\n1,3\n")
    assert one.state() != before


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("s3://nothing/a.csv", "s3://nothing/a.csv: "),
        ("s3://", r"s3://\.\.\.: is not of the form s3://BUCKET/KEY; credentials are given"),
        (f"s3://AKIAIOSFODNN7:{SECRET}@marks/a.csv", "credentials are given by environment"),
        (f"az://marks?sig={SECRET}", "credentials are given by environment"),
    ],
)
def test_a_wrong_url_is_named_without_its_secrets(store: Any, url: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as error:
        list(bucket.find(url))
    assert SECRET not in str(error.value)
    assert "\n" not in str(error.value)


def test_a_bucket_is_read_and_recognised(store: Any) -> None:
    book = (FILES / "calc.xlsx").read_bytes()
    etag = put(store, "9b/marks.xlsx", book)
    figures = report("s3://marks/9b")
    assert figures["W"] == pytest.approx(3.932409, abs=5e-7)
    (source,) = figures["sources"]
    assert (source["name"], source["version"]) == ("s3://marks/9b/marks.xlsx", etag)
    assert (source["bytes"], source["sha256"]) == (len(book), None)
    put(store, "9c/copy.xlsx", book)
    err = train("s3://marks/9b", "s3://marks/9c", "--dry-run", status=1).err
    assert "s3://marks/9c/copy.xlsx: holds the rows of s3://marks/9b/marks.xlsx" in err


def test_parquet_in_a_bucket_is_read(store: Any, tmp_path: Path) -> None:
    columns = {"Score": [1.0, 3.0, 5.5], "hours": [0, 1, 2]}
    content = Path(write_parquet(tmp_path / "x.parquet", columns)).read_bytes()
    put(store, "x.parquet", content)
    assert report("s3://marks/x.parquet")["W"] == pytest.approx(2.25)


def test_parquet_is_read_once(store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of some 16 MB."""
    random = np.random.default_rng(3)
    columns = {"hours": random.uniform(0, 50, 10**6), "score": random.normal(50, 9, 10**6)}
    content = Path(write_parquet(tmp_path / "rows.parquet", columns)).read_bytes()
    put(store, "rows.parquet", content)
    counts: list[int] = []
    readinto = bucket._Object.readinto

    def counted(self: Any, buffer: Any) -> int:
        counts.append(readinto(self, buffer))
        return counts[-1]

    monkeypatch.setattr(bucket._Object, "readinto", counted)
    assert report("s3://marks/rows.parquet")["rows"] == 10**6
    assert sum(counts) == len(content)


@pytest.mark.parametrize(
    ("log", "name"),
    [("_delta_log/00000.json", "a Delta Lake table"), ("metadata/v1.metadata.json", "an Iceberg")],
)
def test_tables_of_versions_are_refused(tmp_path: Path, store: Any, log: str, name: str) -> None:
    part = tmp_path / "marks" / "data" / "class=9b" / "part.parquet"
    part.parent.mkdir(parents=True)
    write_parquet(part, {"hours": [1, 2], "score": [1, 2]})
    assert read_rows([tmp_path]).moments.n == 2
    (tmp_path / "marks" / log).parent.mkdir()
    (tmp_path / "marks" / log).touch()
    for each in (".", "marks", "marks/data", "marks/data/class=9b/", "m*/data/*/*.parquet"):
        assert_refused(f"{name}.* export its rows", tmp_path / each)
    assert read_rows([part]).moments.n == 2  # which was named
    put(store, f"{log[:3]}/data/x.parquet", part.read_bytes())
    put(store, f"{log[:3]}/{log}", b"{}")
    with pytest.raises(DataError, match=f"s3://marks/{log[:3]}: is {name}"):
        read_rows([f"s3://marks/{log[:3]}"])
