#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Two sessions on one device: whatever call fails while one of them loads, that one is told, and works
# when it is tried again; the other is told nothing, and its frames stay the same to the bit. FAULTS=all:
# every single call; otherwise some, from the first to the last.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../train/tap.sh"
. "$here/layers.sh"
export PIX2PIX_CACHE_DIR="$scratch/cache"

# subject VARIABLE=VALUE...: sets $status.
subject() {
    rm -f "$messages"
    env "$@" timeout 600 "$SHARING_SUBJECT" >"$scratch/.stdout" 2>"$scratch/.stderr" </dev/null
    status=$?
}

# fails_alone K: it is told in one line, where it matters.
told=0
fails_alone() {
    subject "FAULT_FAIL=other:$1:-$(($1 % 3 + 1))"
    lines=$(wc -l <"$scratch/.stderr")
    case $status:$lines in
    0:0) ;;
    3:1) told=$((told + 1)) ;;
    *) false ;;
    esac && is_silent || {
        echo "call $1: status $status"
        cat "$scratch/.stderr"
        return 1
    }
}

each_fails_alone() {
    for k; do
        fails_alone "$k" || return 1
    done
}

# Some calls depend on who is first: their number is not the same each time.
subject FAULT_COUNTS="$scratch/counts"
[ "$status" = 77 ] && [ -z "${REQUIRE_VULKAN-}" ] && {
    skip 'no Vulkan' "$(cat "$scratch/.stderr")"
    finish
}
check 'without faults all frames are right' test "$status" = 0
check 'and validation is silent' is_silent
calls=$(sed -n 's/^other //p' "$scratch/counts")
step=$((calls / 24 + 1))
[ "${FAULTS-}" != all ] || step=1
# shellcheck disable=SC2046
check "any of $calls calls may fail, for one of two" each_fails_alone $(seq 1 "$step" "$calls")
check 'which that one is told' test "$told" -gt 1
finish
