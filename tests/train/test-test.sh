#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# pix2pix test: pictures in, pictures and a page out.
. "${0%/*}/tap.sh"

mkdir in pairs pairs/val
for i in 1 2 10; do
    "$TOOL" picture "in/$i.png" 48 40 "$i"
    "$TOOL" picture "pairs/val/$i.jpg" 64 32 "$i"
done

works 'pictures' test "$unet" in/1.png in/2.png --output out
check 'their names' holds out 1.png 2.png index.html
check 'the size of the input' sh -c '[ "$("$1" size out/1.png)" = 48x40 ]' - "$TOOL"
works 'a folder' test "$unet" in --output 'new/a b'
check 'every picture in it' holds 'new/a b' 1.png 2.png 10.png index.html
check 'the same pixels as alone' cmp out/1.png 'new/a b/1.png'
works 'over the last outputs' test "$unet" in --output 'new/a b' --dropout off --seed 3
works 'native size' test "$unet" in/1.png --output native --fit native
check 'also of the size of the input' sh -c '[ "$("$1" size native/1.png)" = 48x40 ]' - "$TOOL"
cmp -s out/1.png native/1.png && same=1 || same=0
result $same 'native is not stretch'
works 'a size of its own' test "$unet" in/1.png --output large --size 64x96
works 'grey in' test "$models/unet32_1to3.safetensors" in/1.png --output grey

works 'pairs' test "$unet" --data pairs --output data
check 'and their targets' holds data 1.png 2.png 10.png index.html targets
check 'under the same names' holds data/targets 1.png 2.png 10.png
check 'the right half is the target of AtoB' sh -c '
    "$1" same "$2" data/targets/1.png 32' - "$TOOL" pairs/val/1.jpg
works 'the other direction' test "$unet" --data pairs --direction BtoA --output back
check 'the left half is the target of BtoA' sh -c '
    "$1" same "$2" back/targets/1.png 0' - "$TOOL" pairs/val/1.jpg
works 'the left half alone' test "$unet" back/targets/1.png --output left
check 'is the input of AtoB' cmp left/1.png data/1.png
works 'the right half alone' test "$unet" data/targets/1.png --output right
check 'is the input of BtoA' cmp right/1.png back/1.png

says_metrics() {
    grep -q '^SWD [0-9.]*, SSIM [0-9.]*, PSNR [0-9.]* dB, L1 [0-9.]* over 3 pairs$' "$1"
}
"$PIX2PIX" test "$unet" --data pairs --output data >printed
check 'the metrics of pairs' says_metrics printed
"$PIX2PIX" eval data data/targets >evaluated 2>/dev/null
l1=$(sed -n 's/.* L1 *\([0-9.]*\) .*/\1/p' evaluated)
grep -q "L1 $l1 over" printed
result $? "are those of eval ($l1)"
works 'the first pairs alone' test "$unet" --data pairs --num-test 2 --output two
check 'the first two in natural order' holds two 1.png 2.png index.html targets
works 'pairs of another size' test "$unet" --data pairs --size 64x96 --output resized
check 'outputs of the network size' sh -c '[ "$("$1" size resized/1.png)" = 64x96 ]' - "$TOOL"
check 'and targets' sh -c '[ "$("$1" size resized/targets/1.png)" = 64x96 ]' - "$TOOL"
works 'the names of other programs' test "$unet" --dataroot pairs --phase val --how_many 2 \
    --which_direction BtoA --results_dir other
check 'mean the same' cmp other/1.png back/1.png

# ---- the command lines of other programs ----

# notes NAME ARGUMENT...: it works, and has nothing but notes to say.
notes() {
    name=$1
    shift
    "$PIX2PIX" test "$@" >"$scratch/.stdout" 2>"$scratch/.stderr" </dev/null &&
        ! grep -qv '^pix2pix: note: --[a-zA-Z-]* means nothing here: ' "$scratch/.stderr"
    result $? "$name"
}
mkdir -p checkpoints/facades cryer
cp "$unet" checkpoints/facades/latest_net_G.pth
cp "$unet" checkpoints/facades/20_net_G.pth
cp "$unet" cryer/generator_7.pth
notes 'with every option of junyanz' --dataroot pairs --name facades --checkpoints_dir checkpoints \
    --model pix2pix --input_nc 3 --output_nc 3 --ngf 64 --ndf 64 --netD basic --netG unet_256 \
    --n_layers_D 3 --norm batch --init_type normal --init_gain 0.02 --dataset_mode aligned \
    --direction BtoA --serial_batches --num_threads 4 --batch_size 1 --max_dataset_size 2 \
    --preprocess resize_and_crop --no_flip --display_winsize 256 --epoch latest --load_iter 0 \
    --verbose --suffix= --use_wandb --wandb_project_name w --gpu_ids 0 --results_dir junyanz \
    --aspect_ratio 1.0 --phase val
check 'it is that generator and these pairs' cmp junyanz/1.png back/1.png
check 'no more of them' holds junyanz/targets 1.png 2.png
notes 'an epoch of it' --dataroot pairs --name facades --epoch 20 --eval --results_dir junyanz
fails 1 'generator 30' 'one that it has not' test --data pairs --name facades --epoch 30 --output no
mkdir checkpoints/facades_b
cp "$models/unet_dropout.pth" checkpoints/facades_b/latest_net_G.pth
notes 'behind a suffix, without dropout' --dataroot pairs --name facades --suffix b --no_dropout \
    --output dry
works 'as ours' test "$models/unet_dropout.pth" --data pairs --dropout off --output dry2
check 'is the same' cmp dry/1.png dry2/1.png
notes 'of affinelayer' --mode test --input_dir pairs/val --output_dir affine --checkpoint "$unet" \
    --which_direction BtoA --seed 0 --batch_size 1 --output_filetype png --ngf 64
check 'takes that folder' cmp affine/1.png back/1.png
notes 'of cryer' --dataset_name pairs --saved_path cryer --test_epoch 7 --sample_path crying \
    --channels 3 --use_gpu True
check 'takes that epoch' cmp crying/1.png data/1.png
fails 2 '--size WIDTHxHEIGHT' 'another size' test "$unet" in --load_size 512 --output no
fails 2 '--fit native' 'another way to resize' test "$unet" in --preprocess none --output no
fails 2 'takes MODEL' 'no model at all' test --output no

check 'three rows of three pictures' test "$(grep -c '<figure>' data/index.html)" = 9
check 'nothing on the page comes from elsewhere' sh -c \
    '! grep -oE "(src|href)=\"[^\"]{0,9}|https?:|url\(" data/index.html |
        grep -vE "^(src=\"data:|href=\"#)"'
cp in/1.png '<b>&.png'
works 'a name full of markup' test "$unet" '<b>&.png' --output markup
check 'is escaped' grep -qF '&lt;b&gt;&amp;' markup/index.html
check 'and is not markup' sh -c '! grep -qF "<b>&" markup/index.html'
cp in/1.png "$(printf 'n\303\244me.png')"
works 'a name that is not ASCII' test "$unet" "$(printf 'n\303\244me.png')" --output names

# a.jpg and a.png, and one that is called as the second of them is
mkdir -p twins/val
"$TOOL" picture twins/val/a.jpg 64 32 1
"$TOOL" picture twins/val/a.png 64 32 2
"$TOOL" picture twins/val/a-2.png 64 32 3
"$PIX2PIX" test "$unet" --data twins --output twins-out >"$scratch/.stdout" 2>"$scratch/.stderr"
[ $? = 0 ] && grep -q 'val/a.png: there is another a, this one is called' "$scratch/.stderr"
result $? 'pairs of one name are told'
check 'each has a name' holds twins-out a.png a-2.png a-3.png index.html targets
check 'and its own picture' test "$(md5sum twins-out/*.png | cut -c1-32 | sort -u | wc -l)" = 3

# ---- broken pictures are named and left out ----

# broken TEXT NAME FILE: it is named, the good one beside it is translated.
broken() {
    rm -rf some
    timeout 20 "$PIX2PIX" test "$unet" "$3" in/1.png --output some >"$scratch/.stdout" \
        2>"$scratch/.stderr"
    [ $? = 1 ] && [ "$(wc -l <"$scratch/.stderr")" = 2 ] && holds some 1.png index.html &&
        sed 1q "$scratch/.stderr" | grep -qF -e "$1"
    result $? "$2"
}
broken 'missing.png: ' 'a picture that is missing' missing.png
printf text >text.png
broken 'text.png: ' 'a picture that is text' text.png
: >empty.png
broken 'empty.png: ' 'an empty picture' empty.png
head -c $(($(wc -c <in/2.png) - 20)) in/2.png >short.png
broken 'ends early' 'a PNG that ends early' short.png
head -c $(($(wc -c <pairs/val/2.jpg) / 2)) pairs/val/2.jpg >short.jpg
broken 'ends early' 'a JPEG that ends early' short.jpg
"$TOOL" header huge.png 100000 100000
broken '100000 x 100000' 'a picture of 30 GB' huge.png
check 'without decoding it' timeout 2 sh -c '! "$1" test "$2" huge.png --output huge' - "$PIX2PIX" \
    "$unet"
mkfifo pipe.png
broken 'pipe.png: ' 'a pipe that nobody writes to' pipe.png
check 'the page says so' grep -qF 'pipe.png' some/index.html
mkdir hollow
broken 'hollow: ' 'a folder without pictures' hollow
check 'the page says so' grep -qF 'hollow' some/index.html
"$TOOL" picture pairs/val/3.png 33 16 1
"$PIX2PIX" test "$unet" --data pairs --output odd >/dev/null 2>"$scratch/.stderr"
grep -qF '3.png: is 33 pixels wide' "$scratch/.stderr"
result $? 'a pair of odd width'
rm pairs/val/3.png

# ---- what stops it before it starts ----

fails 2 '--output' 'no output' test "$unet" in/1.png
fails 2 'IMAGES or --data' 'neither images nor data' test "$unet" --output no
fails 2 'IMAGES or --data' 'both images and data' test "$unet" in --data pairs --output no
fails 2 'AtoB, BtoA' 'an unknown direction' test "$unet" --data pairs --direction left --output no
fails 2 'stretch, native' 'an unknown fit' test "$unet" in --fit crop --output no

# A run on a folder without splits: the error names what to give, and that works.
mkdir flat
cp pairs/val/*.jpg flat
"$PIX2PIX" train flat --output flat-run --max-steps 1 --net-g unet_32 --load-size 32 \
    --crop-size 32 --ngf 4 --ndf 4 >/dev/null 2>&1
fails 1 "flat: has no folder val, name pairs with --data and --split; those that it was trained on: \
--data $scratch --split flat" 'a run without validation split' test flat-run --output no
works 'what it names' test flat-run --data "$scratch" --split flat --output flat-out
says 'over 3 pairs'

fails 2 '--split' 'a split without data' test "$unet" in --split val --output no
fails 1 'missing.pth: ' 'no such model' test missing.pth in --output no
fails 1 'discriminator' 'a discriminator is no model' test "$models/patchgan.safetensors" in \
    --output no
fails 1 'pairs: has no folder test (' 'no such split' test "$unet" --data pairs --split test --output no
fails 1 '33 x 32' 'a size that the network does not keep' test "$unet" in --size 33x32 --output no
mkdir none
fails 1 'none: ' 'a folder without pictures' test "$unet" none --output no
fails 1 'will not be overwritten' 'the pairs as outputs' test "$unet" --data pairs \
    --output pairs/val
fails 1 'folder of a run' 'an epoch of a model' test "$unet" --data pairs --epoch 3 --output no
fails 1 'will not be overwritten' 'the inputs as outputs' test "$unet" in --output in
cp in/1.png in-1.png
fails 1 'rename' 'two inputs for one output' test "$unet" in/1.png data/1.png --output no
check 'none of these left a folder' test ! -e no
printf text >file
fails 1 'file' 'a file as output folder' test "$unet" in --output file
fails 1 'file/sub' 'a folder in a file' test "$unet" in --output file/sub

(
    ulimit -f 4
    exec "$PIX2PIX" test "$unet" in/1.png --output full
) >"$scratch/.stdout" 2>"$scratch/.stderr"
complaint $? 1 'cannot be written'
result $? 'no room for the output'
check 'no partial files' holds full

# ---- interrupted ----

mkdir many
for i in 1 2 3 4 5 6 7 8 9; do
    for j in 1 2 3 4 5 6 7 8 9; do
        cp data/1.png "many/$i$j.png"
    done
done
"$PIX2PIX" test "$unet" many --output stopped --size 1024x1024 >"$scratch/.stdout" \
    2>"$scratch/.stderr" &
child=$!
while [ ! -f stopped/11.png ] && kill -0 $child 2>/dev/null; do
    sleep 0.05
done
kill -TERM $child
wait $child
status=$?
[ $status = 143 ] && grep -q interrupted "$scratch/.stderr"
result $? "interrupted with status 143 ($status)"
check 'the page is whole' grep -q '</html>' stopped/index.html
check 'no partial files' sh -c '! ls -A stopped | grep -q "tmp$"'

# Asked while it is stopped, so that both signals arrive at once, whatever the time.
env --default-signal=HUP "$PIX2PIX" test "$unet" many --output killed --size 1024x1024 >/dev/null 2>&1 &
child=$!
while [ ! -f killed/11.png ] && kill -0 $child 2>/dev/null; do
    sleep 0.05
done
kill -STOP $child
ls -A killed | grep -q 'tmp$'
result $? 'the page is being written'
kill -TERM $child
kill -HUP $child
kill -CONT $child
wait $child
status=$?
[ $status = 143 ] || [ $status = 129 ]
result $? "killed by the second signal ($status)"
check 'nothing partial is left' sh -c '! ls -A killed | grep -vq "\.png$"'
finish
