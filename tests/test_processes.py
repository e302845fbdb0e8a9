"""Training in several processes under torchrun."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.data import write, write_csv, write_parquet
from tests.processes import ROOT, TORCHRUN, Home, run, stored, torchrun, wait_until
from tests.test_rows import random_rows


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "rows"
    folder.mkdir()
    x, y = random_rows(2_500_000)
    write_parquet(folder / "large.parquet", {"hours": x, "score": y}, row_group=300_000)
    x, y = random_rows(400_000, seed=9)
    pairs = enumerate(zip(x.tolist(), y.tolist(), strict=True))
    text = "".join(f'"a,\n{k}",{a!r},{b!r}\n' for k, (a, b) in pairs)  # in some five blocks
    write(folder, "name,hours,score\n" + text, "x.csv")
    for k in range(3):
        write_csv(folder / f"{k}.csv", *random_rows(1000, seed=k + 2))
    return folder


def test_two_processes_train_the_model_of_one(files: Path, home: Home) -> None:
    options = ["training", str(files), "--json", "--keep-points"]
    alone = json.loads(run(home, *options, "--dry-run").stdout)
    together = torchrun(home, *options)
    assert together.returncode == 0, together.stderr
    found = json.loads(together.stdout)
    assert found["sources"] == alone["sources"]
    assert (found["rows"], found["folds"]) == (2_903_000, 10)
    for name in ("W", "b", "residual_sd", "cv_rmse", "cv_r2"):
        assert found[name] == pytest.approx(alone[name], rel=1e-12), name
    (model,) = stored(home, "study_score/*/study_score.json")
    assert len(json.loads(model.read_text())["points"]) == 500


@pytest.mark.parametrize("rank", [0, 1])
def test_a_bad_row_in_one_process_ends_all_with_its_reason(
    files: Path, home: Home, rank: int
) -> None:
    write(files, "hours,score\n1,2\n2,x\n", f"{rank}.csv")
    ended = torchrun(home, "training", str(files))
    assert ended.returncode != 0
    reason = f"{rank}.csv, row 3: score is 'x'"
    assert f"training, process {rank} of 2: {files}/{reason}" in ended.stderr
    assert stored(home) == []


def test_a_missing_file_ends_all(home: Home) -> None:
    ended = torchrun(home, "training", "nothing.csv")
    assert ended.returncode != 0
    assert "nothing.csv: No such file or directory" in ended.stderr
    assert stored(home) == []


def test_torchrun_of_ours_ends_with_the_status_of_the_training(home: Home) -> None:
    assert run(home, "training").returncode == 0
    ended = run(home, "training.torchrun", *TORCHRUN[1:], "training", "--raw")
    assert ended.returncode == 3
    assert ended.stderr.startswith("training: refused, nothing saved: ")
    assert ended.stderr.count("\n") == 1
    ended = run(home, "training.torchrun", *TORCHRUN[1:], "training", "nothing.csv")
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr


def test_a_killed_process_ends_all(files: Path, home: Home) -> None:
    command = [sys.executable, "-m", *TORCHRUN, "training", str(files), "--epochs", "1000000000"]
    with subprocess.Popen(
        command, cwd=ROOT, env=home, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as started:
        wait_until(lambda: process(started.pid, rank=1) is not None)
        os.kill(process(started.pid, rank=1) or 0, signal.SIGKILL)
        _, err = started.communicate(timeout=60)
    assert started.returncode != 0
    assert "Signal 9 (SIGKILL)" in err
    assert stored(home) == []


def process(parent: int, rank: int) -> int | None:
    """The number of a rank's process, once it has started."""
    for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
        if f"\0RANK={rank}\0".encode() in b"\0" + Path(f"/proc/{pid}/environ").read_bytes():
            return int(pid)
    return None
