"""Bodies as clients send them: packed, with a byte order mark, in other encodings."""

from __future__ import annotations

import gzip
import subprocess
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.processes import BODY, Home, serving
from tests.tools import tool

JSON = {"content-type": "application/json"}
CALLS = {
    "/predict": (BODY, "score", 8.0),
    "/predict_batch": (b'{"hours": [4]}', "score", [8.0]),
    "/hours_for": (b'{"score": 8}', "hours", 4.0),
}
INFER = ("/v2/models/study_score/infer", "application/octet-stream")
each_kind = pytest.mark.parametrize(("path", "kind"), [("/predict", "application/json"), INFER])
PACK: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "deflate": zlib.compress}


@pytest.mark.parametrize("path", CALLS)
@pytest.mark.parametrize("packed", PACK)
def test_a_body_may_be_packed(client: TestClient, path: str, packed: str) -> None:
    body, key, expected = CALLS[path]
    headers = {**JSON, "content-encoding": packed}
    answer = client.post(path, content=PACK[packed](body), headers=headers)
    assert answer.json()[key] == pytest.approx(expected)


def refused(client: TestClient, path: str, kind: str, packed: str, body: bytes) -> tuple[int, str]:
    """The status of an answer and its only member."""
    headers = {"content-type": kind, "content-encoding": packed}
    answer = client.post(path, content=body, headers=headers)
    assert set(answer.json()) == {"error"}
    return answer.status_code, answer.json()["error"]


@each_kind
@pytest.mark.parametrize("packed", ["br", "zstd", "gzip, gzip", "x"])
def test_any_other_packing_is_refused_by_name(
    client: TestClient, path: str, kind: str, packed: str
) -> None:
    error = f"content-encoding is {packed!r}; send gzip, deflate or none"
    assert refused(client, path, kind, packed, BODY) == (415, error)


@each_kind
@pytest.mark.parametrize("packed", PACK)
def test_a_bomb_is_refused_and_damage_is_named(
    client: TestClient, path: str, kind: str, packed: str
) -> None:
    for size in ((1 << 20) + 1, 1 << 26):
        bomb = PACK[packed](b" " * size)
        assert len(bomb) < 1 << 20
        status, error = refused(client, path, kind, packed, bomb)
        assert status == 413
        assert error.endswith("bytes are allowed once it is unpacked")
    whole = PACK[packed](BODY)
    for damaged in (BODY, whole[:-3], whole + b"x", b""):
        status, error = refused(client, path, kind, packed, damaged)
        assert status == 400
        assert error.startswith(f"the body is not {packed}: ")


@pytest.mark.parametrize("path", CALLS)
def test_a_byte_order_mark_is_overlooked(client: TestClient, path: str) -> None:
    body, key, expected = CALLS[path]
    answer = client.post(path, content=b"\xef\xbb\xbf" + body, headers=JSON)
    assert answer.json()[key] == pytest.approx(expected)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_another_encoding_is_refused_by_name(client: TestClient, encoding: str) -> None:
    answer = client.post("/predict", content=BODY.decode().encode(encoding), headers=JSON)
    error = f"the body is in {encoding.upper()}; send UTF-8"
    assert (answer.status_code, answer.json()) == (415, {"error": error})


def test_instances_are_answered_row_by_row(client: TestClient) -> None:
    request: Any = {"instances": [4, 2.5], "signature_name": "serving_default"}
    prediction = client.post("/predict", json={"hours": 4}).json()
    for path in ("/invocations", "/v1/models/study_score:predict"):
        answer = client.post(path, json=request)
        assert answer.json()["predictions"][0] == prediction
        assert [each["score"] for each in answer.json()["predictions"]] == [8.0, 5.0]
        assert answer.headers["x-model"].startswith("study_score:")
        wrong = client.post(path, json={"instances": [4, "x"]})
        assert (wrong.status_code, set(wrong.json())) == (400, {"error", "detail"})
        assert wrong.json()["error"] == "instances.1: Input should be a valid number"
    unknown = client.post("/v1/models/other:predict", json=request)
    assert (unknown.status_code, set(unknown.json())) == (404, {"error"})
    assert client.get("/ping").status_code == 200


def test_curl_may_pack_what_it_sends(trained: Home) -> None:
    curl = tool("curl", "apt-get install curl")
    with serving(trained) as url:
        command = f"gzip | {curl} --silent --data-binary @- -H 'content-encoding: gzip'"
        command += f" -H 'content-type: application/json' {url}/predict"
        run = subprocess.run(["bash", "-c", command], input=BODY, capture_output=True, check=True)
    assert b'"score":8.0' in run.stdout
