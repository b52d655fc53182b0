#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A driver that fails while tiles are measured: nobody is told, for the rule does as well, unless the
# device is lost. What could be measured is kept, and is no longer measured once all is.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../train/tap.sh"
export PIX2PIX_VULKAN=
. "$here/layers.sh"
export PIX2PIX_CACHE_DIR="$scratch/cache"
line='^(NO_MEMORY|DEVICE_LOST): .*'

# count FILE VARIABLE=VALUE...: how many calls there are of everything.
count() {
    counts=$scratch/$1
    shift
    subject FAULT_COUNTS="$counts" "$@" && is_silent
    [ "$status" = 0 ]
}

# calls FILE NAME
calls() {
    sed -n "s/^$2 //p" "$scratch/$1"
}

forget() {
    rm -f "$PIX2PIX_CACHE_DIR"/tiles-*
}

# is_right_or_told FUNCTION K: it may be any.
is_right_or_told() {
    forget
    subject "FAULT_FAIL=$1:$2:-2"
    case $status in
    0) [ ! -s "$scratch/.stderr" ] ;;
    3) grep -qE "$line" "$scratch/.stderr" ;;
    *) false ;;
    esac && is_silent
}

subject PIX2PIX_VULKAN=unmeasured # checks the device, which is kept
count usual PIX2PIX_VULKAN=unmeasured
[ "$status" = 4 ] && [ -z "${REQUIRE_VULKAN-}" ] && {
    skip 'no Vulkan' "$(cat "$scratch/.stderr")"
    finish
}
check 'without a measurement it is right' test "$status" = 0
check 'and nothing is kept' test -z "$(find "$PIX2PIX_CACHE_DIR" -name 'tiles-*')"
check 'with one it is right' count measured
check 'and that is kept' test -n "$(find "$PIX2PIX_CACHE_DIR" -name 'tiles-*')"
for _ in 1 2 3 4 5; do
    subject
done
check 'all measured, it is right' count complete
check 'and as before' test "$(calls complete vkQueueSubmit)" = "$(calls usual vkQueueSubmit)"

for function in vkAllocateMemory vkCreateBuffer vkCreateComputePipelines vkQueueSubmit; do
    n=$(calls measured $function)
    for k in $((n / 3)) $((n * 2 / 3)); do
        check "$function $k of $n may fail" is_right_or_told $function "$k"
    done
done
forget
subject FAULT_LOSE=$(($(calls usual vkQueueSubmit) / 2 + 2))
check 'the device may be lost' test "$status" = 0 -o "$status" = 3
finish
