"""Podman with an image store of its own, and containers of our image."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import requests

from service import image
from tests.processes import ROOT, call, right, wait_until

INSTALL = (
    "apt-get install --no-install-recommends"
    " podman runc containernetworking-plugins iptables catatonit debootstrap"
)
HERE = Path(__file__).parent
BASE = f"docker.io/library/{image.BASE}"
IMAGE = "localhost/study_score:latest"
LIKE_DOCKER = (
    "--read-only",
    "--tmpfs=/tmp:size=32m",
    "--cap-drop=all",
    "--security-opt=no-new-privileges",
    "--memory=256m",
    "--pids-limit=100",
)
HARDENED = (*LIKE_DOCKER, "--read-only-tmpfs=false")


def environment() -> dict[str, str]:
    """For podman and its callers. Images are kept for the next run, apart from the user's."""
    kept = Path(tempfile.gettempdir(), f"study-score-podman-{os.getuid()}")
    kept.mkdir(mode=0o700, exist_ok=True)
    settings = kept / "storage.conf"
    settings.write_text(
        f'[storage]\ndriver = "overlay"\ngraphroot = "{kept}/images"\nrunroot = "{kept}/run"\n'
    )
    return {
        **os.environ,
        "BENTOML_CONTAINERIZE_BACKEND": "podman",
        "CONTAINERS_CONF": str(HERE / "containers.conf"),
        "CONTAINERS_STORAGE_CONF": str(settings),
    }


@contextmanager
def built(folder: Path) -> Iterator[tuple[dict[str, str], float]]:
    """`make image` with a model store of its own: the environment, and the seconds it took."""
    home = {**environment(), "BENTOML_HOME": str(folder / "bentoml")}
    subprocess.run([HERE / "base.sh", BASE], env=home, timeout=900, check=True)
    start = time.monotonic()
    # with this umask only their owner can read the files here; in the image every user can
    make = call("make", "image", cwd=ROOT, env=home, umask=0o077, timeout=900)
    assert make.returncode == 0, make.stdout + make.stderr
    seconds = time.monotonic() - start
    try:
        yield home, seconds
    finally:
        images = podman("images", "--quiet", "--filter=reference=localhost/study_score")
        podman("rmi", "--force", *set(images.split()))


def podman(*command: str) -> str:
    """What a command prints."""
    run = call("podman", *command, env=environment(), timeout=60)
    assert run.returncode == 0, (command, run.stderr)
    return run.stdout.strip()


def locked() -> list[str]:
    """The packages of service/requirements.txt, as NAME==VERSION."""
    text = (ROOT / "service/requirements.txt").read_text()
    return re.findall(r"^(\S+==\S+)", text, re.MULTILINE)


class Container(NamedTuple):
    name: str
    url: str
    seconds: float  # from `podman run` to the first right answer

    def inspect(self, template: str) -> str:
        return podman("inspect", "--format", template, self.name)

    def run(self, *command: str) -> str:
        return podman("exec", self.name, *command)

    def memory(self) -> int:
        """Bytes in use by all its processes."""
        # control groups, version 2 or else version 1
        files = "cat memory.current 2>/dev/null || cat memory/memory.usage_in_bytes"
        return int(self.run("sh", "-c", f"cd /sys/fs/cgroup; {files}"))


@contextmanager
def running(*options: str, command: tuple[str, ...] = ()) -> Iterator[Container]:
    """A container of our image, from its first right answer on."""
    start = time.monotonic()
    name = podman("run", "--detach", "--publish=127.0.0.1::3000", *options, IMAGE, *command)
    try:
        url = f"http://{podman('port', name, '3000')}"
        wait_until(lambda: right(url))
        yield Container(name, url, time.monotonic() - start)
    finally:
        podman("rm", "--force", "--time=0", name)


def serves(url: str, model: str, key: str) -> bool:
    headers = {"Authorization": f"Bearer {key}"}
    try:
        answer = requests.get(f"{url}/model", headers=headers, timeout=5)
    except requests.RequestException:
        return False
    return answer.ok and answer.json()["tag"] == model
