# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Sourced by run.sh: the suites that take minutes. What is built here cannot be installed or loaded
# by programs that are not, so that the packaging suite is left out.

# Half a gigabyte that the page of a run alone needs: run.sh opens it where a browser is there anyway.
need_packages chromium || exit 1
REQUIRE_BROWSER=1 suite build-tests "$everything" --suite browser

# The comparison with others, where they were installed for it: that it works.
if [ -d "${XDG_CACHE_HOME:-$HOME/.cache}/pix2pix-peers/node_modules" ]; then
    echo 'run: comparing with peers'
    if quietly sh tests/bench-peers.sh --quick; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
fi

# A GPU that can no more than the least that Vulkan asks for: kernels and whole networks.
FAULT_LIMITS=1 suite build-tests "$everything" --setup vulkan \
    kernels backward conv-backward learn pixels golden-forward golden-training

# Every single call of a driver fails in turn.
FAULTS=all suite build-tests "$everything" --timeout-multiplier 10 --suite vulkan

# For 64-bit ARM, emulated. Counts its own tests, and is one of ours.
if sh tests/neon.sh; then passed=$((passed + 1)); else failed=$((failed + 1)); fi

# Without Vulkan: a driver compiles shaders to code that the sanitizers and valgrind cannot see into.
unset REQUIRE_VULKAN
sanitized="$everything -Dvulkan=disabled -Db_lundef=false -Dbuildtype=debugoptimized"
export TRAIN_KILLS=25 # how often test-train-resume.sh kills
export CK_TIMEOUT_MULTIPLIER=10
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export TSAN_OPTIONS="suppressions=$root/tests/threads.supp:halt_on_error=1"

# GStreamer's list of the system's plugins, which the suites above made. A program that makes it loads
# them all, and GLib's table of names outgrows its first memory, which GLib never frees: to these
# builds, a leak of ours.
warm_registries() {
    for folder in gst train; do
        mkdir -p "$1/tests/$folder"
        cp "build-tests/tests/$folder"/*.registry "$1/tests/$folder/"
    done
}

warm_registries build-asan
suite build-asan "$sanitized -Db_sanitize=address,undefined" --timeout-multiplier 10 \
    --no-suite packaging
export G_SLICE=always-malloc # or GLib hands memory from thread to thread unseen
warm_registries build-tsan
suite build-tsan "$sanitized -Db_sanitize=thread" --timeout-multiplier 10 --no-suite packaging
unset G_SLICE
export TEST_UNDER_VALGRIND=1
suite build-valgrind "$sanitized" --timeout-multiplier 30 \
    --suite unit --suite kernels --suite golden --suite corpus \
    --wrap 'valgrind --quiet --error-exitcode=1 --leak-check=full --errors-for-leak-kinds=definite'
