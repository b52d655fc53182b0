#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# How much memory one stream takes at most: half as much again as the weights, and 64 MB. And that a
# training says before it starts what its options take.
. "${0%/*}/tap.sh"
. "${0%/*}/train.sh"
export PIX2PIX_DEVICE=cpu # a GPU's memory is not the process's

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

# needs_and_peak RUN ARGUMENT...: in MB: what a training says that it needs, and what it takes.
needs_and_peak() {
    run=$1
    shift
    # shellcheck disable=SC2016,SC2086
    peak=$("$TOOL" peak sh -c '"$@" >printed 2>/dev/null' - "$PIX2PIX" train data --output "$run" \
        $small --ngf 48 --max-steps 1 --samples 0 --no-html "$@") || return 1
    sed -n 's/^needs \([0-9.]*\) GiB.*/\1/p' printed | awk -v peak="$peak" '{
        printf "%d %d\n", $1 * 1073.7, peak / 1e6 }'
}
make_pairs data 2 2
plain=$(needs_and_peak plain)
average=$(needs_and_peak average --ema 0.9)
echo "$plain $average" | awk 'NF != 4 { exit 1 } {
    print "# --ema needs " $3 - $1 " MB more by what it says, " $4 - $2 " in truth"
    exit !($4 - $2 > 30 && $3 - $1 > $4 - $2 - 18) }'
result $? 'a moving average and the model made of it are counted'

make_pairs more 1 1
for i in $(seq 2 250); do
    cp more/val/1.png more/val/$i.png
done
rm -r data/val
mv more/val data/val
many=$(needs_and_peak many)
echo "$plain $many" | awk 'NF != 4 { exit 1 } {
    print "# 248 more pairs to validate on need " $3 - $1 " MB by what it says, " $4 - $2 " in truth"
    exit !($4 - $2 > 50 && $3 - $1 > $4 - $2 - 18 && $3 - $1 < $4 - $2 + 30) }'
result $? 'what validation compares is counted'
finish
