#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Usage: run-leaks.sh PROGRAM
#
# Runs a test program in one process with GStreamer's leaks tracer and fails if an object is alive
# in the end.
set -u
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
CK_FORK=no GST_TRACERS=leaks GST_DEBUG=GST_TRACER:7 GST_DEBUG_NO_COLOR=1 GST_DEBUG_FILE=$log "$@"
result=$?
if [ $result -ne 0 ]; then
    exit $result
fi
if ! grep -q 'object-alive\.class' "$log"; then
    echo "this GStreamer has no leaks tracer"
    exit 77
fi
! grep 'object-alive, type-name=(string)[^%]' "$log"
