# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Sourced by the pipelines: the options that all of them take, and running gst-launch-1.0. With
# DRY_RUN=1 in the environment the command is printed and not run.

here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
build=${BUILD:-$root/build}
program=$(basename "$0")

model=facades
device=${PIX2PIX_DEVICE:-auto}
fit=stretch
dropout=frozen
size=
source=camera
output=

# The comment at the top of the script, from the line after the licence on.
usage() {
    sed -n '3,/^[^#]/{/^#/!d;s/^# \{0,1\}//;p;}' "$0" | sed '1{/^$/d;}'
}

misused() {
    echo "$program: $1, see $program --help" >&2
    exit 2
}

# shared_option OPTION VALUE: takes one of the options that all pipelines have. The value is
# checked by the element.
shared_option() {
    case $1 in
    --model) model=$2 ;;
    --device) device=$2 ;;
    --fit) fit=$2 ;;
    --dropout) dropout=$2 ;;
    --size)
        case $2 in
        *[!0-9x]* | x* | *x | *x*x*) misused "--size takes WIDTHxHEIGHT, not $2" ;;
        *x*) size=$2 ;;
        *) misused "--size takes WIDTHxHEIGHT, not $2" ;;
        esac
        ;;
    --source) source=$2 ;;
    --output) output=$2 ;;
    *) misused "unknown option $1" ;;
    esac
}

# parse "$@": leaves what is no option in the words of $arguments, one a line.
arguments=
parse() {
    while [ $# -gt 0 ]; do
        case $1 in
        -h | --help)
            usage
            exit 0
            ;;
        --*=*) own_option "${1%%=*}" "${1#*=}" || shared_option "${1%%=*}" "${1#*=}" ;;
        --*)
            [ $# -gt 1 ] || misused "$1 takes a value"
            own_option "$1" "$2" || shared_option "$1" "$2"
            shift
            ;;
        *)
            arguments="$arguments$1
"
            ;;
        esac
        shift
    done
}

# Redefined by scripts with options of their own.
own_option() {
    return 1
}

# argument N: the Nth of them, or nothing.
argument() {
    printf %s "$arguments" | sed -n "$1p"
}

# The words of a pipeline are collected in $words, quoted for eval, so that names of files may hold
# anything.
words=
add() {
    for word; do
        case $word in
        '' | *[!A-Za-z0-9_.,:=/%+@!-]*)
            word="'$(printf %s "$word" | sed "s/'/'\\\\''/g")'"
            ;;
        esac
        words="$words $word"
    done
}

# add_source: frames of the camera, of a test picture, of numbered pictures or of a film.
add_source() {
    case $source in
    camera) add v4l2src ! videoconvert ;;
    camera:*) add v4l2src "device=${source#camera:}" ! videoconvert ;;
    test) add videotestsrc is-live=true ! videoconvert ;;
    *%*d*.png) add multifilesrc "location=$source" start-index=1 caps=image/png,framerate=25/1 ! \
        pngdec ! videoconvert ;;
    *%*d*.jpg) add multifilesrc "location=$source" start-index=1 caps=image/jpeg,framerate=25/1 ! \
        jpegdec ! videoconvert ;;
    *) add filesrc "location=$source" ! decodebin ! videoconvert ;;
    esac
    if [ -n "$size" ]; then
        add ! videoscale ! "video/x-raw,width=${size%x*},height=${size#*x},pixel-aspect-ratio=1/1"
    fi
    case $source in
    # Of a live source the newest frame counts, not every one.
    camera* | test) add ! queue leaky=downstream max-size-buffers=1 ;;
    esac
}

add_filter() {
    add pix2pixfilter "model=$model" "device=$device" "fit=$fit" "dropout=$dropout"
}

# add_sink: a window, or a file that a browser plays.
add_sink() {
    if [ -n "$output" ]; then
        add ! videoconvert ! vp8enc deadline=1 cpu-used=4 target-bitrate=2000000 ! webmmux ! \
            filesink "location=$output"
    else
        add ! videoconvert ! autovideosink
        case $source in
        camera* | test) add sync=false ;; # late frames are better than none
        esac
    fi
}

# launch: prints the command, then becomes it. Ctrl-C ends the stream properly (-e).
launch() {
    echo "gst-launch-1.0 -e$words"
    [ -z "${DRY_RUN:-}" ] || exit 0
    if [ -d "$build/gst" ]; then
        export GST_PLUGIN_PATH="$build/gst${GST_PLUGIN_PATH:+:$GST_PLUGIN_PATH}"
    fi
    if ! gst-inspect-1.0 pix2pixfilter >/dev/null 2>&1; then
        echo "$program: there is no element pix2pixfilter; build it with: sh $here/demo.sh" >&2
        exit 1
    fi
    eval "exec gst-launch-1.0 -e$words"
}
