# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Sourced by run.sh: the suites that take minutes.

# GLib and GStreamer keep what they allocate once; the files name it.
export ASAN_OPTIONS=detect_stack_use_after_return=1
export LSAN_OPTIONS="suppressions=$root/tests/leaks.supp:print_suppressions=0"
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export TSAN_OPTIONS="suppressions=$root/tests/threads.supp:halt_on_error=1"

suite build-asan "$everything -Db_sanitize=address,undefined -Db_lundef=false -Dbuildtype=debugoptimized" \
    '--timeout-multiplier 5'
suite build-tsan "$everything -Db_sanitize=thread -Db_lundef=false -Dbuildtype=debugoptimized" \
    '--timeout-multiplier 5'
suite build-tests "$everything" \
    "--suite unit --suite kernels --suite golden --timeout-multiplier 20 --wrap 'valgrind --quiet --error-exitcode=1 --leak-check=full --errors-for-leak-kinds=definite'"
