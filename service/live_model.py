"""The model being served, and the store it follows."""

from __future__ import annotations

import asyncio
import gc
import logging

import bentoml
from bentoml.exceptions import BentoMLException

from models import store
from service.metrics import metrics

POLL_SECONDS = 0.5
logger = logging.getLogger("bentoml.serve")


class ServedModel:
    """A stored model, and its name in protocols that name models."""

    def __init__(self, stored: store.Stored, name: str = store.NAME) -> None:
        self.tag, self.model = stored
        self.name = name
        self.version = self.tag.partition(":")[2]
        self.tag_header = self.tag.encode()


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
        # objects that stay need no garbage collection
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
        problem, times = "", 0
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                await asyncio.to_thread(self._load_latest)
                problem = ""
            except Exception as error:
                times = times + 1 if str(error) == problem else 1
                problem = str(error)
                if times == 2:
                    logger.error("still serving %s: %s", self.served.tag, problem)

    def _load_latest(self) -> None:
        tag = store.latest()
        if tag and str(tag) != self.served.tag:  # if no model is left, keep this one
            self.load(tag)
            logger.info("now serving %s", tag)
