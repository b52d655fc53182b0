#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# pix2pix train on a GPU, if it is no more than a processor that plays one: it learns what the CPU
# does, and a run goes from one to the other.
. "${0%/*}/tap.sh"
. "${0%/*}/train.sh"
export PIX2PIX_CACHE_DIR="$scratch/cache"
unset PIX2PIX_DEVICE

"$PIX2PIX" devices --json >devices.json
if [ -z "${REQUIRE_VULKAN-}" ] &&
    ! "$TOOL" json devices.json '$.devices[1].id' >/dev/null 2>&1; then
    echo '1..0 # SKIP there is no device but the CPU'
    exit
fi

make_pairs data 6 2
same='--epochs 4 --epochs-decay 0 --log-steps 1 --samples 0 --no-html'

# state RUN: its newest.
state() {
    ls "$1"/states/* | tail -n 1
}

for kind in '--clip-norm 0.1 --ema 0.9 --dropout' \
    '--gan-mode wgangp --pixel-loss l2 --norm instance --batch-size 2' '--no-gan --accumulate 2'; do
    rm -rf on-cpu on-gpu again
    # shellcheck disable=SC2086
    {
        train data --output on-cpu $same $kind --max-steps 3 --device cpu
        result $? "three steps on the CPU, $kind"
        trains 'on the GPU' data --output on-gpu $same $kind --max-steps 3 --device vulkan
        check 'have the same losses' near on-cpu on-gpu 3
        trains 'once more' data --output again $same $kind --max-steps 3 --device vulkan
    }
    check 'is the same model, bit for bit' cmp on-gpu/latest.safetensors again/latest.safetensors
    check 'and the same state' cmp "$(state on-gpu)" "$(state again)"
done

# shellcheck disable=SC2086
{
    trains 'nine steps on the CPU' data --output whole $same --max-steps 9 --device cpu
    trains 'three on the CPU' data --output parts $same --max-steps 3 --device cpu
}
resumes 'three on the GPU' parts --max-steps 6 --device vulkan
resumes 'three on the CPU again' parts --max-steps 9 --device cpu
check 'are the same nine' near whole parts 9
[ "$(wc -c <"$(state whole)")" = "$(wc -c <"$(state parts)")" ]
result $? 'with the same kind of state'
check 'and a model that can be used' "$PIX2PIX" info parts/latest.safetensors

works 'a benchmark of steps' bench --train --net-g unet_64 --ngf 4 --size 64x64 --frames 3 \
    --device vulkan --json
cp "$scratch/.stdout" bench.json
[ "$("$TOOL" json bench.json '$.waits')" = 1.0 ]
result $? 'a step is waited for once'
[ "$("$TOOL" json bench.json '$.submissions' | cut -d. -f1)" -gt 1 ]
result $? 'and handed over in pieces'
"$TOOL" json bench.json '$.layers[*].ms' >layers
check 'layers are waited for: asking for one takes less' \
    awk '$1 > 0.02 { waited++ } END { exit waited < 30 }' layers

# Numbers that blow up end a run with the last good weights.
cp parts/latest.safetensors good.safetensors
"$PIX2PIX" train --resume parts --device vulkan --override --learning-rate 1e30 --max-steps 0 \
    >"$scratch/.stdout" 2>"$scratch/.stderr"
status=$?
[ $status = 1 ] && grep -q 'step 10 with .* the loss [DG]_[A-Za-z0-9]* is ' "$scratch/.stderr" &&
    grep -q ' of [DG] holds ' "$scratch/.stderr"
result $? "a loss that is not finite ends it ($status)"
check 'what was saved before is as it was' cmp good.safetensors parts/latest.safetensors
resumes 'and goes on with a better learning rate' parts --device vulkan --override \
    --learning-rate 0.0002 --max-steps 11
finish
