"""A model after a model: champion and challenger, updates, held-back rows, what is told of them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import bentoml
import numpy as np
import pytest

from models import VERSION, store
from tests.command import saved, train
from tests.data import CARS_DIST, CARS_SPEED, write, write_csv
from tests.gate import write_class
from training.__main__ import main

UNCOMPARED = [
    "run_rmse",
    "own_rmse",
    "slope",
    "own_slope",
    "mean_hours",
    "own_hours_min",
    "own_hours_max",
]


@pytest.fixture
def cars(tmp_path: Path) -> tuple[str, str]:
    """The older and the newer half of the rows, mixed so that both have the same line."""
    old = write_csv(tmp_path / "old.csv", CARS_SPEED[::2], CARS_DIST[::2])
    return old, write_csv(tmp_path / "new.csv", CARS_SPEED[1::2], CARS_DIST[1::2])


def test_raw_does_not_replace_the_exact_model_of_the_same_rows() -> None:
    champion = saved().tag
    ended = train("--raw", status=3)
    assert f"champion {champion}: RMSE 0, this model's 0.0251, on the same rows" in ended.out
    assert ended.err == (
        f"training: refused, nothing saved: {champion} fits the same rows better;"
        " --force saves this model anyway\n"
    )
    assert [str(model.tag) for model in bentoml.models.list()] == [champion]


def test_force_and_dry_run_are_not_refused() -> None:
    train()
    train("--raw", "--dry-run", "--json")
    assert saved("--raw", "--force").model.fit.raw


def test_json_tells_both_figures_and_the_refusal() -> None:
    tag = saved().tag
    report = train("--raw", "--json", status=3).report
    assert report["tag"] is None
    assert report["champion"] == {
        "tag": tag,
        "rmse": 0.0,
        "challenger_rmse": report["rmse"],
        "same_rows": True,
        "refused": True,
        "reason": f"{tag} fits the same rows better",
        **dict.fromkeys(UNCOMPARED),
    }


def test_rows_unlike_the_champions_wait_for_a_person(tmp_path: Path) -> None:
    tag = saved(write_class(tmp_path, "may.csv", 100, 1)).tag
    broken = write_class(tmp_path, "june.csv", 100, 2, scale=10)
    ended = train(broken, "--json", status=3)
    champion = ended.report["champion"]
    assert champion["refused"]
    assert champion["reason"] in ended.err
    assert champion["reason"].startswith(f"{tag} misses these rows by ")
    assert champion["rmse"] > 10 * champion["own_rmse"]
    assert champion["slope"] > 5 * champion["own_slope"]
    assert champion["own_hours_min"] < champion["mean_hours"] < champion["own_hours_max"]
    assert champion["rmse"] > champion["challenger_rmse"]
    out = train(broken, "--dry-run").out
    assert "dry run: nothing saved; it would be refused: " in out
    assert store.load(store.LATEST).tag == tag
    assert saved(broken, "--force").tag != tag


def test_more_rows_of_the_same_class_get_in_alone_with_the_old_or_as_an_update(
    tmp_path: Path,
) -> None:
    old = write_class(tmp_path, "may.csv", 100, 1)
    new = write_class(tmp_path, "june.csv", 60, 2)
    tag = saved(old).tag
    train(new)
    train(old, new)
    train(write_class(tmp_path, "july.csv", 1, 3), "--update", tag)
    assert saved(new, "--update", tag).model.moments.n == 160


def test_a_broken_update_is_refused_however_few_its_rows(tmp_path: Path) -> None:
    tag = saved(write_class(tmp_path, "may.csv", 1000, 1)).tag
    broken = write_class(tmp_path, "june.csv", 20, 2, scale=10)
    ended = train(broken, "--update", tag, "--json", status=3)
    champion = ended.report["champion"]
    assert f"{tag} misses these rows by {champion['run_rmse']:.4g} (RMSE), and its" in ended.err
    assert champion["run_rmse"] > 5 * champion["rmse"]


def test_a_run_has_the_folds_of_the_champion_unless_told_otherwise(tmp_path: Path) -> None:
    train(write_class(tmp_path, "may.csv", 100, 1), "--folds", 4)
    assert len(saved(write_class(tmp_path, "june.csv", 100, 2)).model.folds) == 4
    ended = train(write_class(tmp_path, "july.csv", 100, 3), "--folds", 10, status=3)
    assert "their rows are in 4 and in 10 folds" in ended.err


def test_the_labs_rows_replace_no_model_of_others(tmp_path: Path) -> None:
    train()
    train(write_class(tmp_path, "may.csv", 20, 1))
    assert "the lab's model is a demonstration" in train(status=3).err


def test_the_same_rows_and_options_are_not_refused_and_give_the_same_bits(
    cars: tuple[str, str],
) -> None:
    one, other = (saved(*cars).model for _ in range(2))
    assert (one.W, one.b) == (other.W, other.b)
    assert one.cv_lines == other.cv_lines


def test_a_champion_that_cannot_be_read_is_no_obstacle() -> None:
    with bentoml.models.create(store.NAME):
        pass
    assert "no comparison with the model now in the store: " in train().err
    assert store.load(store.LATEST).model.W == 2


def test_an_update_is_a_training_on_all_rows(cars: tuple[str, str]) -> None:
    whole = saved(*cars, "--folds", 7, "--force").model
    tag = saved(cars[0], "--folds", 7, "--force").tag
    Path(cars[0]).unlink()
    updated = saved(cars[1], "--update", tag, "--force").model
    assert updated.sources == whole.sources
    assert updated.fit.update == tag
    for name in ("W", "b", "cv_rmse", "cv_r2", "residual_sd", "curvature_p", "spread_p"):
        assert updated.facts()[name] == pytest.approx(whole.facts()[name], rel=1e-12), name
    for ours, theirs in zip(updated.folds, whole.folds, strict=True):
        assert ours and theirs
        expected = pytest.approx((theirs.n, theirs.mean_x, theirs.sxy))
        assert (ours.n, ours.mean_x, ours.sxy) == expected


def test_an_update_is_not_refused_for_a_model_of_the_new_rows_alone(
    cars: tuple[str, str],
) -> None:
    tag = saved(cars[0]).tag
    train(cars[1])  # least squares on these rows: no line has a lower training cost
    assert saved(cars[1], "--update", tag).model.moments.n == 50


def test_updating_goes_on_with_empty_folds_filling_up(tmp_path: Path) -> None:
    train()
    path = write_csv(tmp_path / "more.csv", np.arange(4.0, 60), 2 * np.arange(4.0, 60))
    model = saved(path, "--update", store.LATEST).model
    assert (model.moments.n, model.W, model.b) == (59, 2, 0)
    assert sum(fold is not None for fold in model.folds) == 10


def test_a_file_that_the_old_model_has_seen_is_refused(
    cars: tuple[str, str], tmp_path: Path
) -> None:
    tag = saved(cars[0]).tag
    again = Path(cars[0]).rename(tmp_path / "again.csv")
    err = train(again, "--update", tag, status=1).err
    assert f"{again}: {tag} was trained on it already (the same 25 rows)" in err
    assert len(bentoml.models.list()) == 1


def test_updating_a_model_that_is_not_there_says_so() -> None:
    err = train("--update", "study_score:nothing", status=1).err
    assert "has no model study_score:nothing" in err


def test_an_update_keeps_its_folds(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--update", store.LATEST, "--folds", "3"])
    assert end.value.code == 2
    assert "--folds cannot change the folds of the model to --update" in capsys.readouterr().err


def test_held_back_rows_are_only_tested_on(cars: tuple[str, str]) -> None:
    report = train(cars[0], "--test", cars[1], "--json").report
    test = report["test"]
    residuals = report["W"] * CARS_SPEED[1::2] + report["b"] - CARS_DIST[1::2]
    assert (report["rows"], test["rows"]) == (25, 25)
    assert test["rmse"] == pytest.approx(np.sqrt(np.mean(residuals**2)), rel=1e-12)
    variance = CARS_DIST[1::2].var()
    assert test["r2"] == pytest.approx(1 - np.mean(residuals**2) / variance, rel=1e-12)
    out = train(cars[0], "--test", cars[1], "--dry-run").out
    assert f"on 25 held-back rows: RMSE {test['rmse']:.4g}" in out


def test_held_back_rows_that_are_trained_on_too_are_refused(cars: tuple[str, str]) -> None:
    err = train(*cars, "--test", cars[1], status=1).err
    assert f"{cars[1]}: it is among the rows to train on" in err


def test_a_stored_model_tells_what_it_was_made_from_and_how(tmp_path: Path) -> None:
    path = write(tmp_path, "Zeit,Punkte\n1,2\n2,x\n3,7\n4,7\n", "marks.csv")
    columns = ["--hours-column", "Zeit", "--score-column", "Punkte"]
    model = saved(path, *columns, "--skip-bad-rows", "--lr", 0.2, "--epochs", 50).model
    (source,), fit = model.sources, model.fit
    content = Path(path).read_bytes()
    assert (source.name, source.columns) == (path, ("Zeit", "Punkte"))
    assert (source.rows, source.skipped, source.bytes) == (3, 1, len(content))
    assert source.sha256 == hashlib.sha256(content).hexdigest()
    assert (fit.lr, fit.epochs, fit.raw, fit.update) == (0.2, 50, False, None)
    assert fit.versions.keys() == {"study_score", "python", "torch", "numpy", "duckdb"}
    assert fit.versions["study_score"] == VERSION
    metadata: Any = bentoml.models.get(store.LATEST).info.metadata
    assert metadata["sources"][0]["sha256"] == source.sha256


def test_rows_are_kept_only_when_asked(cars: tuple[str, str]) -> None:
    assert saved(*cars).model.points == ()
    rows = zip(CARS_SPEED.tolist(), CARS_DIST.tolist(), strict=True)
    assert sorted(saved(*cars, "--keep-points").model.points) == sorted(rows)


def test_of_many_rows_500_are_kept(tmp_path: Path) -> None:
    x = np.arange(3000.0)
    path = write_csv(tmp_path / "rows.csv", x, 2 * x)
    points = saved(path, "--keep-points", "--picture", tmp_path / "fit.png").model.points
    assert len(set(points)) == 500
    assert all(score == 2 * hours for hours, score in points)


def test_the_labs_rows_are_always_kept() -> None:
    assert sorted(saved().model.points) == [(1, 2), (2, 4), (3, 6)]


@pytest.mark.parametrize("options", [[], ["--raw"]])
def test_a_picture_is_a_png(tmp_path: Path, options: list[str]) -> None:
    path = tmp_path / "fit.png"
    train(*options, "--dry-run", "--picture", path)
    content = path.read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(content[16:20]) == 1650


def test_a_picture_that_cannot_be_written_saves_nothing(tmp_path: Path) -> None:
    """Its folder is missing, which is seen before a row is read."""
    picture = tmp_path / "no" / "fit.png"
    for rows in ([], [tmp_path / "nothing.csv"]):
        err = train(*rows, "--picture", picture, status=1).err
        assert "no/fit.png: cannot be written: its folder does not exist" in err
    assert bentoml.models.list() == []


def test_limits_of_scores_are_kept_with_the_model_and_by_an_update(tmp_path: Path) -> None:
    may, june = (write_class(tmp_path, f"{k}.csv", 60, k) for k in (1, 2))
    assert "hours, scores from 0 to 150" in train(may, "--score-range", 0, 150).out
    tag, model = store.load(store.LATEST)
    assert model.predict(500.0) == 150
    report = train(june, "--update", tag, "--json").report
    assert (report["score_min"], report["score_max"]) == (0, 150)
    assert store.load(store.LATEST).model.interval(500.0)[1] == 150
    outside = write_csv(tmp_path / "outside.csv", np.array([3.0]), np.array([151.0]))
    update = [outside, "--update", store.LATEST]
    err = train(*update, status=1).err
    assert "outside.csv, row 2: score is '151.0'; score must be" in err
    train(*update, "--score-range", 0, 200, status=3)
    assert saved(*update, "--score-range", 0, 200, "--force").model.score_range == (0, 200)


def test_the_report_and_json_say_what_the_rows_say_of_the_line(cars: tuple[str, str]) -> None:
    report = train(*cars, "--dry-run", "--json").report
    about = ["slope", "straightness", "spread", "normality", "interval"]
    assert [each["about"] for each in report["findings"]] == about
    assert (report["interval"], report["spread"]) == ("normal", "even")
    out = train(*cars, "--dry-run").out
    for each in report["findings"]:
        assert f"\n{each['sentence']}\n" in out
    # R: confint(lm(dist ~ speed))
    assert "95 % confidence: W from 3.097 to 4.768, b from -31.17 to -3.99\n" in out


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
    scores: list[float], advice: str, tmp_path: Path
) -> None:
    hours = np.linspace(0, 10, len(scores))
    path = write_csv(tmp_path / "rows.csv", hours, np.array(scores))
    err = train(path, "--dry-run", "--json").err
    assert advice in err
    assert ("--score-range" in err) == bool(advice)
    assert "--score-range" not in train(path, "--dry-run", "--score-range", -10, 200).err
