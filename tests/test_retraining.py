"""A model after a model: champion and challenger, updates, held-back rows, what is told of them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import bentoml
import numpy as np
import pytest

from models import VERSION, store
from models.study_score import StudyScore
from tests.data import CARS_DIST, CARS_SPEED, write_csv
from tests.gate import draw
from training.__main__ import main

Captured = pytest.CaptureFixture[str]


UNCOMPARED = (
    "run_rmse",
    "own_rmse",
    "slope",
    "own_slope",
    "mean_hours",
    "own_hours_min",
    "own_hours_max",
)


def report(capsys: Captured) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def latest() -> StudyScore:
    return store.load(store.LATEST).model


@pytest.fixture
def cars(tmp_path: Path) -> tuple[str, str]:
    """The older and the newer half of the rows, mixed so that both have the same line."""
    old = write_csv(tmp_path / "old.csv", CARS_SPEED[::2], CARS_DIST[::2])
    return old, write_csv(tmp_path / "new.csv", CARS_SPEED[1::2], CARS_DIST[1::2])


def test_raw_does_not_replace_the_exact_model_of_the_same_rows(capsys: Captured) -> None:
    assert main([]) == 0
    champion = store.load(store.LATEST).tag
    capsys.readouterr()
    assert main(["--raw"]) == 3
    captured = capsys.readouterr()
    assert (
        f"champion {champion}: RMSE 0 on these rows; this model: 0.0251 on the same" in captured.out
    )
    assert captured.err == (
        f"training: refused, nothing saved: {champion} fits the same rows better;"
        " --force saves this model all the same\n"
    )
    assert [str(model.tag) for model in bentoml.models.list()] == [champion]


def test_force_and_dry_run_are_not_refused(capsys: Captured) -> None:
    assert main([]) == 0
    assert main(["--raw", "--dry-run", "--json"]) == 0
    assert main(["--raw", "--force"]) == 0
    assert latest().fit.raw


def test_json_tells_both_figures_and_the_refusal(capsys: Captured) -> None:
    main([])
    tag = store.load(store.LATEST).tag
    capsys.readouterr()
    assert main(["--raw", "--json"]) == 3
    found = report(capsys)
    assert found["tag"] is None
    assert found["champion"] == {
        "tag": tag,
        "rmse": 0.0,
        "challenger_rmse": found["rmse"],
        "same_rows": True,
        "refused": True,
        "reason": f"{tag} fits the same rows better",
        **dict.fromkeys(UNCOMPARED),
    }


def class_of(folder: Path, name: str, n: int, seed: int, scale: float = 1) -> str:
    rows = draw(np.random.default_rng(seed), n)
    return write_csv(folder / name, rows.hours, scale * rows.score)


def test_rows_unlike_the_champions_wait_for_a_person(tmp_path: Path, capsys: Captured) -> None:
    assert main([class_of(tmp_path, "may.csv", 100, 1)]) == 0
    tag = store.load(store.LATEST).tag
    capsys.readouterr()
    broken = class_of(tmp_path, "june.csv", 100, 2, scale=10)
    assert main([broken, "--json"]) == 3
    captured = capsys.readouterr()
    found = json.loads(captured.out)["champion"]
    assert found["refused"]
    assert found["reason"] in captured.err
    assert found["reason"].startswith(f"{tag} misses these rows by ")
    assert found["rmse"] > 10 * found["own_rmse"]
    assert found["slope"] > 5 * found["own_slope"]
    assert found["own_hours_min"] < found["mean_hours"] < found["own_hours_max"]
    assert found["rmse"] > found["challenger_rmse"]
    assert main([broken, "--dry-run"]) == 0
    assert "dry run: nothing saved; it would be refused: " in capsys.readouterr().out
    assert store.load(store.LATEST).tag == tag
    assert main([broken, "--force"]) == 0
    assert store.load(store.LATEST).tag != tag


def test_more_rows_of_the_same_class_get_in_alone_with_the_old_or_as_an_update(
    tmp_path: Path,
) -> None:
    old = class_of(tmp_path, "may.csv", 100, 1)
    new = class_of(tmp_path, "june.csv", 60, 2)
    one = class_of(tmp_path, "july.csv", 1, 3)
    assert main([old]) == 0
    tag = store.load(store.LATEST).tag
    assert main([new]) == 0
    assert main([old, new]) == 0
    assert main([one, "--update", tag]) == 0
    assert main([new, "--update", tag]) == 0
    assert latest().moments.n == 160


def test_a_broken_update_is_refused_however_few_its_rows(tmp_path: Path, capsys: Captured) -> None:
    assert main([class_of(tmp_path, "may.csv", 1000, 1)]) == 0
    tag = store.load(store.LATEST).tag
    capsys.readouterr()
    assert main([class_of(tmp_path, "june.csv", 20, 2, scale=10), "--update", tag, "--json"]) == 3
    captured = capsys.readouterr()
    found = json.loads(captured.out)["champion"]
    assert f"{tag} misses these rows by {found['run_rmse']:.4g} (RMSE), and its" in captured.err
    assert found["run_rmse"] > 5 * found["rmse"]


def test_a_run_has_the_folds_of_the_champion_unless_told_otherwise(
    tmp_path: Path, capsys: Captured
) -> None:
    assert main([class_of(tmp_path, "may.csv", 100, 1), "--folds", "4"]) == 0
    assert main([class_of(tmp_path, "june.csv", 100, 2)]) == 0
    assert len(latest().folds) == 4
    assert main([class_of(tmp_path, "july.csv", 100, 3), "--folds", "10"]) == 3
    assert "their rows are in 4 and in 10 folds" in capsys.readouterr().err


def test_the_labs_rows_replace_no_model_of_others(tmp_path: Path, capsys: Captured) -> None:
    assert main([]) == 0
    assert main([class_of(tmp_path, "may.csv", 20, 1)]) == 0
    assert main([]) == 3
    assert "the lab's model is a demonstration" in capsys.readouterr().err


def test_the_same_rows_and_options_are_not_refused_and_give_the_same_bits(
    cars: tuple[str, str],
) -> None:
    models = []
    for _ in range(2):
        assert main([*cars]) == 0
        models.append(latest())
    assert (models[0].W, models[0].b) == (models[1].W, models[1].b)
    assert models[0].siblings == models[1].siblings


def test_a_champion_that_cannot_be_read_is_no_obstacle(capsys: Captured) -> None:
    with bentoml.models.create(store.NAME):
        pass
    assert main([]) == 0
    assert "no comparison with the model now in the store: " in capsys.readouterr().err
    assert latest().W == 2


def test_an_update_is_a_training_on_all_rows(cars: tuple[str, str], capsys: Captured) -> None:
    assert main([*cars, "--folds", "7", "--force"]) == 0
    whole = latest()
    assert main([cars[0], "--folds", "7", "--force"]) == 0
    tag = store.load(store.LATEST).tag
    Path(cars[0]).unlink()
    assert main([cars[1], "--update", tag, "--force"]) == 0
    updated = latest()
    assert updated.sources == whole.sources
    assert updated.fit.update == tag
    for name in ("W", "b", "cv_rmse", "cv_r2", "residual_sd", "curvature_p", "spread_p"):
        assert updated.facts()[name] == pytest.approx(whole.facts()[name], rel=1e-12), name
    for ours, theirs in zip(updated.folds, whole.folds, strict=True):
        assert ours and theirs
        assert (ours.n, ours.mean_x, ours.sxy) == pytest.approx(
            (theirs.n, theirs.mean_x, theirs.sxy)
        )


def test_an_update_is_not_refused_for_a_model_of_the_new_rows_alone(
    cars: tuple[str, str],
) -> None:
    assert main([cars[0]]) == 0
    tag = store.load(store.LATEST).tag
    assert main([cars[1]]) == 0  # least squares on these rows: no line has a lower training cost
    assert main([cars[1], "--update", tag]) == 0
    assert latest().moments.n == 50


def test_updating_goes_on_with_empty_folds_filling_up(tmp_path: Path) -> None:
    main([])
    path = write_csv(tmp_path / "more.csv", np.arange(4.0, 30), 2 * np.arange(4.0, 30))
    assert main([path, "--update", store.LATEST]) == 0
    model = latest()
    assert (model.moments.n, model.W, model.b) == (29, 2, 0)
    assert sum(fold is not None for fold in model.folds) == 10


def test_a_file_that_the_old_model_has_seen_is_refused(
    cars: tuple[str, str], tmp_path: Path, capsys: Captured
) -> None:
    main([cars[0]])
    tag = store.load(store.LATEST).tag
    again = tmp_path / "again.csv"
    Path(cars[0]).rename(again)
    assert main([str(again), "--update", tag]) == 1
    err = capsys.readouterr().err
    assert f"{again}: {tag} was trained on it already (the same 25 rows)" in err
    assert len(bentoml.models.list()) == 1


def test_updating_a_model_that_is_not_there_says_so(capsys: Captured) -> None:
    assert main(["--update", "study_score:nothing"]) == 1
    assert "has no model study_score:nothing" in capsys.readouterr().err


def test_an_update_keeps_its_folds(capsys: Captured) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--update", store.LATEST, "--folds", "3"])
    assert end.value.code == 2
    assert "--folds cannot change the folds of the model to --update" in capsys.readouterr().err


def test_held_back_rows_are_only_tested_on(cars: tuple[str, str], capsys: Captured) -> None:
    assert main([cars[0], "--test", cars[1], "--json"]) == 0
    found = report(capsys)
    residuals = found["W"] * CARS_SPEED[1::2] + found["b"] - CARS_DIST[1::2]
    assert found["rows"] == 25
    assert found["test"]["rows"] == 25
    assert found["test"]["rmse"] == pytest.approx(np.sqrt(np.mean(residuals**2)), rel=1e-12)
    variance = CARS_DIST[1::2].var()
    assert found["test"]["r2"] == pytest.approx(1 - np.mean(residuals**2) / variance, rel=1e-12)
    assert main([cars[0], "--test", cars[1], "--dry-run"]) == 0
    assert f"on 25 held-back rows: RMSE {found['test']['rmse']:.4g}" in capsys.readouterr().out


def test_held_back_rows_that_are_trained_on_too_are_refused(
    cars: tuple[str, str], capsys: Captured
) -> None:
    assert main([*cars, "--test", cars[1]]) == 1
    assert f"{cars[1]}: it is among the rows to train on" in capsys.readouterr().err


def test_a_stored_model_tells_what_it_was_made_from_and_how(tmp_path: Path) -> None:
    path = tmp_path / "marks.csv"
    path.write_text("Zeit,Punkte\n1,2\n2,x\n3,7\n4,7\n")
    columns = ["--hours-column", "Zeit", "--score-column", "Punkte"]
    assert main([str(path), *columns, "--skip-bad-rows", "--lr", "0.2", "--epochs", "50"]) == 0
    (source,), fit = latest().sources, latest().fit
    assert (source.name, source.columns) == (str(path), ("Zeit", "Punkte"))
    assert (source.rows, source.skipped, source.bytes) == (3, 1, path.stat().st_size)
    assert source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (fit.lr, fit.epochs, fit.raw, fit.update) == (0.2, 50, False, None)
    assert fit.versions.keys() == {"study_score", "python", "torch", "numpy", "duckdb"}
    assert fit.versions["study_score"] == VERSION
    metadata: Any = bentoml.models.get(store.LATEST).info.metadata
    assert metadata["sources"][0]["sha256"] == source.sha256


def test_rows_are_kept_only_when_asked(cars: tuple[str, str]) -> None:
    assert main([*cars]) == 0
    assert latest().points == ()
    assert main([*cars, "--keep-points"]) == 0
    rows = zip(CARS_SPEED.tolist(), CARS_DIST.tolist(), strict=True)
    assert sorted(latest().points) == sorted(rows)


def test_of_many_rows_500_are_kept(tmp_path: Path) -> None:
    x = np.arange(3000.0)
    path = write_csv(tmp_path / "rows.csv", x, 2 * x)
    assert main([path, "--keep-points", "--picture", str(tmp_path / "fit.png")]) == 0
    points = latest().points
    assert len(set(points)) == 500
    assert all(score == 2 * hours for hours, score in points)


def test_the_labs_rows_are_always_kept() -> None:
    main([])
    assert sorted(latest().points) == [(1, 2), (2, 4), (3, 6)]


@pytest.mark.parametrize("options", [[], ["--raw"]])
def test_a_picture_is_a_png(tmp_path: Path, options: list[str]) -> None:
    path = tmp_path / "fit.png"
    assert main([*options, "--dry-run", "--picture", str(path)]) == 0
    content = path.read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(content[16:20]) == 1650


def test_a_picture_that_cannot_be_written_saves_nothing(tmp_path: Path, capsys: Captured) -> None:
    assert main(["--picture", str(tmp_path / "no" / "fit.png")]) == 1
    assert "no/fit.png" in capsys.readouterr().err
    assert bentoml.models.list() == []


def test_a_picture_without_a_folder_is_refused_before_a_row_is_read(
    tmp_path: Path, capsys: Captured
) -> None:
    assert main([str(tmp_path / "nothing.csv"), "--picture", str(tmp_path / "no" / "fit.png")]) == 1
    assert "no/fit.png: cannot be written, for its folder is not there" in capsys.readouterr().err


def test_limits_of_scores_are_kept_with_the_model_and_by_an_update(
    tmp_path: Path, capsys: Captured
) -> None:
    may, june = class_of(tmp_path, "may.csv", 60, 1), class_of(tmp_path, "june.csv", 60, 2)
    assert main([may, "--score-range", "0", "150"]) == 0
    assert "hours, scores from 0 to 150" in capsys.readouterr().out
    tag = store.load(store.LATEST).tag
    assert latest().predict(500.0) == 150
    assert main([june, "--update", tag, "--json"]) == 0
    found = report(capsys)
    assert (found["score_min"], found["score_max"]) == (0, 150)
    assert latest().interval(500.0)[1] == 150
    outside = write_csv(tmp_path / "outside.csv", np.array([3.0]), np.array([151.0]))
    assert main([outside, "--update", store.LATEST]) == 1
    assert "outside.csv, row 2: score is '151.0'; score must be" in capsys.readouterr().err
    assert main([outside, "--update", store.LATEST, "--score-range", "0", "200"]) == 3
    assert main([outside, "--update", store.LATEST, "--score-range", "0", "200", "--force"]) == 0
    assert latest().score_range == (0, 200)


def test_the_report_and_json_say_what_the_rows_say_of_the_line(
    cars: tuple[str, str], capsys: Captured
) -> None:
    assert main([*cars, "--dry-run", "--json"]) == 0
    found = report(capsys)
    assert [each["about"] for each in found["findings"]] == [
        "slope",
        "straightness",
        "spread",
        "normality",
        "interval",
    ]
    assert (found["interval"], found["spread"]) == ("normal", "even")
    assert main([*cars, "--dry-run"]) == 0
    out = capsys.readouterr().out
    for each in found["findings"]:
        assert f"\n{each['sentence']}\n" in out
    # R: confint(lm(dist ~ speed))
    assert "95 % confidence: W from 3.097 to 4.768, b from -31.17 to -3.99\n" in out


def with_scores(folder: Path, scores: list[float]) -> str:
    return write_csv(folder / "rows.csv", np.linspace(0, 10, len(scores)), np.array(scores))


MIDDLE = list(np.linspace(20.0, 80.0, 60))


@pytest.mark.parametrize(
    ("scores", "advice"),
    [
        (
            [*MIDDLE, *[100.0] * 6],
            "9% of the scores are exactly 100, the highest; if there can be none beyond,"
            " --score-range 0 100 keeps predictions within",
        ),
        ([*[0.0] * 10, *MIDDLE], "14% of the scores are exactly 0, the lowest; if there can be"),
        ([*MIDDLE, *[90.0] * 9], "--score-range 0 90 keeps"),
        (
            [*[0.0] * 10, *MIDDLE, *[100.0] * 10],
            "12% of the scores are exactly 0, the lowest and 12% of the scores are exactly 100",
        ),
        ([*MIDDLE, *[100.0] * 4], ""),  # so few may be chance
        ([*MIDDLE * 3, *[100.0] * 8], ""),  # of 188
        ([*MIDDLE, *[99.0] * 20, *[100.0] * 9], ""),  # whole numbers that become rare
        ([*MIDDLE, *[120.0] * 9], ""),
        ([-1.0, *MIDDLE, *[100.0] * 9], ""),
        ([100.0] * 20, ""),
    ],
)
def test_scores_that_pile_up_at_an_end_suggest_their_limits(
    scores: list[float], advice: str, tmp_path: Path, capsys: Captured
) -> None:
    path = with_scores(tmp_path, scores)
    assert main([path, "--dry-run", "--json"]) == 0
    error = capsys.readouterr().err
    assert advice in error
    assert ("--score-range" in error) == bool(advice)
    assert main([path, "--dry-run", "--score-range", "-10", "200"]) == 0
    assert "--score-range" not in capsys.readouterr().err
