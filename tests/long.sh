# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Sourced by run.sh: the suites that take minutes. What is built here cannot be installed or loaded
# by programs that are not, so that the packaging suite is left out.

sanitized="$everything -Db_lundef=false -Dbuildtype=debugoptimized"
export G_SLICE=always-malloc # so that a sanitizer sees every block
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export LSAN_OPTIONS="suppressions=$root/tests/leaks.supp:print_suppressions=0"
export TSAN_OPTIONS="suppressions=$root/tests/threads.supp:halt_on_error=1"

suite build-asan "$sanitized -Db_sanitize=address,undefined" --timeout-multiplier 10 \
    --no-suite packaging
suite build-tsan "$sanitized -Db_sanitize=thread" --timeout-multiplier 10 --no-suite packaging
suite build-tests "$everything" --timeout-multiplier 30 \
    --suite unit --suite kernels --suite golden --suite corpus \
    --wrap 'valgrind --quiet --error-exitcode=1 --leak-check=full --errors-for-leak-kinds=definite'
