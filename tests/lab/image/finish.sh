# SPDX-License-Identifier: LGPL-2.1-or-later
# Runs in the image's root when its packages are there: makes the initramfs of the lab and that of its
# guests, and leaves out what a lab does not start.
version=$(ls /lib/modules)
depmod "$version"

# make_initrd FILE INIT MODULE...
make_initrd() {
    file=$1 init=$2
    shift 2
    root=$(mktemp -d)
    mkdir -p "$root/bin" "$root/dev" "$root/proc" "$root/sys" "$root/new" "$root/lib"
    cp /bin/busybox "$root/bin/"
    number=100
    for module in "$@"; do
        # Each with what it needs, in the order of loading; what is built in shows no file.
        modprobe -S "$version" --show-depends "$module" | sed -n 's/^insmod \([^ ]*\).*/\1/p'
    done | awk '!seen[$0]++' | while read -r path; do
        cp "$path" "$root/lib/$number.ko"
        number=$((number + 1))
    done
    cp "$init" "$root/init"
    chmod +x "$root/init"
    (cd "$root" && find . | busybox cpio -o -H newc 2> /dev/null | gzip -1) > "$file"
    rm -r "$root"
}

cat > /tmp/init << 'END'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
for module in /lib/*.ko; do insmod "$module"; done
mount -t ext4 /dev/vda /new && exec switch_root /new /lib/systemd/systemd
END
make_initrd /initrd /tmp/init virtio_pci virtio_blk ext4 crc32c_generic

# A guest of the lab: on its serial console it says "ready", and then runs each line that it is sent. An
# interactive shell would switch the terminal's mode at each prompt, and lose what comes meanwhile.
cat > /tmp/init << 'END'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
for module in /lib/*.ko; do insmod "$module"; done
stty -echo < /dev/ttyS0
echo ready > /dev/ttyS0
exec setsid sh -c 'while read -r line; do eval "$line"; done < /dev/ttyS0 > /dev/ttyS0 2>&1'
END
mkdir -p /usr/lib/lab
make_initrd /usr/lib/lab/guest-initrd /tmp/init virtio_pci virtio_blk pciehp acpiphp
cp "/boot/vmlinuz-$version" /usr/lib/lab/guest-vmlinuz
mv "/boot/vmlinuz-$version" /vmlinuz

echo 5eed5eed5eed5eed5eed5eed5eed5eed > /etc/machine-id
echo lab > /etc/hostname
: > /etc/fstab
# Guests run under KVM: the emulated processor has SVM, also where that of the host has none.
echo kvm_amd > /etc/modules-load.d/lab.conf
# No terminal is looked at, and nothing happens by the clock.
systemctl mask -q getty.target getty-static.service systemd-networkd-wait-online.service \
    apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer \
    systemd-tmpfiles-clean.timer e2scrub_reap.service systemd-firstboot.service \
    systemd-boot-update.service systemd-pstore.service systemd-hwdb-update.service \
    systemd-journal-catalog-update.service systemd-update-done.service ldconfig.service \
    systemd-journal-flush.service
mkdir -p /etc/systemd/system-generators
ln -s /dev/null /etc/systemd/system-generators/systemd-getty-generator
systemctl enable -q lab.service
rm -rf /finish.sh /tmp/* /var/cache/apt /var/lib/apt/lists /var/cache/debconf/*-old \
    /usr/lib/x86_64-linux-gnu/dri /usr/bin/qemu-system-x86_64-microvm
