#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# exports.sh LIBRARY HEADER...: the library exports exactly the functions that the headers declare.
set -eu
library=$1
shift
exported=$(nm -D --defined-only "$library" | awk '{print $3}' | sort -u)
declared=$(cat "$@" | tr '\n' ' ' | grep -oE 'PIX_API [^;]*' | grep -oE 'pix_[a-z0-9_]+\(' |
    tr -d '(' | sort -u)
if [ "$exported" != "$declared" ]; then
    echo "exported:" $exported
    echo "declared:" $declared
    exit 1
fi
