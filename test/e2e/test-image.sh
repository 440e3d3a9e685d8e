#!/usr/bin/env bash
# Makes the image that the end-to-end tests run in Pods, a static busybox, and prints the archive's path.
# Exit status: 0 done, 1 failed, 77 not for this machine.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/debian.sh"

archive=$CACHE/busybox-$ARCH.tar
if [ ! -f "$archive" ]; then
  check_bookworm
  lock_cache
  root=$CACHE/busybox
  rm -rf "$root" && mkdir -p "$root/image/bin"
  unpack "$root/package" busybox-static
  # Some releases have it in /bin, others in /usr/bin.
  cp "$root"/package/*/busybox "$root/image/bin/" 2>/dev/null || cp "$root"/package/usr/bin/busybox "$root/image/bin/"
  for applet in $("$root/image/bin/busybox" --list); do
    [ "$applet" = busybox ] || ln -s busybox "$root/image/bin/$applet"
  done
  "$here/make-image.sh" "$root/image" "$archive" kubestep.test/busybox:e2e
  rm -rf "$root"
fi
echo "$archive"
