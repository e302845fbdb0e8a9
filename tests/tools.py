"""Programs that are not Python's, and that a test needs."""

from __future__ import annotations

import os
import shutil

import pytest


def tool(name: str, install: str) -> str:
    """The path of a program; without it the test is skipped, or fails under REQUIRE_ALL=1."""
    path = shutil.which(name)
    if path is None:
        message = f"{name} is missing; install it with: {install}"
        if os.environ.get("REQUIRE_ALL") == "1":
            pytest.fail(message)
        pytest.skip(message)
    return path
