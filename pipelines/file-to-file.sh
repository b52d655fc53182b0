#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Usage: sh pipelines/file-to-file.sh [OPTION...] FILM OUT.webm
#
# Translates every frame of a film; sound is left out. What films can be read depends on the
# decoders that GStreamer finds; VP8, VP9, Theora and Motion JPEG always are.
#
#   --size WxH       size of the picture (the film's own)
#   --model MODEL    checkpoint, or the name of a model (facades)
#   --device NAME    processor: auto, cpu, vulkan, ... (what PIX2PIX_DEVICE says, else auto)
#   --fit HOW        how a frame meets the network's size: stretch, letterbox, native (stretch)
#   --dropout HOW    off, frozen, fresh (frozen)
#
# DRY_RUN=1 prints the gst-launch-1.0 command and does not run it.
set -eu
. "$(dirname "$0")/launch.sh"

parse "$@"
source=$(argument 1)
output=$(argument 2)
if [ -z "$output" ] || [ -n "$(argument 3)" ]; then
    misused "takes FILM and OUT.webm"
fi
add_source
add !
add_filter
add_sink
launch
