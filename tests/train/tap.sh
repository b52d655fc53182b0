# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Sourced by the scripts here: counts and prints checks as TAP, in a scratch folder of its own.
# PIX2PIX, TOOL and PIX2PIX_TEST_MODELS come from meson.
set -u
export LC_ALL=C
models=${PIX2PIX_TEST_MODELS:?}
unet=$models/unet32.safetensors
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 99
count=0
failures=0

# result STATUS NAME: one line of TAP; what the command said helps to see why it failed.
result() {
    count=$((count + 1))
    if [ "$1" = 0 ]; then
        echo "ok $count - $2"
        return
    fi
    failures=$((failures + 1))
    echo "not ok $count - $2"
    for stream in stdout stderr; do
        [ ! -s "$scratch/.$stream" ] || sed "s/^/# $stream: /" "$scratch/.$stream"
    done
}

# skip NAME REASON
skip() {
    count=$((count + 1))
    echo "ok $count - $1 # SKIP $2"
}

# check NAME COMMAND...: the command succeeds.
check() {
    name=$1
    shift
    "$@" >"$scratch/.stdout" 2>"$scratch/.stderr" </dev/null
    result $? "$name"
}

# works NAME ARGUMENT...: pix2pix succeeds and has nothing to complain about.
works() {
    name=$1
    shift
    "$PIX2PIX" "$@" >"$scratch/.stdout" 2>"$scratch/.stderr" </dev/null
    status=$?
    [ $status = 0 ] && [ ! -s "$scratch/.stderr" ]
    result $? "$name"
}

# complaint STATUS WANTED TEXT: one line, of the right form, that holds TEXT.
complaint() {
    [ "$1" = "$2" ] && [ "$(wc -l <"$scratch/.stderr")" = 1 ] && [ ! -s "$scratch/.stdout" ] &&
        grep -q '^pix2pix: [^ ]' "$scratch/.stderr" && grep -qF -e "$3" "$scratch/.stderr"
}

# fails STATUS TEXT NAME ARGUMENT...: pix2pix ends with the status and says TEXT in its one line.
fails() {
    wanted=$1
    text=$2
    name=$3
    shift 3
    "$PIX2PIX" "$@" >"$scratch/.stdout" 2>"$scratch/.stderr" </dev/null
    complaint $? "$wanted" "$text"
    result $? "$name"
}

# holds FOLDER FILE...: these are in it, by name and in order, and nothing else is.
holds() {
    folder=$1
    shift
    found=$(cd "$folder" && ls -A) || return 1
    wanted=
    for file; do
        wanted="$wanted$file
"
    done
    [ "$found" = "$(printf %s "$wanted" | sort)" ]
}

# says TEXT: what the last command printed holds it.
says() {
    grep -qF -e "$1" "$scratch/.stdout"
    result $? "it says: $1"
}

# video FILE LEAST MOST: it was finished, can be played, and has about so many frames.
video() {
    [ -s "$1" ] || return 1
    # The length of a Matroska segment, which is written last; all ones until then.
    [ "$(od -An -tx1 -j32 -N8 "$1" | tr -d ' ')" != 01ffffffffffffff ] || return 1
    rm -rf "$scratch/.frames"
    mkdir "$scratch/.frames"
    timeout 60 gst-launch-1.0 -q filesrc location="$1" ! matroskademux ! vp8dec ! \
        multifilesink location="$scratch/.frames/%d" || return 1
    frames=$(ls "$scratch/.frames" | wc -l)
    echo "$frames frames"
    [ "$frames" -ge "$2" ] && [ "$frames" -le "$3" ]
}

finish() {
    echo "1..$count"
    [ "$failures" = 0 ]
    exit
}
