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

# demo ROOT ARGUMENT...: from a folder that is not the project's.
demo() {
    script=$1/pipelines/demo.sh
    shift
    (
        cd elsewhere || exit
        unset DISPLAY WAYLAND_DISPLAY PIX2PIX_MODEL_PATH
        BUILD=$BUILD_ROOT PATH=$scratch/tools:$PATH sh "$script" "$@"
    ) >"$scratch/.stdout" 2>"$scratch/.stderr"
}

# shows PAGE NAME...: these have a section each, and every file that the page names is there.
shows() {
    folder=$(dirname "$1")
    files=$(sed -n 's/.*src="\([^"]*\)".*/\1/p' "$1")
    shift
    [ "$(echo "$files" | sed 's|/.*||' | uniq)" = "$(printf '%s\n' "$@")" ] || return 1
    for file in $files; do
        [ -s "$folder/$file" ] || return 1
    done
}

if [ -f "$BUILD_ROOT/gst/libgstpix2pix.so" ]; then
    mkdir elsewhere
    demo "$SOURCE_ROOT" --output "$scratch/demo out" "$unet"
    result $? 'the demo of a model'
    for word in model device size speed output; do
        says "$word  "
    done
    for file in 1-input.png 1-output.png 8-side-by-side.png animation.webm; do
        check "it writes $file" test -s "demo out/facades/$file"
    done
    check 'the page shows the house fronts' shows 'demo out/index.html' facades
    check 'the video is four seconds long' video 'demo out/facades/animation.webm' 100 100
    check 'nothing is written elsewhere' holds elsewhere

    # A project with other models, which are small.
    FRAMES=5
    export FRAMES
    mkdir -p project/models
    cp -R "$pipelines" project
    ln -s "$SOURCE_ROOT/examples" project/examples
    cp "$unet" project/models/facades.safetensors
    demo "$scratch/project"
    result $? 'the demo of a project that has one model'
    check 'its page shows the house fronts' shows project/demo-output/index.html facades
    cp "$unet" project/models/maps.safetensors
    demo "$scratch/project"
    result $? 'the demo of a project that has both'
    says 'model   facades'
    says 'model   maps'
    check 'its page shows both' shows project/demo-output/index.html facades aerials
    check 'and six quarters' test -s project/demo-output/aerials/6-side-by-side.png
    demo "$scratch/project" --output "$scratch/maps" maps
    result $? 'the demo of maps'
    check 'its page shows the aerial photos' shows maps/index.html aerials
fi
finish
