#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# pix2pix train: what a run starts from, and that config.json says what is really trained.
. "${0%/*}/tap.sh"
. "${0%/*}/train.sh"

make_pairs data 4 0

# one_step RUN ARGUMENT...: of the smallest networks of these options; tells of nothing but the
# validation that there is not.
one_step() {
    run=$1
    shift
    "$PIX2PIX" train data --output "$run" --crop-size 64 --max-steps 1 --samples 0 --no-html "$@" \
        >"$scratch/.stdout" 2>"$scratch/.stderr" </dev/null
    result $? "$run"
}

# config RUN LINE: config.json has it.
config() {
    grep -qF "  $2" "$1/config.json"
    result $? "config.json of $1 has $2"
}

# ---- discriminators ----

one_step start --net-g unet_64 --ngf 2 --ndf 2
layers='--output no --net-g unet_64 --ngf 2 --crop-size 64 --max-steps 1'
d=start/latest-discriminator.safetensors
# shellcheck disable=SC2086
{
    fails 2 'its net_d is basic, and the command line says pixel' 'a pixel of three layers' \
        train data $layers --init-d $d --net-d pixel
    fails 2 'its n_layers_d is 3, and the command line says 2' 'two of three layers' \
        train data $layers --init-d $d --net-d n_layers --n-layers-d 2
    fails 2 'its conditional is true, and the command line says false' 'a blind one that sees' \
        train data $layers --init-d $d --no-conditional
}
check 'no run was begun' test ! -e no
one_step three --net-g unet_64 --ngf 2 --init-d $d --net-d n_layers --n-layers-d 3 --norm-d same
config three '"net_d" : "n_layers"'
one_step pixel --net-g unet_64 --ngf 2 --ndf 2 --net-d pixel
one_step followed --net-g unet_64 --ngf 2 --init-d pixel/latest-discriminator.safetensors
config followed '"net_d" : "pixel"'
# shellcheck disable=SC2086
fails 2 'its net_d is pixel, and the command line says basic' 'three layers of a pixel' \
    train data $layers --init-d pixel/latest-discriminator.safetensors --net-d basic

# ---- in the words of other programs ----

one_step coded --which_model_netG encoder_decoder_64 --ngf 2 --no-gan
config coded '"net_g" : "encoder_decoder_64"'
check 'its model has no skips' sh -c '"$1" info --json coded/latest.safetensors >info.json &&
    "$2" json info.json "\$.architecture" | grep -q encoder_decoder_64' - "$PIX2PIX" "$TOOL"
one_step uncoded --init-g coded/latest.safetensors --no-gan
config uncoded '"net_g" : "encoder_decoder_64"'
one_step zero --net-g unet_64 --ngf 2 --ndf 2 --n_layers_D 0
config zero '"net_d" : "pixel"'
# shellcheck disable=SC2086
{
    fails 2 '--n-layers-d belongs to --net-d n_layers' 'no layers of a basic one' \
        train data $layers --net-d basic --n_layers_D 0
    fails 2 '--flip 1: takes no value' 'a flag with a value' train data $layers --flip 1
}
one_step threads --net-g unet_64 --ngf 2 --ndf 2 --Lambda 10 --threads 1
grep -q 'note: --threads .*--loader-threads' "$scratch/.stderr"
result $? 'threads of the loader'
one_step threads-here --net-g unet_64 --ngf 2 --ndf 2 --lambda-l1 10 --threads 1
grep -q 'note: --threads' "$scratch/.stderr" && told=1 || told=0
result $told 'which are none for our own words'
for many in '--how_many all' '--max_dataset_size inf' '--num-test 0'; do
    rm -rf tested
    # shellcheck disable=SC2086
    works "test $count" test coded --data data --split train --output tested $many
    check 'are all' holds tested/targets 1.png 2.png 3.png 4.png
done
fails 2 "--num-test takes a number from 0 to 2147483647, or all, not 'few'" 'some' \
    test coded --data data --split train --output tested --how_many few

# ---- dropout ----

# It has layers of that only from unet_64 on.
one_step with --net-g unet_64 --ngf 2 --no-gan
one_step without --net-g unet_64 --ngf 2 --no-gan --no-dropout
for from in with without; do
    for to in '' --dropout --no-dropout; do
        case $from$to in
        with | *t--dropout | *h--dropout) expected=true ;;
        *) expected=false ;;
        esac
        run=$from-$expected${to:+-asked}
        # shellcheck disable=SC2086
        one_step "$run" --init-g "$from/latest.safetensors" --no-gan $to
        config "$run" "\"dropout\" : $expected,"
        check 'and its model says the same' sh -c '"$1" info --json "$2" >info.json &&
            test "$("$3" json info.json "\$.has_dropout")" = "$4"' - "$PIX2PIX" \
            "$run/latest.safetensors" "$TOOL" $expected
    done
done
check 'with it, as without the option' cmp with-true/latest.safetensors \
    with-true-asked/latest.safetensors
check 'without it, as well' cmp without-false/latest.safetensors \
    without-false-asked/latest.safetensors
cmp -s without-false/latest.safetensors without-true-asked/latest.safetensors && same=1 || same=0
result $same 'dropout is added where it is asked for'
cmp -s with-true/latest.safetensors with-false-asked/latest.safetensors && same=1 || same=0
result $same 'and taken away'
"$PIX2PIX" train --resume without-true-asked --max-steps 3 >/dev/null 2>&1
"$PIX2PIX" train data --output straight --crop-size 64 --max-steps 3 --samples 0 --no-html \
    --init-g without/latest.safetensors --no-gan --dropout >/dev/null 2>&1
check 'a run that goes on has what it had' cmp without-true-asked/latest.safetensors \
    straight/latest.safetensors

# ---- pictures that are broken in between ----

# damage FILE: its header and its end are as they were.
damage() {
    bytes=$(wc -c <"$1")
    dd if=/dev/zero of="$1" bs=1 seek=$((bytes / 2)) count=$((bytes / 4)) conv=notrunc 2>/dev/null
}

make_pairs many 120 100
damage many/train/7.png
damage many/val/2.png
train many --output whole-run --epochs 1 --epochs-decay 0 --samples 3 --save-steps 50
result $? 'one of 120 is broken'
for text in 'replaced by another pair: .*/train/7.png: ' 'left out: .*/val/2.png: '; do
    test "$(grep -c "$text" "$scratch/.stderr")" = 1
    result $? "it is told once: $text"
done
test "$(grep -c '7.png\|2.png' "$scratch/.stderr")" = 2
result $? 'and not again'
train many --output parted --epochs 1 --epochs-decay 0 --samples 3 --save-steps 50 --max-steps 60
"$PIX2PIX" train --resume parted --max-steps 120 >/dev/null 2>"$scratch/.stderr"
result $? 'a run that goes on'
for file in latest best latest-discriminator; do
    check "is as if it had never stopped: $file" cmp whole-run/$file.safetensors \
        parted/$file.safetensors
done
damage many/train/50.png
# shellcheck disable=SC2086
fails 1 '2 of 120 pairs are broken, more than 1 %: ' 'two of 120 are too many' \
    train many --output no $small
damage many/val/50.png
cp data/train/1.png many/train/50.png
cp data/train/1.png many/train/7.png
# shellcheck disable=SC2086
fails 1 '2 of 100 pairs are broken, more than 1 %: ' 'as well of those to validate on' \
    train many --output no $small
check 'and no run was begun' test ! -e no
finish
