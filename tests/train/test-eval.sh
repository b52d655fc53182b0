#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# pix2pix eval: two folders in, how close they are out.
. "${0%/*}/tap.sh"

mkdir out target
for i in 1 2 10; do
    "$TOOL" picture "out/$i.png" 48 40 "$i"
    "$TOOL" picture "target/$i.png" 48 40 $((i + 1))
done

# member FILE PATH WANTED: a value in JSON.
member() {
    [ "$("$TOOL" json "$1" "$2")" = "$3" ]
}

# noted TEXT NAME ARGUMENT...: it succeeds, with a note in one line that holds TEXT.
noted() {
    text=$1
    name=$2
    shift 2
    "$PIX2PIX" eval "$@" >"$scratch/.stdout" 2>"$scratch/.stderr"
    [ $? = 0 ] && [ "$(wc -l <"$scratch/.stderr")" = 1 ] && grep -qF -e "$text" "$scratch/.stderr"
    result $? "$name"
}

noise='note: SWD of fewer than 30 pairs is mostly noise'
noted "$noise" 'two folders' out target
says '3 pairs of 48 x 40 pixels'
says 'SSIM'
says 'at 40 pixels, the finest detail'
works 'as JSON' eval out target --json
mv "$scratch/.stdout" one.json
check 'three pairs' member one.json '$.n' 3
check 'too few for SWD' member one.json '$.SWD_is_noise' true
# The pictures differ by 40 modulo 256 in every byte.
check 'L1' sh -c '"$1" json one.json "$.L1" | grep -q "^0\.[3-9]"' - "$TOOL"
check 'PSNR' sh -c '"$1" json one.json "$.PSNR" | grep -q "^[0-9]*\.[0-9]\{6\}"' - "$TOOL"
check 'three levels: 40, 20 and 10 pixels' test \
    "$("$TOOL" json one.json '$.SWD_levels[*]' | wc -l)" = 3
works 'other threads' eval out target --json --threads 3
mv "$scratch/.stdout" threads.json
check 'the same numbers' cmp threads.json one.json
works 'another seed' eval out target --json --seed 2
mv "$scratch/.stdout" two.json
check 'the same L1' member two.json '$.L1' "$("$TOOL" json one.json '$.L1')"
check 'another SWD' sh -c '! cmp -s one.json two.json &&
    [ "$("$1" json one.json "$.SWD")" != "$("$1" json two.json "$.SWD")" ]' - "$TOOL"
works 'equal folders' eval out out --json
mv "$scratch/.stdout" equal.json
check 'have no L1' member equal.json '$.L1' 0.0
check 'and more of everything good' sh -c '
    "$1" json equal.json "$.PSNR" | grep -q "^168\." &&
    "$1" json equal.json "$.SSIM" | grep -qE "^(1\.0|0\.99999)"' - "$TOOL"

# ---- names ----

mkdir jpeg
for i in 1 2 10; do
    "$TOOL" picture "jpeg/$i.jpg" 48 40 "$i"
done
noted "$noise" 'another ending' out jpeg
says '3 pairs'

cp out/1.png out/alone.png
noted '1 of 4 outputs have no target and are left out: alone' 'an output alone' out target --json
noted '1 of 4 targets have no output and are left out: alone' 'a target alone' target out --json
mv "$scratch/.stdout" alone.json
check 'JSON names it' member alone.json '$.targets_without_output[*]' '"alone"'
for i in 1 2 3 4 5 6 7 8 9; do
    cp out/1.png "out/alone-$i.png"
done
noted 'alone-8 and 2 more' 'many outputs alone' out target --json
rm out/alone*

mkdir enough
for i in 1 2 3 4 5; do
    for j in 1 2 3 4 5 6; do
        cp out/1.png "enough/$i$j.png"
    done
done
works '30 pairs' eval enough enough
says '30 pairs'
works '30 pairs as JSON' eval enough enough --json
mv "$scratch/.stdout" enough.json
check 'are enough for SWD' member enough.json '$.SWD_is_noise' false

mkdir others
cp out/1.png others/x.png
fails 1 'others: has no name in common with target' 'no name in common' eval others target
cp out/1.png others/x.bmp
fails 1 'x.png: differs from others/x.bmp' 'a name twice' eval others others
rm -r others

# ---- sizes ----

mkdir sizes
for i in 1 2 10; do
    "$TOOL" picture "sizes/$i.png" $((40 + i)) 32 "$i"
done
works 'pairs of several sizes' eval sizes sizes --json
mv "$scratch/.stdout" sizes.json
check 'have no SWD' member sizes.json '$.SWD' null
check 'and all the rest' member sizes.json '$.L1' 0.0
works 'also in words' eval sizes sizes
says 'of several sizes'
fails 1 'out/1.png: has 48 x 40 pixels and its target 41 x 32' 'a pair of two sizes' eval out sizes
mkdir tiny
"$TOOL" picture tiny/1.png 30 10 1
fails 1 'tiny/1.png: has 30 x 10 pixels' 'a picture too small' eval tiny tiny

# ---- what stops it ----

fails 1 'missing: cannot be listed' 'no such folder' eval out missing
mkdir none
fails 1 'none: holds no pictures' 'a folder without pictures' eval none target
printf text >target/2.png
fails 1 'target/2.png: ' 'a broken picture' eval out target
fails 2 'some of it is missing' 'one folder' eval out
fails 2 'one argument too many' 'three folders' eval out out out
fails 2 '--threads' 'threads below 0' eval out out --threads -1
fails 2 '--seed' 'a seed below 0' eval out out --seed -1

# ---- interrupted ----

mkdir many
"$TOOL" picture one.png 1600 1600 1
for i in 1 2 3 4 5 6 7 8 9; do
    for j in 1 2 3 4 5 6 7 8 9; do
        ln -s ../one.png "many/$i$j.png"
    done
done
"$PIX2PIX" eval many many >"$scratch/.stdout" 2>"$scratch/.stderr" &
child=$!
sleep 0.5
kill -TERM $child
wait $child
complaint $? 143 'interrupted after'
result $? 'interrupted'
finish
