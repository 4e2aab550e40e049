#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# usage: image.sh
# Makes the lab's disk image (root.ext4, vmlinuz, initrd) from Debian's packages, and prints the
# folder that holds it. What image/ and this program make is kept in .cache/lab/ until they change; the
# project itself is not in it. Exit status 77: it cannot be made here, and the last line says why.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=$here/../../.cache/lab
packages='systemd systemd-sysv dbus udev kmod pciutils nvme-cli e2fsprogs qemu-system-x86 qemu-utils
    busybox-static libxml2 libfmt9 libgcrypt20 python3-dbus'

cannot() {
    echo "the lab's image cannot be made: $1" >&2
    exit 77
}

mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
key=$(cd "$here" && find image image.sh -type f | sort | xargs sha256sum | sha256sum | cut -c 1-16)
image=$cache/$key

# Whoever comes second waits for the first.
exec 9> "$cache/lock"
flock 9
if [ ! -e "$image/vmlinuz" ]; then
    for tool in mmdebstrap mke2fs; do
        command -v "$tool" > /dev/null || cannot "there is no $tool"
    done
    [ "$(id -u)" = 0 ] || cannot 'this takes root, which unpacks packages with their owners'
    rm -rf "$cache"/work.* # of one that was killed
    work=$(mktemp -d "$cache/work.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    trap 'exit 1' INT TERM
    # The kernel comes unpacked: its installation would make an initramfs that nobody boots.
    mmdebstrap --quiet --variant=minbase --dpkgopt=force-unsafe-io \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        --include="$(echo $packages | tr ' ' ,)" \
        --customize-hook='export APT_CONFIG=$MMDEBSTRAP_APT_CONFIG && cd "$1" &&
            apt-get -qq download $(apt-cache depends linux-image-cloud-amd64 |
                sed -n "s/^ *Depends: *\(linux-image-.*\)/\1/p" | head -n 1) &&
            dpkg-deb --fsys-tarfile linux-image-*.deb | tar -x --keep-directory-symlink && rm linux-image-*.deb' \
        --customize-hook="cp -R '$here/image/.' \"\$1\" && chroot \"\$1\" sh -eu /finish.sh" \
        bookworm "$work/root" > "$cache/log" 2>&1 ||
        cannot "mmdebstrap fails: $(grep -E '^(E|W):|error' "$cache/log" | tail -n 5 | tr '\n' ' ')"
    mkdir "$work/image"
    mv "$work/root/vmlinuz" "$work/root/initrd" "$work/image/"
    mke2fs -q -t ext4 -O '^has_journal' -L lab -d "$work/root" "$work/image/root.ext4" 1200M > "$cache/log" 2>&1 ||
        cannot "mke2fs fails: $(tail -n 3 "$cache/log" | tr '\n' ' ')"
    for old in "$cache"/????????????????; do
        rm -rf "$old"
    done
    mv "$work/image" "$image"
fi
echo "$image"
