"""Saving while others train, and while the process is killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.gate import write_class
from tests.processes import ROOT, Home, call, run, start_training


def python(home: Home, script: str, *arguments: str) -> list[Any]:
    """The JSON values that a script prints, line by line."""
    result = call(sys.executable, "-c", script, *arguments, cwd=ROOT, env=home, timeout=300)
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_training_is_compared_with_what_another_saved_while_it_waited_for_its_rows(
    tmp_path: Path, home: Home
) -> None:
    pipe, slow = tmp_path / "pipe.csv", Path(write_class(tmp_path, "slow.csv", 100, 1, scale=10))
    os.mkfifo(pipe)
    with start_training(home, str(pipe), "--json", stdout=subprocess.PIPE) as waiting:
        with pipe.open("wb") as rows:  # once it is read, after the look at the empty store
            other = run(home, "training", write_class(tmp_path, "quick.csv", 100, 2), "--json")
            assert other.returncode == 0, other.stderr
            rows.write(slow.read_bytes())
        out, error = waiting.communicate(timeout=120)
    tag = json.loads(other.stdout)["tag"]
    assert waiting.returncode == 3, error
    assert f"refused, nothing saved: {tag} misses these rows by " in error
    found = json.loads(out)
    assert (found["tag"], found["champion"]["tag"]) == (None, tag)
    again = run(home, "training", str(slow), "--json", "--force")
    assert json.loads(again.stdout)["champion"]["tag"] == tag
    assert again.returncode == 0


KILLED = """
import json, os, random, signal, time
import bentoml
from models import store
from training.fit import fit
from training.gate import locked
from training.rows import read_rows

model = fit(read_rows([]))
first = store.save(model)
chance = random.Random(2026)
left_behind = 0
for _ in range(30):
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        while True:
            with locked():
                os.write(writing, b".")
                store.save(model)
    os.read(reading, 1)  # it saves, again and again
    time.sleep(chance.uniform(0, 0.02))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    start = time.monotonic()
    with locked():
        left_behind = max(left_behind, time.monotonic() - start)
        latest = store.load(store.LATEST)
        listed = bentoml.models.list(store.NAME)
        readable = store.readable()
        print(json.dumps([latest.model == model, len(listed) == len(readable), len(listed)]))
        store.save(model)
print(json.dumps(left_behind))
"""


def test_a_save_that_is_killed_leaves_neither_half_a_model_nor_a_lock(home: Home) -> None:
    *looks, waited = python(home, KILLED)
    assert len(looks) == 30
    assert all(same and whole for same, whole, _ in looks)
    assert looks[-1][2] > 30  # of which most are those of the killed
    assert waited < 1


TOGETHER = """
import contextlib, io, json, os, sys
from training.__main__ import main
import training.run

reading, writing = os.pipe()
children = []
for path in sys.argv[1:]:
    out_of, into = os.pipe()
    child = os.fork()
    if not child:
        os.close(writing)
        os.read(reading, 1)  # until all are there
        report = io.StringIO()
        with contextlib.redirect_stdout(report), contextlib.redirect_stderr(io.StringIO()):
            status = main([path, "--json", "--epochs", "100"])
        os.write(into, json.dumps([status, json.loads(report.getvalue())]).encode())
        os._exit(0)
    os.close(into)
    children.append((child, out_of))
os.close(writing)
for child, out_of in children:
    with open(out_of, "rb") as pipe:
        status, report = json.load(pipe)
    os.waitpid(child, 0)
    print(json.dumps([status, report["tag"], report["champion"] and report["champion"]["tag"]]))
"""


def test_of_twenty_trainings_at_once_each_is_compared_with_the_one_before(
    tmp_path: Path, home: Home
) -> None:
    """Every fourth has its scores times 10."""
    paths = [
        write_class(tmp_path, f"{k}.csv", 100, k, scale=10 if k % 4 == 3 else 1) for k in range(20)
    ]
    found = python(home, TOGETHER, *paths)
    assert len(found) == 20
    saved = {champion: tag for status, tag, champion in found if status == 0}
    assert sum(status == 0 for status, *_ in found) == len(saved)  # none is replaced by two
    order = [saved[None]]
    while order[-1] in saved:
        order.append(saved[order[-1]])
    assert len(order) == len(saved)
    assert len(saved) >= 5
    for status, tag, champion in found:
        assert status == 0 or (status, tag) == (3, None)
        assert status == 0 or champion in order
