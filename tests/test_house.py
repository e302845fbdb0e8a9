"""What may know of what."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("module", "strangers"),
    [
        ("service.app", {"torch", "training", "pyarrow", "scipy"}),
        ("models.store", {"torch", "training", "service", "pyarrow", "scipy"}),
        ("training.__main__", {"service"}),
        ("training.sgd", {"service", "bentoml"}),
    ],
)
def test_each_room_knows_only_what_it_may(module: str, strangers: set[str]) -> None:
    code = f"import sys, {module}; print(*(name.partition('.')[0] for name in sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert strangers.isdisjoint(run.stdout.split())
