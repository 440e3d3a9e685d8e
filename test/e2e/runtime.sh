#!/usr/bin/env bash
# What a node needs besides Kubernetes: containerd and runc, of the release that carries every version of Kubernetes
# under test. Unpacked and not installed, since packages of daemons start them, and not together with Docker's. Prints
# the folder that belongs on the PATH.
# Exit status: 0 done, 1 failed, 77 not for this machine.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/debian.sh"

programs=$CACHE/programs-$ARCH
check_bookworm
require ip iproute2
require iptables iptables
if [ ! -d "$programs" ]; then
  lock_cache
  rm -rf "$programs.partial"
  unpack "$programs.partial" containerd runc
  mv "$programs.partial" "$programs"
fi
echo "$programs/usr/bin"
