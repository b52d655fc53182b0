#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A driver that fails, at each of its functions and in its worst ways: what comes out is right, or there
# is one clear line, and then a device that is opened again works beside the old one. Never a crash, a
# hang, a leak or an object that outlives its device, which validation would tell. FAULTS=all: every
# single call, which takes ten minutes; otherwise three of each function.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../train/tap.sh"
. "$here/layers.sh"
export PIX2PIX_CACHE_DIR="$scratch/cache"
line='^(NO_DEVICE|NO_MEMORY|DEVICE_LOST|UNSUPPORTED): .*'

# tells LINES: so many lines, all of the right form, and validation has none.
tells() {
    [ "$(grep -cE "$line|^again" "$scratch/.stderr")" = "$1" ] &&
        [ "$(wc -l <"$scratch/.stderr")" = "$1" ] && is_silent
}

# survives VARIABLE=VALUE...: it is right, or it is told and right the next time.
survives() {
    subject "$@"
    case $status in
    0) tells 0 ;;
    3) tells 1 ;;
    *) false ;;
    esac || {
        echo "$*: status $status"
        cat "$scratch/.stderr"
        return 1
    }
}

# is_right VARIABLE=VALUE...: as if nothing were the matter.
is_right() {
    subject "$@"
    [ "$status" = 0 ] && tells 0
}

# refuses TEXT VARIABLE=VALUE...: it never works, which is told each time, and why.
refuses() {
    text=$1
    shift
    subject "$@"
    [ "$status" = 4 ] && tells 2 && grep -qE -e "$text" "$scratch/.stderr"
}

# calls NAME: how many there were without faults.
calls() {
    sed -n "s/^$1 //p" "$scratch/counts"
}

# Results in turn: lost, out of the device's memory, out of the host's, failed to start.
turn=0
next_result() {
    turn=$((turn % 4 + 1))
    result=-$(echo 4213 | cut -c$turn)
}

# sweep NAME K...: those calls of it.
sweep() {
    swept=$1
    shift
    for k; do
        next_result
        survives "FAULT_FAIL=$swept:$k:$result" || return 1
    done
}

# It fills the cache, so that what follows are the same calls each time.
subject
[ "$status" = 4 ] && [ -z "${REQUIRE_VULKAN-}" ] && {
    skip 'no Vulkan' "$(cat "$scratch/.stderr")"
    finish
}
subject FAULT_COUNTS="$scratch/counts"
check 'without faults it is right' test "$status" = 0
check 'and validation is silent' is_silent
[ -s "$scratch/counts" ] || finish

# is_steady: nine more frames make and allocate nothing more.
is_steady() {
    FAULT_COUNTS="$scratch/more" "$FAULT_SUBJECT" 10 || return 1
    for file in counts more; do
        grep -E '^(vkCreate|vkAllocate|bytes)' "$scratch/$file" >"$scratch/made-$file"
    done
    diff "$scratch/made-counts" "$scratch/made-more"
}
check 'frames after the first make nothing' is_steady

if [ "${FAULTS-}" = all ]; then
    # shellcheck disable=SC2046
    check 'any call may fail' sweep any $(seq "$(calls any)")
else
    while read -r function n; do
        # vkCmd: functions that cannot fail.
        case $function:$n in
        any:* | other:* | window:* | bytes:* | vkCmd*:* | *:0) continue ;;
        esac
        # shellcheck disable=SC2046
        check "$function may fail" sweep "$function" $(printf '%s\n' 1 $((n / 2 + 1)) "$n" | sort -nu)
    done <"$scratch/counts"
fi
submissions=$(calls vkQueueSubmit)
for k in 1 $((submissions / 2)) "$submissions"; do
    check "the device may be lost at submission $k" survives FAULT_LOSE="$k"
done
check 'a wait may end too early' survives FAULT_FAIL=vkWaitForFences:5:2
check 'or never' refuses 'DEVICE_LOST: .*does not answer' FAULT_HANG=1
check 'memory may be too small' refuses 'NO_MEMORY: .*MiB more are wanted' FAULT_HEAP=16
check 'allocations may be too few' refuses 'NO_MEMORY: .*no more than 5' FAULT_OBJECTS=5
check 'its own memory may be out of sight' is_right FAULT_WINDOW=1 FAULT_COUNTS="$scratch/window"
check 'which it was' grep -q '^window [1-9]' "$scratch/window"
check 'one of three devices works' is_right FAULT_DEVICES=3 PIX2PIX_DEVICE=vulkan:2
check 'the fourth of three does not' refuses 'NO_DEVICE: .*2 "' FAULT_DEVICES=3 \
    PIX2PIX_DEVICE=vulkan:3
check 'no driver is no crash' refuses NO_DEVICE VK_DRIVER_FILES=/dev/null
put_behind # for validation to see the limits as well
check 'the least limits are enough' is_right FAULT_LIMITS=1
check 'robust access changes nothing' is_right FAULT_ROBUST=1
finish
