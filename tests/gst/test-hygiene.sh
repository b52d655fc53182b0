#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Usage: test-hygiene.sh PLUGIN ELEMENT-SOURCE PROPERTIES-SOURCE
#
# What a plugin owes its host: that it registers and nothing else, exports and needs what it should,
# describes itself, and keeps quiet. The sources are those with the documentation.
set -u
plugin=$1
source=$2
properties=$3
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0
n=0

if nm -D "$plugin" | grep -q -e __asan_ -e __tsan_; then
    echo "1..0 # SKIP GStreamer's programs cannot load a plugin built with a sanitizer"
    exit 0
fi

# check WHAT COMMAND...: one line of TAP.
check() {
    n=$((n + 1))
    what=$1
    shift
    if "$@" >"$work/out" 2>&1; then
        echo "ok $n - $what"
    else
        echo "not ok $n - $what"
        sed 's/^/# /' "$work/out" | tail -20
        failed=1
    fi
}

has() { # FILE PATTERN...
    file=$1
    shift
    for pattern; do
        grep -q -e "$pattern" "$file" || { echo "no \"$pattern\""; return 1; }
    done
}

has_not() { # FILE PATTERN
    ! grep -n -e "$2" "$1"
}

# ---- symbols ----
nm -D --defined-only "$plugin" | sed 's/.* //' >"$work/exports"
nm -D --undefined-only "$plugin" | sed 's/.* //;s/@.*//' >"$work/imports"
check "exports what GStreamer looks for" \
    has "$work/exports" '^gst_plugin_pix2pix_get_desc$' '^gst_plugin_pix2pix_register$'
grep -v '^gst_plugin_pix2pix_' "$work/exports" >"$work/others"
check "exports nothing else" has_not "$work/others" .
check "neither prints nor ends the process nor changes what is the host's" has_not "$work/imports" \
    '^\(_*v*f*printf\(_chk\)*\|puts\|fputs\|putchar\|write\|g_print\|g_printerr\|abort\|_*exit\|signal\|sigaction\|setenv\|putenv\|unsetenv\|g_setenv\|g_unsetenv\|setlocale\|fork\|system\|chdir\|umask\|fesetround\|openblas_set_num_threads\)$'
check "has no assertion in it" has_not "$work/imports" '^g_assertion_message\|^__assert_fail'

# ---- what it says of itself ----
gst-inspect-1.0 pix2pixfilter >"$work/inspect" 2>"$work/inspect.err"
check "gst-inspect says nothing on standard error" test ! -s "$work/inspect.err"
check "describes itself" has "$work/inspect" 'Rank  *none (0)' 'Long-name  *Image' \
    'Klass  *Filter/Effect/Video' 'Description  *Translates' 'Author  *[A-Z a-z]' \
    'License  *LGPL' 'Source module  *pix2pix' 'Binary package  *[a-z]' 'Origin URL  *[a-z]'
check "has no unknown fields" has_not "$work/inspect" '[Uu]nknown'
check "is a GstVideoFilter" has "$work/inspect" '+----GstVideoFilter' '+----GstPix2pixFilter'
check "nothing is blacklisted" sh -c 'gst-inspect-1.0 -b | grep "Total count: 0 blacklisted"'
for property in $(sed -n 's/^  \([a-z-]*\) *: .*/\1/p' "$work/inspect" | sort -u); do
    case $property in
    name | parent | qos) continue ;;
    esac
    check "$property is documented" grep -q "GstPix2pixFilter:$property:\$" "$properties"
done

# ---- registering ----
if command -v strace >/dev/null && strace -o "$work/try" true 2>/dev/null; then
    GST_REGISTRY="$work/registry" strace -f -e trace=openat,open,execve,connect,clone,clone3 \
        -o "$work/strace" gst-inspect-1.0 --exists pix2pixfilter
    # from where our file is opened to where the next one is
    awk -v plugin="$plugin" 'index($0, plugin) { on = 1 } /\/gstreamer-1.0\/libgst/ { on = 0 }
        on' "$work/strace" >"$work/ours"
    check "registers without opening a model or a device" has_not "$work/ours" \
        '/models\|\.safetensors\|\.pth\|/dev/dri\|libvulkan\|/dev/nvidia\|connect('
fi

# ---- running ----
run() {
    gst-launch-1.0 -q videotestsrc num-buffers="$1" ! video/x-raw,width=64,height=48 ! \
        pix2pixfilter $2 ! fakesink
}
small="model=$PIX2PIX_TEST_MODELS/unet32.safetensors"
quiet() { run 5 "$small" >"$work/quiet" 2>&1 && test ! -s "$work/quiet"; }
check "prints nothing" quiet
closed() { run 5 "$small" <&- >&- 2>&-; }
check "runs with its standard streams closed" closed
few_lines() {
    GST_DEBUG=pix2pix:5 GST_DEBUG_NO_COLOR=1 run 300 "$small" 2>&1 | grep -c ' pix2pix ' >"$work/n"
    cat "$work/n"
    test "$(cat "$work/n")" -gt 0 && test "$(cat "$work/n")" -lt 50
}
check "logs less than 50 lines for 300 frames at DEBUG" few_lines
bare() {
    env -i HOME=/nonexistent GST_REGISTRY="$work/bare" GST_REGISTRY_FORK=no \
        LD_LIBRARY_PATH="${LD_LIBRARY_PATH-}" GST_PLUGIN_PATH_1_0="$GST_PLUGIN_PATH_1_0" \
        PATH="$PATH" gst-launch-1.0 -q videotestsrc num-buffers=2 ! pix2pixfilter $small ! fakesink
}
check "runs without a home and an environment" bare
comma() { LC_ALL=de_DE.UTF-8 run 2 "$small strength=0.5"; }
check "runs where the decimal point is a comma" comma
documented() {
    line=$(sed -n 's/^ \* \(gst-launch-1.0 .*\)/\1/p' "$source")
    test -n "$line" && echo "$line" && eval "$line"
}
check "the documented launch line runs as written" documented

echo "1..$n"
exit $failed
