#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# pix2pix convert.
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

# A disk that is full: no more than a few KiB can be written to a file.
(
    ulimit -f 4
    exec "$PIX2PIX" convert "$unet" empty/full.safetensors
) >"$scratch/.stdout" 2>"$scratch/.stderr"
complaint $? 1 'full.safetensors'
result $? 'no room for the output'
check 'nothing is left behind' holds empty

# writing: a conversion was stopped while it writes.
writing() {
    "$PIX2PIX" convert "$large" stopped/out >/dev/null 2>&1 &
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
