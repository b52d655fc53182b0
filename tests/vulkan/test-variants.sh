#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Usage: test-variants.sh PROGRAM...
#
# Test programs that pass on the device as it is, on what it could be as well: without all that Vulkan
# leaves open; with a driver that keeps shaders within their buffers, which is off otherwise and which
# nothing counts on; with the shaders that work anywhere.
here=$(cd "$(dirname "$0")" && pwd)
from=$(pwd)
. "$here/../train/tap.sh"
. "$here/layers.sh"
put_behind
export PIX2PIX_CACHE_DIR="$scratch/cache" CMOCKA_MESSAGE_OUTPUT=TAP

# passes VARIABLE=VALUE PROGRAM: it does, on Vulkan, and validation is silent.
passes() {
    rm -f "$messages" "$scratch/counts"
    env "$1" FAULT_COUNTS="$scratch/counts" "$2" >"$scratch/said" 2>"$scratch/complained" || {
        grep "^not ok" "$scratch/said"
        cat "$scratch/complained"
        return 1
    }
    grep -q '^vkQueueSubmit [1-9]' "$scratch/counts" && is_silent
}

"$FAULT_SUBJECT" >"$scratch/.stdout" 2>"$scratch/.stderr"
[ $? = 4 ] && [ -z "${REQUIRE_VULKAN-}" ] && {
    skip 'no Vulkan' "$(cat "$scratch/.stderr")"
    finish
}
for program; do
    case $program in
    /*) ;;
    *) program=$from/$program ;;
    esac
    for variant in FAULT_PLAIN=1 FAULT_ROBUST=1 PIX2PIX_VULKAN=simple; do
        check "$(basename "$program") passes with $variant" passes "$variant" "$program"
    done
done
finish
