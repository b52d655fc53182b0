#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Writes TO again as OUT with FROM's mix of precisions, both native checkpoints of one architecture: on
random weights the error of a precision says nothing, while its time does not depend on them.
Usage: take-mix.py FROM.safetensors TO.safetensors OUT.safetensors
"""
import json
import shutil
import struct
import sys


def read_header(file):
    length, = struct.unpack('<Q', file.read(8))
    return json.loads(file.read(length))


def main(source, to, out):
    with open(source, 'rb') as file:
        mix = {key: value for key, value in read_header(file)['__metadata__'].items()
               if key.startswith('pix2pix.mix') or key == 'pix2pix.format'}
    if 'pix2pix.mix' not in mix:
        sys.exit(f'{source}: has no mix')
    with open(to, 'rb') as file, open(out, 'wb') as written:
        header = read_header(file)
        header['__metadata__'].update(mix)
        text = json.dumps(header, separators=(',', ':')).encode()
        text += b' ' * (-len(text) % 8)
        written.write(struct.pack('<Q', len(text)) + text)
        shutil.copyfileobj(file, written)


if __name__ == '__main__':
    if len(sys.argv) != 4:
        sys.exit(__doc__.strip())
    main(*sys.argv[1:])
