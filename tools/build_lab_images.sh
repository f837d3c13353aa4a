#!/usr/bin/env bash
# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Build the systemd images of the Molecule scenarios, unless podman has them.
# usage: build_lab_images.sh SUITE[/KIND]...      bullseye bookworm trixie/loaders ...
# Prints "SUITE[/KIND] IMAGE" for each; the image's tag is a hash of all that went into it.
# With /loaders it has the programs besides that set sysctls, and are not on every host;
# with /servers the servers that listen ports are added to.

set -eu
cd "$(dirname "$0")/../extensions/molecule/image"
locks=../../../.cache/lab-images
mkdir -p "$locks"
kinds=../../../tests/lab

say() { printf '%s\n' "$*" >&2; }

mirror() {
    sed -n 's/^URIs: //p; s/^deb [^h]*\(http[^ ]*\).*/\1/p' \
        /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2> /dev/null | head -n 1
}

# From the registry where there is one, else out of the distribution's packages.
base_image() {
    local suite=$1 base="localhost/tcpops-timewait-base:$1" upstream="docker.io/library/debian:$1-slim"
    if podman image exists "$base"; then
        printf '%s\n' "$base"
    elif timeout 120 podman pull --quiet "$upstream" > /dev/null 2>&1; then
        printf '%s\n' "$upstream"
    elif command -v mmdebstrap > /dev/null; then
        say "lab: no registry answers: $base out of Debian packages"
        mmdebstrap --quiet --variant=minbase "$suite" - "$(mirror)" 2> /dev/null |
            podman import --quiet - "$base" > /dev/null
        printf '%s\n' "$base"
    else
        say "lab: no image of $suite: no registry answers and mmdebstrap is missing (apt-get install mmdebstrap)"
        return 1
    fi
}

# Build a folder on top of a base. The host's network: a build needs the mirror, and no network of its own.
build() {
    local image=$1 folder=$2 base=$3
    say "lab: building $image"
    podman build --quiet --network host --build-arg "BASE=$base" --tag "$image" "$folder" > /dev/null
}

hash_of() { cat "$@" | sha256sum | cut -c 1-12; }

for wanted in "$@"; do
    suite=${wanted%%/*}
    # One at a time of a release: others wait for what it builds instead of building it as well.
    exec 9> "$locks/$suite.lock"
    flock 9
    image="localhost/tcpops-timewait-lab:$suite-$(hash_of ./*)"
    if ! podman image exists "$image"; then
        base=$(base_image "$suite")
        build "$image" . "$base"
    fi
    if [ "$wanted" != "$suite" ]; then
        kind=${wanted#*/}
        lab=$image
        image="localhost/tcpops-timewait-$kind:$suite-$(hash_of ./* "$kinds/$kind"/*)"
        podman image exists "$image" || build "$image" "$kinds/$kind" "$lab"
    fi
    printf '%s %s\n' "$wanted" "$image"
done
