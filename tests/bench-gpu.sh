#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Usage: sh tests/bench-gpu.sh [ROUNDS=3 [NGF=64]]
#
# Compares a frame and a training step of unet_256 at 256x256 on the GPU with PyTorch's, in turn: builds
# into build-bench/, prints a table of ratios and writes build-bench/gpu.json with every layer. Needs a
# python3 with PyTorch (PYTHON names another one) and takes the GPU that PIX2PIX_DEVICE names (vulkan).
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
$python -c 'import torch' || {
    echo "bench-gpu.sh: $python has no PyTorch; name one that does: PYTHON=/usr/bin/python3" >&2
    exit 1
}
[ -f build-bench/build.ninja ] ||
    meson setup build-bench --buildtype release -Dvulkan=enabled -Dtrain=enabled -Dgst=disabled \
        -Dexamples=disabled -Dtests=disabled
ninja -C build-bench
exec $python tests/bench/compare-gpu.py build-bench/train/pix2pix "${PIX2PIX_DEVICE:-vulkan}" \
    "${1:-3}" "${2:-64}" build-bench/gpu.json
