#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The command line itself: help, version, bad usage, the output that cannot be written.
. "${0%/*}/tap.sh"

works 'help' --help
says 'Usage: pix2pix COMMAND'
works 'version' --version
fails 2 '--version' 'a version of something' --version x
for command in test convert info forward bench devices; do
    works "help of $command" "$command" --help
    says "pix2pix $command"
    "$PIX2PIX" --help | grep -q "^  $command "
    result $? "$command is in the list of commands"
    fails 2 --nonsense "unknown option of $command" "$command" --nonsense
done

fails 2 'no command' 'no command'
fails 2 'nonsense: no such command' 'unknown command' nonsense
fails 2 '--nonsense: no such option' 'unknown option' --nonsense
fails 2 'missing' 'one argument of two' convert "$unet"
fails 2 'too many' 'an argument too many' info "$unet" "$unet"
fails 2 'takes FILE' 'no argument' info
fails 2 '--threads' 'threads that are no number' bench "$unet" --threads x
fails 2 '--threads' 'negative threads' bench "$unet" --threads=-1
fails 2 '--seed' 'a seed too large' forward "$unet" a b --seed 18446744073709551616
fails 2 '--size' 'half a size' bench "$unet" --size 32
fails 2 '--size' 'a size of nothing' bench "$unet" --size 0x32
fails 2 '--size' 'a size with a tail' bench "$unet" --size 32x32x3
fails 2 '--precision' 'a precision that nothing computes in' bench "$unet" --precision fp64
fails 2 '--norm-statistics' 'unknown statistics' forward "$unet" a b --norm-statistics mean
fails 2 'off, frozen, fresh' 'unknown dropout' forward "$unet" a b --dropout of
fails 2 '--frames' 'no frames' bench "$unet" --frames 0
fails 2 'empty' 'an output without a name' convert "$unet" ''
fails 2 'empty' 'a tensor without a name' forward "$unet" "$models/unet32.io.safetensors" ''
fails 2 'empty' 'an input without a name' info ''
fails 2 '--output' 'an output folder without a name' test "$unet" a.png --output ''

fails 1 "$(printf 'a?b')" 'control characters in names do not reach the terminal' \
    info "$(printf 'a\nb')"

if [ -w /dev/full ]; then
    "$PIX2PIX" --help 2>"$scratch/.stderr" >/dev/full
    complaint $? 1 'standard output'
    result $? 'standard output that is full'
fi
(
    ulimit -f 1
    exec "$PIX2PIX" info "$unet" --json >limited
) 2>"$scratch/.stderr"
complaint $? 1 'standard output'
result $? 'standard output at the limit of file sizes'

mkfifo pipe
exec 8<>pipe 9>pipe 8<&- # a pipe without a reader
for arguments in --help 'info facades --json'; do
    "$PIX2PIX" $arguments 2>"$scratch/.stderr" >&9
    status=$?
    [ $status = 141 ] && [ ! -s "$scratch/.stderr" ]
    result $? "$arguments: quiet where nobody reads on ($status)"
done
"$TOOL" picture in.png 32 32 1
"$PIX2PIX" test "$unet" missing.png in.png --output out >/dev/null 2>&9
[ $? = 1 ] && holds out in.png index.html
result $? 'the work is done where nobody reads the messages'
finish
