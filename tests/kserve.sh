#!/usr/bin/env bash
# KServe's client in an environment of its own, because what it needs would change ours; 450 MB.
set -euo pipefail
cd "$(dirname "$0")/.."
python3 -m venv .venv/kserve
.venv/kserve/bin/pip install --quiet --only-binary :all: kserve==0.21.0
