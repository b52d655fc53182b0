#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Runs pix2pix bench and PyTorch's side in turn, and prints how they compare.
Usage: compare-gpu.py PIX2PIX DEVICE ROUNDS NGF RESULT
"""
import json
import os
import sys
import tempfile
from statistics import median

import sides


def attempt(side, *arguments):
    """What the side says, or None where it failed, which is no reason to stop."""
    try:
        return side(*arguments)
    except sides.Failed as failure:
        print(failure, file=sys.stderr)


def torch(*arguments):
    return attempt(sides.torch, *arguments) or []


def ours(*arguments):
    return attempt(sides.ours, *arguments)


def device_ms(result):
    """From device memory to device memory: what its clock says of the layers."""
    return sum(layer['ms'] for layer in result['layers'])


def measure(pix2pix, device, rounds, ngf):
    """All figures: (work, who, how) -> milliseconds, round by round; and our last results whole."""
    figures, whole = {}, {}

    def add(work, who, how, ms):
        figures.setdefault((work, who, how), []).append(ms)

    with tempfile.TemporaryDirectory() as folder:
        checkpoint = os.path.join(folder, 'unet_256.pth')
        for i in range(rounds):
            print(f'round {i + 1} of {rounds}', file=sys.stderr)
            for line in torch('torch-infer.py', ngf, 200, checkpoint):
                if 'ms' in line:
                    add(f'frame, {line["precision"]}', line['peer'], line['way'], line['ms'])
            for precision in 'fp32', 'fp16':
                result = ours(pix2pix, checkpoint, '--device', device, '--frames', 200,
                              '--norm-statistics', 'running', '--dropout', 'off',
                              '--precision', precision)
                if result:
                    add(f'frame, {precision}', 'pix2pix', 'layers', device_ms(result))
                    add(f'frame, {precision}', 'pix2pix', 'with pixels', result['median_ms'])
                    whole[f'frame, {precision}'] = result
            for line in torch('torch-train.py', ngf, 50):
                add('step, fp32', line['peer'], line['way'], line['ms'])
            result = ours(pix2pix, '--train', '--device', device, '--ngf', ngf, '--frames', 50)
            if result:
                add('step, fp32', 'pix2pix', 'whole', result['median_ms'])
                whole['step, fp32'] = result
    return figures, whole


def main(pix2pix, device, rounds, ngf, result):
    figures, whole = measure(pix2pix, device, int(rounds), int(ngf))
    names = {results['device']['name'] for results in whole.values()}
    print(f'unet_256, ngf {ngf}, 256x256, batch 1, on {", ".join(names)}; medians of {rounds} rounds')
    for work in sorted({key[0] for key in figures}):
        mine = [key for key in figures if key[0] == work and key[1] == 'pix2pix']
        theirs = [key for key in figures if key[0] == work and key[1] != 'pix2pix']
        best = min((median(figures[key]) for key in theirs), default=None)
        for key in theirs + mine:
            ms = median(figures[key])
            ratio = f'{ms / best:7.2f}' if best and key in mine else ' ' * 7
            print(f'{work:12} {key[1]:22} {key[2]:12} {ms:9.3f} ms {ratio}')
    with open(result, 'w') as file:
        json.dump({'figures': [{'work': key[0], 'who': key[1], 'how': key[2], 'ms': values}
                               for key, values in figures.items()], 'pix2pix': whole}, file, indent=1)
    print(f'{result}: every figure and layer')


if __name__ == '__main__':
    if len(sys.argv) != 6:
        sys.exit(__doc__.strip())
    main(*sys.argv[1:])
