"""The model being served."""

from __future__ import annotations

import bentoml

from models import store
from service.schemas import ModelCard, Prediction, Predictions


class LiveModel:
    """A stored model and its tag, read once and ready to answer."""

    def __init__(self, stored: bentoml.Model) -> None:
        """Raises ModelDamaged."""
        self.tag = str(stored.tag)
        self.model = store.read(stored)

    def predict(self, hours: float) -> Prediction:
        """The score and its interval for one number of hours."""
        low, high = self.model.interval(hours)
        return Prediction(
            score=self.model.predict(hours),
            low=low,
            high=high,
            extrapolated=self.model.extrapolates(hours),
        )

    def predict_batch(self, hours: list[float]) -> Predictions:
        """The same for many, in the order asked."""
        intervals = [self.model.interval(each) for each in hours]
        return Predictions(
            score=[self.model.predict(each) for each in hours],
            low=[low for low, _ in intervals],
            high=[high for _, high in intervals],
            extrapolated=[self.model.extrapolates(each) for each in hours],
        )

    def card(self) -> ModelCard:
        """What the model is and how sure."""
        model, moments, fit = self.model, self.model.moments, self.model.fit
        return ModelCard(
            tag=self.tag,
            W=model.W,
            b=model.b,
            rows=moments.n,
            hours_min=moments.min_x,
            hours_max=moments.max_x,
            rmse=model.rmse,
            r2=model.r2,
            residual_sd=model.residual_sd,
            cv_rmse=model.cv_rmse,
            cv_r2=model.cv_r2,
            epochs=fit.epochs,
            lr=fit.lr,
            raw=fit.raw,
            created=fit.created,
            sources=list(model.sources),
        )
