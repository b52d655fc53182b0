# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Sourced by what runs tests and counts them, after pipelines/setup.sh.

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

# The last line, and whether all is well.
verdict() {
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}
