#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A step of several batches is one of all their pairs.
. "${0%/*}/tap.sh"
. "${0%/*}/train.sh"

make_pairs data 12 0
same='--no-dropout --norm none --preprocess crop --epochs 2 --epochs-decay 0 --log-steps 1
    --learning-rate 0.001 --ngf 8 --ndf 8 --samples 0 --no-html'

for kind in '' '--gan-mode lsgan --pixel-loss l2' '--no-gan' '--clip-norm 0.1'; do
    rm -rf whole parts
    # shellcheck disable=SC2086
    {
        train data --output whole $same $kind --batch-size 4
        result $? "batches of four $kind"
        train data --output parts $same $kind --batch-size 2 --accumulate 2
        result $? 'and two of two'
        check 'are the same steps' near whole parts 6
        rm -rf parts
        train data --output parts $same $kind --batch-size 1 --accumulate 4
        result $? 'or four of one'
        check 'are the same steps again' near whole parts 6
    }
done

# What wgangp calls losses are one sum with two signs, as long as the discriminator does not move
# and sees the same pictures twice; unet_64 has dropout.
"$PIX2PIX" train data --output masks --net-g unet_64 --crop-size 64 --ngf 4 --ndf 4 --norm none \
    --init-gain 0.2 --gan-mode wgangp --learning-rate-d 1e-30 --batch-size 1 --accumulate 3 \
    --max-steps 3 --log-steps 1 --samples 0 --no-html >"$scratch/.stdout" 2>"$scratch/.stderr"
result $? 'three with dropout'
check 'are drawn with one mask each time' sh -c 'printf %s "$1" | awk "{
    sum = \$2 + \$6
    if (\$1 != \"D_fake\" || \$5 != \"G_GAN\" || \$2 == 0 || sum ^ 2 > 1e-10 * \$2 ^ 2) {
        print
        exit 1
    }
} END { exit NR != 3 }"' - "$(losses masks)"
finish
