#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# That validation sees what it is there to see: a barrier that is taken away is reported, within a
# recording and from one submission to the next, and the same work with its barrier is not.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../train/tap.sh"
. "$here/layers.sh"

# reports FUNCTION: a read after a write, found by that function.
reports() {
    grep -q "SYNC-HAZARD-READ-AFTER-WRITE" "$messages" && grep -q "$1[()]*: Hazard" "$messages"
}

# without K ARGUMENT...: the work, but not its K-th barrier.
without() {
    rm -f "$messages"
    k=$1
    shift
    FAULT_DROP=vkCmdPipelineBarrier:$k "$HAZARD_SUBJECT" "$@"
}

check 'a recording is done' without -1
check 'and has all barriers that it needs' is_silent
check 'two recordings are done' without -1 across
check 'and they have all that they need' is_silent
check 'a recording is done without a barrier' without 2
check 'and that is a hazard' reports vkCmdDispatch
check 'two recordings are done without the barrier between them' without 3 across
check 'and that is a hazard' reports vkQueueSubmit
finish
