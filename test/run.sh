#!/usr/bin/env bash
# Everything that has to hold, on a machine with nothing but Node and npm: installs what it needs
# (npm packages; Debian packages when it may), then checks, then tests on every runtime.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$*"; }

# Debian packages that the integration tests run against: package=command that proves it is there.
DEBIAN_PACKAGES=(openssl=openssl)
# Unpacked only: their installation would start a daemon.
DEBIAN_PROGRAMS=(etcd-server=etcd)
UNPACKED=$PWD/.cache/debian
export PATH=$PATH:$UNPACKED/usr/bin

# Runtimes besides the Node that runs this, as npm packages that carry the binary itself (no install script).
case "$(uname -m)" in
  x86_64) node_cpu=x64 deno_cpu=x64 bun_cpu=x64 ;;
  aarch64) node_cpu=arm64 deno_cpu=arm64 bun_cpu=aarch64 ;;
  *) echo "test: cannot install runtimes for $(uname -m): no npm package is known; run npm run unit" >&2; exit 1 ;;
esac
RUNTIMES=.cache/runtimes

missing() { for row; do command -v "${row#*=}" >/dev/null || echo "${row%%=*}"; done; }

install_debian() {
  local packages programs
  mapfile -t packages < <(missing "${DEBIAN_PACKAGES[@]}")
  mapfile -t programs < <(missing "${DEBIAN_PROGRAMS[@]}")
  [ $((${#packages[@]} + ${#programs[@]})) -gt 0 ] || return 0
  if ! command -v apt-get >/dev/null; then
    echo "not a Debian: install ${packages[*]} ${programs[*]} by hand; the tests that need them are skipped and say so"
    return
  fi
  local sudo=()
  [ "$(id -u)" -eq 0 ] || sudo=(sudo)
  "${sudo[@]}" apt-get update -q
  [ ${#packages[@]} -eq 0 ] ||
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${packages[@]}"
  local program
  for program in "${programs[@]}"; do
    rm -rf "$UNPACKED/$program" && mkdir -p "$UNPACKED/$program"
    (cd "$UNPACKED/$program" && apt-get download -q -o APT::Sandbox::User=root "$program" && dpkg -x ./*.deb "$UNPACKED")
  done
}

install_runtimes() {
  mkdir -p "$RUNTIMES"
  [ -f "$RUNTIMES/package.json" ] || echo '{ "private": true }' >"$RUNTIMES/package.json"
  npm install --prefix "$RUNTIMES" --no-save --ignore-scripts --no-audit --no-fund \
    "node20@npm:node-linux-$node_cpu@20" "node22@npm:node-linux-$node_cpu@22" "node24@npm:node-linux-$node_cpu@24" \
    "@deno/linux-$deno_cpu-glibc@2" "@oven/bun-linux-$bun_cpu@1"
}

step "npm packages"
npm ci --no-audit --no-fund
step "Debian packages"
install_debian
step "runtimes"
install_runtimes
modules="$PWD/$RUNTIMES/node_modules"
node20="$modules/node20/bin/node" node22="$modules/node22/bin/node" node24="$modules/node24/bin/node"
deno="$modules/@deno/linux-$deno_cpu-glibc/deno" bun="$modules/@oven/bun-linux-$bun_cpu/bin/bun"
chmod +x "$deno" "$bun"

# Of the suites below, most leave a processor idle. The end-to-end tests ask for these parts again, and say what failed.
make_parts() { [ -n "${KUBESTEP_E2E_DEBIAN:-}" ] || bash test/e2e/build-debian.sh >/dev/null; bash test/e2e/systemd-machine.sh make; }
parts=
if [ "${KUBESTEP_E2E:-some}" != 0 ] && [ "$(id -u)" -eq 0 ]; then
  step "parts of real clusters, made meanwhile: $PWD/.cache/parts.log"
  export -f make_parts
  setsid nice -n 19 bash -c make_parts >.cache/parts.log 2>&1 &
  parts=$!
  trap 'kill -- "-$parts" 2>/dev/null || true' EXIT
fi

step "types, lint, format, dist/, README"
npx --no-install tsc
npx --no-install biome check .
npx --no-install zx scripts/build.mts --check

step "core suite on Node 20: $("$node20" --version)"
"$node20" --import tsx --test test/unit/*.test.mts
step "core suite on Deno: $("$deno" --version | head -1)"
"$deno" test -A --no-check --quiet test/unit/*.test.mts
step "core suite on Bun: $("$bun" --version)"
"$bun" test --timeout 60000 ./test/unit/
step "core suite on Node 24: $("$node24" --version)"
"$node24" --test test/unit/*.test.mts
step "integration: real openssl, etcd, bundles on every runtime"
KUBESTEP_RUNTIMES="$node20:$node22:$node24:$deno:$bun" "$node20" --import tsx --test test/integration/*.test.mts
# Real clusters, where they can be: the tests find out, build what they need, and say why when they cannot.
if [ "${KUBESTEP_E2E:-some}" = 0 ]; then
  step "end-to-end: left out, because KUBESTEP_E2E=0"
else
  step "end-to-end: real clusters, brought up and taken away on this machine, and on one with systemd"
  [ -z "$parts" ] || wait "$parts" || true
  KUBESTEP_E2E=${KUBESTEP_E2E:-some} "$node24" --test --test-reporter=spec test/e2e/*.test.mts
fi
