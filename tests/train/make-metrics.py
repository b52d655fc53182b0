# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes to metrics.inc what test-metrics.c must find for sets of pictures that both draw.

An independent statement of the metrics in PyTorch (made with torch 1.13 and numpy 1.24). Run with
two folders of pictures of equal names and one even size it prints their metrics instead.
"""
import os
import pathlib
import sys

import numpy
import torch
import torch.nn.functional as F

# Pairs, width, height, seed: the last levels are 12 x 16, 10 x 12 and the picture itself.
SETS = [(4, 64, 48, 1), (3, 37, 45, 2), (5, 16, 11, 0x123456789)]

BINOMIAL = torch.tensor([1.0, 4, 6, 4, 1])
BINOMIAL = (BINOMIAL[:, None] * BINOMIAL / 256)[None, None].repeat(3, 1, 1, 1)


def draw(number, width, height, noise):
    """Fields of one colour with noise over them."""
    y, x, c = numpy.mgrid[:height, :width, :3].astype(numpy.uint32)
    field = (x // 9 * 7 + y // 5 * 131 + c * 17 + number * 1009 + 1) * 2654435761 >> 13
    grain = ((x + y * 811 + c * 90001 + number * 7000003 + noise * 31337) * 2246822519 >> 9)
    return (field.astype(numpy.uint32) % 192 + grain.astype(numpy.uint32) % 64).astype(numpy.uint8)


def ssim(a, b):
    window = torch.exp(-((torch.arange(11.0) - 5) ** 2) / (2 * 1.5 ** 2))
    window = window / window.sum()
    window = (window[:, None] * window)[None, None].repeat(3, 1, 1, 1)
    ma, mb, aa, bb, ab = (F.conv2d(v, window, groups=3) for v in (a, b, a * a, b * b, a * b))
    va, vb, covariance = aa - ma ** 2, bb - mb ** 2, ab - ma * mb
    return ((2 * ma * mb + 1e-4) * (2 * covariance + 9e-4) /
            ((ma ** 2 + mb ** 2 + 1e-4) * (va + vb + 9e-4))).mean().item()


def half(x):
    return F.conv2d(F.pad(x, (2, 2, 2, 2), mode="reflect"), BINOMIAL, groups=3)[:, :, ::2, ::2]


def double(x, height, width):
    zeros = torch.zeros(x.shape[0], 3, x.shape[2] * 2, x.shape[3] * 2)
    zeros[:, :, ::2, ::2] = x
    padded = F.pad(zeros, (2, 2, 2, 2), mode="reflect")
    return F.conv2d(padded, BINOMIAL * 4, groups=3)[:, :, :height, :width]


def pyramid(x):
    levels = []
    while min(x.shape[2:]) > 16:
        smaller = half(x)
        levels.append(x - double(smaller, *x.shape[2:]))
        x = smaller
    return levels + [x]


def stream(seed, number, level):
    return numpy.random.RandomState([seed & 0xFFFFFFFF, seed >> 32, number, level])


def patches(level, random):
    n, _, height, width = level.shape
    taken = numpy.empty((n, 128, 3, 7, 7), numpy.float32)
    for i in range(n):
        ys, xs = random.randint(0, height - 6, 128), random.randint(0, width - 6, 128)
        for j, (y, x) in enumerate(zip(ys, xs)):
            taken[i, j] = level[i, :, y:y + 7, x:x + 7]
    taken = taken.reshape(-1, 3, 49).astype(numpy.float64)
    taken = taken - taken.mean((0, 2), keepdims=True)
    return (taken / (taken.std((0, 2), keepdims=True) + 1e-8)).reshape(len(taken), -1)


def swd(a, b, seed):
    result = []
    for level, (x, y) in enumerate(zip(pyramid(a), pyramid(b))):
        directions = stream(seed, 0, level).randn(147, 512)
        directions /= numpy.sqrt((directions ** 2).sum(0, keepdims=True))
        x = numpy.sort(patches(x, stream(seed, 1, level)) @ directions, 0)
        y = numpy.sort(patches(y, stream(seed, 2, level)) @ directions, 0)
        result.append(1000 * numpy.abs(x - y).mean())
    return result


def measure(outputs, targets, seed):
    a, b = (torch.from_numpy(numpy.stack(v)).permute(0, 3, 1, 2).float()
            for v in (outputs, targets))
    difference = (a - b).double()
    mse = (difference ** 2).mean((1, 2, 3)).clamp_min(1e-12)
    levels = swd(a, b, seed)
    return (difference.abs().mean().item() / 127.5,
            (10 * torch.log10(255 ** 2 / mse)).mean().item(),
            numpy.mean([ssim(x[None] / 255, y[None] / 255) for x, y in zip(a, b)]),
            numpy.mean(levels), levels)


def read(folder, names):
    from PIL import Image
    return [numpy.asarray(Image.open(os.path.join(folder, n)).convert("RGB")) for n in names]


if len(sys.argv) > 2:
    names = sorted(set(os.listdir(sys.argv[1])) & set(os.listdir(sys.argv[2])))
    print(measure(read(sys.argv[1], names), read(sys.argv[2], names), 1))
    sys.exit()
with open(pathlib.Path(__file__).with_name("metrics.inc"), "w") as file:
    file.write("/* SPDX-License-Identifier: LGPL-2.1-or-later */\n"
               "/* Made by make-metrics.py: pairs, size, seed; L1, PSNR, SSIM, SWD, its levels. */\n")
    for n, width, height, seed in SETS:
        outputs = [draw(i, width, height, 1 + i % 2) for i in range(n)]
        targets = [draw(i, width, height, 0) for i in range(n)]
        *values, levels = measure(outputs, targets, seed)
        values = ", ".join("%.9g" % v for v in values)
        levels = ", ".join("%.9g" % v for v in levels)
        file.write(f"{{{n}, {width}, {height}, {seed}, {values}, {{{levels}}}}},\n")
