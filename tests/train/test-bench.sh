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
for key in median_ms min_ms pack_ms network_ms peak_gflops frames width size threads level \
    dropout norm_statistics peak_threads peak_level 'layers[0].name' 'layers[0].algorithm' \
    'layers[0].precision' 'layers[0].ms' 'layers[0].gflops' 'layers[0].gbytes' \
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

# share KEY OF PEAK [LAYER]: a rate is that share of what the device can do at most.
share() {
    part=$("$TOOL" json bench.json "\$.${4-}$1")
    rate=$("$TOOL" json bench.json "\$.${4-}$2")
    peak=$("$TOOL" json bench.json "\$.$3")
    check "$2 of ${4:-all layers} ($rate) is $part of $peak" \
        awk "BEGIN { d = $part * $peak - $rate; exit !($peak > 0 && d * d <= 1e-8 * $rate * $rate) }"
}
share share_of_peak gflops peak_gflops
share share_of_peak gflops peak_gflops 'layers[0].'
if awk "BEGIN { exit !($("$TOOL" json bench.json '$.peak_gbytes') > 0) }"; then
    share share_of_memory gbytes peak_gbytes
    share share_of_memory gbytes peak_gbytes 'layers[0].'
else
    skip 'shares of memory' 'there is too little to measure it'
fi

# reported KEY VALUE NAME [ENV...] -- ARGUMENT...: what a run of bench says of its circumstances.
reported() {
    key=$1
    value=$2
    name=$3
    shift 3
    "$@" --frames 1 --json >"$scratch/.stdout" 2>"$scratch/.stderr"
    [ "$("$TOOL" json "$scratch/.stdout" "\$.$key")" = "$value" ]
    result $? "$name"
}
reported size '"64x32"' 'the size' "$PIX2PIX" bench "$unet" --size 64x32
reported dropout '"fresh"' 'the dropout' "$PIX2PIX" bench "$unet" --dropout fresh
reported precision '"fp32"' 'the precision' "$PIX2PIX" bench "$unet"
reported norm_statistics '"running"' 'the statistics' \
    "$PIX2PIX" bench "$unet" --norm-statistics running

# ---- the CPU ----

asked=${PIX2PIX_DEVICE-}
export PIX2PIX_DEVICE=cpu
"$PIX2PIX" bench "$unet" --frames 1 --json >cpu.json
reported level '"c"' 'a lower CPU level' env PIX2PIX_CPU=c "$PIX2PIX" bench "$unet"
reported peak_threads 3 'the peak of all the threads' "$PIX2PIX" bench "$unet" --threads 3
level=$("$TOOL" json cpu.json '$.level')
reported peak_level "$level" 'the peak of the level' "$PIX2PIX" bench "$unet"
case $level in
*avx* | *amx*)
    reported peak_level '"avx2"' 'the peak of a lower level' \
        env PIX2PIX_CPU=avx2 "$PIX2PIX" bench "$unet"
    reported peak_level "$level" 'for the C code, that of the highest level' \
        env PIX2PIX_CPU=c "$PIX2PIX" bench "$unet"
    ;;
esac

# peak ARGUMENT...: the GFLOP/s of a run on one processor.
peak() {
    taskset -c "$cpu" "$PIX2PIX" bench "$unet" --frames 1 --json "$@" >peak.json &&
        "$TOOL" json peak.json '$.peak_gflops'
}
cpu=$(taskset -cp $$ 2>/dev/null | sed 's/.*: //; s/[-,].*//')
if [ -n "$cpu" ]; then
    reported threads 1 'one thread where there is one processor' \
        taskset -c "$cpu" "$PIX2PIX" bench "$unet"
    # Other work disturbs single measurements.
    for attempt in 1 2 3 4 5; do
        all=$(peak)
        one=$(peak --threads 1)
        awk "BEGIN { exit !($all < 1.5 * $one) }" && break
    done
    check "and its peak ($all) is that of one thread ($one)" \
        awk "BEGIN { exit !($all < 1.5 * $one) }"
else
    skip 'one thread where there is one processor' 'no taskset'
fi
export PIX2PIX_DEVICE="$asked"

fails 1 'missing: ' 'no such model' bench missing
fails 1 'discriminator' 'a discriminator is no model' bench "$models/patchgan.safetensors"
fails 1 '33x32' 'a size that the network cannot take' bench "$unet" --size 33x32

# Training: the same, of a step.
works 'a table of training' bench --train --net-g unet_32 --size 32x32 --ngf 4 --frames 2
says 'ms a step'
"$PIX2PIX" bench --train --net-g unet_32 --size 32x64 --ngf 4 --batch-size 2 --frames 2 \
    --json >bench.json
for key in median_ms min_ms images_per_s steps batch_size net_g network_bytes peak_gflops \
    'layers[0].name' 'layers[0].ms' 'layers[0].share_of_time' device.name; do
    check "JSON of training has $key" "$TOOL" json bench.json "\$.$key"
done
"$TOOL" json bench.json '$.layers[*].share_of_time' >shares
check 'the shares of time of training add up' \
    awk '{ sum += $1 } END { exit !(sum > 0.999 && sum < 1.001) }' shares

# A GPU tells what it was asked for.
if "$PIX2PIX" bench "$unet" --device vulkan --frames 1 --json >bench.json 2>/dev/null; then
    for key in dispatches read_bytes written_bytes floor_bytes traffic; do
        check "JSON of a GPU has $key" "$TOOL" json bench.json "\$.$key"
    done
    for key in dispatches read_bytes written_bytes floor_bytes; do
        check "and so have its layers" "$TOOL" json bench.json "\$.layers[0].$key"
    done
    "$TOOL" json bench.json '$.layers[*].ms' >times
    check 'layers of a GPU are timed' awk '{ sum += $1 } END { exit !(sum > 0) }' times
    "$TOOL" json bench.json '$.layers[*].dispatches' >dispatches
    all=$("$TOOL" json bench.json '$.dispatches')
    check 'its dispatches add up' \
        awk "{ sum += \$1 } END { exit !(sum == $all) }" dispatches
    if "$PIX2PIX" bench "$unet" --device vulkan --frames 1 --precision fp16 --json >half.json \
        2>/dev/null; then
        [ "$("$TOOL" json half.json '$.precision')" = '"fp16"' ]
        result $? 'fp16 is told'
        half=$("$TOOL" json half.json '$.floor_bytes')
        all=$("$TOOL" json bench.json '$.floor_bytes')
        check 'and has half as much to move' awk "BEGIN { exit !($half < 0.51 * $all) }"
    else
        skip 'fp16' 'no GPU that can'
    fi
    works 'a table of a GPU' bench "$unet" --device vulkan --frames 1
    says 'dispatches'
else
    skip 'what a GPU was asked for' 'no Vulkan here'
fi

fails 2 'MODEL, or --train' 'bench of nothing' bench
fails 2 'fp32 alone' 'training in fp16' bench --train --precision fp16
fails 2 'leave out' 'bench of a model and of training' bench --train "$unet"
finish
