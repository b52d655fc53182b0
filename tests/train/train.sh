# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Sourced by the scripts that train, after tap.sh: small data, small networks, and ways to look at
# a run.
small='--net-g unet_32 --crop-size 32 --ngf 4 --ndf 4'

# make_pairs FOLDER TRAIN VAL: so many pairs of 36x36 pixels each.
make_pairs() {
    mkdir -p "$1/train"
    i=0
    while [ $i -lt "$2" ]; do
        i=$((i + 1))
        "$TOOL" picture "$1/train/$i.png" 72 36 $i
    done
    [ "$3" -gt 0 ] || return 0
    mkdir -p "$1/val"
    i=0
    while [ $i -lt "$3" ]; do
        i=$((i + 1))
        "$TOOL" picture "$1/val/$i.png" 72 36 $((100 + i))
    done
}

# train ARGUMENT...: small networks, quietly.
train() {
    # shellcheck disable=SC2086
    "$PIX2PIX" train $small "$@" >"$scratch/.stdout" 2>"$scratch/.stderr" </dev/null
}

# only_status: standard error holds no complaint, only how far the run was.
only_status() {
    ! grep -qv '^pix2pix: epoch ' "$scratch/.stderr"
}

# trains NAME ARGUMENT...: it works and has nothing to complain about.
trains() {
    name=$1
    shift
    train "$@" && only_status
    result $? "$name"
}

# resumes NAME ARGUMENT...
resumes() {
    name=$1
    shift
    "$PIX2PIX" train --resume "$@" >"$scratch/.stdout" 2>"$scratch/.stderr" </dev/null &&
        only_status
    result $? "$name"
}

# complains TEXT NAME ARGUMENT...: it works, and one line of what it says holds TEXT.
complains() {
    text=$1
    name=$2
    shift 2
    train "$@" && grep -qF -e "$text" "$scratch/.stderr"
    result $? "$name"
}

# losses RUN: name and value of every loss in its log, one record a line.
losses() {
    sed -n 's/.*"losses":{\([^}]*\)}.*/\1/p' "$1/log.jsonl" | tr ',:"' '   '
}

# untimed RUN: its log without what a clock says.
untimed() {
    sed -E 's/,"(images_per_s|step_ms|data_wait_ms|seconds)":[^,}]*//g' "$1/log.jsonl"
}

# same_run A B: the same networks, the same newest state, the same samples and the same log.
same_run() {
    for file in latest latest-discriminator best; do
        cmp "$1/$file.safetensors" "$2/$file.safetensors" || return 1
    done
    newest=$(ls "$1/states" | tail -n 1)
    cmp "$1/states/$newest" "$2/states/$newest" || return 1
    diff -r "$1/samples" "$2/samples" || return 1
    untimed "$1" >"$scratch/.log-a"
    untimed "$2" >"$scratch/.log-b"
    cmp "$scratch/.log-a" "$scratch/.log-b"
}

# near RUN RUN STEPS: every loss of every step is the same, to 1e-4 of it.
near() {
    losses "$1" >a
    losses "$2" >b
    [ -s a ] && paste a b | awk -v steps="$3" '{
        for (i = 2; i <= NF / 2; i += 2) {
            error = $i / $(i + NF / 2) - 1
            if ($(i - 1) != $(i - 1 + NF / 2) || error > 1e-4 || error < -1e-4) {
                print "step " NR ": " $0
                exit 1
            }
        }
    } END { exit NR != steps }'
}
