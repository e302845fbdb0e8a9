"""A BentoML service as its tutorial has it, with torch."""

from __future__ import annotations

import bentoml
import torch


@bentoml.service(name="stock")
class Stock:
    def __init__(self) -> None:
        self.model = torch.nn.Linear(1, 1)
        with torch.no_grad():
            self.model.weight.fill_(2.0)
            self.model.bias.fill_(0.0)

    @bentoml.api
    def predict(self, hours: float) -> dict[str, float]:
        with torch.inference_mode():
            return {"score": self.model(torch.tensor([[hours]])).item()}
