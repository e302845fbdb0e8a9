"""The container image: BentoML's own, without files that a running service never reads."""

from __future__ import annotations

import shlex

from bentoml.images import Image

BASE = "python:3.11-slim"  # to pin it: python:3.11-slim@sha256:DIGEST

# BentoML's Dockerfile calls `uv venv ... FOLDER`, then `uv ... pip install ... -r FILE`, and leaves
# uv's 40 MB in the image. This script replaces uv by the venv and pip of the base image, and then
# deletes itself. It deletes files in the step that installs them: a later layer could only hide
# them.
_UV = """\
#!/bin/sh
set -e
for last; do :; done
if [ "$1" = venv ]; then exec python -m venv --without-pip "$last"; fi
pip --python "$VIRTUAL_ENV" install --quiet --no-cache-dir --no-compile --require-hashes -r "$last"
cd "$VIRTUAL_ENV"
find lib -type d '(' -name tests -o -name test -o -name include ')' -prune -exec rm -r {} +
find lib -type f '(' -name '*.pyi' -o -name '*.a' ')' -delete
python -m compileall -q -j 0 lib
rm "$0"
"""
_TO = "/usr/local/bin/uv"

IMAGE = Image(
    base_image=BASE,
    # A distribution unknown to BentoML, so that it adds no compiler and no git.
    distro="none",
    commands=[
        f"printf '%s\\n' {' '.join(map(shlex.quote, _UV.splitlines()))} > {_TO} && chmod +x {_TO}",
        # BentoML creates these at start-up, which fails on a read-only file system.
        'cd "$BENTOML_HOME" && mkdir bentos envs models tmp',
    ],
)
