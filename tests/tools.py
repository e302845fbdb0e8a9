"""Programs from outside that some tests need."""

from __future__ import annotations

import os
import shutil

import pytest


def tool(name: str, install: str, *places: str) -> str:
    """The path of a program, which may also be in one of the places.

    Without it the test is skipped, or fails under REQUIRE_ALL=1.
    """
    path = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *places]))
    if path is None:
        sentence = f"{name} is missing; install it with: {install}"
        if os.environ.get("REQUIRE_ALL") == "1":
            pytest.fail(sentence)
        pytest.skip(sentence)
    return path
