#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The example programs.
. "${0%/*}/tap.sh"
committed=$SOURCE_ROOT/examples/facades

check 'houses are drawn' "$EXAMPLES/draw-facades" houses
check 'eight of them' holds houses 1.png 2.png 3.png 4.png 5.png 6.png 7.png 8.png
for i in 1 2 3 4 5 6 7 8; do
    # Not of the files: another zlib packs the same pixels otherwise.
    check "house $i is the one in examples/facades" "$TOOL" same "houses/$i.png" "$committed/$i.png"
done
cmp -s houses/1.png houses/2.png && same=1 || same=0
result $same 'houses differ'
check 'an animation is drawn' "$EXAMPLES/draw-facades" --frames 30 --house 3 frames
check 'which starts with the house' "$TOOL" same frames/0001.png houses/3.png
"$TOOL" same frames/0001.png frames/0030.png 2>/dev/null && same=1 || same=0
result $same 'and moves'

check 'an image is made' sh -c '{ printf "P6\n64 32\n255\n"; head -c 6144 /dev/zero; } >in.ppm'
check 'and translated' "$EXAMPLES/translate-image" "$unet" in.ppm out.ppm
check 'at its own size' test "$(wc -c <out.ppm)" = "$(wc -c <in.ppm)"
"$EXAMPLES/translate-image" "$unet" missing.ppm out.ppm 2>"$scratch/.stderr"
[ $? = 1 ] && grep -q missing.ppm "$scratch/.stderr"
result $? 'no such image'
"$EXAMPLES/translate-image" missing in.ppm out.ppm 2>"$scratch/.stderr"
[ $? = 1 ] && grep -q missing "$scratch/.stderr"
result $? 'no such model'

if [ -x "$EXAMPLES/animate-facade" ] && [ -n "${GST_PLUGIN_PATH_1_0:-}" ]; then
    check 'the animation becomes a video' "$EXAMPLES/animate-facade" --model "$unet" \
        --output 'a video.webm' --frames 10 --size 64
    check 'of ten frames' video 'a video.webm' 10 10
    "$EXAMPLES/animate-facade" --model missing --output no.webm --frames 10 2>"$scratch/.stderr"
    [ $? = 1 ] && grep -q 'missing' "$scratch/.stderr"
    result $? 'a model that is missing ends it'
    "$EXAMPLES/animate-facade" --model "$unet" --output stopped.webm 2>"$scratch/.stderr" &
    child=$!
    sleep 1
    kill -TERM $child
    wait $child
    result $? 'a signal ends it in order'
    check 'with a whole video' video stopped.webm 5 1000000
fi
finish
