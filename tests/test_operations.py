"""What operators see: a real Prometheus scrapes the service, and its rules and queries hold."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from tests.processes import ROOT, Home, call, free_port, run, serving, start_serving, wait_until
from tests.tools import tool

ALERTS = ROOT / "service" / "deploy" / "alerts.yaml"
README = ALERTS.with_name("README.md")
RUNBOOKS = "https://git.example.com/study-score/blob/main/service/deploy/README.md#"
DASHBOARD = json.loads((ROOT / "service" / "deploy" / "dashboard.json").read_text())
INSTALL = "apt-get install --no-install-recommends prometheus"
RULES = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
QUERIES = {target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]}


def check(*command: str | Path) -> None:
    """Prometheus' own tool finds nothing wrong."""
    run = call(tool("promtool", INSTALL), *command)
    assert run.returncode == 0, run.stdout + run.stderr


def test_alerts_fire_when_they_should_and_only_then(tmp_path: Path) -> None:
    """The cases are in alerts.yaml beside this file."""
    cases = tmp_path / "cases.yaml"
    text = (ROOT / "tests" / "alerts.yaml").read_text()
    cases.write_text(text.replace("ALERTS", str(ALERTS)).replace("RUNBOOKS", RUNBOOKS))
    check("test", "rules", cases)
    tests = yaml.safe_load(cases.read_text())["tests"]
    fired = [each for test in tests for each in test["alert_rule_test"] if "exp_alerts" in each]
    assert {each["alertname"] for each in fired} == {rule["alert"] for rule in RULES}


def test_each_alert_leads_to_its_section_of_the_readme() -> None:
    sections = re.findall(r"^#+ (.+)$", README.read_text(), re.MULTILINE)
    anchors = {section.lower().replace(" ", "-") for section in sections}
    for rule in RULES:
        anchor = rule["annotations"]["runbook_url"].removeprefix(RUNBOOKS)
        assert anchor == rule["alert"].lower()
        assert anchor in anchors


def test_prometheus_takes_the_configurations_of_the_readme(tmp_path: Path) -> None:
    shutil.copy(ALERTS, tmp_path)
    blocks = re.findall(r"```yaml\n(.*?)```", README.read_text(), re.DOTALL)
    configurations = [block for block in blocks if "scrape_configs:" in block]
    assert len(configurations) == 2
    for configuration in configurations:
        # Debian's Prometheus is built without Kubernetes
        configuration = configuration.replace("kubernetes_sd_configs: [{role: pod}]", "")
        (tmp_path / "prometheus.yml").write_text(configuration)
        check("check", "config", tmp_path / "prometheus.yml")


@pytest.fixture(scope="module")
def prometheus(module_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Prometheus that has scraped a service with requests."""
    program = tool("prometheus", INSTALL)
    folder = tmp_path_factory.mktemp("prometheus")
    assert run(module_home, "training").returncode == 0
    with serving(module_home) as service:
        targets = [{"targets": [service.removeprefix("http://")]}]
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(ALERTS)],
            "scrape_configs": [{"job_name": "study-score", "static_configs": targets}],
        }
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        address = f"127.0.0.1:{free_port()}"
        command = [program, f"--config.file={folder}/prometheus.yml"]
        own = [f"--storage.tsdb.path={folder}/data", f"--web.listen-address={address}"]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen([*command, *own], stdout=log, stderr=log)
            try:

                def counts() -> bool:
                    for hours in (1, 4):
                        requests.post(f"{service}/predict", json={"hours": hours}, timeout=30)
                    return bool(value(f"http://{address}", "rate(study_score_hours_count[1m]) > 0"))

                wait_until(counts)
                yield f"http://{address}"
            finally:
                process.terminate()
                process.wait(30)


def value(prometheus: str, query: str) -> list[Any]:
    """What a query finds."""
    try:
        response = requests.get(f"{prometheus}/api/v1/query", {"query": query}, timeout=5)
    except requests.RequestException:
        return []
    if response.status_code == 503:  # it listens before it can answer
        return []
    answer = response.json()
    assert answer["status"] == "success", (query, answer)
    return list(answer["data"]["result"])


def test_the_access_log_can_be_lines_of_json(trained: Home) -> None:
    home = {**trained, "STUDY_SCORE_ACCESS_LOG": "json"}
    with start_serving(home, stdout=subprocess.PIPE) as server:
        headers = {"X-Request-ID": 'of"mine'}
        started = time.monotonic()
        requests.post(f"{server.url}/predict", json={"hours": 4}, headers=headers, timeout=30)
        requests.get(f"{server.url}/x%0a%22", timeout=30)
        log = server.end()
    passed = time.monotonic() - started
    first, second = (json.loads(line) for line in log.splitlines() if line.startswith("{"))
    seconds = abs(datetime.fromisoformat(first.pop("time")).timestamp() - time.time())
    assert seconds < 60
    assert 0 < first.pop("ms") < 1000 * passed
    request = {"client": "127.0.0.1", "method": "POST", "path": "/predict", "id": 'of"mine'}
    assert first == {**request, "status": 200}
    assert (second["path"], second["status"]) == ('/x\\n"', 404)


def test_prometheus_takes_the_rules_and_none_fires_while_all_is_well(prometheus: str) -> None:
    (group,) = requests.get(f"{prometheus}/api/v1/rules", timeout=30).json()["data"]["groups"]
    assert {rule["name"] for rule in group["rules"]} == {rule["alert"] for rule in RULES}
    assert {rule["health"] for rule in group["rules"]} <= {"ok", "unknown"}
    assert "firing" not in {rule["state"] for rule in group["rules"]}
    assert value(prometheus, 'up{job="study-score"} == 1')


@pytest.mark.parametrize("query", sorted(QUERIES))
def test_each_query_of_the_dashboard_finds_something(prometheus: str, query: str) -> None:
    query = query.replace("$__rate_interval", "1m").replace("$job", "study-score")
    wait_until(lambda: bool(value(prometheus, query)))
