#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Numbers look alike everywhere, also where people write 1,5.
. "${0%/*}/tap.sh"

# usable: LC_ALL is a locale with a decimal comma.
usable() {
    [ "$(locale decimal_point 2>/dev/null)" = , ]
}

# without_comma: the last command printed no number with one.
without_comma() {
    ! grep '[0-9],[0-9]' "$scratch/.stdout" >"$scratch/.stderr"
    result $? 'without a comma in a number'
}

# The system's, or one built here.
for LC_ALL in de_DE.UTF-8 fr_FR.UTF-8 es_ES.UTF-8 it_IT.UTF-8 ru_RU.UTF-8; do
    ! usable || break
done
if ! usable; then
    mkdir locale
    LC_ALL=C localedef -i de_DE -f UTF-8 --no-archive "$scratch/locale/de_DE.UTF-8" >/dev/null 2>&1
    LC_ALL=de_DE.UTF-8
    export LOCPATH="$scratch/locale"
fi
if ! usable; then
    skip 'a decimal comma' 'no such locale, and none can be built'
    finish
fi
comma=$LC_ALL

"$TOOL" picture in.png 48 40 1
for LC_ALL in C "$comma"; do
    works "info in $LC_ALL" info "$unet" --json
    mv "$scratch/.stdout" "info.$LC_ALL"
    works "info as text in $LC_ALL" info "$unet"
    mv "$scratch/.stdout" "text.$LC_ALL"
    works "test in $LC_ALL" test "$unet" in.png --output "out.$LC_ALL"
    without_comma
done
check 'the same JSON' cmp info.C "info.$comma"
check 'the same text' cmp text.C "text.$comma"
check 'the same picture' cmp out.C/in.png "out.$comma/in.png"
check 'the same page' cmp out.C/index.html "out.$comma/index.html"
works 'bench as text' bench "$unet" --frames 1
without_comma
works 'bench' bench "$unet" --frames 1 --json
mv "$scratch/.stdout" bench.json
check 'with points in its numbers' grep -q 'median_ms" : [0-9]*[.][0-9]' bench.json
check 'it is JSON' "$TOOL" json bench.json '$.median_ms'
finish
