#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Which devices there are, which is taken, and what takes over from one that fails.
. "${0%/*}/tap.sh"
export PIX2PIX_CACHE_DIR="$scratch/cache"
unset PIX2PIX_DEVICE
x=$models/unet32.io.safetensors

works 'a list' devices
says 'cpu '
says 'auto takes'
"$PIX2PIX" devices | awk 'length > 80 { exit 1 }'
result $? 'of 80 columns'
"$PIX2PIX" devices --json >devices.json
for key in default auto 'devices[0].name' 'devices[0].features' 'devices[0].memory_bytes'; do
    check "JSON has $key" "$TOOL" json devices.json "\$.$key"
done
[ "$("$TOOL" json devices.json '$.devices[0].id')" = '"cpu"' ]
result $? 'the CPU comes first'

PIX2PIX_DEVICE=gpu "$PIX2PIX" devices >"$scratch/.stdout" 2>"$scratch/.stderr"
[ $? = 0 ] && grep -q '^pix2pix: .*gpu' "$scratch/.stderr" && grep -q '^. cpu ' "$scratch/.stdout"
result $? 'devices without the one that the environment names'
[ "$(PIX2PIX_DEVICE=gpu "$PIX2PIX" devices --json 2>/dev/null >none.json
    "$TOOL" json none.json '$.default')" = null ]
result $? 'and JSON'

PIX2PIX_CPU=abacus "$PIX2PIX" devices >"$scratch/.stdout" 2>"$scratch/.stderr"
[ $? = 1 ] && grep -q '^  cpu .*abacus' "$scratch/.stdout"
result $? 'a device that cannot be opened says why'
PIX2PIX_CPU=abacus "$PIX2PIX" devices --json >devices.json 2>/dev/null
check 'in JSON, too' "$TOOL" json devices.json '$.devices[0].error'

# Without any driver: the CPU, and no warning, for there is nothing wrong.
export VK_DRIVER_FILES=/dev/null VK_ICD_FILENAMES=/dev/null
works 'no driver: the CPU is taken' forward "$unet" "$x" y.safetensors
"$PIX2PIX" devices --json >devices.json
[ "$("$TOOL" json devices.json '$.auto')" = '"cpu"' ]
result $? 'and listed as what auto takes'
if [ -n "${HAVE_VULKAN:-}" ]; then
    "$TOOL" json devices.json '$.auto_note' | grep -q Vulkan
    result $? 'with the reason'
    fails 1 'Vulkan' 'no driver: vulkan is an error' forward "$unet" "$x" no.safetensors --device vulkan
    fails 1 'Vulkan' 'with a name, too' forward "$unet" "$x" no.safetensors --device vulkan:geforce
fi
unset VK_DRIVER_FILES VK_ICD_FILENAMES

# Nor with a loader that is none.
mkdir broken
: >broken/libvulkan.so.1
: >broken/libvulkan.so
LD_LIBRARY_PATH="$scratch/broken:${LD_LIBRARY_PATH:-}" works 'no loader: the CPU is taken' \
    forward "$unet" "$x" y.safetensors
if [ -n "${HAVE_VULKAN:-}" ]; then
    LD_LIBRARY_PATH="$scratch/broken:${LD_LIBRARY_PATH:-}" fails 1 'there is no loader' \
        'no loader: vulkan is an error' forward "$unet" "$x" no.safetensors --device vulkan
fi

# A device that is lost at some step: the CPU takes over if nobody named the device.
for step in ${FAILING_DEVICE:+load session run}; do
    rm -rf y.safetensors out
    LD_PRELOAD=$FAILING_DEVICE PIX2PIX_TEST_FAILS=$step PIX2PIX_TEST_AUTO=1 \
        "$PIX2PIX" forward "$unet" "$x" y.safetensors --dropout off --norm-statistics frame \
        >"$scratch/.stdout" 2>"$scratch/.stderr"
    [ $? = 0 ] && [ "$(wc -l <"$scratch/.stderr")" = 1 ] &&
        grep -q '^pix2pix: warning: the processor has left; the CPU takes over$' "$scratch/.stderr"
    result $? "$step fails: the CPU takes over"
    check 'with the right result' "$TOOL" close y.safetensors y "$x" y_batch 5e-5
    "$PIX2PIX" forward "$unet" "$x" int8.safetensors --precision int8
    LD_PRELOAD=$FAILING_DEVICE PIX2PIX_TEST_FAILS=$step PIX2PIX_TEST_AUTO=1 \
        "$PIX2PIX" forward "$unet" "$x" y.safetensors --precision int8 \
        >"$scratch/.stdout" 2>"$scratch/.stderr"
    [ $? = 0 ] && cmp -s y.safetensors int8.safetensors
    result $? "$step fails: the CPU goes on in the precision that was asked for"
    LD_PRELOAD=$FAILING_DEVICE PIX2PIX_TEST_FAILS=$step \
        "$PIX2PIX" forward "$unet" "$x" no.safetensors >"$scratch/.stdout" 2>"$scratch/.stderr"
    complaint $? 1 'the processor has left' && [ ! -e no.safetensors ]
    result $? "$step fails: a named device is an error"
    "$TOOL" picture in.png 32 32 1
    LD_PRELOAD=$FAILING_DEVICE PIX2PIX_TEST_FAILS=$step PIX2PIX_TEST_AUTO=1 \
        "$PIX2PIX" test "$unet" in.png --output out >"$scratch/.stdout" 2>"$scratch/.stderr"
    [ $? = 0 ] && [ -e out/in.png ] && grep -q 'the CPU takes over' "$scratch/.stderr"
    result $? "$step fails: pictures are translated all the same"
    mkdir -p pairs/val
    "$TOOL" picture pairs/val/1.png 64 32 1
    rm -rf out
    LD_PRELOAD=$FAILING_DEVICE PIX2PIX_TEST_FAILS=$step PIX2PIX_TEST_AUTO=1 \
        "$PIX2PIX" test "$unet" --data pairs --split val --output out \
        >"$scratch/.stdout" 2>"$scratch/.stderr"
    [ $? = 0 ] && [ -e out/1.png ] && grep -q 'the CPU takes over' "$scratch/.stderr"
    result $? "$step fails: so are pairs"
done

if [ -n "${FAILING_DEVICE:-}" ]; then
    LD_PRELOAD=$FAILING_DEVICE PIX2PIX_TEST_FAILS=check \
        "$PIX2PIX" forward "$unet" "$x" y.safetensors >"$scratch/.stdout" 2>"$scratch/.stderr"
    [ $? = 0 ] && [ "$(cat "$scratch/.stderr")" = 'pix2pix: warning: the GPU is wrong; cpu is used' ]
    result $? 'a GPU that was refused is told of, once'
fi

# What runs on a GPU, if it is no more than a processor that plays one.
"$PIX2PIX" devices --json >devices.json
if "$TOOL" json devices.json '$.devices[1].uuid' >uuid 2>/dev/null; then
    uuid=$(tr -d '"' <uuid)
    id=$("$TOOL" json devices.json '$.devices[1].id' | tr -d '"')
    for spec in "$id" "vulkan:$uuid" vulkan; do
        works "$spec" forward "$unet" "$x" y.safetensors --dropout off --norm-statistics frame \
            --device "$spec"
        check 'computes the same' "$TOOL" close y.safetensors y "$x" y_batch 5e-5
    done
    check 'what was checked is kept' sh -c "ls '$scratch/cache' | grep -q '^checked-'"
    fails 1 'no Vulkan device' 'a name that no device has' forward "$unet" "$x" no.safetensors \
        --device vulkan:abacus
    works 'a list with a GPU' devices
    says "$uuid"
fi
finish
