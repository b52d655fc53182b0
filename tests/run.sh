#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Usage: sh tests/run.sh [--long]
#
# Installs what is missing (Debian), builds into build-tests/ with warnings as errors, runs every
# test, on the CPU and on a GPU (lavapipe, a processor that plays one, will do), and ends with the line
# "N passed, N failed". With --long also the suites that take minutes: the tests under the address,
# undefined-behaviour and thread sanitizers and under valgrind, every call of a driver failing, and the
# engine on 64-bit ARM, emulated.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root" || exit 1
. pipelines/setup.sh
. tests/suites.sh
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

verdict
