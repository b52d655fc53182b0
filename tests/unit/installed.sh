#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# installed.sh BUILD SOURCE: installs into a folder and builds an application against that alone,
# with pkg-config; then runs it with the installed library.
set -eu
build=$1
source=$2
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
DESTDIR=$root meson install -C "$build" --no-rebuild --quiet
pc=$(find "$root" -name pix2pix-1.0.pc)
prefix=$root$(pkg-config --variable=prefix "$pc")
libdir=$(dirname "$(dirname "$pc")")
sed -i "s#^prefix=.*#prefix=$prefix#" "$pc"
flags=$(PKG_CONFIG_PATH=$libdir/pkgconfig pkg-config --cflags --libs pix2pix-1.0)
# shellcheck disable=SC2086
cc -Wall -Werror "$source/examples/list-devices.c" -o "$root/list-devices" $flags
LD_LIBRARY_PATH=$libdir "$root/list-devices" | grep '^cpu'
test -f "$prefix/include/pix2pix-1.0/pix2pix/pix.h"
test -f "$prefix/share/pix2pix/models/facades.safetensors"
find "$root" -name libpix2pix.so.0 | grep -q .
[ ! -e "$build/train/pix2pix" ] || test -x "$prefix/bin/pix2pix"
[ ! -e "$build/gst/libgstpix2pix.so" ] || test -f "$libdir/gstreamer-1.0/libgstpix2pix.so"
