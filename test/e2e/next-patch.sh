#!/usr/bin/env bash
# The next patch release of a folder for --artifacts: next-patch.sh ARTIFACTS OUT v1.20.2 v1.20.3
# The same build, whose programs say the other version when they are asked, and images with that tag: all of an upgrade
# but new code. Versions have to be equally long, so that nothing in a program moves.
# Exit status: 0 done, 1 failed, 77 images that make-image.sh has not made.
set -euo pipefail
artifacts=$1 out=$2 old=$3 new=$4
[ ${#old} = ${#new} ] || { echo "next-patch: $old and $new are not equally long" >&2; exit 77; }
stamp() { LC_ALL=C sed "s/${old//./\\.}/$new/g"; }
digest() { sha256sum "$1" | cut -d' ' -f1; }

mkdir -p "$out/bin" "$out/images"
[ ! -d "$artifacts/cni" ] || ln -s "$artifacts/cni" "$out/cni"
stamp <"$artifacts/bin/kubelet" >"$out/bin/kubelet"
chmod 755 "$out/bin/kubelet"
[ ! -e "$artifacts/bin/kubectl" ] || ln -s "$(readlink -f "$artifacts/bin/kubectl")" "$out/bin/kubectl"
"$out/bin/kubelet" --version | grep -qF "$new" || { echo "next-patch: the kubelet does not say $new" >&2; exit 77; }

for archive in "$artifacts"/images/*.tar; do
  copy=$out/images/$(basename "$archive")
  tar -xOf "$archive" manifest.json | grep -qF ":$old\"" || { ln -s "$(readlink -f "$archive")" "$copy"; continue; }
  work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
  tar -xf "$archive" -C "$work"
  [ -f "$work/layer.tar" ] || { echo "next-patch: $archive has other layers" >&2; exit 77; }
  config=$(cd "$work" && ls *.json | grep -v '^manifest.json$')
  before=$(digest "$work/layer.tar")
  stamp <"$work/layer.tar" >"$work/stamped" && mv "$work/stamped" "$work/layer.tar"
  sed "s/$before/$(digest "$work/layer.tar")/" "$work/$config" >"$work/config"
  rm "$work/$config"
  fresh=$(digest "$work/config").json
  mv "$work/config" "$work/$fresh"
  sed -i "s/:${old//./\\.}\"/:$new\"/; s/$config/$fresh/" "$work/manifest.json"
  tar --format=gnu --sort=name -C "$work" -cf "$copy" manifest.json "$fresh" layer.tar
  rm -rf "$work"
done
