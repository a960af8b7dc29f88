#!/usr/bin/env bash
# Runs one command inside ROOT, with INSTANCE as its /var/instance, until standard input ends.
# Usage: unshare --mount --pid --fork -- enclosure.sh ROOT INSTANCE COMMAND...
#
# As first process of its own process namespace it takes everything that the command started along
# when it ends, daemons too; as the only one in its mount namespace it leaves no mount behind.
# Standard input ends when the tests stop the server, and also when they themselves are killed.
set -euo pipefail

root=$1 instance=$2
shift 2

mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount --bind "$instance" "$root/var/instance"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
for device in null zero random urandom; do
  mount --bind "/dev/$device" "$root/dev/$device"
done

exec 3<&0
chroot "$root" "$@" </dev/null 3<&- &
server=$!
cat <&3 >/dev/null &

status=0
wait -n || status=$?
if kill -TERM "$server" 2>/dev/null; then
  wait "$server" || true
  status=0
fi
exit "$status"
