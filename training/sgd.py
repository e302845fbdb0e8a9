"""The lesson: gradient descent with torch on the cost of `H(x) = Wx + b`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch

from models.cost import Cost


class Epoch(NamedTuple):
    """One epoch for each problem, shape (problems,): the cost, and W and b after the step."""

    number: int
    W: torch.Tensor
    b: torch.Tensor
    cost: torch.Tensor


def descend(cost: Cost, lr: float, epochs: int) -> Iterator[Epoch]:
    """SGD from W = b = 0 on each of the problems in `cost`, whose fields have shape (problems,).

    Epochs 0 to `epochs`, as the lab counts them. `cost.slope` is already the
    least-squares answer, but SGD does not use it: it sees only the cost and its gradients, as it
    would from the rows. The cost is written around its minimum because that keeps all digits.
    """
    W = torch.zeros_like(cost.slope, requires_grad=True)
    b = torch.zeros_like(cost.slope, requires_grad=True)
    optimizer = torch.optim.SGD([W, b], lr=lr)

    for number in range(epochs + 1):
        now = cost(W, b)

        optimizer.zero_grad()
        now.sum().backward()
        optimizer.step()

        yield Epoch(number, W.detach().clone(), b.detach().clone(), now.detach())


def side_by_side(costs: Sequence[Cost]) -> Cost:
    """Several costs as one, whose fields have shape (problems,)."""
    return Cost(*torch.tensor(costs, dtype=torch.float64).T)
