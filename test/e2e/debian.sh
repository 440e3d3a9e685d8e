# What the build scripts here share: messages, the cache, packages of this Debian. To be sourced.

# Kept between runs; everything in it can be made again.
CACHE="${KUBESTEP_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/kubestep}/e2e"
ARCH=$(dpkg --print-architecture 2>/dev/null || echo unknown)

say() { printf '[%s] [%4ds] %s\n' "$(basename "$0" .sh)" "$SECONDS" "$*" >&2; }
fail() { printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2; exit 1; }
# Status 77 says "not on this machine", as automake's tests do.
skip() { printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2; exit 77; }

# No failure is silent.
set -E
trap 'status=$?; [ "$status" -ne 77 ] || exit 77; fail "line $LINENO failed: $BASH_COMMAND"' ERR

# Other releases carry other versions of what is unpacked and built here.
check_bookworm() {
  # shellcheck source=/dev/null
  local codename; codename=$(. /etc/os-release 2>/dev/null && echo "${ID:-}-${VERSION_CODENAME:-}") || true
  [ "$codename" = debian-bookworm ] || skip "this is not Debian bookworm, whose source package of Kubernetes is the last whole one"
  case $ARCH in amd64 | arm64) ;; *) skip "the images are only known for amd64 and arm64, not $ARCH" ;; esac
  command -v apt-get >/dev/null || skip "there is no apt-get"
}

# One build at a time; the lock goes with the process.
lock_cache() {
  local lock=$CACHE/${1:-lock}
  mkdir -p "$CACHE" || fail "cannot make \"$CACHE\"; choose another folder with KUBESTEP_CACHE"
  exec 9>"$lock"
  flock -n 9 || { say "waiting for another build in $CACHE"; flock 9; }
}

# apt-get that leaves standard output alone and says nothing unless it fails.
apt() {
  local log; log=$(mktemp)
  if ! DEBIAN_FRONTEND=noninteractive apt-get -q "$@" >"$log" 2>&1; then
    tail -5 "$log" >&2; rm -f "$log"
    skip "apt-get ${*: -1} failed; are this machine's package sources reachable?"
  fi
  rm -f "$log"
}

update_once() {
  [ -z "${updated:-}" ] || return 0
  updated=1
  [ "$(id -u)" -eq 0 ] || skip "the package lists of this machine are missing: run apt-get update as root"
  say "apt-get update"
  apt update
}

# source_list deb|deb-src: where this machine has its packages of bookworm from, as lines for apt.
source_list() {
  local uri signed
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(SIGNED_BY)' 'Created-By: Packages' |
    awk '$3 == "main" && $2 ~ /^(bookworm|stable|oldstable)$/' |
    while read -r uri _ _ signed _; do
      case $signed in /*) signed="[signed-by=$signed] " ;; *) signed='' ;; esac
      echo "$1 $signed$uri bookworm main"
    done | sort -u
}

# require COMMAND PACKAGE...: installs packages when a command is missing.
require() {
  local command=$1; shift
  command -v "$command" >/dev/null || [ -x "/usr/sbin/$command" ] && return 0
  [ "$(id -u)" -eq 0 ] || skip "$command is missing: install $* as root"
  say "installing $*"
  update_once
  apt install -y --no-install-recommends "$@"
}

# unpack FOLDER PACKAGE...: the content of packages, without installing them.
unpack() {
  local folder=$1 package; shift
  mkdir -p "$CACHE/debs" "$folder"
  for package; do
    compgen -G "$CACHE/debs/${package}_*.deb" >/dev/null && continue
    apt-cache show "$package" >/dev/null 2>&1 || update_once
    say "fetching $package"
    # As another user apt could not write here, and would warn.
    (cd "$CACHE/debs" && mkdir -p partial && cd partial && apt -o APT::Sandbox::User=root download "$package" && mv -- *.deb ..)
  done
  for package; do dpkg -x "$CACHE/debs/${package}"_*.deb "$folder"; done
}

# add ROOT SOURCE TARGET: a file into an image's tree, with the libraries that it is linked with.
add() {
  local root=$1 source=$2 target=$3 library
  mkdir -p "$root$(dirname "$target")"
  cp -L "$source" "$root$target"
  # A static program makes ldd fail, and grep find nothing.
  { ldd "$source" 2>/dev/null | grep -o '/[^ ]* (0x' || true; } | while read -r library _; do
    [ -e "$root$library" ] || { mkdir -p "$root$(dirname "$library")" && cp -L "$library" "$root$library"; }
  done
}
