#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# pix2pix train --resume after what people and disks do to a run: pictures that break, other data and
# batches, states and settings that are gone, folders that are shared.
. "${0%/*}/tap.sh"
. "${0%/*}/train.sh"

settings='--epochs 8 --epochs-decay 8 --log-steps 5 --save-steps 4 --validate-epochs 3
    --sample-steps 20 --samples 1 --no-html'

# resume ARGUMENT...
resume() {
    "$PIX2PIX" train --resume "$@" >"$scratch/.stdout" 2>"$scratch/.stderr" </dev/null
}

# told TEXT: of the lines of the last command that are no status, one holds it.
told() {
    grep -v '^pix2pix: epoch ' "$scratch/.stderr" | grep -qF -e "$1"
}

# one_line TEXT: there is one such line, and it holds it.
one_line() {
    [ "$(grep -vc '^pix2pix: epoch ' "$scratch/.stderr")" = 1 ] && told "$1"
}

# ---- a picture that breaks ----

make_pairs many 120 0
mkdir broken
cp -r many/train broken/train
head -c 100 many/train/100.png >broken/train/100.png
in_order='--serial-batches --epochs 1 --epochs-decay 1 --save-steps 5 --samples 0 --no-html'
# shellcheck disable=SC2086
{
    train broken --output never-stopped $in_order --max-steps 110
    told 'replaced by another pair: '
    result $? 'a broken picture keeps its place'
    train many --output stopped $in_order --max-steps 5
    head -c 100 many/train/100.png >part
    mv part many/train/100.png
    resume stopped --max-steps 110 && told 'replaced by another pair: '
    result $? 'one that breaks in between'
    check 'changes nothing but itself' cmp never-stopped/latest.safetensors \
        stopped/latest.safetensors
    "$TOOL" picture many/train/50.png 80 40 50
    ! resume stopped && told 'of the same names, but 1 of 120 pairs are other files by now: 50'
    result $? 'other pictures of the same names'
}

# ---- another cut of the epochs ----

make_pairs data 10 2
# shellcheck disable=SC2086
trains 'five steps' data --output steps $settings --max-steps 5
# again RUN FROM ARGUMENT...: a copy of FROM goes on as RUN.
again() {
    cp -r "$2" "$1"
    run=$1
    shift 2
    resume "$run" "$@"
}
again larger steps --batch-size 2 --override --max-steps 12 &&
    one_line 'epoch 2: 5 of 10 batches are done of the one before, and an epoch has 5 now'
result $? 'larger batches within an epoch'
check 'go on with the next one' grep -q '"type":"train","step":10,"epoch":2,' larger/log.jsonl
resumes 'and can be resumed' larger --max-steps 13
mkdir fewer
cp -r data fewer/data
rm fewer/data/train/[6-9].png fewer/data/train/10.png
again fewer/run steps fewer/data --override --max-steps 12 &&
    one_line 'and an epoch has 5 now, of another data set'
result $? 'fewer pairs'
again other steps --direction BtoA --override --max-steps 12 && only_status
result $? 'settings that leave the epoch as it is'
check 'go on with it' grep -q '"type":"train","step":10,"epoch":1,' other/log.jsonl

# ---- states that are gone ----

# shellcheck disable=SC2086
trains 'a run' data --output whole $settings --max-steps 24
cp -r whole cut
for state in cut/states/*; do
    head -c 5000 "$state" >part
    mv part "$state"
done
cp -r cut shorn
for try in first second; do
    ! resume cut && told 'has no state that can be read, though it made steps (24 by its log)' &&
        told "begin a new run with --init-g $scratch/cut/latest.safetensors and another --output"
    result $? "no whole state, the $try time"
done
check 'latest is as it was' cmp whole/latest.safetensors cut/latest.safetensors
check 'best, too' cmp whole/best.safetensors cut/best.safetensors
check 'and the log' cmp whole/log.jsonl cut/log.jsonl
cp -r whole emptied
rm -r emptied/states
fails 1 'has no state that can be read' 'no states at all' train --resume emptied
cp -r emptied silent
rm silent/log.jsonl
fails 1 "--init-g $scratch/silent/latest.safetensors" 'nor a log' train --resume silent
rm silent/latest* silent/best*
mkdir silent/states
: >silent/states/state-00000004.safetensors.broken
fails 1 'has no state that can be read' 'nothing but a state that was set aside' \
    train --resume silent
rm emptied/latest*
fails 1 "$scratch/emptied/best.safetensors" 'and no latest generator' train --resume emptied
rm emptied/best*
fails 1 '(24 by its log); begin a new run with another --output' 'nothing but the log' \
    train --resume emptied
check 'is as it was' cmp whole/log.jsonl emptied/log.jsonl
printf '{"type":"train","step":3,"epoch":1}\n' >emptied/log.jsonl
resume emptied && one_line 'was stopped behind step 3, before it saved any; it begins again'
result $? 'stopped before the first save, it begins again'
check 'to the same end' cmp whole/latest.safetensors emptied/latest.safetensors

# ---- a state that is no file ----

cp -r whole pruned
rm pruned/states/state-00000024.safetensors
mkdir pruned/states/state-00000024.safetensors
resume pruned --keep 1 --max-steps 20 && one_line 'state-00000024.safetensors: '
result $? 'the newest state is a folder'
check 'the one before is kept' holds pruned/states state-00000020.safetensors \
    state-00000024.safetensors
resume pruned --keep 1 --max-steps 23 && told 'state-00000024.safetensors: '
result $? 'it goes on'
check 'with one state' holds pruned/states state-00000023.safetensors state-00000024.safetensors
resume pruned --keep 2 --max-steps 32
told 'step 24 is not saved: ' && told 'state-00000024.safetensors: '
result $? 'the file that cannot be written is named'
check 'it is not counted' holds pruned/states state-00000024.safetensors \
    state-00000028.safetensors state-00000032.safetensors

# ---- what a killed process was writing ----

mkdir -p parent/neighbour/states parent/samples/1x outside/fixed outside/00000020 outside/other
for file in parent/neighbour parent/neighbour/states parent/samples/1x outside outside/fixed \
    outside/00000020 outside/other; do
    : >$file/.pix2pix-abcdef.tmp
done
# shellcheck disable=SC2086
trains 'a run above another' data --output parent $settings --max-steps 4 --samples-dir outside
resumes 'again' parent
find parent outside -name '*.tmp' | sort >left
printf '%s/.pix2pix-abcdef.tmp\n' outside outside/other parent/neighbour parent/neighbour/states \
    parent/samples/1x >foreign
check 'removes what is its own, and nothing else' cmp left foreign

# ---- settings that are gone ----

# shellcheck disable=SC2086
trains 'the rest of it' data --output reference $settings --max-steps 30
for damage in 'rm' 'truncate -s 100' 'sed -i s/"beta1"/"gamma"/'; do
    rm -rf blank
    cp -r whole blank
    $damage blank/config.json
    resume blank --max-steps 30 --log-steps 5 --validate-epochs 3 --sample-steps 20 --samples 1 &&
        one_line 'it is made again of '
    result $? "$damage config.json"
    check 'the end is the same' cmp reference/latest.safetensors blank/latest.safetensors
    check 'the state, too' cmp reference/states/state-00000030.safetensors \
        blank/states/state-00000030.safetensors
    resumes 'and it is there again' blank
done
cp -r whole edited
sed -i 's/"learning_rate" : .*/"learning_rate" : 0.1,/' edited/config.json
fails 1 'than those of config.json: learning_rate was 0.0002' 'settings that were edited' \
    train --resume edited

# As if killed between the state and config.json, of which only the first knows what has changed.
again overridden whole --override --learning-rate 0.001 --max-steps 25
result $? 'another learning rate'
cp -r whole between
rm between/states/*
cp overridden/states/state-00000024.safetensors between/states
resume between --max-steps 25 && one_line 'config.json: is older than what --override changed'
result $? 'killed in the middle of it'
check 'it goes on with the new one' cmp overridden/latest.safetensors between/latest.safetensors
resumes 'and is whole again' between
finish
