#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Runs pix2pix and its peers on the CPU in turn, and prints how they compare.
Usage: compare-peers.py BUILD PEERS ROUNDS THREADS QUICK RESULT   see tests/bench-peers.sh
BUILD: a build folder.  PEERS: where onnxruntime-node and the models are.  QUICK: 1: only that it works.
Writes RESULT.json and RESULT.svg.
"""
import glob
import json
import os
import platform
import shlex
import shutil
import sys
from statistics import median

import ratios
import sides

FACADES = os.path.join(sides.here, '../../models/facades.safetensors')
NO_GPU = {'CUDA_VISIBLE_DEVICES': '', 'PIX2PIX_DEVICE': 'cpu'}
FP32 = '--precision', 'fp32', '--dropout', 'off', '--norm-statistics'
MODELS = (('unet_256', 64, 256, 256), ('unet_256', 32, 256, 256), ('unet_256', 32, 1280, 768),
          ('resnet_9blocks', 64, 256, 256))


class Bench:
    """Runs one side once; what it returns has "ms", the median of its frames or steps."""

    def __init__(self, build, peers, threads, quick):
        self.build, self.peers, self.threads, self.quick = build, peers, threads, quick
        self.pix2pix = os.path.join(build, 'train/pix2pix')

    def path(self, name):
        return os.path.join(self.peers, name)

    def frames(self, frames):
        return 2 if self.quick else frames

    def onnx(self, model, width, height, frames):
        text = sides.output_of('node', os.path.join(sides.here, 'time-onnx.js'), self.peers,
                               self.path(f'{model}-{width}x{height}.onnx'), width, height,
                               self.frames(frames), self.threads, env=NO_GPU)
        return {'ms': median(json.loads(text)['ms'])}

    def torch(self, ngf, steps):
        return sides.torch('torch-train.py', ngf, self.frames(steps), self.threads, env=NO_GPU)[0]

    def ours(self, frames, *arguments, level=None):
        env = {**NO_GPU, **({'PIX2PIX_CPU': level} if level else {})}
        result = sides.ours(self.pix2pix, *arguments, '--frames', self.frames(frames),
                            '--threads', self.threads, env=env)
        if level not in (None, result['level']):
            raise sides.Lacking(f'this processor has no {level}')
        return {'ms': result['median_ms'], 'bench': result}

    def element(self, settings, width, height, frames):
        env = {**NO_GPU, 'GST_PLUGIN_PATH': os.path.join(self.build, 'gst'),
               'GST_REGISTRY': os.path.join(self.build, 'bench.registry')}
        text = sides.output_of(os.path.join(self.build, 'tests/bench/frame-times'),
                               self.frames(frames), width, height,
                               f'{settings} threads={self.threads}', env=env)
        return {'ms': median(json.loads(text)['ms'])}


# ---- what is prepared ----

def export(b):
    for network, ngf, width, height in MODELS:
        if not os.path.exists(b.path(f'{network}-{ngf}-{width}x{height}.onnx')):
            print(f'making {network}, ngf {ngf}, for {width}x{height}', file=sys.stderr)
            sides.output_of(sys.executable, os.path.join(sides.here, 'export-onnx.py'), b.peers,
                            network, ngf, width, height)


def pictures(b):
    """What follows --calibrate: a folder of label maps, and options."""
    if 'CALIBRATE' in os.environ:
        return shlex.split(os.environ['CALIBRATE'])
    os.makedirs(b.path('labels'), exist_ok=True)
    for path in glob.glob(os.path.join(sides.here, '../../examples/facades/[0-9]*.png')):
        shutil.copy(path, b.path('labels'))
    return [b.path('labels')]


def calibrate(b):
    """
    Makes models with the mix of precisions that keeps the shipped one's pictures. Returns: the mix, and
    how close to those of fp32 the worst picture is.
    """
    if '--calibrate' not in sides.output_of(b.pix2pix, 'convert', '--help'):
        raise sides.Lacking('pix2pix convert has no --calibrate')
    words, mixed = pictures(b), b.path('facades-mix.safetensors')
    print(f'measuring which precisions keep the pictures of {words[0]}', file=sys.stderr)
    sides.output_of(b.pix2pix, 'convert', FACADES, mixed, '--threads', b.threads, '--precision',
                    'auto', '--calibrate', *words, env=NO_GPU)
    plain = b.path('unet_256-64.safetensors')
    sides.output_of(b.pix2pix, 'convert', b.path('unet_256-64.pth'), plain)
    sides.output_of(sys.executable, os.path.join(sides.here, 'take-mix.py'), mixed, plain,
                    b.path('unet_256-64-mix.safetensors'))
    os.remove(plain)
    info = json.loads(sides.output_of(b.pix2pix, 'info', '--json', mixed))
    return {key: value for key, value in info.items() if key.startswith('mix')}


def rows_of(b):
    """What is compared: name, the most that ours may take of theirs, ours, theirs."""
    unet, unet_32 = b.path('unet_256-64.pth'), b.path('unet_256-32.pth')
    unet_onnx = lambda: b.onnx('unet_256-64', 256, 256, 20)
    return [
        ('unet_256 ngf 64, fp32', 0.50,
         lambda: b.ours(20, unet, *FP32, 'running'), unet_onnx),
        ('unet_256 ngf 64, fp32, statistics of the frame', 0.50,
         lambda: b.ours(20, unet, *FP32, 'frame'), unet_onnx),
        ('unet_256 ngf 64, auto', 0.28,
         lambda: b.ours(20, b.path('unet_256-64-mix.safetensors'), '--precision', 'auto',
                        '--dropout', 'off', '--norm-statistics', 'running'), unet_onnx),
        ('unet_256 ngf 32, auto, in the element', 0.50,
         lambda: b.element(f'model="{b.path("facades-mix.safetensors")}" precision=auto',
                           256, 256, 50),
         lambda: b.onnx('unet_256-32', 256, 256, 50)),
        ('resnet_9blocks ngf 64, fp32', 0.50,
         lambda: b.ours(6, b.path('resnet_9blocks-64.pth'), *FP32, 'frame'),
         lambda: b.onnx('resnet_9blocks-64', 256, 256, 6)),
        ('training step, ngf = ndf = 64', 0.40,
         lambda: b.ours(6, '--train', '--ngf', 64),
         lambda: b.torch(64, 6)),
        ('1280x720, unet_256 ngf 32, fp32, in the element', 0.50,
         lambda: b.element(f'model="{unet_32}" fit=native precision=fp32 dropout=off '
                           'norm-statistics=running', 1280, 720, 10),
         lambda: b.onnx('unet_256-32', 1280, 768, 10)),
        ('unet_256 ngf 64, fp32, AVX2 alone', 1.00,
         lambda: b.ours(20, unet, *FP32, 'running', level='avx2'), unet_onnx),
    ]


# ---- measuring ----

def measure(rows, rounds, left_out):
    """Ours, theirs, ours, theirs. @left_out: why, by name; failures join it.  Returns: the others."""
    done = {}
    for i in range(rounds):
        print(f'round {i + 1} of {rounds}', file=sys.stderr)
        for name, limit, ours, theirs in rows:
            if name in left_out:
                continue
            row = done.setdefault(name, {'name': name, 'limit': limit, 'ours_ms': [],
                                         'theirs_ms': [], 'ratios': []})
            try:
                mine, other = ours(), theirs()
            except sides.Failed as failure:
                left_out[name] = failure
                continue
            row['ours_ms'].append(mine['ms'])
            row['theirs_ms'].append(other['ms'])
            row['ratios'].append(mine['ms'] / other['ms'])
            row['bench'] = mine.get('bench')  # with every layer
    done = [row for name, row in done.items() if name not in left_out]
    for row in done:
        row['ratio'] = median(row['ratios'])
    return done


def first_line(*command):
    try:
        return sides.output_of(*command).splitlines()[0]
    except (sides.Failed, IndexError):
        return None


def versions(b):
    with open(b.path('node_modules/onnxruntime-node/package.json')) as file:
        runtime = json.load(file)['version']
    return {'pix2pix': first_line('git', '-C', sides.here, 'describe', '--always', '--dirty'),
            'ONNX Runtime': runtime, 'node': first_line('node', '--version'),
            'PyTorch': first_line(sys.executable, '-c', 'import torch; print(torch.__version__)')}


def machine(rows):
    names = [row['bench']['device']['name'] for row in rows if row['bench']]
    return {'processor': (names or [platform.processor()])[0],
            'processors': len(os.sched_getaffinity(0)), 'system': platform.platform()}


def print_table(rows, left_out, title):
    print(title)
    width = max(len(name) for name in [row['name'] for row in rows] + list(left_out))
    print(f'{"":{width}} {"theirs ms":>10} {"ours ms":>10} {"ratio":>7} {"limit":>7} {"rounds":>12}')
    for row in rows:
        theirs, ours = median(row['theirs_ms']), median(row['ours_ms'])
        print(f'{row["name"]:{width}} {theirs:10.2f} {ours:10.2f} {row["ratio"]:7.2f} '
              f'{row["limit"]:7.2f} {min(row["ratios"]):7.2f}-{max(row["ratios"]):.2f}')
    for name, reason in left_out.items():
        print(f'{name:{width}} left out: {reason}')


def main(build, peers, rounds, threads, quick, result):
    b, left_out, mix = Bench(build, peers, threads, quick == '1'), {}, {}
    export(b)
    rows = rows_of(b)
    try:
        mix = calibrate(b)
    except sides.Failed as failure:
        left_out = {row[0]: failure for row in rows if ', auto' in row[0]}
    measured = measure(rows, int(rounds), left_out)
    title = (f'{machine(measured)["processor"]}, {threads} threads: medians of {rounds} '
             f'round{"s" if int(rounds) > 1 else ""} of both in turn')
    print_table(measured, left_out, title)
    if mix:
        print(f'auto: {mix["mix_psnr"]:.1f} dB on the worst of {mix["mix_pictures"]} pictures')
    command = f'sh tests/bench-peers.sh {"--quick " if b.quick else ""}{rounds} {threads}'
    with open(result + '.json', 'w') as file:
        json.dump({'command': command, 'machine': machine(measured), 'versions': versions(b),
                   'threads': int(threads), 'quick': b.quick, 'auto': mix, 'rows': measured,
                   'left_out': {name: str(reason) for name, reason in left_out.items()}},
                  file, indent=1)
    with open(result + '.svg', 'w') as file:
        file.write(ratios.draw(measured, title))
    print(f'{result}.json: every round and layer; {result}.svg: the ratios drawn')
    return any(not isinstance(reason, sides.Lacking) for reason in left_out.values())


if __name__ == '__main__':
    if len(sys.argv) != 7:
        sys.exit(__doc__.strip())
    try:
        sys.exit(main(*sys.argv[1:]))
    except sides.Failed as reason:
        sys.exit(f'compare-peers: {reason}')
