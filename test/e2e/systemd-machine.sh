#!/usr/bin/env bash
# A machine with systemd as PID 1 for the end-to-end tests: Debian bookworm from its packages, in systemd-nspawn, with a
# network of its own that leads nowhere, and control groups of its own.
#
#   systemd-machine.sh make                        makes the template that it starts from
#   systemd-machine.sh up [OUTSIDE:INSIDE...]      starts it anew; these files and folders are seen inside, read-only
#   systemd-machine.sh run [OPTION...] COMMAND...  as a service in it, as root; options are those of systemd-run
#   systemd-machine.sh down                        stops it, and takes away everything but the template
#
# The template takes half a minute and 500 MB, and is kept in $KUBESTEP_CACHE. One machine at a time.
# Exit status: 0 done, 1 failed, 77 not for this machine; of `run` that of the command.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/debian.sh"

# Addresses that documentation uses (RFC 5737). They are only known inside: the machine around has no route to them.
NAME=kubestep-e2e ADDRESS=203.0.113.2 ROUTER=203.0.113.1
PACKAGES=systemd,systemd-sysv,dbus,iproute2,iptables,nftables,procps,kmod,util-linux,ca-certificates,conntrack,socat,ethtool,containerd,runc,sudo

check_machine() {
  check_bookworm
  [ "$(id -u)" -eq 0 ] || skip "a machine with systemd needs root"
  local free; mkdir -p "$CACHE"; free=$(df --output=avail -m "$CACHE" | tail -1)
  [ "$free" -gt 3000 ] || skip "cannot make a machine in \"$CACHE\": 3000 MB are needed and $free MB are free; choose another folder with KUBESTEP_CACHE"
  require systemd-nspawn systemd-container
  require mmdebstrap mmdebstrap
}

# Debian's packages, with services as a user has them who starts containerd only when it is wanted.
make_template() {
  local root=$1 log=$1.log sources
  sources=$(source_list deb)
  [ -n "$sources" ] || { update_once; sources=$(source_list deb); }
  mmdebstrap --quiet --variant=minbase --include="$PACKAGES" bookworm "$root" <<<"$sources" >"$log" 2>&1 ||
    skip "no machine can be made of Debian's packages here: $(tail -1 "$log")"
  chroot "$root" systemctl -q disable containerd
  # There is one audit socket, and it is the machine's around.
  chroot "$root" systemctl -q mask systemd-journald-audit.socket
  rm "$log"
}

TEMPLATE=$CACHE/systemd-$({ declare -f make_template; declare -p PACKAGES ARCH; } | sha256sum | cut -c1-12)
ROOT=$CACHE/systemd-machine

template() {
  [ ! -d "$TEMPLATE" ] || return 0
  lock_cache systemd.lock
  [ ! -d "$TEMPLATE" ] || return 0
  say "making a machine with systemd out of Debian's packages"
  rm -rf --one-file-system "$CACHE"/systemd-*
  make_template "$TEMPLATE.partial"
  mv "$TEMPLATE.partial" "$TEMPLATE"
}

# The control groups that the machine starts in where no systemd around it gives it some: a part of each hierarchy, so that
# what is made inside is never at the root, where other clusters have theirs.
groups() {
  local controllers path folder
  while IFS=: read -r _ controllers path; do
    case $controllers in
      '') if [ -d /sys/fs/cgroup/unified ]; then folder=/sys/fs/cgroup/unified; else folder=/sys/fs/cgroup; fi ;;
      *) folder=/sys/fs/cgroup/${controllers#name=} ;;
    esac
    [ -d "$folder$path" ] || path=
    path=${path%/}
    [ ! -w "$folder$path/cgroup.procs" ] || echo "$folder$path/$NAME"
  done </proc/self/cgroup
}

enter_groups() {
  local group file
  groups >"$ROOT.groups"
  while read -r group; do
    mkdir -p "$group"
    for file in cpuset.cpus cpuset.mems; do
      [ ! -e "$group/$file" ] || cat "$(dirname "$group")/$file" >"$group/$file"
    done
    [ ! -e "$group/cgroup.clone_children" ] || echo 1 >"$group/cgroup.clone_children"
    echo "$BASHPID" >"$group/cgroup.procs"
  done <"$ROOT.groups"
}

leave_groups() {
  local group
  [ -e "$ROOT.groups" ] || return 0
  while read -r group; do
    # Groups go a moment after their processes.
    for _ in 1 2 3 4 5; do
      [ ! -d "$group" ] || find "$group" -depth -type d -exec rmdir {} + 2>/dev/null && break
      sleep 0.2
    done
  done <"$ROOT.groups"
}

leader() { cat "$ROOT.leader" 2>/dev/null; }
inside() { nsenter -t "$(leader)" -a env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"; }

up() {
  # What the tests need of what was made before them.
  local binds=("--bind-ro=$CACHE:/cache/e2e") bind own=() nspawn tries=0 child
  check_machine
  down
  template
  systemd-nspawn -q -D "$TEMPLATE" -M "$NAME" --register=no --keep-unit --private-network true >"$ROOT.log" 2>&1 ||
    skip "systemd-nspawn starts nothing here: $(tail -1 "$ROOT.log")"
  say "starting a machine with systemd"
  cp -a "$TEMPLATE" "$ROOT"
  echo "$NAME" >"$ROOT/etc/hostname"
  printf '127.0.0.1 localhost\n%s %s\n' "$ADDRESS" "$NAME" >"$ROOT/etc/hosts"
  # Nobody listens there, so that a question for a name is refused at once.
  echo "nameserver $ADDRESS" >"$ROOT/etc/resolv.conf"
  for bind; do binds+=("--bind-ro=$bind"); done
  [ -d /run/systemd/system ] || own=(--keep-unit)
  # Kubernetes needs keyrings, mounts and a writable /proc/sys, as machines have them.
  (
    [ ${#own[@]} -eq 0 ] || enter_groups
    SYSTEMD_NSPAWN_API_VFS_WRITABLE=yes SYSTEMD_SECCOMP=0 exec setsid systemd-nspawn -q -b -D "$ROOT" -M "$NAME" \
      --register=no "${own[@]}" --resolv-conf=off --timezone=off --capability=all \
      --system-call-filter='@keyring bpf @mount @module @raw-io perf_event_open' \
      --bind=/dev/kmsg --bind=/dev/fuse "${binds[@]}" --private-network --console=pipe
  ) >"$ROOT.log" 2>&1 </dev/null 9>&- &
  nspawn=$!
  until child=$(pgrep -P "$nspawn" | head -1) && [ -n "$child" ] && echo "$child" >"$ROOT.leader" &&
    inside systemctl is-system-running 2>/dev/null | grep -qE 'running|degraded'; do
    tries=$((tries + 1))
    [ $tries -lt 300 ] && kill -0 "$nspawn" 2>/dev/null || { down; fail "the machine with systemd does not start: $(tail -3 "$ROOT.log")"; }
    sleep 0.2
  done
  # Addresses that come by themselves would come while tests look.
  inside bash -c "ip link add eth0 type veth peer name nowhere
    for link in nowhere eth0; do ip link set \$link addrgenmode none && ip link set \$link up; done
    ip address add $ADDRESS/24 dev eth0 && ip route add default via $ROUTER
    for folder in /sys/fs/cgroup /sys/fs/cgroup/*/ /sys; do
      mountpoint -q \$folder || continue
      mount -o remount,rw \$folder 2>/dev/null || mount -o remount,rw,bind \$folder
    done
    mount --make-rshared /"
}

down() {
  local pid tries=0; pid=$(leader) || true
  [ -z "$pid" ] || kill -9 "$pid" 2>/dev/null || true
  while [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null && [ $tries -lt 100 ]; do tries=$((tries + 1)); sleep 0.1; done
  leave_groups
  rm -rf --one-file-system "$ROOT" "$ROOT.leader" "$ROOT.groups"
}

case ${1:-} in
  make) check_machine; template ;;
  up) shift; up "$@" ;;
  # Its status is no failure of this script.
  run) shift; trap - ERR; inside systemd-run --quiet --pipe --wait --collect "$@" ;;
  down) down ;;
  *) sed -n '2,13s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
