#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# pix2pix convert.
# shellcheck disable=SC2086
. "${0%/*}/tap.sh"

works 'to float32' convert "$unet" out.safetensors
says 'unet_32'
works 'again' convert "$unet" again.safetensors
check 'the same bytes' cmp out.safetensors again.safetensors
works 'over its own output' convert "$unet" out.safetensors
check 'the same bytes still' cmp out.safetensors again.safetensors
works 'what was written can be read' info out.safetensors
for precision in fp32 fp16 bf16 int8; do
    works "to $precision" convert "$unet" "$precision.safetensors" --precision "$precision"
    works "$precision can be read" info "$precision.safetensors"
done
check 'fp16 is smaller than fp32' test "$(wc -c <fp16.safetensors)" -lt "$(wc -c <fp32.safetensors)"
check 'int8 is smaller than fp16' test "$(wc -c <int8.safetensors)" -lt "$(wc -c <fp16.safetensors)"
for foreign in mm_pix2pix.pth cryer.pth affinelayer.pict; do
    [ ! -f "$models/$foreign" ] || works "$foreign" convert "$models/$foreign" foreign.safetensors
done
if [ -f "$models/mm_cyclegan.pth" ]; then
    works 'one of two generators' convert "$models/mm_cyclegan.pth" zebra.safetensors --domain zebra
    fails 1 'zebra' 'a generator must be chosen' convert "$models/mm_cyclegan.pth" no.safetensors
fi

mkdir empty
fails 2 'fp16' 'an unknown precision' convert "$unet" empty/a --precision fp17
fails 1 'missing.pth: ' 'no such input' convert missing.pth empty/a
printf 'text' >text.pth
fails 1 'text.pth: ' 'an input that is no checkpoint' convert text.pth empty/a
head -c 5000 "$unet" >short.safetensors
fails 1 'short.safetensors: ' 'an input that ends early' convert short.safetensors empty/a
fails 1 'no folder nowhere' 'an output folder that is not there' convert "$unet" nowhere/a
fails 1 'empty: is a folder' 'an output that is a folder' convert "$unet" empty
fails 1 'text.pth/a: ' 'a file in place of a folder' convert "$unet" text.pth/a
fails 1 '/dev/null: ' 'a device is not replaced' convert "$unet" /dev/null
check 'the device is still there' test -c /dev/null
cp "$unet" same.safetensors
fails 1 'will not be overwritten' 'the input as output' convert same.safetensors ./same.safetensors
ln same.safetensors linked.safetensors
fails 1 'will not be overwritten' 'a link to the input as output' \
    convert same.safetensors linked.safetensors
check 'the input is as it was' cmp "$unet" same.safetensors

# ---- a precision for each layer ----

mkdir inputs pairs pairs/train pairs/val pairs/odd tested tested/test none
for i in 1 2 3 4 5; do
    "$TOOL" picture "inputs/$i.png" 40 48 $i
    "$TOOL" picture "pairs/train/$i.png" 64 32 $i
    "$TOOL" picture "pairs/val/$i.jpg" 64 32 $i
    "$TOOL" picture "pairs/odd/$i.png" 96 32 $i
    "$TOOL" picture "tested/test/$i.png" 64 32 $i
done
auto='--precision auto --calibrate'

# calibrates NAME ARGUMENT...: it works, and has nothing to complain about.
calibrates() {
    name=$1
    shift
    "$PIX2PIX" convert "$@" >"$scratch/.stdout" 2>"$scratch/.stderr" </dev/null &&
        ! grep -qv ' left$' "$scratch/.stderr"
    result $? "$name"
    cp "$scratch/.stdout" told
}

# kept FILE STORED PICTURES DB: it has the mix whose figure was told, or none, as was told. Which it is
# depends on the machine; test-calibrate.c looks at what is chosen.
kept() {
    "$PIX2PIX" info "$1" --json >info.json || return 1
    [ "$("$TOOL" json info.json "\$.metadata['pix2pix.precision']")" = "\"$2\"" ] || return 1
    if grep -q "^fp32 stays: .* keeps $4 dB" told; then
        [ "$(wc -l <told)" = 3 ] && [ "$("$TOOL" json info.json '$.mix')" = null ]
        return
    fi
    psnr=$("$TOOL" json info.json '$.mix_psnr') && grep -q '^whole network' told &&
        grep -q " dB from fp32, the worst of $3 pictures" told &&
        [ "$("$TOOL" json info.json '$.mix_pictures')" = "$3" ] &&
        "$TOOL" json info.json '$.mix' | grep -q 'bf16\|int8' && awk "BEGIN { exit !($psnr > $4) }"
}
calibrates 'a mix of precisions' "$unet" found.safetensors $auto inputs
says 'inputs: 5 pictures are the inputs, of 40 x 48, resized to 32 x 32'
check 'the file has what was told' kept found.safetensors fp32 5 40
calibrates 'of narrow weights' int8.safetensors found8.safetensors $auto inputs --threads 1
check 'which stay as they are' kept found8.safetensors int8 5 40
calibrates 'of pairs' "$unet" found.safetensors $auto pairs --psnr 60
says 'pairs/val: the left halves of 5 pairs are the inputs, of 32 x 32'
check 'which is closer to fp32' kept found.safetensors fp32 5 60
calibrates 'of another folder of pairs' "$unet" found.safetensors $auto pairs --split odd \
    --direction BtoA
says 'pairs/odd: the right halves of 5 pairs'
check 'a run that learns from B to A' "$PIX2PIX" train pairs --output run --direction BtoA \
    --net-g unet_32 --crop-size 32 --ngf 4 --ndf 4 --max-steps 1
calibrates 'of its generator' run/latest.safetensors found.safetensors $auto pairs
says 'the right halves of 5 pairs'
calibrates 'of the other half' run/latest.safetensors found.safetensors $auto pairs --direction AtoB
says 'the left halves of 5 pairs'
"$PIX2PIX" convert "$unet" found.safetensors $auto tested >/dev/null 2>"$scratch/.stderr"
grep -q '^pix2pix: note: .*tested/test stands in for it' "$scratch/.stderr"
result $? 'what stands in for the pairs is told'

mix='fp32 bf16 int8 int8 bf16 int8 int8 fp32 fp32 bf16'
check 'weights with a mix' "$TOOL" mix "$unet" mix.safetensors $mix
check 'narrow ones' "$TOOL" mix int8.safetensors mix8.safetensors $mix
works 'auto runs what is in the file' bench mix.safetensors --device cpu --frames 1 --json
"$TOOL" json .stdout '$.layers[*].precision' | grep -o 'fp32\|bf16\|int8' >ran
check 'layer by layer' test "$(wc -l <ran)" = 10
printf '%s\n' $mix | paste -d ' ' - ran >both
! grep -qv 'fp32$\|bf16 bf16\|int8 int8' both
result $? 'or fp32, where that is faster'
# Its map has one pixel: it reads weights, and those of fewer bits are faster on any CPU.
check 'the deepest layer has its own' test "$(sed -n 5p both)" = 'bf16 bf16'
works 'to fewer bits' convert int8.safetensors before.safetensors --precision bf16
works 'with a mix, too' convert mix8.safetensors after.safetensors --precision bf16
says 'note: the mix of precisions'
check 'they are the same, and the mix is left out' cmp before.safetensors after.safetensors
works 'again, as it is' convert mix8.safetensors same8.safetensors --precision int8
! grep -q note "$scratch/.stdout"
result $? 'without a note'
check 'the mix goes with the weights' cmp mix8.safetensors same8.safetensors
calibrates 'closer than any mix is' mix.safetensors bare.safetensors $auto inputs --psnr 100
says 'fp32 stays: no mix of precisions is faster here and keeps 100 dB of PSNR'
check 'the mix of before is gone' cmp bare.safetensors out.safetensors

fails 2 '--calibrate DATASET' 'auto without pictures' convert "$unet" empty/a --precision auto
fails 2 '--precision auto' 'pictures without auto' convert "$unet" empty/a --calibrate inputs
fails 2 'belong to --calibrate' 'a bound without pictures' convert "$unet" empty/a --psnr 50
fails 2 'decibels' 'a bound that is none' convert "$unet" empty/a $auto inputs --psnr 1000
fails 2 'AtoB' 'a direction that is none' convert "$unet" empty/a $auto pairs --direction B
fails 1 'the folder that holds the inputs' 'no pictures' convert "$unet" empty/a $auto none
fails 1 'nowhere' 'no folder of pictures' convert "$unet" empty/a $auto nowhere
fails 1 'pairs: has no folder test' 'no such folder of pairs' convert "$unet" empty/a $auto pairs \
    --split test
cp inputs/1.png pairs/sample.png
fails 1 '--split val' 'a picture beside the pairs' convert "$unet" empty/a $auto pairs
fails 1 'discriminator' 'a discriminator' convert "$models/patchgan.safetensors" empty/a $auto inputs
printf 'no picture' >none/1.png
fails 1 'none/1.png' 'a picture that is none' convert "$unet" empty/a $auto none

# ended STATUS WANTED TEXT: as a complaint, after it has told what it calibrates on.
ended() {
    [ "$(wc -l <"$scratch/.stdout")" = 1 ] || return 1
    : >"$scratch/.stdout"
    sed -i '/ left$/d' "$scratch/.stderr"
    complaint "$@"
}
if "$PIX2PIX" bench "$unet" --device vulkan --frames 1 >/dev/null 2>&1; then
    "$PIX2PIX" convert "$unet" empty/a $auto inputs --device vulkan \
        >"$scratch/.stdout" 2>"$scratch/.stderr"
    ended $? 1 'several precisions'
    result $? 'a device that does not mix'
else
    skip 'a device that does not mix' 'no Vulkan here'
fi
"$PIX2PIX" convert "$FACADES" empty/a $auto inputs >"$scratch/.stdout" 2>"$scratch/.stderr" &
child=$!
while kill -0 $child 2>/dev/null && [ ! -s "$scratch/.stdout" ]; do
    sleep 0.05
done
kill -TERM $child
wait $child
ended $? 143 'interrupted, nothing was written'
result $? 'a signal while it calibrates'
check 'nothing was written' holds empty

# A disk that is full: no more than a few KiB can be written to a file.
(
    ulimit -f 4
    exec "$PIX2PIX" convert "$unet" empty/full.safetensors
) >"$scratch/.stdout" 2>"$scratch/.stderr"
complaint $? 1 'full.safetensors'
result $? 'no room for the output'
(
    ulimit -f 4
    exec "$PIX2PIX" convert "$unet" empty/full.safetensors $auto inputs
) >"$scratch/.stdout" 2>"$scratch/.stderr"
[ $? = 1 ] && grep -q 'full.safetensors' "$scratch/.stderr"
result $? 'no room for it once it is calibrated'
check 'nothing is left behind' holds empty

# writing: a conversion was stopped while it writes. nohup would have it ignore a signal.
writing() {
    env --default-signal=HUP "$PIX2PIX" convert "$large" stopped/out >/dev/null 2>&1 &
    child=$!
    while kill -0 $child 2>/dev/null && ! ls -A stopped | grep -q 'tmp$'; do
        :
    done
    kill -STOP $child 2>/dev/null && ls -A stopped | grep -q 'tmp$' && return
    kill -CONT $child 2>/dev/null
    wait $child
    rm -rf stopped/.pix2pix* stopped/out
    return 1
}
large=$FACADES
mkdir stopped
for attempt in 1 2 3 4 5 6 7 8 9 10; do
    ! writing || break
done
kill -TERM $child
kill -CONT $child
wait $child
status=$?
[ $status = 143 ] && "$PIX2PIX" info stopped/out >/dev/null
result $? "one signal: the file is finished, status 143 ($status)"
rm stopped/out
for attempt in 1 2 3 4 5 6 7 8 9 10; do
    ! writing || break
done
kill -TERM $child
kill -HUP $child
kill -CONT $child
wait $child
status=$?
[ $status = 143 ] || [ $status = 129 ]
result $? "a second signal kills ($status)"
check 'nothing partial is left' holds stopped
finish
