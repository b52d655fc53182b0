#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The example programs.
. "${0%/*}/tap.sh"

# draws KIND WHICH COUNT: the program draws what examples/ holds, and an animation of --WHICH 3.
draws() {
    draw=$EXAMPLES/draw-$1
    numbers=$(seq "$3")
    check "$1 are drawn" "$draw" "$1"
    # shellcheck disable=SC2046
    check "$3 of them" holds "$1" $(printf '%s.png ' $numbers)
    for i in $numbers; do
        # Not of the files: another zlib packs the same pixels otherwise.
        check "$2 $i is the one in examples/$1" \
            "$TOOL" same "$1/$i.png" "$SOURCE_ROOT/examples/$1/$i.png"
    done
    cmp -s "$1/1.png" "$1/2.png" && same=1 || same=0
    result $same "$1 differ"
    check "an animation of $1 is drawn" "$draw" --frames 30 "--$2" 3 "$1-frames"
    check "which starts with the $2" "$TOOL" same "$1-frames/0001.png" "$1/3.png"
    "$TOOL" same "$1-frames/0001.png" "$1-frames/0030.png" 2>/dev/null && same=1 || same=0
    result $same 'and moves'
    "$draw" --size 0 never 2>"$scratch/.stderr"
    [ $? = 2 ] && [ ! -e never ] && grep -q "^draw-$1: .*--help" "$scratch/.stderr"
    result $? "no $2 of no size"
}
draws facades house 8
draws aerials quarter 6

check 'devices are listed' "$EXAMPLES/list-devices"
says 'cpu: '
says ' uses '
PIX2PIX_DEVICE=abacus "$EXAMPLES/list-devices" >"$scratch/.stdout" 2>"$scratch/.stderr"
[ $? = 1 ] && grep -q '^list-devices: .*abacus' "$scratch/.stderr"
result $? 'and the one that is wanted is missing'

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
