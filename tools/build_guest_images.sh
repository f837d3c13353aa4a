#!/usr/bin/env bash
# Copyright: (c) 2026, tcpops.timewait contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Build the disks that QEMU boots in the Molecule scenario `kernels`, unless they are there.
# usage: build_guest_images.sh SUITE...      bullseye bookworm trixie sid ...
# Prints "SUITE FOLDER" for each: disk.raw, vmlinuz, initrd and packages.txt, in .cache/guests.
# The folder's name is a hash of all that went into it. It appears when it is complete.

set -eu
cd "$(dirname "$0")/.."
guest=extensions/molecule/guest
cache=$PWD/.cache/guests/images
mkdir -p "$cache"

say() { printf '%s\n' "$*" >&2; }

mirror() {
    sed -n 's/^URIs: //p; s/^deb [^h]*\(http[^ ]*\).*/\1/p' \
        /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2> /dev/null | head -n 1
}

entries() { grep -v -e '^#' -e '^$' "$1"; }

# In namespaces of its own: a build that is killed takes its processes and mounts along.
build() {
    local suite=$1 folder=$2
    local root=$folder/root packages
    packages=$(entries $guest/packages | paste -s -d ,)
    # A list of packages that has aged is no reason to fail: old releases are tested too.
    unshare --mount --pid --fork --kill-child --mount-proc -- \
        mmdebstrap --quiet --variant=minbase --architectures=amd64 --include="$packages" \
        --aptopt='Acquire::Check-Valid-Until "false"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        --dpkgopt='path-exclude=/usr/share/man/*' \
        --essential-hook="mkdir -p \"\$1/etc/initramfs-tools/conf.d\" \"\$1/usr/share/initramfs-tools/modules.d\"" \
        --essential-hook="copy-in $guest/initramfs.conf /etc/initramfs-tools/conf.d" \
        --essential-hook="copy-in $guest/initramfs-modules /usr/share/initramfs-tools/modules.d" \
        "$suite" "$root" "$(mirror)" > "$folder/build.log" 2>&1 || {
        tail -n 20 "$folder/build.log" >&2
        return 1
    }
    install -m 644 $guest/sshd.conf "$root/etc/ssh/sshd_config.d/lab.conf"
    install -m 644 $guest/no-tcp-diag.conf "$root/etc/modprobe.d/"
    install -m 755 $guest/lab-authorized-key "$root/usr/local/sbin/"
    install -m 644 $guest/lab-network.service "$root/etc/systemd/system/"
    ln -s ../lab-network.service "$root/etc/systemd/system/multi-user.target.wants/"
    local unit
    for unit in $(entries $guest/masked-units); do
        ln -sfn /dev/null "$root/etc/systemd/system/$unit"
    done
    # One that exists: without it each boot would be the first, with all that is done then.
    tr -d - < /proc/sys/kernel/random/uuid > "$root/etc/machine-id"
    echo lab > "$root/etc/hostname"
    chroot "$root" dpkg-query --show > "$folder/packages.txt"
    cp "$root"/boot/vmlinuz-* "$folder/vmlinuz"
    cp "$root"/boot/initrd.img-* "$folder/initrd"
    rm -rf "${root:?}/boot"
    mkfs.ext4 -q -d "$root" "$folder/disk.raw" 1G >&2
    rm -rf "$root"
}

inputs=$(cat tools/build_guest_images.sh $guest/* | sha256sum | cut -c 1-12)
for suite in "$@"; do
    folder=$cache/$suite-$inputs
    # One build of a suite at a time. What a killed one has left goes with the next.
    exec 9> "$cache/$suite.lock"
    flock 9
    if ! [ -d "$folder" ]; then
        say "guest: building $suite"
        rm -rf "${cache:?}/$suite-"*
        mkdir "$folder.building"
        build "$suite" "$folder.building"
        mv "$folder.building" "$folder"
    fi
    exec 9>&-
    printf '%s %s\n' "$suite" "$folder"
done
