#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A GPU that is lost, or has too little memory, while a pipeline plays: it ends as it should, every frame
# that comes is right and in its place, one warning tells, and validation has nothing to say.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../train/tap.sh"
. "$here/layers.sh"
export PIX2PIX_CACHE_DIR="$scratch/cache"

# subject SETTINGS VARIABLE=VALUE...: sets $status.
subject() {
    settings=$1
    shift
    rm -f "$messages"
    env "$@" timeout 300 "$RECOVERY_SUBJECT" "$settings" \
        >"$scratch/.stdout" 2>"$scratch/.stderr" </dev/null
    status=$?
}

# gives LINE SETTINGS VARIABLE=VALUE...: a line of that form, as many lines of complaint, and silence.
gives() {
    line=$1
    shift
    subject "$@"
    complaints=$(($(echo "$line" | sed 's/.* \([0-9]\) warnings, \([0-9]\) errors.*/\1 + \2/')))
    if [ "$status" = 0 ] && grep -qxE "$line" "$scratch/.stdout" &&
        [ "$(wc -l <"$scratch/.stderr")" = "$complaints" ] && is_silent; then
        return
    fi
    echo "$*: status $status: $(cat "$scratch/.stdout")"
    cat "$scratch/.stderr"
    return 1
}

# calls FILE NAME: how many there were when the last instance was destroyed.
calls() {
    sed -n "s/^$2 //p" "$scratch/$1" | tail -n 1
}

subject in-flight=1 # fills the cache
grep -q NO_DEVICE "$scratch/.stderr" || grep -q 'vulkan:' "$scratch/.stdout" ||
    [ -n "${REQUIRE_VULKAN-}" ] || {
    skip 'no Vulkan' "$(cat "$scratch/.stderr")"
    finish
}
for n in 1 4; do
    check "without faults, $n in flight" gives \
        "20 frames, $n at a time, 0 warnings, 0 errors, vulkan:0" "in-flight=$n" \
        FAULT_COUNTS="$scratch/counts-$n"
done
middle=$(($(calls counts-1 vkQueueSubmit) / 2)) # a frame's, as those some before and behind it
[ "$middle" -ge 8 ] || finish

for k in $((middle - 3)) $((middle + 3)); do
    check "lost at submission $k it is opened again" gives \
        '20 frames, 1 at a time, 1 warnings, 0 errors, vulkan:0' in-flight=1 "FAULT_LOSE=$k"
    check 'and what was in flight is done again' gives \
        '20 frames, 3 at a time, 1 warnings, 0 errors, vulkan:0' in-flight=3 \
        "FAULT_LOSE=$k"
done
check 'a wait that loses it is the same' gives \
    '20 frames, 1 at a time, 1 warnings, 0 errors, vulkan:0' in-flight=1 \
    "FAULT_FAIL=vkWaitForFences:$middle:-4"
check 'a wait that never ends, too' gives \
    '20 frames, 1 at a time, 1 warnings, 0 errors, vulkan:0' in-flight=1 \
    "FAULT_FAIL=vkWaitForFences:$middle:2"
check 'lost while the model is loaded it is opened again' gives \
    '20 frames, 1 at a time, 1 warnings, 0 errors, vulkan:0' in-flight=1 FAULT_LOSE=1
for n in 1 3; do
    check "lost twice in a minute it is an error, $n in flight" gives \
        '[0-9]+ frames, [1-6] at a time, 1 warnings, 1 errors, vulkan:0' "in-flight=$n" \
        "FAULT_LOSE=$((middle - 3))" "FAULT_FAIL=vkQueueSubmit:$((middle + 7)):-4"
done

# is_modest: with ever less memory there are four frames in flight, and then one.
is_modest() {
    for objects in 40 36 32 28 24 20 18 16 14 12 10 8; do
        gives '20 frames, 4 at a time, 0 warnings, 0 errors, vulkan:0' in-flight=4 \
            "FAULT_OBJECTS=$objects" >"$scratch/four" 2>&1 && continue
        gives '20 frames, 1 at a time, 0 warnings, 0 errors, vulkan:0' in-flight=4 \
            "FAULT_OBJECTS=$objects"
        return
    done
    false
}
check 'where memory is short there is one in flight' is_modest
finish
