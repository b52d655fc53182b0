# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes to resample.inc what PIL makes of pictures that test-resample.c draws by the same formula.

Run it with a Python that has PIL and numpy (made with 9.4).
"""
import pathlib
import zlib

import numpy
from PIL import Image

MODES = {1: "L", 3: "RGB", 4: "RGBA"}

# Width, height, new width, new height: up, down, both, one side alone, odd, tiny, strongly down.
SIZES = [
    (256, 256, 286, 286),
    (286, 286, 256, 256),
    (300, 200, 256, 256),
    (64, 48, 64, 48),
    (64, 48, 65, 48),
    (64, 48, 64, 47),
    (31, 17, 63, 5),
    (17, 31, 4, 91),
    (1, 1, 7, 3),
    (5, 1, 1, 4),
    (2, 3, 1, 1),
    (199, 101, 16, 8),
    (257, 255, 3, 2),
    (33, 33, 512, 2),
]


def draw(width, height, channels):
    """Noise in some fields, black and white stripes in the others, for overshoot."""
    y, x, c = numpy.mgrid[:height, :width, :channels].astype(numpy.uint32)
    noise = (x * 73 + y * 15101 + c * 199 + 1) * numpy.uint32(2654435761)
    noise = (noise ^ noise >> 15) * numpy.uint32(2246822519) >> 13
    stripes = ((x // 3 + c) & 1) * 255
    return numpy.where((x // 7 + y // 5) & 1, noise & 255, stripes).astype(numpy.uint8)


def image(width, height, channels):
    pixels = draw(width, height, channels)
    return Image.fromarray(pixels[:, :, 0] if channels == 1 else pixels, MODES[channels])


lines = [
    "/* SPDX-License-Identifier: LGPL-2.1-or-later */",
    "/* Made by make-resample.py: channels and size, those of the result, its CRC-32. */",
]


def add(channels, width, height, result):
    to = {mode: n for n, mode in MODES.items()}[result.mode]
    lines.append("{%d, %d, %d, %d, %d, %d, 0x%08x}," % (
        channels, width, height, to, *result.size, zlib.crc32(result.tobytes())))


for n in MODES:
    for w, h, new_w, new_h in SIZES:
        add(n, w, h, image(w, h, n).resize((new_w, new_h), Image.BICUBIC))
for n in MODES:
    for mode in MODES.values():
        add(n, 200, 160, image(200, 160, n).convert(mode))
pathlib.Path(__file__).with_name("resample.inc").write_text("\n".join(lines) + "\n")
