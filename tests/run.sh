#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Usage: sh tests/run.sh [--long]
#
# Installs what is missing (Debian), builds into build-tests/ with warnings as errors, runs every
# test, on the CPU and on a GPU (lavapipe, a processor that plays one, will do), and ends with the line
# "N passed, N failed". With --long also the suites that take minutes: the tests under the address,
# undefined-behaviour and thread sanitizers and under valgrind, and every call of a driver failing.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root" || exit 1
. pipelines/setup.sh
# shellcheck disable=SC2086,SC2154
need_packages $packages_build $packages_run libcmocka-dev binutils mesa-vulkan-drivers \
    vulkan-validationlayers spirv-tools || exit 1

long=false
case ${1-} in
--long) long=true ;;
'') ;;
*)
    echo "run.sh: unknown option $1; it takes --long or nothing" >&2
    exit 2
    ;;
esac

passed=0
failed=0

# Adds up what the tests of a build folder counted themselves: one for each line of TAP and each
# check of GStreamer's, one for each program that counts nothing.
count() {
    counts=$(python3 tests/count.py "$1/meson-logs") || counts='0 1'
    passed=$((passed + ${counts% *}))
    failed=$((failed + ${counts#* }))
}

# suite FOLDER "MESON SETUP OPTIONS" MESON_TEST_OPTION...
suite() {
    folder=$1
    options=$2
    shift 2
    echo "run: building $folder"
    if [ -f "$folder/build.ninja" ]; then
        # shellcheck disable=SC2086
        quietly meson configure $options "$folder"
    else
        # shellcheck disable=SC2086
        quietly meson setup --werror $options "$folder"
    fi && quietly ninja -C "$folder" || {
        failed=$((failed + 1))
        return
    }
    meson test -C "$folder" --no-rebuild --print-errorlogs "$@"
    count "$folder"
}

everything='-Dtests=enabled -Dgst=enabled -Dtrain=enabled -Dexamples=enabled -Dopenblas=enabled
    -Dvulkan=enabled'
export PIX2PIX_DEVICE=cpu REQUIRE_VULKAN=1
suite build-tests "$everything"
# What runs on any device once more on a GPU (lavapipe, where there is no other), under validation.
suite build-tests "$everything" --setup vulkan --suite devices
if $long; then
    # shellcheck disable=SC2086
    need_packages valgrind clang libclang-rt-14-dev || exit 1
    . tests/long.sh
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
