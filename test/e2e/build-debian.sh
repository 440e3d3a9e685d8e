#!/usr/bin/env bash
# Makes a folder for `init --artifacts` with Kubernetes v1.20.2, from nothing but what Debian bookworm carries, and
# prints its path: for a machine that reaches only a Debian mirror, and for the end-to-end tests.
#
#   sudo bash test/e2e/build-debian.sh
#
# Progress goes to standard error. The first time takes five to ten minutes on two cores and 4 GB of disk; the result
# is kept in $KUBESTEP_CACHE (default ~/.cache/kubestep), so that the next time takes a moment. An interrupted run
# goes on where it was. CoreDNS is not in it: Debian has none, so use --skip-phases addon/coredns.
# Exit status: 0 done, 1 failed, 77 not for this machine.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/debian.sh"

VERSION=1.20.2
COMMIT=faecb196815e248d3ecfb03c680a4507229c2a56 # of upstream's tag
COMPONENTS=(kubelet kube-apiserver kube-controller-manager kube-scheduler kube-proxy)
REGISTRY=k8s.gcr.io
# Images by the names that kubeadm of this version gives them.
PAUSE=$REGISTRY/pause:3.2 ETCD=$REGISTRY/etcd:3.4.13-0

check_disk() {
  local free; free=$(df --output=avail -m "$CACHE" | tail -1)
  [ "$free" -gt 4500 ] || skip "cannot build in \"$CACHE\": 4500 MB are needed and $free MB are free; choose another folder with KUBESTEP_CACHE"
}

# The upstream tarball out of Debian's source package, from the mirror that this machine has its packages from.
fetch_source() {
  local work=$1 lists=$1/lists
  compgen -G "$work/kubernetes_*.orig.tar.gz" >/dev/null && return
  mkdir -p "$lists/partial"
  source_list deb-src >"$work/sources.list"
  # apt names only sources whose lists it has.
  [ -s "$work/sources.list" ] || { update_once; source_list deb-src >"$work/sources.list"; }
  [ -s "$work/sources.list" ] || skip "this machine's package sources do not name bookworm main"
  say "fetching the source package kubernetes"
  local own=(-o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o "Dir::State::Lists=$lists" -o "Dir::Cache=$work/apt" -o APT::Sandbox::User=root)
  mkdir -p "$work/apt/archives/partial" "$work/source"
  apt "${own[@]}" update
  (cd "$work/source" && apt "${own[@]}" --download-only source kubernetes)
  mv "$work"/source/kubernetes_*.orig.tar.gz "$work/"
  case $(echo "$work"/kubernetes_*.orig.tar.gz) in *"$VERSION.orig.tar.gz") ;; *) fail "the source package is not of v$VERSION" ;; esac
}

# The components, static, as files in a folder.
build_binaries() {
  local work=$CACHE/work root=$CACHE/work/go out=$1 tree=$CACHE/work/gopath/src/k8s.io/kubernetes
  mkdir -p "$work" "$(dirname "$tree")"
  fetch_source "$work"
  [ -x "$root/usr/lib/go-1.19/bin/go" ] || unpack "$root" golang-1.19-go golang-1.19-src golang-github-modern-go-reflect2-dev
  if [ ! -d "$tree" ]; then
    say "unpacking the source"
    rm -rf "$tree.partial" && mkdir "$tree.partial"
    tar -xzf "$work"/kubernetes_*.orig.tar.gz -C "$tree.partial" --strip-components=1
    # The vendored reflect2 1.0.1 panics with Go 1.18 and later; Debian's 1.0.2 does not.
    local reflect2=$tree.partial/vendor/github.com/modern-go/reflect2
    rm "$reflect2"/*.go "$reflect2"/*.s
    cp "$root"/usr/share/gocode/src/github.com/modern-go/reflect2/*.{go,s} "$reflect2/"
    mv "$tree.partial" "$tree"
  fi
  # GOPATH mode: in module mode Go refuses this vendor folder.
  export GOROOT=$root/usr/lib/go-1.19 GOPATH=$work/gopath GOCACHE=$work/gocache GO111MODULE=off GOFLAGS='' CGO_ENABLED=0 GOPROXY=off
  export PATH=$GOROOT/bin:$PATH
  cd "$tree"

  # The API server's OpenAPI definitions are generated, and not part of the source package.
  if [ ! -f pkg/generated/openapi/zz_generated.openapi.go ]; then
    say "generating OpenAPI definitions"
    go build -o "$work/openapi-gen" ./vendor/k8s.io/kube-openapi/cmd/openapi-gen
    local packages
    packages=$(grep -rl --include=*.go --exclude-dir=vendor --exclude-dir=_examples '^// +k8s:openapi-gen=' cmd pkg plugin staging/src/k8s.io |
      sed 's,^staging/src/,vendor/,' | grep -v -e ^vendor/k8s.io/code-generator/ -e ^vendor/k8s.io/sample-apiserver/ |
      xargs -n1 dirname | LC_ALL=C sort -u | sed 's,^,k8s.io/kubernetes/,' | paste -sd,)
    "$work/openapi-gen" --logtostderr -i "$packages" -p k8s.io/kubernetes/pkg/generated/openapi -O zz_generated.openapi.partial \
      -h vendor/k8s.io/code-generator/hack/boilerplate.go.txt -r /dev/null
    mv pkg/generated/openapi/zz_generated.openapi{.partial,}.go
  fi

  local flags='-s -w' package setting
  for package in component-base/version client-go/pkg/version; do
    for setting in "gitVersion=v$VERSION" gitMajor=1 gitMinor=20 "gitCommit=$COMMIT" gitTreeState=archive buildDate=1970-01-01T00:00:00Z; do
      flags+=" -X k8s.io/kubernetes/vendor/k8s.io/$package.$setting"
    done
  done
  mkdir -p "$out"
  local component
  for component in "${COMPONENTS[@]}"; do
    say "compiling $component"
    go build -trimpath -ldflags "$flags" -o "$out/$component" "./cmd/$component"
  done
  # kubectl is the one program of Kubernetes that Debian has as a package.
  unpack "$work/kubectl" kubernetes-client
  cp "$work/kubectl/usr/bin/kubectl" "$out/kubectl"
  say "compiling pause"
  require gcc gcc libc6-dev
  gcc -Os -static -DVERSION=v3.2 -o "$out/pause" build/pause/linux/pause.c
}

# The folder for --artifacts, from the binaries and from Debian's etcd, CNI plugins and iptables.
assemble() {
  local binaries=$1 out=$2 root=$CACHE/work/images debs=$CACHE/work/debian component program
  rm -rf "$root"
  mkdir -p "$out/bin" "$out/images" "$out/cni/bin"
  cp "$binaries"/kubelet "$binaries"/kubectl "$out/bin/"
  unpack "$debs" etcd-server etcd-client containernetworking-plugins
  cp "$debs"/usr/lib/cni/* "$out/cni/bin/"

  say "making images"
  image() { "$here/make-image.sh" "$root/$1" "$out/images/$1.tar" "${@:2}"; }
  add "$root/pause" "$binaries/pause" /pause
  image pause "$PAUSE" /pause
  for program in etcd etcdctl; do add "$root/etcd" "$debs/usr/bin/$program" "/usr/local/bin/$program"; done
  # etcd 3.4 runs elsewhere than on amd64 only when told that this is meant.
  IMAGE_ENV=ETCD_UNSUPPORTED_ARCH=$ARCH image etcd "$ETCD"
  for component in kube-apiserver kube-controller-manager kube-scheduler; do
    add "$root/$component" "$binaries/$component" "/usr/local/bin/$component"
    image "$component" "$REGISTRY/$component:v$VERSION"
  done

  # kube-proxy calls iptables, of the kind that this machine uses, with all its extensions.
  require iptables iptables
  require conntrack conntrack
  local proxy=$root/kube-proxy xtables extension
  xtables=$(readlink -f "$(PATH=$PATH:/usr/sbin command -v iptables)")
  add "$proxy" "$binaries/kube-proxy" /usr/local/bin/kube-proxy
  add "$proxy" "$xtables" "/usr/sbin/$(basename "$xtables")"
  for program in iptables ip6tables; do
    for program in "$program" "$program-save" "$program-restore"; do
      ln -s "$(basename "$xtables")" "$proxy/usr/sbin/$program"
    done
  done
  for extension in "$(dirname "$(dpkg -L iptables | grep -m1 /libxt_)")"/*.so; do add "$proxy" "$extension" "$extension"; done
  for program in conntrack modprobe; do
    program=$(PATH=$PATH:/usr/sbin command -v "$program") && add "$proxy" "$program" "/usr/sbin/$(basename "$program")"
  done
  cp /etc/protocols /etc/services "$proxy/etc/" 2>/dev/null || true
  image kube-proxy "$REGISTRY/kube-proxy:v$VERSION"
}

# A name for what functions make: another text of theirs, another name.
key() { { declare -f "$@"; declare -p VERSION COMMIT COMPONENTS REGISTRY PAUSE ETCD ARCH; } | sha256sum | cut -c1-12; }

check_bookworm
binaries=$CACHE/binaries-$(key build_binaries)
artifacts=$CACHE/v$VERSION-$(key build_binaries assemble add)-$(sha256sum <"$here/make-image.sh" | cut -c1-6)
if [ ! -d "$artifacts" ]; then
  lock_cache
  if [ ! -d "$binaries" ]; then
    check_disk
    say "building Kubernetes v$VERSION in $CACHE; this takes a while"
    build_binaries "$binaries.partial"
    mv "$binaries.partial" "$binaries"
  fi
  rm -rf "$artifacts.partial"
  assemble "$binaries" "$artifacts.partial"
  # What earlier texts of this script made, and what is only needed on the way.
  for old in "$CACHE"/binaries-* "$CACHE/v$VERSION"-*; do
    case $old in "$binaries" | "$artifacts".partial) ;; *) rm -rf "$old" ;; esac
  done
  rm -rf "$CACHE/work" "$CACHE/debs"
  mv "$artifacts.partial" "$artifacts"
fi
say "Kubernetes v$VERSION is in $artifacts"
echo "$artifacts"
