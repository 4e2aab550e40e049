# SPDX-License-Identifier: LGPL-2.1-or-later
# What ./run and ./check share: `need PACKAGE...` installs what is missing, `build DIR COMPILER
# LINKER-OPTIONS... -- TARGET...` configures and builds. Sourced with the working folder at the root.

# What the build itself takes; docs/design.md says what each library is for.
build_packages='g++ meson ninja-build pkgconf python3 libsystemd-dev libxml2-dev libfmt-dev
    libgcrypt20-dev nlohmann-json3-dev doctest-dev'
# What a running instance takes: a message bus, busctl, QEMU, what emulates a TPM and a network for
# it, and a small guest's parts.
run_packages='dbus systemd qemu-system-x86 qemu-utils swtpm passt busybox-static'

# Prints those of the named Debian packages that are not installed.
missing() {
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2> /dev/null | grep -qx installed ||
            printf '%s ' "$package"
    done
}

need() {
    if ! command -v dpkg-query > /dev/null; then
        echo "this is no Debian system: make sure that the equivalents of these packages are installed: $*" >&2
        return 0
    fi
    wanted=$(missing "$@")
    [ -n "$wanted" ] || return 0
    as_root=
    if [ "$(id -u)" != 0 ]; then
        as_root=sudo
        # Without a terminal nobody can type a password.
        [ -t 0 ] || as_root='sudo -n'
        if ! command -v sudo > /dev/null || ! $as_root true 2> /dev/null; then
            echo "these packages are missing, and this user cannot install them: $wanted" >&2
            echo "as root: apt-get update && apt-get install --no-install-recommends $wanted" >&2
            exit 1
        fi
    fi
    echo "installing: $wanted" >&2
    mkdir -p build
    if ! { $as_root apt-get -q update && $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -qy install --no-install-recommends $wanted; } > build/apt.log 2>&1 < /dev/null; then
        tail -n 20 build/apt.log >&2
        echo "apt could not install them; its whole output is in build/apt.log" >&2
        exit 1
    fi
}

# build DIR CC CXX TARGETS [MESON OPTIONS...]: configures DIR where that has not been done, and builds
# the targets (separated by spaces). Quiet; on failure it shows the end of the log and names it.
# Many files go to a compiler run, which reads the headers once for all of them: half of the time from
# scratch. Whoever works on the code is better off with `meson configure build -Dunity=off`.
build() {
    dir=$1 cc=$2 cxx=$3 targets=$4
    shift 4
    case $cxx in
        # It collects its garbage from 128 MiB on, which is most of what it then needs.
        g++*) set -- -Dcpp_args=--param=ggc-min-heapsize=524288 "$@" ;;
    esac
    cache=
    if command -v ccache > /dev/null; then
        cache='ccache '
    fi
    mkdir -p "$dir"
    log=$dir/build.log
    if ! {
        { [ -e "$dir/build.ninja" ] || CC=$cache$cc CXX=$cache$cxx meson setup "$dir" -Dunity=on -Dunity_size=32 "$@"; } &&
            ninja -C "$dir" $targets
    } > "$log" 2>&1; then
        grep -E -A 12 '^FAILED|error:|ERROR:' "$log" | head -n 60 >&2
        echo "the build in $dir failed; its whole output is in $log" >&2
        exit 1
    fi
}
