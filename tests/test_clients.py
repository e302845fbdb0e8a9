"""Other people's clients of the Open Inference Protocol, unchanged."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tritonclient.http as triton
import tritonclient.http.aio as triton_aio
from tritonclient.utils import InferenceServerException

from models import store
from tests.processes import ROOT, Home, call, run, serving
from tests.tools import tool

NAME, KEY = "class-7b.scores", "a-key-of-the-tests"  # as KServe names an InferenceService
HOURS = [1, 2.5, 3, 9]
SHAPES: list[tuple[int, ...]] = [(4,), (4, 1), (1, 4), (2, 2), (1, 2, 1, 2)]


@pytest.fixture(scope="module")
def address(module_home: Home) -> Iterator[str]:
    """The address of a service with the lab's model under another name, and an API key."""
    assert run(module_home, "training").returncode == 0
    settings = {"STUDY_SCORE_API_KEY": KEY, "STUDY_SCORE_SERVED_MODEL_NAME": NAME}
    with serving({**module_home, **settings}) as url:
        yield url.removeprefix("http://")


@pytest.fixture
def client(address: str) -> Iterator[Any]:
    with triton.InferenceServerClient(address) as client:
        yield client


def bearer() -> dict[str, str]:
    """New ones for each request, because the client adds its own."""
    return {"Authorization": f"Bearer {KEY}"}


def hours(module: Any, datatype: str, shape: tuple[int, ...], binary: bool) -> list[Any]:
    tensor = module.InferInput("hours", list(shape), datatype)
    kind = {"FP32": np.float32, "FP64": np.float64}[datatype]
    tensor.set_data_from_numpy(np.array(HOURS, kind).reshape(shape), binary_data=binary)
    return [tensor]


def outputs(module: Any, binary: bool) -> list[Any]:
    names = ("score", "low", "high", "extrapolated")
    return [module.InferRequestedOutput(name, binary_data=binary) for name in names]


def check(answer: Any, shape: tuple[int, ...]) -> None:
    """Four scores of the lab's model, on their line."""
    for name in ("score", "low", "high"):
        values = answer.as_numpy(name)
        assert (values.shape, values.dtype) == (shape, np.float64)
        assert values.ravel() == pytest.approx([2, 5, 6, 18], abs=1e-9)
    assert answer.as_numpy("extrapolated").dtype == np.bool_
    assert answer.as_numpy("extrapolated").ravel().tolist() == [False, False, False, True]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("datatype", ["FP32", "FP64"])
@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
def test_tritons_client_is_answered(
    client: Any, binary: bool, datatype: str, shape: tuple[int, ...]
) -> None:
    inputs = hours(triton, datatype, shape, binary)
    for wanted in (outputs(triton, binary), None):
        answer = client.infer(NAME, inputs, outputs=wanted, headers=bearer(), request_id="7")
        check(answer, shape)
        assert answer.get_response()["id"] == "7"


@pytest.mark.parametrize("packed", ["gzip", "deflate"])
def test_tritons_client_may_pack_what_it_sends(client: Any, packed: str) -> None:
    tensors = hours(triton, "FP64", (4,), True)
    both = {f"{side}_compression_algorithm": packed for side in ("request", "response")}
    check(client.infer(NAME, tensors, headers=bearer(), **both), (4,))


def test_tritons_client_sees_health_and_metadata(client: Any) -> None:
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready(NAME, headers=bearer())
    assert not client.is_model_ready("other", headers=bearer())
    assert not client.is_model_ready(NAME)  # without the key
    server = client.get_server_metadata()
    assert (server["name"], server["extensions"]) == (store.NAME, ["binary_tensor_data"])
    model = client.get_model_metadata(NAME, headers=bearer())
    assert [tensor["name"] for tensor in model["inputs"]] == ["hours"]
    (version,) = model["versions"]
    for served in (version, "latest"):
        assert client.is_model_ready(NAME, served, headers=bearer())
        answer = client.infer(
            NAME, hours(triton, "FP64", (4,), True), model_version=served, headers=bearer()
        )
        assert answer.get_response()["model_version"] == version


def test_tritons_client_is_told_what_is_wrong(client: Any) -> None:
    good = hours(triton, "FP64", (4,), True)
    (negative,) = hours(triton, "FP64", (4,), True)
    negative.set_data_from_numpy(np.array([1.0, 2.0, -3.0, 4.0]))
    for inputs, wrong, sentence in (
        ([negative], {}, "hours.2: Input should be greater than or equal to 0"),
        (good, {"model_name": "other"}, "there is no model other; there is study_score:"),
        (good, {"model_version": "7"}, f"there is no model {NAME}, version 7"),
        (good, {"headers": {}}, "needs the header Authorization: Bearer KEY"),
        (good, {"outputs": [triton.InferRequestedOutput("x")]}, "outputs.0.name: Input should be"),
    ):
        arguments = {"model_name": NAME, "headers": bearer(), "inputs": inputs, **wrong}
        with pytest.raises(InferenceServerException, match=sentence):
            client.infer(**arguments)


def test_tritons_client_asks_from_greenlets(address: str) -> None:
    with triton.InferenceServerClient(address, concurrency=8) as client:
        inputs = hours(triton, "FP32", (2, 2), True)
        pending = [client.async_infer(NAME, inputs, headers=bearer()) for _ in range(50)]
        for each in pending:
            check(each.get_result(timeout=10), (2, 2))


async def test_tritons_client_asks_from_asyncio(address: str) -> None:
    async with triton_aio.InferenceServerClient(address) as client:
        assert await client.is_server_ready()
        assert await client.is_model_ready(NAME, headers=bearer())
        for binary in (True, False):
            arguments: dict[str, Any] = {
                "inputs": hours(triton_aio, "FP64", (4, 1), binary),
                "outputs": outputs(triton_aio, binary),
            }
            calls = [client.infer(NAME, **arguments, headers=bearer()) for _ in range(50)]
            for answer in await asyncio.gather(*calls):
                check(answer, (4, 1))
        with pytest.raises(InferenceServerException, match="there is no model other"):
            await client.infer("other", arguments["inputs"], headers=bearer())


KSERVE = """
import asyncio, json, sys
import numpy as np
from kserve import InferInput, InferRequest, InferenceRESTClient, RESTConfig
from kserve.protocol.infer_type import RequestedOutput

async def ask(url, key, name):
    client = InferenceRESTClient(RESTConfig(protocol="v2"))
    headers = {"Authorization": "Bearer " + key}
    print(json.dumps([
        await client.is_server_live(url),
        await client.is_server_ready(url),
        await client.is_model_ready(url, name, headers=dict(headers)),
        await client.is_model_ready(url, "other", headers=dict(headers)),
    ]))
    for datatype, kind in (("FP32", np.float32), ("FP64", np.float64)):
        for binary in (True, False):
            tensor = InferInput("hours", [2, 2], datatype)
            data = np.array([[1, 2.5], [3, 9]], kind)
            tensor.set_data_from_numpy(data, binary_data=binary)
            names = ("score", "extrapolated")
            wanted = [RequestedOutput(each, {"binary_data": binary}) for each in names]
            request = InferRequest(name, [tensor], request_id="7", request_outputs=wanted)
            answer = await client.infer(url, request, model_name=name, headers=dict(headers))
            print(json.dumps([answer.id] + [each.as_numpy().tolist() for each in answer.outputs]))
    try:
        await client.infer(url, {"inputs": []}, model_name=name, headers=dict(headers))
    except Exception as error:
        print(json.dumps(str(error)))
    await client.close()
    client = InferenceRESTClient(RESTConfig(protocol="v1"))
    ready = await client.is_model_ready(url, name, headers=dict(headers))
    data = {"instances": [1, 2.5, 3, 9]}
    answer = await client.infer(url, data, model_name=name, headers=dict(headers))
    print(json.dumps([ready, answer["predictions"]]))
    await client.close()

asyncio.run(ask(*sys.argv[1:]))
"""


def test_kserves_client_is_answered(address: str, tmp_path: Path) -> None:
    """It has an environment of its own, because its packages would change ours."""
    python = tool(".venv/kserve/bin/python", "tests/kserve.sh", str(ROOT))
    (tmp_path / "ask.py").write_text(KSERVE)
    client = call(python, tmp_path / "ask.py", f"http://{address}", KEY, NAME)
    assert client.returncode == 0, client.stderr
    states, *answers, error, (ready, predictions) = map(json.loads, client.stdout.splitlines())
    assert states == [True, True, True, False]
    assert len(answers) == 4
    for number, score, extrapolated in answers:
        assert number == "7"
        assert np.ravel(score) == pytest.approx([2, 5, 6, 18], abs=1e-9)
        assert np.ravel(extrapolated).tolist() == [False, False, False, True]
    assert "inputs: List should have at least 1 item" in error
    assert ready is True
    assert [each["score"] for each in predictions] == pytest.approx([2, 5, 6, 18], abs=1e-9)
