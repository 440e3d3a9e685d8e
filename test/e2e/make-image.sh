#!/usr/bin/env bash
# Makes a docker archive of one layer from a folder: make-image.sh FOLDER OUT.tar IMAGE:TAG [ENTRYPOINT [ARGUMENT...]]
# The same folder makes the same archive. IMAGE_ENV adds a variable, e.g. IMAGE_ENV=A=b.
set -euo pipefail
[ $# -ge 3 ] || { sed -n '2,3s/^# //p' "$0" >&2; exit 2; }
folder=$1 out=$2 name=$3; shift 3

work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
strings() { local sep=''; for word; do printf '%s"%s"' "$sep" "$word"; sep=,; done; }
pack() { tar --format=gnu --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -C "$1" -cf "$2" "${@:3}"; }
digest() { sha256sum "$1" | cut -d' ' -f1; }

# Programs expect a user, a /tmp and a group file; static Pods name their program without a path.
mkdir -p "$folder/etc" "$folder/tmp" "$folder/run" "$folder/root"
chmod 1777 "$folder/tmp"
[ -e "$folder/etc/passwd" ] || echo 'root:x:0:0:root:/root:/bin/sh' >"$folder/etc/passwd"
[ -e "$folder/etc/group" ] || echo 'root:x:0:' >"$folder/etc/group"
path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

mkdir "$work/image"
pack "$folder" "$work/image/layer.tar" .
cat >"$work/config" <<JSON
{"architecture":"$(dpkg --print-architecture)","os":"linux","created":"1970-01-01T00:00:00Z",
"config":{"Env":[$(strings "PATH=$path" ${IMAGE_ENV:+"$IMAGE_ENV"})],"Entrypoint":[$(strings "$@")],"WorkingDir":"/"},
"rootfs":{"type":"layers","diff_ids":["sha256:$(digest "$work/image/layer.tar")"]},
"history":[{"created":"1970-01-01T00:00:00Z","created_by":"kubestep test/e2e/make-image.sh"}]}
JSON
config=$(digest "$work/config").json
mv "$work/config" "$work/image/$config"
echo "[{\"Config\":\"$config\",\"RepoTags\":[\"$name\"],\"Layers\":[\"layer.tar\"]}]" >"$work/image/manifest.json"
pack "$work/image" "$out.partial" manifest.json "$config" layer.tar
mv "$out.partial" "$out"
