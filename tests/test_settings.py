from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network

import pytest

from service.settings import VARIABLE_PREFIX, Settings, read_settings
from tests.processes import Home, run


def test_nothing_set_means_the_defaults() -> None:
    assert read_settings({}) == Settings()
    settings = read_settings({})
    assert (settings.model, settings.api_key, settings.workers) == ("study_score:latest", (), 1)
    assert (settings.max_body_bytes, settings.max_concurrency) == (1 << 20, 1024)
    assert (settings.timeout_seconds, settings.access_log, settings.follow) == (2.0, True, None)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("MODEL", "study_score:abc_1.2", "study_score:abc_1.2"),
        ("API_KEY", "one", ("one",)),
        ("API_KEY", "old-key, n3w:key!", ("old-key", "n3w:key!")),
        ("WORKERS", "4", 4),
        ("WORKERS", "cpu_count", "cpu_count"),
        ("MAX_BODY_BYTES", "100", 100),
        ("TIMEOUT_SECONDS", "0.5", 0.5),
        ("KEEP_ALIVE_SECONDS", "620", 620.0),
        ("TRUSTED_PROXIES", "10.0.0.0/8, ::1", (IPv4Network("10.0.0.0/8"), IPv6Network("::1"))),
        ("ACCESS_LOG", "off", False),
        ("ACCESS_LOG", "json", "json"),
        ("FOLLOW", "on", True),
    ],
)
def test_a_setting_is_read_from_its_variable(name: str, text: str, value: object) -> None:
    assert getattr(read_settings({VARIABLE_PREFIX + name: text}), name.lower()) == value


@pytest.mark.parametrize(
    ("name", "text", "rule"),
    [
        ("MODEL", "other:latest", "study_score:latest or study_score:VERSION"),
        ("MODEL", "study_score:LATEST", "study_score:latest or study_score:VERSION"),
        ("MODEL", "study_score:..", "study_score:latest or study_score:VERSION"),
        ("MODEL", "study_score:../x y", "study_score:latest or study_score:VERSION"),
        ("WORKERS", "0", "a whole number from 1 to 256, or cpu_count"),
        ("WORKERS", "257", "a whole number from 1 to 256, or cpu_count"),
        ("WORKERS", "1" + "0" * 400, "a whole number from 1 to 256, or cpu_count"),
        ("WORKERS", "many", "a whole number from 1 to 256, or cpu_count"),
        ("MAX_BODY_BYTES", "1e6", "a whole number from 1"),
        ("MAX_CONCURRENCY", "-1", "a whole number from 1"),
        ("TIMEOUT_SECONDS", "0", "a number of seconds above 0"),
        ("TIMEOUT_SECONDS", "inf", "a number of seconds above 0"),
        ("TIMEOUT_SECONDS", "nan", "a number of seconds above 0"),
        ("KEEP_ALIVE_SECONDS", "-1", "a number of seconds above 0"),
        ("TRUSTED_PROXIES", "proxy", "IP addresses or networks, with commas between"),
        ("ACCESS_LOG", "perhaps", "on, off or json"),
        ("FOLLOW", "", "on or off"),
    ],
)
def test_a_wrong_value_is_named_with_variable_and_rule(name: str, text: str, rule: str) -> None:
    with pytest.raises(ValueError, match="it must be") as error:
        read_settings({VARIABLE_PREFIX + name: text})
    assert str(error.value) == f"{VARIABLE_PREFIX}{name} is {text!r}: it must be {rule}"


@pytest.mark.parametrize("keys", ["", "good,", "se cret", "gehe\u00efm", "good,\x00bad"])
def test_a_wrong_key_is_refused_and_never_shown(keys: str) -> None:
    with pytest.raises(ValueError, match="STUDY_SCORE_API_KEY is wrong") as error:
        read_settings({"STUDY_SCORE_API_KEY": keys})
    for part in keys.split(","):
        assert not part or part not in str(error.value)


def test_all_wrong_values_are_named_at_once() -> None:
    with pytest.raises(ValueError, match=r"WORKERS is 'x'.*; STUDY_SCORE_FOLLOW is 'eh'"):
        read_settings({"STUDY_SCORE_WORKERS": "x", "STUDY_SCORE_FOLLOW": "eh"})


def test_one_version_cannot_be_followed() -> None:
    with pytest.raises(ValueError, match="FOLLOW is on, but STUDY_SCORE_MODEL names one version"):
        read_settings({"STUDY_SCORE_MODEL": "study_score:abc", "STUDY_SCORE_FOLLOW": "on"})


def test_the_variables_kubernetes_makes_for_a_service_do_no_harm() -> None:
    assert read_settings({"STUDY_SCORE_PORT": "tcp://10.0.0.1:80"}) == Settings()


def test_serving_with_a_wrong_setting_ends_at_once_in_one_line(home: Home) -> None:
    served = run({**home, "STUDY_SCORE_WORKERS": "lots"}, "bentoml", "serve", "--port", "0")
    assert served.returncode == 1
    assert served.stderr == (
        "study_score: STUDY_SCORE_WORKERS is 'lots':"
        " it must be a whole number from 1 to 256, or cpu_count\n"
    )
