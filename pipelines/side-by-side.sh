#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Usage: sh pipelines/side-by-side.sh [OPTION...]
#
# Shows the source on the left and its translation on the right.
#
#   --source camera|camera:/dev/video1|test|FILM|'IN/%d.png'   where frames come from (camera)
#   --size WxH       size of each half (256x256)
#   --output FILE    a .webm video, or numbered pictures OUT/%d.png, instead of the window
#   --model MODEL    checkpoint, or the name of a model (facades)
#   --device NAME    processor: auto, cpu, vulkan, ... (what PIX2PIX_DEVICE says, else auto)
#   --fit HOW        how a frame meets the network's size: stretch, letterbox, native (stretch)
#   --dropout HOW    off, frozen, fresh (frozen)
#
# DRY_RUN=1 prints the gst-launch-1.0 command and does not run it.
set -eu
. "$(dirname "$0")/launch.sh"

size=256x256
parse "$@"
[ -z "$arguments" ] || misused "takes no argument, such as $(argument 1)"
add_source
# The branch with the network is the slow one; the other waits for it in its queue.
add ! tee name=both both. ! queue ! halves.sink_0 both. ! queue ! videoconvert !
add_filter
add ! videoconvert ! halves.sink_1
add compositor name=halves "sink_1::xpos=${size%x*}"
case $output in
*%*d*.png) add ! videoconvert ! pngenc ! multifilesink "location=$output" index=1 ;;
*) add_sink ;;
esac
launch
