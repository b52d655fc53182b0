#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# How much memory one stream takes at most: half as much again as the weights, and 64 MB.
. "${0%/*}/tap.sh"

"$PIX2PIX" info facades --json >info.json
weights=$("$TOOL" json info.json '$.weight_bytes')
allowed=$((weights * 3 / 2 + 64000000))
"$TOOL" picture in.png 256 256 1
"$TOOL" tensor in.safetensors x 1 3 256 256

# limited ARGUMENT...: pix2pix stays below it.
limited() {
    name=$1
    peak=$("$TOOL" peak "$PIX2PIX" "$@" --threads 2 2>"$scratch/.stderr")
    echo "# $name: $peak bytes at most, $allowed allowed, $weights of weights"
    [ -n "$peak" ] && [ "$peak" -gt "$weights" ] && [ "$peak" -le "$allowed" ]
    result $? "$name: at most 1.5 x weights + 64 MB ($((allowed / 1000000)) MB)"
}
limited forward facades in.safetensors out.safetensors
limited test facades in.png --output out
limited forward "$FACADES" in.safetensors out.safetensors
finish
