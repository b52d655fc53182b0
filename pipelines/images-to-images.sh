#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Usage: sh pipelines/images-to-images.sh [OPTION...] 'IN/%d.png' 'OUT/%d.png'
#
# Translates numbered pictures, all of one size. IN is .png or .jpg, OUT is .png.
#
#   --start N        number of the first (1)
#   --size WxH       size of the picture (its own)
#   --model MODEL    checkpoint, or the name of a model (facades)
#   --device NAME    processor: auto, cpu, vulkan, ... (what PIX2PIX_DEVICE says, else auto)
#   --fit HOW        how a frame meets the network's size: stretch, letterbox, native (stretch)
#   --dropout HOW    off, frozen, fresh (frozen)
#
# DRY_RUN=1 prints the gst-launch-1.0 command and does not run it.
set -eu
. "$(dirname "$0")/launch.sh"

start=1
own_option() {
    [ "$1" = --start ] || return 1
    start=$2
}

parse "$@"
source=$(argument 1)
output=$(argument 2)
if [ -z "$output" ] || [ -n "$(argument 3)" ]; then
    misused "takes IN/%d.png and OUT/%d.png"
fi
case $source in
*%*d*.png) picture=png ;;
*%*d*.jpg | *%*d*.jpeg) picture=jpeg ;;
*) misused "$source is no pattern such as IN/%d.png" ;;
esac
case $output in
*%*d*.png) ;;
*) misused "$output is no pattern such as OUT/%d.png" ;;
esac
[ "$source" != "$output" ] || misused "IN and OUT are the same"
add multifilesrc "location=$source" "start-index=$start" "caps=image/$picture,framerate=25/1" !
add "${picture}dec" ! videoconvert !
if [ -n "$size" ]; then
    add videoscale ! "video/x-raw,width=${size%x*},height=${size#*x},pixel-aspect-ratio=1/1" !
fi
add_filter
add ! videoconvert ! pngenc ! multifilesink "location=$output" "index=$start"
launch
