#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Usage: FAULT_LAYERS=FOLDER validated.sh PROGRAM [ARGUMENT...]
#
# Runs a test program on the GPU under validation; fails if it does, if validation has anything to say,
# or if nothing was ever submitted.
set -u
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
here=$(cd "$(dirname "$0")" && pwd)
. "$here/layers.sh"
put_behind
export FAULT_COUNTS="$scratch/counts"
export FAULT_WIDE=1 # or the driver might not do what reaches beyond a binding
"$@" || exit
is_silent || exit 1
grep -q '^vkQueueSubmit [1-9]' "$FAULT_COUNTS" || {
    echo "validated.sh: nothing was submitted to Vulkan" >&2
    exit 1
}
