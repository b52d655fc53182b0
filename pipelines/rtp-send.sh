#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Usage: sh pipelines/rtp-send.sh [OPTION...] HOST
#
# Translates here and sends the result as VP8 over RTP (UDP); on HOST run rtp-receive.sh.
#
#   --port N         on HOST (5004)
#   --source camera|camera:/dev/video1|test|FILM   where frames come from (camera)
#   --size WxH       size of the picture (the source's own)
#   --model MODEL    checkpoint, or the name of a model (facades)
#   --device NAME    processor: auto, cpu, vulkan, ... (what PIX2PIX_DEVICE says, else auto)
#   --fit HOW        how a frame meets the network's size: stretch, letterbox, native (stretch)
#   --dropout HOW    off, frozen, fresh (frozen)
#
# DRY_RUN=1 prints the gst-launch-1.0 command and does not run it.
set -eu
. "$(dirname "$0")/launch.sh"

port=5004
own_option() {
    [ "$1" = --port ] || return 1
    port=$2
}

parse "$@"
host=$(argument 1)
if [ -z "$host" ] || [ -n "$(argument 2)" ]; then
    misused "takes one HOST"
fi
[ -z "$output" ] || misused "--output belongs to rtp-receive.sh"
add_source
add !
add_filter
# A whole picture every second, so that a receiver can join at any time.
add ! videoconvert ! vp8enc deadline=1 cpu-used=4 keyframe-max-dist=25 error-resilient=partitions \
    target-bitrate=2000000 ! rtpvp8pay ! udpsink "host=$host" "port=$port"
launch
