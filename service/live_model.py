"""The model being served, and the store it follows."""

from __future__ import annotations

import asyncio
import gc
import logging
import math
from typing import Any

import bentoml
import numpy as np
from bentoml.exceptions import BentoMLException

from models import store
from models.study_score import HOURS_MAX
from service.metrics import metrics
from service.schemas import (
    BATCH_MAX,
    Cost,
    Curve,
    Finding,
    HoursFor,
    Limits,
    ModelCard,
    Prediction,
    Predictions,
    TrainedFrom,
    Training,
)

POLL_SECONDS = 0.5
logger = logging.getLogger("bentoml.serve")


class ServedModel:
    """A stored model, and its name in protocols that name models."""

    def __init__(self, stored: store.Stored, name: str = store.NAME) -> None:
        self.tag, self.model = stored
        self.name = name
        self.version = self.tag.partition(":")[2]
        self.tag_header = self.tag.encode()

    def predict(self, hours: float) -> Prediction:
        """The score for one number of hours."""
        low, high = self.model.interval(hours)
        return Prediction(
            score=self.model.predict(hours),
            low=low,
            high=high,
            extrapolated=self.model.extrapolates(hours),
        )

    def predict_batch(self, hours: list[float]) -> Predictions:
        """The scores for several numbers of hours, in the same order."""
        x = np.array(hours, dtype=np.float64)
        low, high = _lists(self.model.interval(x), len(x))
        return Predictions.model_construct(  # skips validating ten thousand numbers
            score=self.model.predict(x).tolist(),
            low=low,
            high=high,
            extrapolated=self.model.extrapolates(x).tolist(),
        )

    def hours_for(self, score: float) -> HoursFor:
        """The hours needed for a score."""
        hours, low, high, extrapolated = self.model.hours_for(score)
        return HoursFor(hours=hours, low=low, high=high, extrapolated=extrapolated)

    def card(self) -> ModelCard:
        """What the model is and how well it fits."""
        fit = self.model.fit
        return ModelCard(
            tag=self.tag,
            **self.model.facts(),
            epochs=fit.epochs,
            lr=fit.lr,
            raw=fit.raw,
            created=fit.created,
            sources=[TrainedFrom.of(source) for source in self.model.sources],
            findings=[Finding(**each._asdict()) for each in self.model.findings()],
            limits=Limits(hours_max=HOURS_MAX, batch_max=BATCH_MAX),
        )

    def training(self) -> Training:
        """What the page draws: cost by epoch, sample rows, the line and its bands."""
        model, moments = self.model, self.model.moments
        # wider steps far from the rows, where the ends of the interval are almost straight
        middle, half = (moments.min_x + moments.max_x) / 2, (moments.max_x - moments.min_x) / 2
        far = math.asinh(HOURS_MAX / half)
        steps = middle + half * np.sinh(np.arange(-far, far, 0.15))
        inside = steps[(steps > 0) & (steps < HOURS_MAX)]
        hours = sorted({0.0, moments.min_x, moments.max_x, HOURS_MAX, *inside.tolist()})
        x = np.array(hours)
        low, high = _lists(model.interval(x), len(x))
        line_low, line_high = _lists(model.line_interval(x), len(x))
        return Training(
            costs=list(model.costs),
            cost=Cost(
                least=moments.cost.least,
                slope=moments.slope,
                hours_mean=moments.mean_x,
                hours_variance=moments.cost.var_x,
                score_mean=moments.mean_y,
            ),
            points=list(model.points),
            curve=Curve(
                hours=hours,
                score=model.predict(x).tolist(),
                low=low,
                high=high,
                line_low=line_low,
                line_high=line_high,
            ),
        )


def _lists(interval: tuple[Any, Any], length: int) -> tuple[list[Any], list[Any]]:
    """Both ends of an interval as lists, of None if they are unknown."""
    low, high = interval
    return ([None] * length, [None] * length) if low is None else (low.tolist(), high.tolist())


class LiveModel:
    """The model that a worker serves; each request reads `served` once."""

    served: ServedModel

    def __init__(self, name: str = store.NAME) -> None:
        self.name = name

    def load(self, tag: bentoml.Tag | str) -> None:
        """Serve the model of a tag from now on; raises ModelMissing or ModelDamaged."""
        self._serve(store.load(tag))

    def _serve(self, stored: store.Stored) -> None:
        self.served = ServedModel(stored, self.name)
        metrics().tag = stored.tag
        moments = stored.model.moments
        metrics().training_hours = (moments.mean_x, moments.sd_x)
        # The garbage collector need not look at objects that stay.
        gc.collect()
        gc.freeze()

    def load_newest(self) -> None:
        """Serve the latest model, or the newest that can be read.

        The service does not start if its latest model cannot be read. But a worker that replaces a
        dead one must start, since the other workers still serve the previous model.

        Raises ModelMissing, or ModelDamaged if every model is.
        """
        try:
            self.load(store.LATEST)
        except BentoMLException as error:
            newest = next(iter(store.readable()), None)
            if newest is None:
                raise
            self._serve(newest)
            logger.error("serving %s: %s", newest.tag, error)

    async def follow(self) -> None:
        """Serve whatever becomes `study_score:latest`, until cancelled.

        If the store cannot be read, the current model stays in use and reading is retried. An error
        is logged once, and only if it occurs twice in a row, since a model may be half copied.
        """
        refusal, looks = "", 0
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                await asyncio.to_thread(self._look)
                refusal = ""
            except Exception as error:
                looks = looks + 1 if str(error) == refusal else 1
                refusal = str(error)
                if looks == 2:
                    logger.error("still serving %s: %s", self.served.tag, refusal)

    def _look(self) -> None:
        tag = store.latest()
        if tag and str(tag) != self.served.tag:  # if no model is left, keep this one
            self.load(tag)
            logger.info("now serving %s", tag)
