"""What the Makefile's targets do, with a set-up that stands already."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import ROOT, Home, call, stored
from tests.tools import tool


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkout whose environment is this one."""
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    for room in ("service", "training", "tests", "models"):
        (tmp_path / room).symlink_to(ROOT / room)
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    (tmp_path / ".venv" / "ready").touch()
    return tmp_path


def make(folder: Path, home: Home, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = tool("make", "apt-get install make")
    return call(program, "--no-print-directory", *arguments, cwd=folder, env=home)


def test_serve_trains_where_the_store_is_empty_and_serves_on_the_port_given(
    folder: Path, home: Home
) -> None:
    plan = make(folder, home, "serve", "PORT=3001", "--dry-run").stdout
    assert "|| python -m training\n" in plan
    assert plan.endswith("bentoml serve --host 127.0.0.1 --port 3001\n")


def test_help_names_every_target(folder: Path, home: Home) -> None:
    phony = re.findall(r"^\.PHONY: (.+)$", (folder / "Makefile").read_text(), re.MULTILINE)
    shown = re.findall(r"^  make (\w+): \w", make(folder, home, "help").stdout, re.MULTILINE)
    assert sorted(shown) == sorted(phony[0].split())


def test_a_port_in_use_gets_one_sentence_before_anything_is_trained(
    folder: Path, home: Home
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        run = make(folder, home, "serve", f"PORT={port}")
    sentence, _ = run.stderr.splitlines()  # the other is make's own
    assert f"port {port} cannot be had" in sentence
    assert "make serve PORT=3001" in sentence
    assert stored(home) == []


def test_an_older_python_gets_one_sentence(folder: Path, home: Home) -> None:
    old = folder / "python3.8"
    old.write_text('#!/bin/sh\nexec python3 -c "import sys; sys.version_info = (3, 8, 1)\n$2"\n')
    old.chmod(0o755)
    (folder / ".venv" / "ready").unlink()
    run = make(folder, home, "setup", f"PYTHON={old}")
    sentence, _ = run.stderr.splitlines()
    assert "needs Python 3.11 or later" in sentence
    assert "is 3.8" in sentence
