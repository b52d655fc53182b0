#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# pix2pix train when something goes wrong: signals, broken files, a full disk, numbers that blow up,
# bad data and bad options.
. "${0%/*}/tap.sh"
. "${0%/*}/train.sh"

make_pairs data 6 2
settings='--epochs 8 --epochs-decay 8 --log-steps 5 --save-steps 8 --validate-epochs 4
    --sample-steps 48 --samples 1 --no-html'
# shellcheck disable=SC2086
trains 'a run' data --output whole $settings

# one_line TEXT: the last command's one complaint holds it.
one_line() {
    [ "$(grep -vc '^pix2pix: epoch ' "$scratch/.stderr")" = 1 ] &&
        grep -v '^pix2pix: epoch ' "$scratch/.stderr" | grep -qF -e "$1"
}

# ---- signals ----

# shellcheck disable=SC2086
timeout --foreground --preserve-status -s INT 0.15 \
    "$PIX2PIX" train data --output stopped $small $settings >"$scratch/.stdout" 2>"$scratch/.stderr"
status=$?
[ $status = 130 ] && one_line 'to go on: pix2pix train --resume'
result $? "Ctrl-C leaves with status 130 ($status)"
resumes 'and can be resumed' stopped
check 'to the same end' same_run whole stopped

# shellcheck disable=SC2086
"$PIX2PIX" train data --output endless $small $settings --epochs 100000 \
    >"$scratch/.stdout" 2>"$scratch/.stderr" </dev/null &
for _ in $(seq 300); do
    grep -q ' step [1-9]' "$scratch/.stderr" && break
    sleep 0.1
done
kill -TERM $!
wait $!
status=$?
[ $status = 143 ] && one_line 'which is saved'
result $? "SIGTERM with status 143 ($status)"
last=$(ls endless/states | tail -n 1)
said=$(sed -n 's/.*after step \([0-9]*\),.*/\1/p' "$scratch/.stderr")
[ "$(printf 'state-%08d.safetensors' "$said")" = "$last" ]
result $? "it saved the step that it had done ($said)"

# Validation takes longer than everything else here; the step is said before it begins.
make_pairs slow 1 1
for i in 2 3 4 5 6 7 8 9; do
    for j in 0 1 2 3 4 5 6 7 8 9; do
        cp slow/val/1.png slow/val/$i$j.png
    done
done
large='--net-g unet_32 --ngf 4 --ndf 4 --crop-size 256 --max-steps 1 --threads 1 --no-html'
# shellcheck disable=SC2086
"$PIX2PIX" train slow --output slow/whole $large >/dev/null 2>&1
# shellcheck disable=SC2086
"$PIX2PIX" train slow --output slow/run $large >/dev/null 2>"$scratch/.stderr" &
child=$!
while ! grep -q 'step 1/1' "$scratch/.stderr" && kill -0 $child; do
    sleep 0.02
done
kill -TERM $child
wait $child
status=$?
[ $status = 143 ] && ! grep -q validation slow/run/log.jsonl
result $? "stopped while it validates ($status)"
"$PIX2PIX" train --resume slow/run >/dev/null 2>"$scratch/.stderr"
result $? 'it validates when it is resumed'
check 'to the same end' same_run slow/whole slow/run

"$PIX2PIX" train --resume endless >/dev/null 2>&1 &
child=$!
while [ "$(cat endless/lock)" != $child ] && kill -0 $child; do
    sleep 0.05
done
"$PIX2PIX" train --resume endless >"$scratch/.stdout" 2>"$scratch/.stderr"
complaint $? 1 "is in use by process $child"
result $? 'a run has one trainer'
kill -STOP $child
kill -TERM $child
kill -HUP $child
kill -CONT $child
wait $child
status=$?
[ $status = 143 ] || [ $status = 129 ]
result $? "a second signal leaves at once ($status)"
check 'and leaves nothing half written' sh -c '! find endless -name "*.tmp" | grep -q .'
resumes 'what it saved before can be resumed' endless --max-steps $((said + 3))

# The page of a run with such samples takes its time; it comes behind the save of a step.
# shellcheck disable=SC2086
"$PIX2PIX" train data --output paged $small --max-steps 1 --samples 1 >/dev/null 2>&1
for i in 1 2 3; do
    "$TOOL" picture paged/samples/fixed/large$i-input.png 4000 4000 $i
done
"$PIX2PIX" train --resume paged --max-steps 100000 --save-steps 100000 \
    >/dev/null 2>"$scratch/.stderr" &
child=$!
while ! grep -q 'step 2/' "$scratch/.stderr" && kill -0 $child; do
    sleep 0.02
done
kill -TERM $child
wait $child
status=$?
said=$(sed -n 's/.*after step \([0-9]*\), which is saved.*/\1/p' "$scratch/.stderr")
[ $status = 143 ] && [ -f "paged/states/$(printf 'state-%08d.safetensors' "${said:-0}")" ]
result $? "stopped behind a step, it saves that ($status, ${said:-none})"

# ---- data that break while it learns ----

make_pairs vanishing 3 0
# shellcheck disable=SC2086
"$PIX2PIX" train vanishing --output vanished $small --epochs 100000 --save-steps 1000000 --no-html \
    --samples 0 >/dev/null 2>"$scratch/.stderr" &
child=$!
while ! grep -q 'step 1/' "$scratch/.stderr" && kill -0 $child; do
    sleep 0.02
done
: >vanishing/train/2.png
wait $child
status=$?
[ $status = 1 ] && grep -q 'can no longer be read, more than 1 %' "$scratch/.stderr"
result $? "pictures that can no longer be read end it ($status)"
check 'what it learnt till then is saved' sh -c 'ls vanished/states | grep -q .'

make_pairs mixed 2 2
set -- mixed --preprocess none --epochs 4 --epochs-decay 0 --no-html --samples 0 --output mixed-run
train "$@" --max-steps 2
cp mixed-run/best.safetensors the-best.safetensors
"$TOOL" picture mixed/val/3.png 144 72 3
"$PIX2PIX" train --resume mixed-run --max-steps 4 >"$scratch/.stdout" 2>"$scratch/.stderr"
[ $? = 0 ] && grep -q '"step":4.*"SWD":null' mixed-run/log.jsonl
result $? 'a validation without a value'
check 'leaves the best as it is' cmp the-best.safetensors mixed-run/best.safetensors

# ---- states that are broken ----

# broken OFFSET: the newest state has another byte there, counted from its end.
broken() {
    rm -rf broken
    cp -r whole broken
    rm broken/states/state-00000096.safetensors
    newest=broken/states/state-00000088.safetensors
    size=$(wc -c <$newest)
    at=$(((size - 1) * $1 / 100))
    byte=$(dd if=$newest bs=1 skip=$at count=1 2>/dev/null | od -An -tu1)
    printf "\\$(printf %o $(((byte + 1) % 256)))" |
        dd of=$newest bs=1 seek=$at conv=notrunc 2>/dev/null
    "$PIX2PIX" train --resume broken >"$scratch/.stdout" 2>"$scratch/.stderr" </dev/null &&
        one_line 'going on with the one before' && same_run whole broken
    result $? "a byte that is wrong $1 % into the newest state"
}
for place in 0 1 3 30 50 75 99 100; do
    broken $place
done
check 'the broken one is set aside' test -f broken/states/state-00000088.safetensors.broken

cp -r whole short
rm short/states/state-00000096.safetensors
for state in short/states/*; do
    head -c 5000 "$state" >part
    mv part "$state"
done
"$PIX2PIX" train --resume short >"$scratch/.stdout" 2>"$scratch/.stderr"
[ $? = 1 ] && tail -n 1 "$scratch/.stderr" | grep -qF 'has no state that can be read, though it made steps (96 by its log)'
result $? 'states that are all cut short'

# ---- a full disk ----

# shellcheck disable=SC2086
trains 'a part of a run' data --output full $settings --max-steps 20
cp -r full cramped
(
    ulimit -f 200 # blocks of 512 bytes
    exec "$PIX2PIX" train --resume cramped --max-steps 40 >"$scratch/.stdout" 2>"$scratch/.stderr"
)
[ $? = 1 ]
result $? 'what is never saved ends with status 1'
# --resume writes the models first
grep -q 'cramped/latest.safetensors: ' "$scratch/.stderr"
result $? 'and names the file'
check 'the states are as they were' diff -r full/states cramped/states
check 'the models, too' cmp full/latest.safetensors cramped/latest.safetensors
(
    ulimit -f 1500 # the models fit, the states do not
    exec "$PIX2PIX" train --resume cramped --max-steps 40 >"$scratch/.stdout" 2>"$scratch/.stderr"
)
[ $? = 1 ]
result $? 'states that are never saved end with status 1'
tail -n 1 "$scratch/.stderr" >end
grep -c 'is not saved: .*/state-000000[0-9]*.safetensors: ' "$scratch/.stderr" >count
check "it is told once ($(cat count))" test "$(cat count)" = 1
grep -q 'all 40 steps are done, .* /.*/cramped/latest.safetensors is the generator of step 20; ' end
result $? 'the last line tells what is there'
check 'and how to go on' grep -q ': pix2pix train --resume /.*/cramped$' end
check 'training went on' grep -q '"type":"train","step":40' cramped/log.jsonl
check 'the states are still as they were' diff -r full/states cramped/states
check 'nothing half written' sh -c '! find cramped -name "*.tmp" | grep -q .'
resumes 'with room again' cramped --max-steps 96
check 'it ends as it should' cmp whole/latest.safetensors cramped/latest.safetensors

cp -r full unfinished
rm unfinished/best.safetensors
mkdir unfinished/best.safetensors
"$PIX2PIX" train --resume unfinished --override --max-steps 24 --metric ssim >"$scratch/.stdout" \
    2>"$scratch/.stderr"
[ $? = 1 ] && tail -n 1 "$scratch/.stderr" >end &&
    grep -q 'all 24 steps are done, but best.safetensors is not the best one; ' end &&
    grep -q '; /.*/unfinished/latest.safetensors is the generator of step 24$' end
result $? 'a best generator that cannot be written'

mkdir small
if mount -t tmpfs -o size=3500k none small 2>/dev/null; then
    trap 'umount "$scratch/small"; rm -rf "$scratch"' EXIT
    head -c 1000000 /dev/zero >small/filler
    # shellcheck disable=SC2086
    complains 'the run may take' 'a disk that will be full' data --output small/run $settings \
        --keep 1 --save-steps 20 --max-steps 20
    head -c 4000000 /dev/zero >small/filler 2>/dev/null
    "$PIX2PIX" train --resume small/run --max-steps 40 >"$scratch/.stdout" 2>"$scratch/.stderr"
    [ $? = 1 ] && grep -q 'small/run' "$scratch/.stderr"
    result $? 'that is full'
    check 'keeps the state' holds small/run/states state-00000020.safetensors
    rm small/filler
    "$PIX2PIX" train --resume small/run --max-steps 96 >"$scratch/.stdout" 2>"$scratch/.stderr"
    result $? 'and with room again goes on'
    check 'to the same end' cmp whole/latest.safetensors small/run/latest.safetensors
    rm -rf small/run
    head -c 3000000 /dev/zero >small/filler
    fails 1 'one state takes' 'no room for a single state' train data --output small/run $small
    check 'is found out before' test ! -e small/run
fi

# ---- numbers that blow up ----

# shellcheck disable=SC2086
train data --output mad $settings --learning-rate 1e30
[ $? = 1 ] && one_line 'step 1 with '
result $? 'a learning rate of 1e30'
grep -q 'the loss [DG]_[A-Za-z0-9]* is not a number' "$scratch/.stderr" &&
    grep -Eq 'with [1-6]: ' "$scratch/.stderr" && grep -q ' of [DG] holds ' "$scratch/.stderr"
result $? 'loss, pictures and tensor are named'
check 'nothing was saved' sh -c '! ls mad/states mad/*.safetensors 2>/dev/null | grep -q .'
# Losses of 1e19 are numbers still, the statistics of the norms are none any more: validation sees it.
train data --output blown $settings --norm batch --learning-rate 1e9 --save-steps 1000 \
    --epochs 50 --max-steps 200 --device cpu # whose sums are in double
[ $? = 1 ] && one_line 'holds NaN or infinite values; what was saved before is as it was, try a smaller'
result $? 'a learning rate that blows up the statistics ends the run'
cp -r full mad-again
"$PIX2PIX" train --resume mad-again --override --learning-rate 1e30 --max-steps 0 \
    >"$scratch/.stdout" 2>"$scratch/.stderr"
[ $? = 1 ] && one_line 'step 21 with '
result $? 'in the middle of a run'
check 'the last good model is as it was' cmp full/latest.safetensors mad-again/latest.safetensors
resumes 'and the run can go on with a better one' mad-again --override --learning-rate 0.0002

# ---- resuming what does not fit ----

fails 2 'ngf: the run has 4, the command line says 5; learning_rate: the run has 0.0002, the' \
    'settings that contradict the run' train --resume whole --ngf 5 --lr 0.1
resumes 'settings that do not' whole --ngf 4 --threads 1 --keep 4
cp -r full other
fails 1 'G.weights' 'networks of another size, even with --override' train --resume other \
    --override --ngf 5
cp -r data more
"$TOOL" picture more/train/7.png 72 36 7
fails 1 'with another data set: of 6 pairs, and there are 7 here' 'another data set' \
    train more --resume full
"$TOOL" picture data/train/7.png 72 36 7
fails 1 'with another data set: of 6 pairs, and there are 7 here' 'more pairs than before' \
    train --resume full --max-steps 30
"$PIX2PIX" train --resume full --override --max-steps 22 >"$scratch/.stdout" 2>"$scratch/.stderr" &&
    one_line 'going on with epoch 5: '
result $? 'on purpose'
rm data/train/7.png
fails 1 'no folder of a run' 'no run' train --resume data
fails 1 'missing: ' 'nothing at all' train --resume missing
fails 1 'holds a run already' 'a new run in the folder of an old one' train data --output whole
cp -r whole orphan
rm orphan/config.json
fails 1 'holds a run already' 'a new run among old states' train data --output orphan \
    --net-g unet_32 --max-steps 1
cp -r whole config
sed -i '/"ngf"/d' config/config.json
fails 1 'under other settings than those of config.json: ngf was 4, is 64; pass' 'a config.json without a setting of the run' train --resume config
sed -i 's/"ndf" : .*/"ndf" : [],/' config/config.json
"$PIX2PIX" train --resume config >"$scratch/.stdout" 2>"$scratch/.stderr" &&
    one_line "has no plain value for 'ndf'"
result $? 'a config.json with a list'

# ---- files to start from ----

printf text >text.pth
patchgan=$models/patchgan.safetensors
# shellcheck disable=SC2086
{
    fails 1 'text.pth: ' 'no checkpoint' train data --output no --init-g text.pth
    fails 1 'is a discriminator, give it to --init-d' 'a discriminator as generator' \
        train data --output no --init-g "$patchgan"
    fails 1 'is a generator, give it to --init-g' 'a generator as discriminator' \
        train data --output no --init-d "$unet" --net-g unet_32 --crop-size 32
    fails 2 'its ngf is 4, and the command line says 6' 'an option that contradicts it' \
        train data --output no --init-g whole/latest.safetensors --crop-size 32 --ngf 6
    trains 'a generator of other channels' data --output grey --max-steps 2 --ngf 1 \
        --init-g "$models/unet32_1to3.safetensors"
    check 'sets them' grep -q '"input_nc" : 1,' grey/config.json
    trains 'from the models of a run' data --output tuned --max-steps 2 \
        --init-g whole/best.safetensors --init-d whole/latest-discriminator.safetensors
}

# ---- bad data ----

# data_fails TEXT NAME FOLDER ARGUMENT...
data_fails() {
    text=$1
    name=$2
    folder=$3
    shift 3
    # shellcheck disable=SC2086
    fails 1 "$text" "$name" train "$folder" --output no $small "$@"
}
mkdir -p empty/train unpaired/trainA unpaired/trainB
data_fails 'missing' 'no such data set' missing
data_fails 'empty/train' 'no images' empty
data_fails 'unpaired' 'a data set without pairs' unpaired
cp -r data odd
"$TOOL" picture odd/train/3.png 73 36 3
data_fails '3.png: is 73 pixels wide' 'a pair of odd width' odd
cp -r data broken-data
head -c 100 data/train/2.png >broken-data/train/2.png
data_fails '2.png' 'a broken picture among a few' broken-data
mkdir a b
for i in 1 2 3; do
    "$TOOL" picture a/$i.png 36 36 $i
    "$TOOL" picture b/$i.png 36 36 $i
done
rm b/2.png
fails 1 '2.png' 'a partner that is missing' train --a a --b b --output no $small
"$TOOL" picture b/2.png 36 40 2
fails 1 '36 x 40' 'a pair of different sizes' train --a a --b b --output no $small
data_fails '36 x 36' 'more to crop than there is' data --preprocess crop --crop-size 64
make_pairs sizes 0 2
"$TOOL" picture sizes/train/1.png 192 96 1
"$TOOL" picture sizes/train/2.png 64 32 2
data_fails 'pair 2: the discriminator: ' 'one of several sizes that is too small' sizes \
    --preprocess none --n-layers-d 5

# ---- bad options ----

# misused TEXT ARGUMENT...
misused() {
    text=$1
    shift
    fails 2 "$text" "bad usage: $*" train "$@"
}
misused 'DATASET' --output no
misused '--output RUN is missing' data
misused 'either --output' --resume whole --output no
misused '--override belongs to --resume' data --output no --override
misused '--batch-size takes a whole number from 1 to 4096' data --output no --batch-size 0
misused '--lr takes a number from 0 to' data --output no --lr -1
misused '--beta1 takes a number' data --output no --beta1 1
misused '--crop-size takes N or WIDTHxHEIGHT' data --output no --crop-size 32x
misused '--gan-mode takes one of' data --output no --gan_mode best
misused '--load-size 20x20 is smaller than --crop-size 32x32' data --output no $small --load-size 20
misused '1, 3 or 4 channels' data --output no --channels 2
misused 'behind the last one' data --output no --epochs 1 --epochs-decay 1 --start-epoch 3
misused '--decay-epoch' data --output no --epochs 3 --decay-epoch 4
misused '--model cycle_gan is not for this program' data --output no --model cycle_gan
misused '--resume RUN' data --output no --continue_train
misused 'Unknown option' data --output no --nonsense
fails 1 'no network is called' 'a network that is not known' train data --output no --net-g lenet
fails 1 'multiples of 32' 'a size that the network cannot take' train data --output no $small \
    --crop-size 48
unset MALLOC_PERTURB_ # it would touch what is only reserved
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}allocator_may_return_null=1"
export TSAN_OPTIONS="${TSAN_OPTIONS:+$TSAN_OPTIONS:}allocator_may_return_null=1"
fails 1 'of memory' 'a network of a terabyte' train data --output no --ngf 4096 --net-g unet_32 \
    --crop-size 32 --device cpu
fails 1 'too large' 'batches of a terabyte' train data --output no --net-g unet_32 --ngf 4 --ndf 4 \
    --crop-size 4096 --batch-size 4096
fails 1 'cannot be made a folder' 'a file as run folder' train data --output text.pth/run $small
check 'none of these left a folder' test ! -e no
finish
