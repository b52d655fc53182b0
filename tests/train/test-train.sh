#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# pix2pix train: from pairs to a model, and what the options do.
. "${0%/*}/tap.sh"
trace=${0%/*}/trace
. "${0%/*}/train.sh"

make_pairs data 6 2

# ---- a whole run ----

trains 'a run' data --output run --epochs 2 --epochs-decay 2 --log-steps 4 --save-steps 10 \
    --keep 2 --save-epochs 1
says 'unet_32'
says '6 pairs, 2 to validate on; 0 of 24 steps are done'
says 'weights and optimiser'
says 'epoch 4, step 24: SWD'
says 'pix2pixfilter model='
check 'its folder' holds run best.safetensors config.json generators index.html \
    latest-discriminator.safetensors latest.safetensors lock log.jsonl samples states
check 'the last two states' holds run/states state-00000020.safetensors state-00000024.safetensors
check 'samples of every epoch' holds run/samples 00000006 00000012 00000018 00000024 fixed
check 'of the validation split' holds run/samples/00000012 1.png 2.png
check 'with inputs and targets' holds run/samples/fixed 1-input.png 1-target.png 2-input.png \
    2-target.png
check 'the page is whole' grep -q '</html>' run/index.html
# best_epoch RUN METRIC lowest|highest: by its log.
best_epoch() {
    sed -n "s/.*\"validation\".*\"epoch\":\([0-9]*\).*\"$2\":\([0-9.]*\).*/\2 \1/p" "$1/log.jsonl" |
        sort -g | if [ "$3" = lowest ]; then head -n 1; else tail -n 1; fi |
        sed 's/.* \([0-9]*\)$/000\1/'
}
check 'best has the lowest SWD' cmp run/best.safetensors \
    "run/generators/epoch-$(best_epoch run SWD lowest).safetensors"
trains 'by another metric' data --output ssim --epochs 4 --epochs-decay 0 --metric ssim \
    --save-epochs 1
check 'best has the highest SSIM' cmp ssim/best.safetensors \
    "ssim/generators/epoch-$(best_epoch ssim SSIM highest).safetensors"
works 'latest is a generator' test run/latest.safetensors data/val/1.png --output translated
works 'best is one, too' test run/best.safetensors data/val/1.png --output translated
check 'the discriminator is one' sh -c '"$1" info --json "$2" >info.json && "$3" json info.json \
    "$.architecture" | grep -q patchgan_3' - "$PIX2PIX" run/latest-discriminator.safetensors "$TOOL"
"$PIX2PIX" info --json run/latest.safetensors >info.json
check 'of the right kind' sh -c '"$1" json info.json "$.architecture" | grep -qx "\"unet_32\""' - \
    "$TOOL"
check 'no path in it' sh -c '! grep -aqF "$2" "$1"' - run/latest.safetensors "${scratch#/}"

# ---- the log ----

{
    echo '['
    paste -sd, run/log.jsonl
    echo ']'
} >log.json
check 'the log is JSON' "$TOOL" json log.json '$[*].type'
check 'six lines of training' test "$(grep -c '"type":"train"' run/log.jsonl)" = 6
check 'four of validation' test "$(grep -c '"type":"validation"' run/log.jsonl)" = 4
check 'every loss' test "$(losses run | awk '{print $1, $3, $5, $7}' | sort -u)" = \
    'D_fake D_real G_GAN G_L1'
"$TOOL" json log.json '$[?(@.type=="train")].learning_rate' >/dev/null 2>&1
sed -n 's/.*"learning_rate":\([^,]*\).*/\1/p' run/log.jsonl >rates
check 'the rate is full in the first two epochs' test \
    "$(sed -n 1,3p rates | sort -u)" = 0.0002
check 'then it falls, and stays above 0' awk 'NR > 3 && !($1 < last && $1 > 0) { exit 1 }
    { last = $1 }' rates
check 'it is what the line says' awk 'NR == 6 && ($1 - 0.0002 / 12) ^ 2 > 1e-14 { exit 1 }' rates
l1=$(sed -n 's/.*"validation","step":24.*"L1":\([0-9.]*\).*/\1/p' run/log.jsonl)
"$PIX2PIX" test run --epoch latest --dropout off --output tested >printed
check "the last validation is what test says ($l1)" awk -v l1="$l1" \
    '/^SWD/ { found = 1; if (($8 - l1) ^ 2 > 1e-8) exit 1 } END { exit !found }' printed
works 'test of a run alone' test run --output tested
check 'it takes what it was validated on' holds tested/targets 1.png 2.png

# ---- one seed, one result ----

trains 'another run' data --output again --epochs 2 --epochs-decay 2 --log-steps 4 --save-steps 10 \
    --keep 2 --threads 1 --loader-threads 0
check 'is the same with one thread' same_run run again
trains 'with three loaders' data --output loaders --epochs 2 --epochs-decay 2 --log-steps 4 \
    --save-steps 10 --keep 2 --threads 2 --loader-threads 3
check 'and with three loaders' same_run run loaders
trains 'another seed' data --output seed --epochs 2 --epochs-decay 2 --seed 1 --no-html
cmp -s run/latest.safetensors seed/latest.safetensors && same=1 || same=0
result $same 'is another result'
for seed in 1 2; do
    trains "the same weights, order and crops of seed $seed" data --output "seed-$seed" \
        --seed $seed --max-steps 2 --init-g run/best.safetensors --no-gan --no-html
done
cmp -s seed-1/latest.safetensors seed-2/latest.safetensors && same=1 || same=0
result $same 'differ'

# ---- as PyTorch does it ----

# close FILE RUN: the losses of each step are those of the file's lines, to 2e-5 of each.
close() {
    losses "$2" | awk -v file="$1" '{
        if ((getline line < file) <= 0) exit 1
        split(line, wanted, " ")
        for (i = 1; i <= 4; i++) {
            error = $(2 * i) / wanted[i + 2] - 1
            if (error > 2e-5 || error < -2e-5 || $(2 * i) == "") { print line " / " $0; exit 1 }
        }
    } END { if (NR != 6) exit 1 }'
}
for kind in 'vanilla 1' 'lsgan 2'; do
    grep "^$kind" "$trace/losses.txt" >wanted
    set -- $kind
    "$PIX2PIX" train "$trace" --output "trace-$1" --init-g "$trace/g.pth" --init-d "$trace/d.pth" \
        --max-steps 6 --preprocess none --no-flip --no-dropout --serial-batches --log-steps 1 \
        --batch-size "$2" --gan-mode "$1" --no-html --samples 0 >/dev/null 2>"$scratch/.stderr"
    result $? "from PyTorch's weights, $kind"
    check 'losses as PyTorch computes them' close wanted "trace-$1"
done
check 'the files say what the networks are' sh -c 'grep -q "\"net_g\" : \"unet_32\"" "$1" &&
    grep -q "\"ngf\" : 2," "$1" && grep -q "\"ndf\" : 2," "$1"' - trace-lsgan/config.json

# ---- options, under every name ----

trains 'old names' --dataroot data --which_direction BtoA --loadSize 40 --fineSize 32 \
    --batchSize=2 --niter 1 --niter_decay 0 --lr .001 --lambda_L1 50 --no_flip --no_dropout \
    --no_lsgan --which_model_netD n_layers --n_layers_D 2 --nThreads 0 --print_freq 2 --save_latest_freq 3 \
    --checkpoints_dir old --name names
trains 'our names' data --direction BtoA --load-size 40 --batch-size 2 --epochs 1 --epochs-decay 0 \
    --learning-rate 0.001 --lambda-l1 50 --no-flip --no-dropout --gan-mode vanilla \
    --net-d n_layers --n-layers-d 2 --loader-threads 0 --log-steps 2 --save-steps 3 --output new
check 'are the same settings' sh -c 'grep -v "\"output\"" old/names/config.json >a &&
    grep -v "\"output\"" new/config.json >b && cmp a b'
check 'and the same result' cmp old/names/latest.safetensors new/latest.safetensors
trains 'names of the third' --dataset_name data --width 64 --height 32 --channels 1 --epochs 3 \
    --decay_epoch 1 --Lambda 10 --n_sample 100 --n_checkpoint 1 --saved_path third --max-steps 6
for line in '"crop_size" : "64x32"' '"input_nc" : 1' '"output_nc" : 1' '"epochs" : 1' \
    '"epochs_decay" : 2' '"lambda_l1" : 10' '"sample_steps" : 100' '"save_epochs" : 1'; do
    grep -qF "$line" third/config.json
    result $? "it is $line"
done
check 'a generator for the epoch' holds third/generators epoch-0001.safetensors
works 'which can be tested' test third --epoch 1 --output epoch
works 'under the old option too' test third --test_epoch 1 --output epoch
trains 'epochs of a program that knows no decay' data --output most --max_epochs 1
check 'are all of them' grep -qF '"step":6,"epoch":1' most/log.jsonl
check 'and no others' sh -c '! grep -q "\"epoch\":2" most/log.jsonl'
complains '--gpu-ids means nothing here: --device' 'what means nothing here' data --output note \
    --gpu_ids 0 --max-steps 1 --samples 0
check 'help in groups' "$PIX2PIX" train --help
for text in 'Data:' 'Networks:' 'Losses:' 'Optimiser and schedule:' 'What is written:' \
    '(0.0002; also --lr)' '--no-flip' 'drop_last' 'vanilla, lsgan, hinge, wgangp'; do
    says "$text"
done

# ---- samples elsewhere ----

trains 'another folder for samples' data --output apart --sample_path pictures --epochs 1 \
    --epochs-decay 1 --max-steps 6
check 'they are there' holds pictures 00000006 fixed
check 'and not in the run' test ! -e apart/samples
check 'the log says where' grep -qF "\"folder\":\"$scratch/pictures/00000006\"" apart/log.jsonl
mkdir deep
(
    cd deep || exit
    "$PIX2PIX" train --resume ../apart --max-steps 12 >/dev/null 2>"$scratch/.stderr"
)
check 'a run that goes on knows them' holds pictures 00000006 00000012 fixed
check 'the page shows them' grep -qF '"steps":[6,12]' apart/index.html
fails 1 'text: cannot be made' 'a folder that cannot be made' train data --output no-samples \
    --samples-dir "$0/text" $small
trains 'samples within the run' data --output inside --samples-dir inside/pictures --max-steps 6
mv inside moved
resumes 'which is moved' moved --max-steps 12
check 'go with it' holds moved/pictures 00000006 00000012 fixed
check 'and not where it was' test ! -e inside

# ---- kinds of data and of networks ----

trains 'four channels in, one out' data --output channels --input-nc 4 --output-nc 1 --max-steps 2
complains 'resized a little' 'as large as the pictures are' data --output none --preprocess none \
    --max-steps 2
trains 'cropped alone' data --output crop --preprocess crop --max-steps 2
for option in '--gan-mode lsgan' '--gan-mode hinge' '--gan-mode wgangp --norm-d instance' \
    '--net-d pixel' '--net-d none' '--no-gan' '--no-conditional' '--no-l1' '--pixel-loss l2' \
    '--norm instance --net-g resnet_2blocks' '--norm none' '--ema 0.9' '--clip-norm 1' \
    '--accumulate 3' '--lr-policy step' '--lr-policy cosine' '--lr-policy plateau' \
    '--lr-policy constant' '--init-type xavier' '--init-type kaiming' '--init-type orthogonal' \
    '--metric ssim' '--learning-rate-d 1e-5' '--max-dataset-size 2 --serial-batches'; do
    rm -rf option
    # shellcheck disable=SC2086
    trains "$option" data --output option $option --max-steps 2 --no-html --samples 1
    finite=$(losses option | grep -vc 'n')
    [ "$finite" != 0 ] || [ "$(losses option | grep -c null)" = 0 ]
    result $? 'its losses are numbers'
    cmp -s option/latest.safetensors run/latest.safetensors && same=1 || same=0
    result $same 'and it made something of its own'
done

mkdir -p folders/a/train folders/a/val folders/b/train folders/b/val
for i in 1 2 3; do
    for phase in train val; do
        "$TOOL" picture folders/a/$phase/$i.png 40 36 $i
        "$TOOL" picture folders/b/$phase/$i.png 40 36 $((i + 50))
    done
done
trains 'two folders' --a folders/a --b folders/b --output two --max-steps 3
check 'validated' grep -q '"type":"validation"' two/log.jsonl
trains 'two folders without phases' --a folders/a/train --b folders/b/train \
    --val-a folders/a/val --val-b folders/b/val --output four --max-steps 3
check 'are the same data' cmp two/latest.safetensors four/latest.safetensors
for run in two four; do
    works "their run $run can be tested" test $run --output "$run-tested"
    check 'on what it was validated on' holds "$run-tested/targets" 1.png 2.png 3.png
done
works 'on another folder of them' test two --split train --output two-train
fails 1 'has no folder test' 'but on none that is not there' test two --split test --output no

make_pairs alone 1 0
complains 'nothing to validate on' 'nothing to validate on' alone --output alone-run --max-steps 2
check 'latest is the best then' cmp alone-run/latest.safetensors alone-run/best.safetensors
rm alone-run/best.safetensors
"$PIX2PIX" train --resume alone-run >/dev/null 2>"$scratch/.stderr"
check 'and made again where it is missing' cmp alone-run/latest.safetensors \
    alone-run/best.safetensors
train alone --output no --lr-policy plateau
[ $? = 1 ] && grep -q 'plateau watches a validation split' "$scratch/.stderr" && [ ! -e no ]
result $? 'plateau without validation is an error'

# ---- it learns ----

complains 'holds a single pair' 'one pair, again and again' alone --val-phase train \
    --output learnt --no-flip --load-size 32 --no-dropout --no-gan --ngf 16 --batch-size 4 \
    --epochs 250 --epochs-decay 250 --learning-rate 1e-3 --validate-epochs 0 --sample-steps 1000
l1=$(losses learnt | tail -n 1 | awk '{print $2}')
check "is learnt by heart: L1 $l1" awk -v l1="$l1" 'BEGIN { exit !(l1 < 0.02) }'
finish
