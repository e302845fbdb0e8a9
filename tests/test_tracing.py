"""Spans reach an OTLP receiver if BentoML's configuration names one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.processes import Home, run, serving, wait_until
from tests.tools import listening

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"  # the example of the W3C's Trace Context
CALLER = "00f067aa0ba902b7"


@contextmanager
def receiver() -> Iterator[tuple[str, list[Span]]]:
    """The address of an OTLP receiver, and the spans that arrive there."""
    spans: list[Span] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope in resource.scope_spans:
                    spans.extend(scope.spans)
            self.send_response(200)
            self.end_headers()

    with listening(Receiver) as url:
        yield f"{url}/v1/traces", spans


def test_every_request_has_a_span_in_the_trace_of_its_caller(home: Home) -> None:
    assert run(home, "training").returncode == 0
    with receiver() as (address, spans):
        options = {
            "services.tracing.exporter_type": "otlp",
            "services.tracing.sample_rate": "1.0",
            "services.tracing.otlp.protocol": "http",
            "services.tracing.otlp.endpoint": address,
        }
        configured = " ".join(f"{name}={value}" for name, value in options.items())
        with serving({**home, "BENTOML_CONFIG_OPTIONS": configured}) as url:
            for path, body in (("predict", {"hours": 4}), ("predict_batch", {"hours": [4]})):
                parent = {"traceparent": f"00-{TRACE}-{CALLER}-01"}
                answer = requests.post(f"{url}/{path}", json=body, headers=parent, timeout=30)
                assert answer.ok
            wait_until(lambda: len(ours(spans)) >= 2)
        names = {str(span.name).split()[-1] for span in ours(spans)}
        assert names >= {"/predict", "/predict_batch"}


def test_other_settings_of_bentoml_turn_no_tracing_on(home: Home) -> None:
    assert run(home, "training").returncode == 0
    with serving({**home, "BENTOML_CONFIG_OPTIONS": "services.traffic.timeout=2"}) as url:
        answer = requests.post(f"{url}/predict", json={"hours": 4}, timeout=30)
    assert (answer.ok, "server" in answer.headers) == (True, False)  # BentoML's own has one


def ours(spans: list[Span]) -> list[Span]:
    """The spans whose parent is the caller's."""
    return [
        span
        for span in spans
        if span.trace_id.hex() == TRACE and span.parent_span_id.hex() == CALLER
    ]
