#!/usr/bin/env bash
# From the newest model to a labelled image, with the container engine that runs here. Options go to `bentoml containerize`.
set -euo pipefail
cd "$(dirname "$0")/../.."

engine=${BENTOML_CONTAINERIZE_BACKEND:-}
for each in docker podman; do
    if [ -z "$engine" ] && "$each" info >/dev/null 2>&1; then engine=$each; fi
done
[ "$engine" ] || {
    echo "image: no container engine runs here; install and start docker (https://docs.docker.com/get-docker/)" \
        "or podman (https://podman.io/docs/installation)" >&2
    exit 1
}

if [ "$engine" = docker ] && ! DOCKER_BUILDKIT=1 docker build --help >/dev/null 2>&1; then
    echo "image: this docker cannot build: it has no buildx; install it (https://docs.docker.com/go/buildx/)," \
        "or build with podman: BENTOML_CONTAINERIZE_BACKEND=podman make image" >&2
    exit 1
fi

bento=$(bentoml build --output tag)
bento=${bento#__tag__:}
model=$(bentoml get "$bento" --output json | python -c 'import json, sys; print(json.load(sys.stdin)["services"][0]["models"][0]["tag"])')
bentoml containerize "$bento" --backend "$engine" --image-tag "$bento" --image-tag study_score:latest \
    --opt label=org.opencontainers.image.title="study score" \
    --opt label=org.opencontainers.image.version="$(python -c 'import models; print(models.VERSION)')" \
    --opt label=org.opencontainers.image.revision="$(git describe --always --dirty --abbrev=40 --exclude='*')" \
    --opt label=study-score.model="$model" "$@"
