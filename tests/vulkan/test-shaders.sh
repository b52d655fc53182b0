#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Usage: test-shaders.sh GLSLANG SPIRV_VAL FOLDER "NAME SOURCE DEFINE..."...
#
# That each variant of the shaders is valid SPIR-V: no driver here takes those of all GPUs.
. "${0%/*}/../train/tap.sh"
glslang=$1
judge=$2
folder=$3
shift 3

valid() {
    source=$2
    shift 2
    "$glslang" -V --target-env vulkan1.1 --quiet "$@" -o shader.spv "$folder/$source.comp" &&
        "$judge" --target-env vulkan1.1 shader.spv
}

for variant; do
    # shellcheck disable=SC2086
    check "${variant%% *}" valid $variant
done
finish
