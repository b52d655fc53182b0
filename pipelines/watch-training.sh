#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Usage: sh pipelines/watch-training.sh [OPTION...] RUN
#
# Shows what the newest model of a training run makes of its samples, or of any other source: the
# source on the left, its translation on the right. The model is read again whenever pix2pix train
# has saved.
#
#   --source samples|camera|camera:/dev/video1|test|FILM|'IN/%d.png'   where frames come from (samples)
#   --size WxH       size of each half (256x256)
#   --output FILE    a .webm video instead of the window
#   --device NAME    processor: auto, cpu, vulkan, ... (what PIX2PIX_DEVICE says, else auto)
#   --fit HOW        how a frame meets the network's size: stretch, letterbox, native (stretch)
#   --dropout HOW    off, frozen, fresh (frozen)
#
# DRY_RUN=1 prints the command and does not run it.
set -eu
. "$(dirname "$0")/launch.sh"

source=samples
size=256x256
parse "$@"
run=$(argument 1)
if [ -z "$run" ] || [ -n "$(argument 2)" ]; then
    misused 'takes RUN, the folder of a training run'
fi
model=$run/latest.safetensors

# The samples under numbers, as multifilesrc wants them; each is shown for two seconds, for ever.
add_samples() {
    numbered=$(mktemp -d)
    trap 'rm -rf "$numbered"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    count=0
    for picture in "$run"/samples/fixed/*-input.png; do
        count=$((count + 1))
        ln -s "$(readlink -f "$picture")" "$numbered/$count.png"
    done
    add multifilesrc "location=$numbered/%d.png" start-index=1 "stop-index=$count" loop=true \
        caps=image/png,framerate=1/2 ! pngdec ! videoconvert ! videoscale ! \
        "video/x-raw,width=${size%x*},height=${size#*x},pixel-aspect-ratio=1/1"
}

if [ "$source" = samples ]; then
    add_samples
else
    add_source
fi
add ! tee name=both both. ! queue ! halves.sink_0 both. ! queue ! videoconvert !
add_filter
add ! videoconvert ! halves.sink_1
add compositor name=halves "sink_1::xpos=${size%x*}"
add_sink

pipeline=$words
words=
add "$build/examples/watch-model" "$model"
echo "${words# }$pipeline"
[ -z "${DRY_RUN:-}" ] || exit 0
if [ ! -x "$build/examples/watch-model" ]; then
    echo "$program: $build/examples/watch-model is missing; build it with: sh $here/demo.sh" >&2
    exit 1
fi
if [ ! -f "$model" ]; then
    echo "$program: $model is not there yet: pix2pix train makes it with its first save" >&2
    exit 1
fi
export GST_PLUGIN_PATH="$build/gst${GST_PLUGIN_PATH:+:$GST_PLUGIN_PATH}"
eval "exec $words$pipeline" &
watcher=$!
# stop STATUS: a signal to this script alone ends the program, too, which finishes its file first.
stop() {
    kill "$watcher" 2>/dev/null
    wait "$watcher"
    exit "$1"
}
trap 'stop 130' INT
trap 'stop 143' TERM
wait "$watcher"
