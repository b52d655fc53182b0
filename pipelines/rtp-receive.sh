#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Usage: sh pipelines/rtp-receive.sh [OPTION...]
#
# Shows what rtp-send.sh sends from another machine. Nothing is translated here.
#
#   --port N         to listen on (5004)
#   --output FILE    a .webm video instead of the window
#
# DRY_RUN=1 prints the gst-launch-1.0 command and does not run it.
set -eu
. "$(dirname "$0")/launch.sh"

port=5004
own_option() {
    case $1 in
    --port) port=$2 ;;
    --output) return 1 ;;
    *) misused "unknown option $1" ;;
    esac
}

parse "$@"
[ -z "$arguments" ] || misused "takes no argument, such as $(argument 1)"
add udpsrc "port=$port" \
    caps=application/x-rtp,media=video,encoding-name=VP8,clock-rate=90000,payload=96 !
add rtpjitterbuffer latency=100 ! rtpvp8depay !
if [ -n "$output" ]; then
    add webmmux ! filesink "location=$output"
else
    add vp8dec ! videoconvert ! autovideosink
fi
launch
