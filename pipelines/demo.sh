#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Usage: sh pipelines/demo.sh [--output DIR] [MODEL]
#
# Installs what is missing (Debian), builds into build/, turns drawn house fronts into photos and
# drawn aerial photos into street maps with gst-launch-1.0 and the element, and writes pictures,
# videos and a page to look at them to demo-output/ (or DIR). Where there is a display, a window
# shows the house fronts' animation, too.
#
# MODEL is a checkpoint, or the name of a model, that gets the house fronts; maps gets the aerial
# photos. Without it, both models of the project are shown. PIX2PIX_DEVICE chooses the processor,
# FRAMES the length of the animations (100).
set -eu
export LC_ALL=C # numbers with points
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
build=${BUILD:-$root/build}
export BUILD="$build"
out=$root/demo-output
frames=${FRAMES:-100}
size=256

model=
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help)
        sed -n '3,/^[^#]/{/^#/!d;s/^# \{0,1\}//;p;}' "$0" | sed 1d
        exit 0
        ;;
    --output)
        [ $# -gt 1 ] || {
            echo "demo.sh: --output takes a folder, see demo.sh --help" >&2
            exit 2
        }
        out=$2
        shift
        ;;
    -*)
        echo "demo.sh: unknown option $1, see demo.sh --help" >&2
        exit 2
        ;;
    *) model=$1 ;;
    esac
    shift
done
case $model in
/*) ;;
*) [ ! -f "$model" ] || model=$PWD/$model ;;
esac

# ---- what it needs ----

. "$here/setup.sh"
# shellcheck disable=SC2086,SC2154
need_packages $packages_build $packages_run

element=$build/gst/libgstpix2pix.so
command=$build/train/pix2pix
draw=$build/examples/draw-aerials
wanted='-Dgst=enabled -Dtrain=enabled -Dexamples=enabled'
if [ ! -f "$build/build.ninja" ]; then
    echo "demo: configuring $build"
    # shellcheck disable=SC2086
    quietly meson setup $wanted "$build" "$root"
fi
echo "demo: building"
quietly ninja -C "$build"
if [ ! -f "$element" ] || [ ! -x "$command" ] || [ ! -x "$draw" ]; then
    # It was configured when some of the packages were not there.
    # shellcheck disable=SC2086
    quietly meson configure $wanted "$build"
    quietly ninja -C "$build"
fi

# ---- pictures and videos ----

export GST_PLUGIN_PATH="$build/gst${GST_PLUGIN_PATH:+:$GST_PLUGIN_PATH}"
# The programs find the library by themselves, except in a chroot without /proc.
export LD_LIBRARY_PATH="$build/engine${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
export PIX2PIX_MODEL_PATH="${PIX2PIX_MODEL_PATH:+$PIX2PIX_MODEL_PATH:}$root/models"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# run COMMAND...: prints the gst-launch-1.0 line and keeps what it says to itself, unless it fails.
run() {
    DRY_RUN=1 sh "$@"
    quietly sh "$@"
}

# translate_pictures MODEL NAME: those of examples/NAME, which are numbered from 1 on; sets $count.
translate_pictures() {
    from=$root/examples/$2
    to=$out/$2
    echo "demo: translating the pictures of examples/$2"
    run "$here/images-to-images.sh" --model "$1" "$from/%d.png" "$to/%d-output.png"
    run "$here/side-by-side.sh" --model "$1" --source "$from/%d.png" --size "${size}x$size" \
        --output "$to/%d-side-by-side.png"
    count=0
    while [ -f "$from/$((count + 1)).png" ]; do
        count=$((count + 1))
        cp "$from/$count.png" "$to/$count-input.png"
        for kind in output side-by-side; do
            if [ ! -s "$to/$count-$kind.png" ]; then
                echo "demo: $to/$count-$kind.png was not written" >&2
                exit 1
            fi
        done
    done
}

# translate_animation MODEL NAME PROGRAM: what the program draws; sets $milliseconds.
translate_animation() {
    echo "demo: translating an animation of $frames frames"
    "$build/examples/$3" --frames "$frames" --size "$size" "$scratch/$2"
    before=$(date +%s%N)
    run "$here/side-by-side.sh" --model "$1" --source "$scratch/$2/%04d.png" \
        --size "${size}x$size" --output "$out/$2/animation.webm"
    after=$(date +%s%N)
    milliseconds=$(((after - before) / 1000000))
}

# ---- what came out ----

# number KEY: the first number of that name in what the benchmark wrote; text KEY: the same.
number() {
    sed -n "s/.*\"$1\" : \([0-9.]*\).*/\1/p" "$scratch/bench.json" | sed 1q
}
text() {
    sed -n "s/.*\"$1\" : \"\([^\"]*\)\".*/\1/p" "$scratch/bench.json" | sed 1q
}

# per_second FRAMES MILLISECONDS
per_second() {
    awk "BEGIN { rate = $1 * 1000 / $2; printf rate < 10 ? \"%.1f\" : \"%.0f\", rate }"
}

# measure MODEL: sets $speed, $device and $network.
measure() {
    "$command" bench "$1" --size "${size}x$size" --frames 20 --json >"$scratch/bench.json"
    median=$(number median_ms)
    speed="$(awk "BEGIN { printf \"%.1f\", $median }") ms a frame, $(per_second 1 "$median") frames/s"
    device="$(text name) ($(text features))"
    network=$(text architecture)
}

summary() {
    whole=$(per_second "$frames" "$milliseconds")
    echo
    echo "model   $(basename "$1"), $network"
    echo "device  $device"
    echo "size    ${size}x$size"
    echo "speed   $speed; $whole frames/s with reading, composing and encoding the video"
}

page_head() {
    cat <<EOF
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>pix2pixfilter</title>
<style>
:root { --dim: #6a6a70; --paper: #fbfaf8 }
@media (prefers-color-scheme: dark) { :root { --dim: #98989f; --paper: #161618 } }
body { max-width: 70rem; margin: 0 auto; padding: 2rem 1.25rem; background: var(--paper);
  font: 15px/1.5 system-ui, sans-serif }
h1 { margin: 0; font-size: 1.5rem; font-weight: 600 }
p { margin: .25rem 0 1rem; color: var(--dim) }
section + section { margin-top: 3.5rem }
video, img { display: block; width: 100%; height: auto; border-radius: 6px }
video { max-width: 48rem; margin-bottom: 1.5rem }
div { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(22rem, 1fr)) }
</style>
EOF
}

# page_section MODEL NAME TITLE ALT
page_section() {
    cat <<EOF
<section>
<h1>$3, and what the network makes of them</h1>
<p>$(printf %s "$(basename "$1"), $network, $device: $speed" |
        sed 's/&/\&amp;/g; s/</\&lt;/g')</p>
<video src="$2/animation.webm" controls autoplay loop muted playsinline></video>
<div>
EOF
    i=0
    while [ $((i += 1)) -le "$count" ]; do
        echo "<img src=\"$2/$i-side-by-side.png\" width=\"$((2 * size))\" height=\"$size\"" \
            "alt=\"$4 $i\">"
    done
    echo "</div>"
    echo "</section>"
}

# show MODEL NAME PROGRAM TITLE ALT: the pictures of examples/NAME and the animation that PROGRAM
# draws become OUT/NAME and a section of the page.
show() {
    mkdir -p "$out/$2"
    rm -f "$out/$2"/*-input.png "$out/$2"/*-output.png "$out/$2"/*-side-by-side.png
    translate_pictures "$1" "$2"
    translate_animation "$1" "$2" "$3"
    measure "$1"
    page_section "$1" "$2" "$4" "$5" >>"$scratch/page"
    summary "$1" >>"$scratch/summary"
}

show_facades() {
    show "$1" facades draw-facades 'Drawn house fronts' 'Label map and photo'
}

show_aerials() {
    show "$1" aerials draw-aerials 'Drawn aerial photos' 'Aerial photo and street map'
}

case $model in
'')
    show_facades facades
    if [ -f "$root/models/maps.safetensors" ]; then
        show_aerials maps
    fi
    ;;
maps) show_aerials maps ;;
*) show_facades "$model" ;;
esac
{
    page_head
    cat "$scratch/page"
    echo "</html>"
} >"$out/index.html"
cat "$scratch/summary"
echo "output  $out/index.html"

if [ "$model" != maps ] && [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    echo "demo: showing the animation in a window; close it or press Ctrl-C to end"
    "$build/examples/animate-facade" --model "${model:-facades}" --frames 500 ||
        echo "demo: the window could not be shown; the files above are there all the same" >&2
fi
