#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# pix2pix forward, against what PyTorch computes.
. "${0%/*}/tap.sh"

for model in unet32 unet32_1to3 resnet2 patchgan; do
    x=$models/$model.io.safetensors
    works "$model" forward "$models/$model.safetensors" "$x" y.safetensors --dropout off \
        --norm-statistics frame
    check "$model: the batch's statistics" "$TOOL" close y.safetensors y "$x" y_batch 5e-5
done
x=$models/unet32.io.safetensors
works 'running statistics' forward "$unet" "$x" eval.safetensors --norm-statistics running
check 'as in evaluation mode' "$TOOL" close eval.safetensors y "$x" y_eval 5e-5
if "$TOOL" close eval.safetensors y "$x" y_batch 5e-5 >/dev/null 2>&1; then
    result 1 'the two statistics differ'
else
    result 0 'the two statistics differ'
fi
works 'one thread' forward "$unet" "$x" one.safetensors --threads 1 --device cpu --precision auto
works 'two threads' forward "$unet" "$x" two.safetensors --threads 2 --device cpu --precision fp32
check 'with the same result' cmp one.safetensors two.safetensors
"$TOOL" tensor batch.safetensors x 3 3 64 32
works 'a batch of another size' forward "$unet" batch.safetensors out.safetensors
says '(3, 3, 64, 32)'

if [ -f "$models/mm_resnet_dropout.pth" ]; then
    model=$models/mm_resnet_dropout.pth
    "$TOOL" tensor drop.safetensors x 1 3 32 32
    for seed in 1 2; do
        works "dropout with seed $seed" forward "$model" drop.safetensors "seed$seed" --seed "$seed"
        works "and again" forward "$model" drop.safetensors "again$seed" --seed "$seed"
        check 'repeats itself' cmp "seed$seed" "again$seed"
    done
    cmp -s seed1 seed2 && same=1 || same=0
    result $same 'seeds differ'
fi

mkdir empty
fails 1 'one of auto, fp32' 'a precision that the CPU cannot compute in' forward "$unet" "$x" empty/y \
    --device cpu --precision fp16
if "$PIX2PIX" forward "$unet" "$x" half.safetensors --device vulkan --precision fp16 \
    --norm-statistics running >/dev/null 2>&1; then
    check 'in fp16 nearly the same' "$TOOL" close half.safetensors y "$x" y_eval 1e-2
    export PIX2PIX_VULKAN=nofp16
    fails 1 'one of auto, fp32' 'a GPU without fp16' forward "$unet" "$x" empty/y \
        --device vulkan --precision fp16
    unset PIX2PIX_VULKAN
else
    skip 'fp16' 'no GPU that can'
fi
"$TOOL" tensor grey.safetensors x 1 1 32 32
fails 1 'takes 3 channels, not 1' 'too few channels' forward "$unet" grey.safetensors empty/y
"$TOOL" tensor odd.safetensors x 1 3 32 34
fails 1 '34x32' 'a size that the network cannot take' forward "$unet" odd.safetensors empty/y
"$TOOL" tensor z.safetensors z 1 3 32 32
fails 1 'z.safetensors: ' 'no tensor x' forward "$unet" z.safetensors empty/y
fails 1 'missing.safetensors: ' 'no such input' forward "$unet" missing.safetensors empty/y
fails 1 'missing.pth: ' 'no such model' forward missing.pth "$x" empty/y
fails 1 'no folder nowhere' 'no such output folder' forward "$unet" "$x" nowhere/y
fails 1 'will not be overwritten' 'the input as output' forward "$unet" batch.safetensors \
    batch.safetensors
fails 1 'nonsense' 'an unknown device' forward "$unet" "$x" empty/y --device nonsense
check 'nothing is left behind' holds empty
finish
