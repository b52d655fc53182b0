# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes pictures/: kinds of files that gdk-pixbuf can read and cannot write.

Run it with a Python that has PIL (made with 9.4).
"""
import pathlib

from PIL import Image

OUT = pathlib.Path(__file__).with_name("pictures")
OUT.mkdir(exist_ok=True)

# Four fields of 16 x 16: no ink, cyan, yellow, black.
cmyk = Image.new("CMYK", (64, 16))
for i, ink in enumerate([(0, 0, 0, 0), (255, 0, 0, 0), (0, 0, 255, 0), (0, 0, 0, 255)]):
    cmyk.paste(ink, (16 * i, 0, 16 * i + 16, 16))
cmyk.save(OUT / "cmyk.jpg", quality=95)

# Two pixels: (10, 200, 30) and (255, 0, 128).
two = Image.new("RGB", (2, 1))
two.putdata([(10, 200, 30), (255, 0, 128)])
two.save(OUT / "two.webp", lossless=True)
two.save(OUT / "two.tiff")

# 16 bits: 0x12ff, 0xab00.
deep = Image.new("I;16", (2, 1))
deep.putpixel((0, 0), 0x12FF)
deep.putpixel((1, 0), 0xAB00)
deep.save(OUT / "grey16.png")

# Stored 32 wide and 16 high, red on the left; seen upright, 16 wide and 32 high, red above.
turned = Image.new("RGB", (32, 16), (0, 0, 255))
turned.paste((255, 0, 0), (0, 0, 16, 16))
exif = Image.Exif()
exif[0x0112] = 6
turned.save(OUT / "turned.jpg", quality=95, exif=exif)
