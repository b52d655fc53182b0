#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What pipelines/setup.sh installs, and the demo, with stand-ins for Debian's tools.
. "${0%/*}/tap.sh"
pipelines=$SOURCE_ROOT/pipelines

mkdir tools
cat >tools/dpkg-query <<'END'
#!/bin/sh
# Knows the packages in $INSTALLED.
for package; do :; done
case $package in
*Provides*) echo 'installed pkg-config (= 1), pkgconf-bin' ;;
*)
    for one in $INSTALLED; do
        [ "$one" != "$package" ] || printf installed
    done
    ;;
esac
END
cat >tools/apt-get <<'END'
#!/bin/sh
echo "apt-get $*" >>"$APT_LOG"
exit "${APT_STATUS:-0}"
END
printf '#!/bin/sh\nexec "$@"\n' >tools/sudo
chmod +x tools/*

# set_up INSTALLED PACKAGE...
set_up() {
    installed=$1
    shift
    rm -f log
    INSTALLED=$installed APT_LOG=$scratch/log PATH=$scratch/tools:$PATH sh -euc \
        '. "$0/setup.sh"; need_packages "$@"' "$pipelines" "$@" \
        >"$scratch/.stdout" 2>"$scratch/.stderr"
}

set_up 'gcc meson' gcc meson
[ $? = 0 ] && [ ! -e log ] && [ ! -s "$scratch/.stdout" ] && [ ! -s "$scratch/.stderr" ]
result $? 'quiet where nothing is missing'
set_up 'gcc' gcc pkg-config
[ $? = 0 ] && [ ! -e log ]
result $? 'a package that another one provides'
set_up 'gcc' gcc meson ninja-build
[ $? = 0 ] && grep -q 'install meson ninja-build$' log && ! grep -q gcc log
result $? 'only what is missing is installed'
says 'installing meson ninja-build'
check 'after an update' sh -c 'sed 1q log | grep -q update'
APT_STATUS=100
export APT_STATUS
set_up '' gcc
[ $? != 0 ] && grep -q 'failed' "$scratch/.stderr"
result $? 'a failure is not hidden'
unset APT_STATUS

# The demo as it runs the second time: everything is installed and built.
printf '#!/bin/sh\nexit 0\n' >tools/ninja
printf '#!/bin/sh\nprintf installed\n' >tools/dpkg-query
chmod +x tools/ninja
if [ -f "$BUILD_ROOT/gst/libgstpix2pix.so" ]; then
    mkdir elsewhere
    (
        cd elsewhere || exit
        unset DISPLAY WAYLAND_DISPLAY
        BUILD=$BUILD_ROOT PATH=$scratch/tools:$PATH sh "$pipelines/demo.sh" \
            --output "$scratch/demo out" "$unet"
    ) >"$scratch/.stdout" 2>"$scratch/.stderr"
    result $? 'the demo'
    for word in model device size speed output; do
        says "$word  "
    done
    for file in 1-input.png 1-output.png 8-side-by-side.png animation.webm index.html; do
        check "it writes $file" test -s "demo out/$file"
    done
    check 'the page names only files that are there' sh -c '
        cd "demo out" && sed -n "s/.*src=\"\([^\"]*\)\".*/\1/p" index.html | while read -r file; do
            [ -f "$file" ] || exit 1
        done'
    check 'the video is four seconds long' video 'demo out/animation.webm' 100 100
    check 'nothing is written elsewhere' holds elsewhere
fi
finish
