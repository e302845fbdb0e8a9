"""What the README says is so: its commands, their outputs, its file map, its pointers into code."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from service.settings import PREFIX, Settings
from tests.processes import ROOT, Home, serving

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
COMMANDS = [
    (command, output)
    for block in BLOCKS
    for command, output in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
]
TAG = re.compile(r"study_score:[a-z0-9]{16}")
DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


def plain(text: str) -> list[str]:
    """The lines of an output, without what differs from run to run."""
    return [DATE.sub("DATE", TAG.sub("TAG", line.strip())) for line in text.splitlines() if line]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What a clone holds."""
    files = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in files.stdout.splitlines():
        target = tmp_path / "checkout" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    return tmp_path / "checkout"


def test_every_command_does_what_the_readme_shows(checkout: Path, home: Home) -> None:
    scripts = Path(sys.executable).parent
    home = {**home, "PATH": f"{scripts}{os.pathsep}{home['PATH']}", "COLUMNS": "80"}

    def shell(command: str) -> str:
        run = subprocess.run(
            ["bash", "-c", command],
            cwd=checkout,
            env=home,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        return run.stdout

    (make, trained), *others = COMMANDS
    assert make == "make serve"
    recipe = (checkout / "Makefile").read_text()
    assert "|| python -m training\n\tbentoml serve --host 127.0.0.1 --port 3000\n" in recipe
    assert plain(shell("python -m training")) == plain(trained)
    with serving(home, cwd=checkout) as url:
        for command, output in others:
            command = command.replace("curl", "curl -s").replace("http://localhost:3000", url)
            command = command.replace("localhost:3000", url)
            assert "\n".join(plain(output)) in "\n".join(plain(shell(command))), command
        (python,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
        script = python.replace("http://localhost:3000", url)
        assert shell(f"python -c {shlex.quote(script)}").strip() == "8.0"


def test_the_file_map_is_the_tree() -> None:
    mapped = set(re.findall(r"^\| `((?:models|service|training)/[^`]+)` \|", README, re.MULTILINE))
    tree = {
        str(path.relative_to(ROOT))
        for room in ("models", "service", "training")
        for path in (ROOT / room).rglob("*")
        if path.is_file() and path.suffix != ".pyc" and path.name != "__init__.py"
    }
    assert mapped == tree


def test_each_step_of_the_lab_points_to_a_line_that_is_there() -> None:
    steps = re.findall(r"\| `([^`|]+)` in `((?:training|models)/\w+\.py)`", README)
    assert len(steps) == 6
    for code, file in steps:
        assert code in (ROOT / file).read_text(), (code, file)


UNLIKE_PYTHON = {
    "API_KEY": "none",
    "ACCESS_LOG": "on",
    "FOLLOW": "on for `latest`, off in a Bento",
}


def test_the_settings_table_is_the_settings() -> None:
    rows = re.findall(rf"^\| `{PREFIX}(\w+)` \| ([^|]+) \| ([^|]+) \|", README, re.MULTILINE)
    assert [name.lower() for name, *_ in rows] == list(Settings.model_fields)
    for name, default, rule in rows:
        field = Settings.model_fields[name.lower()]
        assert rule.startswith(str(field.description))
        assert default.strip("`") == UNLIKE_PYTHON.get(name, str(field.default))
