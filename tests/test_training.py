"""The command line: what it prints, what it saves and how it ends."""

from __future__ import annotations

import ast
import contextlib
import os
import pty
import re
import signal
import sys
from pathlib import Path
from subprocess import DEVNULL, PIPE

import bentoml
import pytest

from models import store
from models.study_score import StudyScore
from tests.command import saved, train
from tests.data import CARS_DIST, CARS_SPEED, write, write_csv
from tests.processes import ROOT, Home, call, start_training, stored, wait_until
from training.__main__ import main

Captured = pytest.CaptureFixture[str]


def test_it_says_what_it_read_fitted_and_saved(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "cars.csv", CARS_SPEED, CARS_DIST)
    out = train(path).out
    tag = store.load(store.LATEST).tag
    for expected in (
        f"{path}: 50 rows",
        "4 to 25 hours",
        "1000 epochs of SGD, learning rate 0.1, standard units",
        "score = 3.93241 * hours - 17.5791",
        "training error: RMSE 15.07, R² 0.6511",
        "cross-validated over 10 folds: RMSE ",
        f"saved {tag}",
    ):
        assert expected in out


def test_json_is_one_object_and_nothing_else() -> None:
    report = train("--json", "--raw").report
    model = store.load(report["tag"]).model
    assert (report["W"], report["b"]) == (model.W, model.b)
    assert (report["rows"], report["hours_min"], report["hours_max"]) == (3, 1.0, 3.0)
    assert (report["epochs"], report["lr"], report["raw"]) == (1000, 0.01, True)
    assert report["rmse"] == model.training_error.rmse
    assert {"r2", "residual_sd", "cv_rmse", "cv_r2", "sources"} <= set(report)


def test_a_dry_run_saves_nothing() -> None:
    assert train("--dry-run", "--json").report["tag"] is None
    assert bentoml.models.list() == []


def test_the_address_of_a_database_alone_asks_for_a_query() -> None:
    for address in ("sqlite:///marks.db", "postgresql://me:secret@host/marks"):
        err = train(address, status=1).err
        assert "a database is read with --query SQL" in err
        assert "secret" not in err


NOT_THERE = "(not there yet: SGD is heading for 2 * hours + 0)"


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ("--folds 1", "not cross-validated: that takes rows in two folds or more"),
        ("--raw", NOT_THERE),
        ("--epochs 3", NOT_THERE),
    ],
)
def test_a_report_says_what_a_fit_lacks(options: str, part: str) -> None:
    assert part in train("--dry-run", *options.split()).out
    assert part not in train("--dry-run").out


def test_several_files_are_one_data_set(tmp_path: Path) -> None:
    first = write_csv(tmp_path / "a.csv", CARS_SPEED[:20], CARS_DIST[:20])
    second = write_csv(tmp_path / "b.csv", CARS_SPEED[20:], CARS_DIST[20:])
    report = train(first, second, "--json", "--dry-run").report
    assert report["rows"] == 50
    assert [source["rows"] for source in report["sources"]] == [20, 30]
    assert report["W"] == pytest.approx(3.932409, abs=5e-7)


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("hours,score\n1,2\nx,3\n", [], "row 3: hours is 'x'"),
        ("hours,score\n1,2\n", [], "only 1 row; a line needs 2 or more"),
        ("hours,score\n.1,2\n.1,3\n.1,5\n", [], "hours never vary: all 3 rows have 0.1"),
        ("hours,score\n5,2\n20,3\n24,9\n", ["--raw"], "SGD diverges: in epoch 0"),
        ("hours,score\n5,2\n20,3\n24,9\n", ["--lr", "1.5"], "SGD diverges"),
        ("a,b\n1,2\n", ["--hours-column", "a"], "no column 'score'; the columns are: a, b"),
        ("hours,score\n1,2\n", ["--hours-column", "score"], "'score' cannot be both hours and"),
        ("1.5,42\n2,50\n", [], "; this line looks like data, not a header; --hours-column 1 --sc"),
        ("hours,score\n1,2\n2,3\n", ["--sheet", "May"], "--sheet is only for a workbook, and none"),
    ],
)
def test_bad_rows_or_fits_end_with_one_line_and_status_1(
    tmp_path: Path, content: str, options: list[str], message: str
) -> None:
    ended = train(write(tmp_path, content), *options, status=1)
    assert ended.out == "" or options == ["--raw"]
    first, *more = ended.err.splitlines()
    assert message in first
    assert all(line.startswith("training: try: python -m training ") for line in more)
    assert bentoml.models.list() == []


@pytest.mark.parametrize(
    "options",
    [
        *("--nonsense", "--dry", "--lr 0", "--lr nan", "--lr inf", "--epochs 0", "--epochs 1.5"),
        *("--folds 101", "--folds x", "--picture scores.csv"),
    ],
)
def test_wrong_usage_ends_with_status_2(options: str, capsys: Captured) -> None:
    with pytest.raises(SystemExit) as end:
        main(options.split())
    assert end.value.code == 2
    assert options.split()[0] in capsys.readouterr().err


def test_ctrl_c_ends_with_status_130_and_saves_nothing(home: Home) -> None:
    options = ["--raw", "--epochs", "1000000000"]
    with start_training(home, *options, stdout=PIPE) as training:
        assert training.stdout is not None
        training.stdout.readline()
        training.send_signal(signal.SIGINT)
        _, err = training.communicate(timeout=60)
    assert training.returncode == 130
    assert err == "training: interrupted; nothing saved\n"
    assert stored(home) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_a_polite_kill_end_the_reading_and_leave_nothing(
    tmp_path: Path, home: Home, number: signal.Signals
) -> None:
    path = write(tmp_path, "hours,score\n" + "1,2\n2,3\n" * 15_000_000)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    training = start_training({**home, "TMPDIR": str(temporary)}, path)
    wait_until(lambda: any(temporary.glob("study-score-*/*")))  # a link to the file
    training.send_signal(number)
    _, err = training.communicate(timeout=60)
    assert (training.returncode, err) == (130, "training: interrupted; nothing saved\n")
    assert list(temporary.glob("study-score-*")) == []
    assert stored(home) == []


def test_ctrl_c_and_a_polite_kill_wait_for_a_save_under_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(model: StudyScore) -> bentoml.Tag:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        return save(model)

    save = store.save
    monkeypatch.setattr(store, "save", interrupted)
    assert saved().model.W == 2


def test_a_terminal_sees_how_far_the_reading_is(tmp_path: Path, home: Home) -> None:
    path = write(tmp_path, "hours,score\n" + "1,2\n2,3\n" * 1_000_000)
    outside, inside = pty.openpty()
    streams = {"stdout": DEVNULL, "stderr": inside}
    training = start_training({**home, "TERM": "xterm"}, path, "--dry-run", **streams)
    os.close(inside)
    seen = b""
    with contextlib.suppress(OSError):  # the end of the other side
        while data := os.read(outside, 4096):
            seen += data
    os.close(outside)
    assert training.wait(timeout=60) == 0
    assert re.search(rb"read \d+ %", seen)
    assert b"epochs" in seen


def test_a_report_that_cannot_be_written_does_not_hide_that_the_model_is_saved(home: Home) -> None:
    for options, status, also in (
        ([], 0, "is saved nevertheless, as study_score:"),
        (["--dry-run"], 1, ""),
    ):
        with open("/dev/full", "w") as full:
            command = [sys.executable, "-m", "training", "--json", *options]
            ended = call(*command, env=home, capture_output=False, stdout=full, stderr=PIPE)
        assert ended.returncode == status
        assert "the report could not be written: No space left on device" in ended.stderr
        assert also in ended.stderr
    assert len(stored(home, "study_score/*/study_score.json")) == 1


def test_another_python_is_told_so_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without_packages = call(sys.executable, "-S", "-m", "training", cwd=ROOT)
    assert without_packages.returncode == 1
    assert "has no package" in without_packages.stderr
    assert "`make setup` installs what is needed" in without_packages.stderr
    assert without_packages.stderr.count("\n") == 1
    for file in ("__init__.py", "__main__.py", "errors.py"):
        ast.parse((ROOT / "training" / file).read_text(), feature_version=(3, 7))
    monkeypatch.setattr(sys, "version_info", (3, 8, 19))
    expected = "training: needs Python 3.11 or later, and this is 3.8\n"
    assert train(status=1).err == expected


def test_help_imports_nothing_heavy() -> None:
    run = call(sys.executable, "-X", "importtime", "-m", "training", "--help", cwd=ROOT)
    assert run.returncode == 0
    imported = {line.rpartition("|")[2].strip() for line in run.stderr.splitlines()}
    assert imported.isdisjoint({"torch", "bentoml", "pyarrow", "scipy", "numpy"})
    for option in ("--raw", "--lr", "--epochs", "--folds", "--dry-run", "--json"):
        assert option in run.stdout


def test_constant_scores_are_saved_too(tmp_path: Path) -> None:
    assert "R² unknown" in train(write(tmp_path, "hours,score\n1,7\n2,7\n3,7\n")).out
    assert store.load(store.LATEST).model.training_error.r2 is None


def test_a_run_does_without_torchs_compiler(home: Home) -> None:
    """`torch.optim` alone would import it."""
    code = (
        "import sys; from training.__main__ import main; main(['--dry-run']);"
        " sys.exit('torch.optim' not in sys.modules or 'torch._dynamo.utils' in sys.modules)"
    )
    call(sys.executable, "-c", code, env=home)
