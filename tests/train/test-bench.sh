#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# pix2pix bench: what it reports, not how fast it is.
. "${0%/*}/tap.sh"

works 'a table' bench "$unet" --frames 3 --threads 1
says 'all layers'
says 'ms a frame'
works 'another size' bench "$unet" --frames 2 --size 64x32
says '64x32'
"$PIX2PIX" bench "$unet" --frames 3 --json >bench.json
for key in median_ms min_ms pack_ms network_ms peak_gflops frames width 'layers[0].name' \
    'layers[0].algorithm' 'layers[0].ms' 'layers[0].gflops' 'layers[0].share_of_peak' \
    'layers[0].share_of_time' device.name model.architecture; do
    check "JSON has $key" "$TOOL" json bench.json "\$.$key"
done
median=$("$TOOL" json bench.json '$.median_ms')
min=$("$TOOL" json bench.json '$.min_ms')
check 'the fastest frame is not slower than the median' \
    awk "BEGIN { exit !($min > 0 && $min <= $median) }"
"$TOOL" json bench.json '$.layers[*].share_of_time' >shares
check 'the shares of time add up' \
    awk '{ sum += $1 } END { exit !(sum > 0.999 && sum < 1.001) }' shares
fails 1 'missing: ' 'no such model' bench missing
fails 1 'discriminator' 'a discriminator is no model' bench "$models/patchgan.safetensors"
fails 1 '33x32' 'a size that the network cannot take' bench "$unet" --size 33x32
finish
