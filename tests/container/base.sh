#!/usr/bin/env bash
# The base image, named by the argument, in podman's store: pulled, or where no registry can be reached made from Debian's packages.
set -euo pipefail
name=$1
if podman image exists "$name" || podman pull --quiet "$name" >&2; then exit; fi

echo "base.sh: no registry; making $name from Debian's packages" >&2
release=bookworm # the one with Python 3.11
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' "Release: $release" | head -n 1)
[ "$mirror" ] || { echo "base.sh: apt has no source for Debian $release" >&2; exit 1; }
root=$(mktemp -d)
chmod 755 "$root" # the root of the image; Docker would keep other users out of a closed one
trap 'rm -rf "$root"' EXIT
debootstrap --variant=minbase --include=ca-certificates,python3,python3-pip,python3-venv "$release" "$root" "$mirror" >&2
rm -rf "$root"/usr/lib/python3*/EXTERNALLY-MANAGED "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/*
ln -s python3 "$root/usr/bin/python"
# Whatever stands between this machine and PyPI is trusted inside too.
certificates=/etc/ssl/certs/ca-certificates.crt
cp "$certificates" "$root$certificates"
tar -C "$root" -c . | podman import --quiet --change "ENV=PIP_CERT=$certificates" - "$name"
