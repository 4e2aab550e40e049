#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# usage: libvirt_service.sh --root DIR
# Serves org.libvirt by libvirt-dbus and a libvirtd whose whole state is below DIR: what the benchmark
# puts in the place of vireo-proxyd. A user other than root has libvirt's own session mode; root has
# the system's daemon, in a file system where DIR's folders stand for the host's.
set -eu
root=$2
if [ "$(id -u)" != 0 ]; then
    mkdir -p "$root/run"
    export HOME="$root" XDG_RUNTIME_DIR="$root/run" XDG_CONFIG_HOME="$root/etc" XDG_CACHE_HOME="$root/cache"
    exec libvirt-dbus --session
fi
if [ "${3:-}" != apart ]; then
    exec unshare --mount "$0" --root "$root" apart
fi
# As on every host /run is in memory.
mount -t tmpfs tmpfs /run
mkdir /run/libvirt
for folder in etc/libvirt var/cache/libvirt var/lib/libvirt var/log/libvirt; do
    mkdir -p "$root/$folder" "/$folder"
    mount --bind "$root/$folder" "/$folder"
done
# Without virtlogd, which systemd would start.
echo 'stdio_handler = "file"' > /etc/libvirt/qemu.conf
rm -f /run/libvirt/libvirt-sock
libvirtd &
until [ -S /run/libvirt/libvirt-sock ]; do sleep 0.002; done
exec libvirt-dbus --session
