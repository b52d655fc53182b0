#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Usage: sh tests/bench-peers.sh [--quick] [ROUNDS=5 [THREADS=2]]
#
# Compares frames and a training step on the CPU with ONNX Runtime's and PyTorch's: ours, theirs, ours,
# theirs; and two streams with one, two threads with one. Builds into build-peers/ and prints a table of
# ratios, each the median of those of the rounds, with the limits that we set ourselves and the range of the
# rounds: where that is wide, other programs ran. Writes build-peers/peers.json (every round, every layer)
# and build-peers/peers.svg after each round. Ends with 0 whatever the ratios, with 1 where a side failed;
# what a machine cannot do is left out. --quick: one round of two frames into build-peers/quick.*, which
# shows only that it works.
#
# `auto` needs pictures by which to choose precisions: CALIBRATE='FACADES --split val --direction BtoA' has
# the shipped model's be chosen by them, and those of the files in CALIBRATE_MODELS='MODEL.pth ...', which
# are for the same pictures; the slowest mix is measured. (--quick does without, on examples/facades.)
#
# Installs what is missing and says so: Debian's packages, and in pix2pix-peers of the cache folder
# (XDG_CACHE_HOME, ~/.cache) ONNX Runtime from npm's registry and networks of random weights, 1.2 GB in all.
# PYTHON names another python3 with PyTorch and onnx.
set -eu
cd "$(dirname "$0")/.."
. pipelines/setup.sh

quick=0
result=peers
if [ "${1-}" = --quick ]; then
    quick=1
    result=quick
    shift
fi
rounds=${1:-5}
[ $quick = 0 ] || rounds=1
threads=${2:-2}
for number in "$rounds" "$threads"; do
    case $number in
    '' | *[!0-9]* | 0*)
        echo 'usage: sh tests/bench-peers.sh [--quick] [ROUNDS [THREADS]]' >&2
        exit 2
        ;;
    esac
done

# shellcheck disable=SC2086,SC2154
need_packages $packages_build $packages_run libcmocka-dev git
# What cannot be installed is left out of the table.
python=${PYTHON-}
if [ -z "$python" ]; then
    need_packages python3-torch python3-onnx || :
    python=/usr/bin/python3
fi
command -v npm >/dev/null || need_packages nodejs npm || :

peers=${XDG_CACHE_HOME:-$HOME/.cache}/pix2pix-peers
version=1.30.0
mkdir -p "$peers"

# Whether ONNX Runtime is of that version and complete.
installed() {
    [ "$(node -p 'const folder = process.argv[1] + "/node_modules/onnxruntime-node";
        require(folder), require(folder + "/package.json").version' "$peers" 2>/dev/null)" = $version ]
}

if ! installed; then
    echo "bench-peers: installing onnxruntime-node@$version from npm's registry into $peers"
    rm -rf "$peers/node_modules/onnxruntime-node" # or npm takes a part for the whole
    quietly npm install --prefix "$peers" --ignore-scripts --no-fund --no-audit \
        "onnxruntime-node@$version" || :
    installed || rm -rf "$peers/node_modules/onnxruntime-node"
fi

[ -f build-peers/build.ninja ] ||
    quietly meson setup build-peers --buildtype release -Dvulkan=disabled -Dtrain=enabled \
        -Dgst=enabled -Dexamples=disabled -Dtests=enabled
quietly ninja -C build-peers train/pix2pix gst/libgstpix2pix.so tests/bench/frame-times \
    tests/bench/stream-rates
exec "$python" tests/bench/compare-peers.py build-peers "$peers" "$rounds" "$threads" "$quick" \
    "build-peers/$result"
