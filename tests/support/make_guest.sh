#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# usage: make_guest.sh DIR
# Makes the smallest Linux guest: DIR/vmlinuz (Debian's kernel) and DIR/initrd (busybox, the kernel's
# modules for the power button, for virtio's memory devices and its shared folders). It prints a
# greeting on its serial console, answers there with a shell, and powers off when its ACPI power
# button is pressed. Needs neither root nor a disk; what is there already and not older than this
# program is kept.
set -eu

dir=$1
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
[ -s "$dir/vmlinuz" ] && [ "$dir/initrd" -nt "$0" ] && exit 0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

# The newest kernel of this machine whose modules are there too; else Debian's package, unpacked
# without being installed (an installation would run this machine's boot loader hooks).
find_kernel() {
    for image in $(ls -t "$1"/boot/vmlinuz-* 2> /dev/null); do
        version=${image##*/vmlinuz-}
        if [ -r "$image" ] && [ -d "$1/lib/modules/$version/kernel" ]; then
            kernel=$image
            modules=$1/lib/modules/$version/kernel
            return 0
        fi
    done
    return 1
}

# The package that the kernel's newest version for virtual machines is in; empty where apt has no lists.
kernel_package() {
    apt-cache "$@" depends linux-image-cloud-amd64 2> /dev/null |
        sed -n 's/^ *Depends: *\(linux-image-.*\)/\1/p' | head -n 1
}

fetch_kernel() {
    set -- -o APT::Sandbox::User=root
    package=$(kernel_package "$@")
    if [ -z "$package" ]; then
        # This machine's sources, but lists of our own: a user may not write the machine's.
        mkdir -p "$work/apt/lists/partial" "$work/apt/cache/archives/partial"
        set -- "$@" -o "Dir::State::Lists=$work/apt/lists" -o "Dir::Cache=$work/apt/cache"
        apt-get -qq "$@" update
        package=$(kernel_package "$@")
    fi
    if [ -z "$package" ]; then
        echo "no kernel in /boot that this user can read, and apt's sources have no linux-image-cloud-amd64" >&2
        exit 1
    fi
    (cd "$work" && apt-get -qq "$@" download "$package" && dpkg -x "$package"_*.deb "$work/kernel")
}

if ! find_kernel ''; then
    fetch_kernel
    find_kernel "$work/kernel"
fi

root=$work/root
mkdir -p "$root/bin" "$root/dev" "$root/etc/acpi/PWRF" "$root/lib" "$root/proc" "$root/sys"
cp "$(command -v busybox)" "$root/bin/busybox"
number=10
for name in drivers/acpi/button drivers/input/evdev drivers/virtio/virtio_ring drivers/virtio/virtio \
    drivers/virtio/virtio_pci_legacy_dev drivers/virtio/virtio_pci_modern_dev drivers/virtio/virtio_pci \
    drivers/virtio/virtio_balloon drivers/virtio/virtio_mem fs/fuse/fuse fs/fuse/virtiofs; do
    # Kernels differ in what is built in; what is a module is taken along, numbered in this order.
    [ ! -e "$modules/$name.ko" ] || cp "$modules/$name.ko" "$root/lib/$number.ko"
    number=$((number + 1))
done
printf '#!/bin/busybox sh\nexec /bin/busybox poweroff -f\n' > "$root/etc/acpi/PWRF/00000080"
cat > "$root/init" << 'EOF'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
for module in /lib/*.ko; do insmod "$module"; done
acpid -d > /dev/null 2>&1 &
# Once it has the button open, no press is lost.
until ls -l /proc/$!/fd | grep -q /dev/input; do usleep 10000; done
echo "Hello from your guest: Linux $(uname -r), $(sed -n 's/^MemTotal: *//p' /proc/meminfo) of memory."
while :; do setsid cttyhack sh; done
EOF
chmod +x "$root/init" "$root/etc/acpi/PWRF/00000080"
(cd "$root" && find . | busybox cpio -o -H newc 2> /dev/null | gzip -1) > "$work/initrd"
mv "$work/initrd" "$dir/initrd"
cp "$kernel" "$work/vmlinuz"
mv "$work/vmlinuz" "$dir/vmlinuz"
