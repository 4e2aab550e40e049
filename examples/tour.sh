#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A tour of Vireo's main job, in a few minutes: a small Linux guest is defined, booted, watched, paused,
# shut down and removed, each step by a command that can be typed as it is shown.
# `./run` runs it on a bus of its own. Elsewhere it uses the system bus, and needs the files that
# tests/support/make_guest.sh makes in the folder that $VIREO_GUEST names.
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
guest=${VIREO_GUEST:-$here/build/guest}
work=$(mktemp -d)
watcher=
connect='org.libvirt /org/libvirt/QEMU org.libvirt.Connect'

finish() {
    status=$?
    [ -z "$watcher" ] || kill "$watcher" 2> /dev/null || true
    if [ $status -ne 0 ]; then
        echo "the tour ended early, exit status $status" >&2
        if [ -s "${VIREO_LOG:-}" ]; then
            echo 'the last lines that the daemons printed:' >&2
            tail -n 20 "$VIREO_LOG" >&2
        fi
    fi
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

step() {
    printf '\n== %s\n' "$1"
}

# Shows a command and runs it; its output stays in $reply.
try() {
    printf '$ %s\n' "$1"
    reply=$(eval "$1")
    [ -z "$reply" ] || printf '%s\n' "$reply" | sed 's/^/  /'
}

# The string that busctl prints in quotes, as it is.
text_of() {
    sed -e 's/^s "//' -e 's/"$//' -e 's/\\n/\n/g' -e "s/\\\\\(['\"\\\\]\)/\1/g"
}

# The numbers of DomainEvent that show up here; interfaces/org.libvirt.Connect.xml has all.
event_names=(defined undefined started suspended resumed stopped 'shutting down')

# Waits until the watcher has shown an event of this number.
wait_event() {
    local line event
    while IFS= read -r -t 120 line <&"$events"; do
        [[ $line == *'"member":"DomainEvent"'* ]] || continue
        line=${line##*'"data":['}
        event=${line#*,}
        event=${event%%,*}
        printf '  event %s: %s\n' "$event" "${event_names[$event]:-see the contract}"
        [ "$event" != "$1" ] || return 0
    done
    echo "no event $1 within 120 s" >&2
    return 1
}

step 'A guest: a kernel, and a first file system with busybox in it'
printf '$ %s\n' "tests/support/make_guest.sh $guest"
"$here/tests/support/make_guest.sh" "$guest"
cat > "$work/guest.xml" << EOF
<domain type='qemu'>
  <name>tour</name>
  <uuid>5f8a1d7e-2b3c-4d4e-9f60-718293a4b5c6</uuid>
  <memory unit='MiB'>192</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>$guest/vmlinuz</kernel>
    <initrd>$guest/initrd</initrd>
    <cmdline>console=ttyS0 quiet</cmdline>
  </os>
  <features><acpi/></features>
  <devices>
    <serial type='file'>
      <source path='$work/console.log'/>
    </serial>
  </devices>
</domain>
EOF
printf '$ cat guest.xml\n'
sed 's/^/  /' "$work/guest.xml"
cd "$work"

step 'The daemons start with the first call'
try "busctl call $connect ListDomains u 0"
try "busctl get-property $connect Version"

step 'A second terminal would watch what happens'
printf '$ %s\n' "busctl monitor --match=type=signal,interface=org.libvirt.Connect,member=DomainEvent"
exec {events}< <(exec busctl monitor --json=short \
    --match=type=signal,interface=org.libvirt.Connect,member=DomainEvent 2>&1)
watcher=$!
# Its first line says that it listens; what happens from then on is not missed.
IFS= read -r -t 30 line <&"$events"
printf '  %s\n' "$line"

step 'Define the guest: it is stored, and does not run yet'
try "busctl call $connect DomainDefineXML s \"\$(cat guest.xml)\""
path=${reply#*\"}
path=${path%\"}
domain="org.libvirt $path org.libvirt.Domain"
wait_event 0
try "busctl call $domain GetState u 0"
echo '  (state 5: shut off)'

step 'Boot it, and read its greeting from the serial console'
try "busctl call $domain Create u 0"
wait_event 2
try "busctl call $domain GetState u 0"
echo '  (state 1: running)'
printf '$ %s\n' "tail -F console.log | grep -m 1 Hello"
timeout 180 grep -m 1 --line-buffered Hello < <(exec tail -n +1 -F --pid=$$ console.log 2> /dev/null) |
    sed 's/^/  /'

step 'What it runs with: the definition, completed with what was chosen for it'
printf '$ %s\n' "busctl call $domain GetXMLDesc u 0"
busctl call $domain GetXMLDesc u 0 | text_of | sed 's/^/  /'

step 'Pause it and let it go on'
try "busctl call $domain Suspend"
wait_event 3
try "busctl call $domain GetState u 0"
echo '  (state 3: paused)'
try "busctl call $domain Resume"
wait_event 4

step 'Press its power button; it shuts down by itself'
try "busctl call $domain Shutdown u 0"
wait_event 5
try "busctl call $domain GetState u 0"
echo '  (state 5: shut off)'

step 'Remove it'
try "busctl call $domain Undefine u 0"
wait_event 1
try "busctl call $connect ListDomains u 0"

step 'That was it. ./run bash gives a shell beside such an instance.'
