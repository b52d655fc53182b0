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
finish
