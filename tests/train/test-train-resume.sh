#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# pix2pix train --resume: a run that was stopped in any way ends as one that was not, byte for byte.
# TRAIN_KILLS says how often a run is killed (4).
. "${0%/*}/tap.sh"
. "${0%/*}/train.sh"

make_pairs data 6 2
settings='--epochs 8 --epochs-decay 8 --log-steps 5 --save-steps 4 --validate-epochs 3
    --sample-steps 20 --samples 1 --lr-policy linear --no-html'
began=$(date +%s%N)
# shellcheck disable=SC2086
trains 'a run that nothing stops' data --output whole $settings
whole_ns=$(($(date +%s%N) - began))

# ---- kill -9 ----

# stop_after PERCENT ARGUMENT...: starts it, and kills it after so much of the time of the whole run.
stop_after() {
    seconds=$(awk "BEGIN { print $1 / 100 * $whole_ns / 1e9 }")
    shift
    "$PIX2PIX" train "$@" >/dev/null 2>"$scratch/.stderr" </dev/null &
    child=$!
    sleep "$seconds"
    kill -9 $child 2>/dev/null
    wait $child 2>/dev/null
}

# step RUN: that its newest state is of.
step() {
    ls "$1/states" 2>/dev/null | sed -n 's/^state-0*\([0-9][0-9]*\)\.safetensors$/\1/p' | tail -n 1
}

# shellcheck disable=SC2086
stop_after 10 data --output killed $small $settings
kills=0
forward=0
whole=0
while [ $kills -lt "${TRAIN_KILLS:-4}" ]; do
    kills=$((kills + 1))
    if [ "$(step killed)" = 96 ]; then # once more from the start
        resumes 'one that was killed behind its last step' killed
        check 'is the run that nothing stopped' same_run whole killed
        rm -rf killed
    fi
    # shellcheck disable=SC2086
    [ -f killed/config.json ] || stop_after 30 data --output killed $small $settings
    before=$(step killed)
    stop_after $((kills * 37 % 25 + 10)) --resume killed \
        --loader-threads $((kills % 3)) --threads $((kills % 2 + 1))
    after=$(step killed)
    echo "# killed at step ${after:-0} of 96"
    [ "${after:-0}" -ge "${before:-0}" ] || forward=1
    for file in killed/latest.safetensors killed/best.safetensors; do
        [ ! -f $file ] || "$PIX2PIX" info $file >/dev/null 2>"$scratch/.stderr" || whole=1
    done
done
result $forward 'killed again and again, it never goes backwards'
result $whole 'and no model is ever broken'
resumes 'the rest of it' killed
check 'is the run that nothing stopped' same_run whole killed
check 'nothing that was half written is left' sh -c '! find killed -name "*.tmp" | grep -q .'
check 'as many states as are kept' test "$(ls killed/states | wc -l)" = 3

# ---- stopped at the end of an epoch, and within one ----

for steps in 12 13; do
    # shellcheck disable=SC2086
    trains "$steps steps" data --output part $settings --max-steps $steps
    resumes "and the rest" part --max-steps 96
    for file in latest latest-discriminator; do
        check "the same $file" cmp whole/$file.safetensors part/$file.safetensors
    done
    rm -rf part
done
# shellcheck disable=SC2086
trains 'steps of several batches and a moving average' data --output whole2 $settings \
    --accumulate 4 --ema 0.9 --lr-policy plateau --validate-epochs 1
# shellcheck disable=SC2086
trains 'some of them' data --output part $settings --accumulate 4 --ema 0.9 --lr-policy plateau \
    --validate-epochs 1 --max-steps 7
resumes 'and the rest' part --max-steps 24
check 'the same generator' cmp whole2/latest.safetensors part/latest.safetensors
check 'the same average in the state' cmp whole2/states/state-00000024.safetensors \
    part/states/state-00000024.safetensors

# ---- what a process may have been killed in the middle of ----

cp -r whole before
rm -rf before/states before/latest* before/best* before/log.jsonl
resumes 'killed before the first state, it begins again' before
check 'and is the same' same_run whole before

cp -r whole late
rm late/latest.safetensors late/latest-discriminator.safetensors
resumes 'killed between the state and the models' late
says 'is finished: 96 steps are done'
check 'they are made of the state' same_run whole late

cp -r whole torn
rm torn/states/state-00000096.safetensors
printf '{"type":"train","step":9' >>torn/log.jsonl
: >torn/.pix2pix-abcdef.tmp
: >torn/states/.pix2pix-abcdef.tmp
: >torn/samples/00000020/.pix2pix-abcdef.tmp
resumes 'with a torn log and temporary files' torn
check 'is the same' same_run whole torn
check 'without them' sh -c '! find torn -name "*.tmp" | grep -q .'

mkdir elsewhere
mv torn elsewhere/moved
rm elsewhere/moved/states/state-00000096.safetensors
resumes 'a run that was moved' elsewhere/moved
check 'writes where it is now' same_run whole elsewhere/moved
check 'and not where it was' test ! -e torn
finish
