#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Usage: sh pipelines/camera.sh [OPTION...]
#
# Shows what the camera sees, translated, in a window.
#
#   --source camera|camera:/dev/video1|test   where frames come from (camera)
#   --size WxH       size of the picture (the source's own)
#   --output FILE    a .webm video instead of the window
#   --model MODEL    checkpoint, or the name of a model (facades)
#   --device NAME    processor: auto, cpu, vulkan, ... (what PIX2PIX_DEVICE says, else auto)
#   --fit HOW        how a frame meets the network's size: stretch, letterbox, native (stretch)
#   --dropout HOW    off, frozen, fresh (frozen)
#
# DRY_RUN=1 prints the gst-launch-1.0 command and does not run it.
set -eu
. "$(dirname "$0")/launch.sh"

parse "$@"
[ -z "$arguments" ] || misused "takes no argument, such as $(argument 1)"
add_source
add !
add_filter
add_sink
launch
