from __future__ import annotations

from pathlib import Path

import pytest
from bentoml.exceptions import BentoMLException

from service import memory
from service.memory import check_memory

MIB = 1 << 20


@pytest.fixture
def cgroup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    return tmp_path


@pytest.mark.parametrize("file", ["memory.max", "memory/memory.limit_in_bytes"])
@pytest.mark.parametrize(
    ("limit", "workers", "most"),
    [(256, 2, 2), (256, 3, 2), (1024, 12, 12), (1024, 13, 12), (100, 1, 0)],
)
def test_workers_must_fit_the_memory_limit(
    cgroup: Path, file: str, limit: int, workers: int, most: int
) -> None:
    (cgroup / file).parent.mkdir(exist_ok=True)
    (cgroup / file).write_text(f"{limit * MIB}\n")
    if workers <= most:
        return check_memory(workers)
    with pytest.raises(BentoMLException, match=f"has room for {most}: ") as error:
        check_memory(workers)
    assert str(error.value).startswith(f"STUDY_SCORE_WORKERS is {workers}, which take ")


@pytest.mark.parametrize("text", [None, "max\n", "9223372036854771712\n"])
def test_without_a_limit_any_number_of_workers_fits(cgroup: Path, text: str | None) -> None:
    if text:
        (cgroup / "memory.max").write_text(text)
    check_memory(256)
