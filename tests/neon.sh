#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Usage: sh tests/neon.sh
#
# Builds the engine and its tests for 64-bit ARM into build-neon/, with warnings as errors, runs them
# under qemu, with NEON and in plain C, and ends with the line "N passed, N failed". Installs what is
# missing (Debian); the libraries for ARM lie in ~/.cache/pix2pix-arm64, not among those of the system.
set -u
cd "$(dirname "$0")/.." || exit 1
. pipelines/setup.sh
. tests/suites.sh
need_packages gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user mmdebstrap meson ninja-build \
    pkg-config || exit 1

sysroot=${XDG_CACHE_HOME:-$HOME/.cache}/pix2pix-arm64
if [ ! -d "$sysroot" ]; then
    echo "neon: fetching the libraries into $sysroot"
    rm -rf "$sysroot.new"
    mkdir -p "${sysroot%/*}"
    # Packages are unpacked, and nothing of theirs is run.
    quietly mmdebstrap --mode=chrootless --variant=extract --architectures=arm64 \
        --include=libc6-dev,libglib2.0-dev,libzip-dev,zlib1g-dev,libcmocka-dev bookworm \
        "$sysroot.new" && mv "$sysroot.new" "$sysroot" || exit 1
fi

if [ ! -f build-neon/build.ninja ]; then
    rm -rf build-neon
    mkdir build-neon
    cat >build-neon/cross.ini <<EOF
[constants]
sysroot = '$sysroot'

[binaries]
c = ['aarch64-linux-gnu-gcc', '--sysroot=' + sysroot]
ar = 'aarch64-linux-gnu-ar'
strip = 'aarch64-linux-gnu-strip'
pkgconfig = 'pkg-config'
exe_wrapper = ['qemu-aarch64', '-L', sysroot]

[properties]
sys_root = sysroot
pkg_config_libdir = sysroot + '/usr/lib/aarch64-linux-gnu/pkgconfig'

[host_machine]
system = 'linux'
cpu_family = 'aarch64'
cpu = 'aarch64'
endian = 'little'
EOF
    quietly meson setup --werror --cross-file build-neon/cross.ini build-neon || exit 1
fi

engine='-Dtests=enabled -Dgst=disabled -Dtrain=disabled -Dexamples=disabled -Dopenblas=disabled
    -Dvulkan=disabled'
unset REQUIRE_VULKAN
# Emulated programs are several times slower and larger, and have a thread of the emulator's.
export PIX2PIX_DEVICE=cpu TEST_UNDER_VALGRIND=1
export PIX2PIX_CPU=neon
suite build-neon "$engine" --timeout-multiplier 20 \
    --suite unit --suite kernels --suite grad --suite golden --suite corpus
# The kernels' tests have run all levels.
export PIX2PIX_CPU=c
suite build-neon "$engine" --timeout-multiplier 20 --suite unit --suite grad --suite golden

verdict
