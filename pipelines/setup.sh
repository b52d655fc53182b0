# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Sourced by what has to run on a bare Debian: installs the packages that are missing.
#
#   . pipelines/setup.sh
#   need_packages $packages_build $packages_run libcmocka-dev

# shellcheck disable=SC2034  # used where this is sourced
packages_build='gcc libc6-dev meson ninja-build pkg-config libglib2.0-dev libopenblas-serial-dev
    libzip-dev zlib1g-dev libjson-glib-dev libgdk-pixbuf-2.0-dev libgstreamer1.0-dev
    libgstreamer-plugins-base1.0-dev libvulkan-dev libvulkan-volk-dev glslang-tools'
# shellcheck disable=SC2034
packages_run='gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-x'

# need_packages PACKAGE...: says nothing and takes no time where all of them are installed.
need_packages() {
    if ! command -v dpkg-query >/dev/null; then
        echo "setup: this is no Debian, so install what these packages hold yourself: $*" >&2
        return 0
    fi
    # A list of packages, for apt-get to see as separate words.
    needed=
    for package; do
        state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || state=
        # pkg-config and the like may be provided by a package of another name
        [ "$state" = installed ] || provided_already "$package" || needed="$needed $package"
    done
    [ -n "$needed" ] || return 0

    as_root=
    if [ "$(id -u)" != 0 ]; then
        if ! command -v sudo >/dev/null; then
            echo "setup: packages are missing; as root, run: apt-get install$needed" >&2
            return 1
        fi
        as_root=sudo
    fi
    echo "setup: installing$needed"
    quietly $as_root apt-get -q update || return 1
    # shellcheck disable=SC2086
    quietly $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -y --no-install-recommends install $needed
}

# provided_already PACKAGE: whether it is a virtual package that an installed one provides.
provided_already() {
    dpkg-query -W -f '${db:Status-Status} ${Provides}\n' 2>/dev/null |
        sed -n 's/^installed //p' | tr ',' '\n' | sed 's/[ (].*//; s/^ *//' |
        grep -qxF -e "$1"
}

# quietly COMMAND...: shows what it printed only where it failed.
quietly() {
    log=$(mktemp) || return 1
    exec 8>"$log" 9<"$log"
    rm -f "$log" # so that nothing is left, however this ends
    if "$@" >&8 2>&1 </dev/null 8>&- 9<&-; then
        return 0
    fi
    cat <&9 >&2
    echo "setup: failed: $*" >&2
    return 1
}
