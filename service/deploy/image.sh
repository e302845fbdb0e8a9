#!/usr/bin/env bash
# From the newest model to a labelled image and its SBOM, with the container engine that runs here. Options go to `bentoml containerize`.
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
{ read -r model && read -r sbom; } < <(python - "$bento" <<'END'
import sys, bentoml
bento = bentoml.get(sys.argv[1])
print(bento.info.all_models[0].tag, bento.path_of("sbom.cdx.json"), sep="\n")
END
)
bentoml containerize "$bento" --backend "$engine" --image-tag "$bento" "$@"

# Every user can read the files, whatever the umask here, because OpenShift chooses a random user. The
# user is set by number, because Kubernetes cannot tell from a name that it is not root.
"$engine" build --tag "$bento" --tag study_score:latest \
    --label org.opencontainers.image.title="study score" \
    --label org.opencontainers.image.version="$(python -c 'import models; print(models.VERSION)')" \
    --label org.opencontainers.image.revision="$(git describe --always --dirty --abbrev=40 --exclude='*')" \
    --label study-score.model="$model" - <<END
FROM $bento
USER root
RUN chmod -R a+rX .
USER 1034
END

# The SBOM tool asks a Python where its packages are. The image's packages are copied out of it, and a
# script answers in place of its Python.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
container=$("$engine" create "$bento")
"$engine" cp "$container:/app/.venv/lib" "$folder"
"$engine" rm "$container" >/dev/null
printf '#!/bin/sh\necho \[\\"%s\\"\]\n' "$folder"/lib/python*/site-packages >"$folder/python"
chmod +x "$folder/python"
python -W ignore -m cyclonedx_py environment --pyproject pyproject.toml --no-validate --output-file "$sbom" "$folder/python"
echo "SBOM: $sbom"
