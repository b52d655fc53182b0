#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The scripts in pipelines/: every line that they can print can be built, and those that need no
# hardware run.
. "${0%/*}/tap.sh"
pipelines=$SOURCE_ROOT/pipelines
houses=$SOURCE_ROOT/examples/facades
export BUILD="$BUILD_ROOT"

# builds NAME SCRIPT ARGUMENT...: what it prints is a pipeline.
builds() {
    name=$1
    path=$pipelines/$2
    shift 2
    line=$(DRY_RUN=1 sh "$path" "$@" 2>"$scratch/.stderr") && [ -n "$line" ] && (
        eval "set -- $line"
        [ "$1 $2" = 'gst-launch-1.0 -e' ] || exit 1
        shift 2
        "$PARSE_PIPELINE" "$@"
    ) >"$scratch/.stdout" 2>>"$scratch/.stderr"
    result $? "$name"
}

# runs NAME SCRIPT ARGUMENT...: from a folder that is not the project's.
runs() {
    name=$1
    path=$pipelines/$2
    shift 2
    check "$name" sh "$path" "$@"
}

# misuses TEXT NAME SCRIPT ARGUMENT...: exits with 2 and one line.
misuses() {
    text=$1
    name=$2
    path=$pipelines/$3
    shift 3
    sh "$path" "$@" >"$scratch/.stdout" 2>"$scratch/.stderr"
    [ $? = 2 ] && [ "$(wc -l <"$scratch/.stderr")" = 1 ] && grep -qF -e "$text" "$scratch/.stderr"
    result $? "$name"
}

for script in camera file-to-file images-to-images side-by-side rtp-send rtp-receive \
    watch-training; do
    check "help of $script" sh "$pipelines/$script.sh" --help
    says "Usage: sh pipelines/$script.sh"
    misuses '--nonsense' "unknown option of $script" "$script.sh" --nonsense x
    misuses 'takes a value' "option without value of $script" "$script.sh" --model
done
check 'help of demo' sh "$pipelines/demo.sh" --help
says 'Usage: sh pipelines/demo.sh'
misuses '--nonsense' 'unknown option of demo' demo.sh --nonsense

for source in camera camera:/dev/video7 test 'a film.webm' "it's/%04d.png" 'in/%d.jpg'; do
    for script in camera.sh side-by-side.sh; do
        builds "$script from $source" "$script" --source "$source"
        builds "$script from $source, sized" "$script" --source "$source" --size 320x240
        builds "$script from $source, to a file" "$script" --source "$source" --output 'a b.webm'
    done
    builds "rtp-send.sh from $source" rtp-send.sh --source "$source" --port 6000 10.0.0.1
done
builds 'side by side to pictures' side-by-side.sh --source test --output '%d.png'
builds 'a film' file-to-file.sh 'an old film.ogv' out.webm --fit native --device cpu
builds 'every option' file-to-file.sh --model=x --device=cpu --fit=letterbox --dropout=off \
    --size=64x64 in.webm out.webm
for named in cpu vulkan:0; do
    line=$(PIX2PIX_DEVICE=$named DRY_RUN=1 sh "$pipelines/camera.sh" --source test)
    check "on $named, which the environment names" test "${line#*"device=$named "}" != "$line"
done
builds 'pictures' images-to-images.sh 'a b/%d.png' 'out/%03d.png' --start 7
builds 'photos' images-to-images.sh 'in/%d.jpg' 'out/%d.png' --size 64x64
builds 'receiving' rtp-receive.sh
builds 'receiving to a file' rtp-receive.sh --port 6000 --output 'a b.webm'

misuses 'WIDTHxHEIGHT' 'half a size' camera.sh --size 320
misuses 'OUT.webm' 'a film without output' file-to-file.sh in.webm
misuses 'pattern' 'pictures without numbers' images-to-images.sh in.png out/%d.png
misuses 'same' 'pictures onto themselves' images-to-images.sh a/%d.png a/%d.png
misuses 'HOST' 'sending to nobody' rtp-send.sh
misuses 'RUN' 'watching no run' watch-training.sh

mkdir -p 'a run/samples/fixed'
for i in 1 2 3; do
    cp "$houses/$i.png" "a run/samples/fixed/house $i-input.png"
done
# watches ARGUMENT...: what it prints is a program, a file that it watches, and a pipeline.
watches() (
    line=$(DRY_RUN=1 sh "$pipelines/watch-training.sh" "$@") && eval "set -- $line" &&
        [ "$1" = "$BUILD/examples/watch-model" ] && [ "$2" = 'a run/latest.safetensors' ] &&
        shift 2 && "$PARSE_PIPELINE" "$@"
)
check 'watching a run' watches 'a run'
check 'with a camera, to a file' watches --source camera --output 'a b.webm' 'a run'

# The lines in the README, each as one line.
sed -n '/^```sh$/,/^```$/p' "$SOURCE_ROOT/README.md" | sed ':a; /\\$/{N; s/\\\n *//; ba}' |
    grep '^gst-launch-1.0 ' >readme.lines
check 'the README has some' [ "$(wc -l <readme.lines)" -ge 4 ]
while read -r line; do
    eval "set -- ${line%%#*}"
    shift
    check "README: $*" "$PARSE_PIPELINE" "$@"
done <readme.lines

# ---- and now for real ----

ln -s "$SOURCE_ROOT/examples" examples
mkdir demo-output
check 'the README: pictures to pictures' eval "$(grep demo-output readme.lines)"
check 'under the same numbers' holds demo-output facade-1.png facade-2.png facade-3.png facade-4.png \
    facade-5.png facade-6.png facade-7.png facade-8.png
mkdir 'out put'
runs 'images-to-images' images-to-images.sh --model "$unet" "$houses/%d.png" 'out put/%d.png'
check 'one output for each' holds 'out put' 1.png 2.png 3.png 4.png 5.png 6.png 7.png 8.png
check 'of its size' sh -c '[ "$("$1" size "out put/8.png")" = 256x256 ]' - "$TOOL"
mkdir both
runs 'side-by-side' side-by-side.sh --model "$unet" --source "$houses/%d.png" --output both/%d.png
check 'one output for each of these, too' holds both 1.png 2.png 3.png 4.png 5.png 6.png 7.png 8.png
check 'left is the source' "$TOOL" same both/3.png "$houses/3.png" 0
check 'right is the translation' "$TOOL" same both/3.png 'out put/3.png' 256
runs 'to a video' side-by-side.sh --model "$unet" --source "$houses/%d.png" --output video.webm
runs 'file-to-file' file-to-file.sh --model "$unet" video.webm again.webm
check 'a video of as many frames' video again.webm 8 8

# stop_after SECONDS COMMAND...: as a person does it, with one Ctrl-C. Without --foreground timeout
# sends two, and gst-launch-1.0 dies of the second.
stop_after() {
    timeout --foreground -k 20 -s INT "$@"
}

# Live sources. A machine that is busy with other things gets more time until there are enough frames.
film_camera() {
    stop_after "$1" sh "$pipelines/camera.sh" --source test --model "$unet" --size 64x64 \
        --output live.webm >"$scratch/.stdout" 2>"$scratch/.stderr"
    video live.webm 20 2000
}
check 'camera.sh with a test picture, stopped, leaves a whole video' \
    eval 'film_camera 3 || film_camera 10 || film_camera 40'

# A model that is replaced while it is shown, as pix2pix train does.
watch_run() {
    cp "$unet" 'a run/latest.safetensors'
    (
        sleep 2
        cp "$unet" 'a run/next'
        mv 'a run/next' 'a run/latest.safetensors'
    ) &
    stop_after "$1" sh "$pipelines/watch-training.sh" --source test --size 64x64 \
        --output watched.webm 'a run' >"$scratch/.stdout" 2>"$scratch/.stderr"
    wait
    grep -q 'latest.safetensors is new' "$scratch/.stdout" && video watched.webm 20 2000
}
check 'watch-training takes the new model and leaves a whole video' \
    eval 'watch_run 5 || watch_run 15 || watch_run 40'

# stops_soon SIGNAL STATUS: the samples in a window, or where there is none in nothing, are left soon
# and without a trace by a signal to the script alone.
stops_soon() {
    mkdir temporary
    before=$(date +%s)
    TMPDIR=$scratch/temporary timeout --foreground --preserve-status -k 20 -s "$1" 4 \
        sh "$pipelines/watch-training.sh" --size 64x64 'a run' \
        >"$scratch/.stdout" 2>"$scratch/.stderr"
    [ $? = "$2" ] && [ $(($(date +%s) - before)) -lt 8 ] && rmdir temporary
}
stops_soon TERM 143
result $? 'watch-training leaves soon when it is killed'
stops_soon INT 130
result $? 'and with Ctrl-C'

send_and_receive() {
    port=$((20000 + ($$ + $1) % 20000))
    stop_after $(($1 + 2)) sh "$pipelines/rtp-receive.sh" --port $port \
        --output received.webm >received.log 2>&1 &
    receiver=$!
    sleep 1
    stop_after "$1" sh "$pipelines/rtp-send.sh" --port $port --source test --size 64x64 \
        --model "$unet" 127.0.0.1 >sent.log 2>&1
    wait $receiver
    video received.webm 20 2000
}
check 'rtp-receive gets what rtp-send sends' \
    eval 'send_and_receive 3 || send_and_receive 10 || send_and_receive 40 ||
        { cat sent.log received.log; false; }'

sh "$pipelines/file-to-file.sh" --model missing video.webm no.webm >"$scratch/.stdout" \
    2>"$scratch/.stderr"
[ $? != 0 ] && grep -q missing "$scratch/.stderr"
result $? 'a model that is missing is an error'
(
    unset GST_PLUGIN_PATH GST_PLUGIN_PATH_1_0
    export BUILD=/nonexistent GST_REGISTRY="$scratch/none"
    sh "$pipelines/camera.sh" --source test >"$scratch/.stdout" 2>"$scratch/.stderr"
)
[ $? = 1 ] && grep -q 'demo.sh' "$scratch/.stderr"
result $? 'without the element, it says how to build it'
finish
