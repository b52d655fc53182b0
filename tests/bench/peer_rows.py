# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is compared on the CPU: each row, and how each of its sides is run."""
import json
import os
import re
import sys
from statistics import median

import sides

FP32 = '--precision', 'fp32', '--dropout', 'off', '--norm-statistics'


class Bench:
    """Runs one side once; what it returns has "ms", the median of its frames or steps."""

    def __init__(self, build, peers, threads, quick):
        self.build, self.peers, self.threads, self.quick = build, peers, threads, quick
        self.pix2pix = os.path.join(build, 'train/pix2pix')
        self.element_model = None

    def path(self, name):
        return os.path.join(self.peers, name)

    def frames(self, frames):
        return 2 if self.quick else frames

    def made(self, name, network, ngf, width=256, height=256):
        """The path of one of the files that export-onnx.py writes, ours before theirs."""
        path = self.path(name)
        if not os.path.exists(path):
            print(f'making {name}', file=sys.stderr)
            try:
                sides.output_of(sys.executable, os.path.join(sides.here, 'export-onnx.py'),
                                self.peers, network, ngf, width, height)
            except sides.Failed:
                if not os.path.exists(path):
                    raise
        return path

    def weights(self, network, ngf):
        return self.made(f'{network}-{ngf}.pth', network, ngf)

    def onnx(self, network, ngf, frames, width=256, height=256):
        if not os.path.exists(self.path('node_modules/onnxruntime-node')):
            raise sides.Lacking('there is no ONNX Runtime')
        model = self.made(f'{network}-{ngf}-{width}x{height}.onnx', network, ngf, width, height)
        text = sides.output_of('node', os.path.join(sides.here, 'time-onnx.js'), self.peers, model,
                               width, height, self.frames(frames), self.threads, env=sides.NO_GPU)
        return {'ms': median(json.loads(text)['ms'])}

    def torch(self, ngf, steps):
        return sides.torch('torch-train.py', ngf, self.frames(steps), self.threads,
                           env=sides.NO_GPU)[0]

    def ours(self, frames, *arguments, level=None, threads=None):
        env = {**sides.NO_GPU, **({'PIX2PIX_CPU': level} if level else {})}
        result = sides.ours(self.pix2pix, *arguments, '--frames', self.frames(frames),
                            '--threads', threads or self.threads, env=env)
        if level not in (None, result['level']):
            raise sides.Lacking(f'this processor has no {level}')
        # As theirs, from float32 to float32: pixels are the element's. A step has no such share.
        return {'ms': result.get('network_ms', result['median_ms']), 'bench': result}

    def element(self, settings, width, height, frames):
        env = {**sides.NO_GPU, 'GST_PLUGIN_PATH': os.path.join(self.build, 'gst'),
               'GST_REGISTRY': os.path.join(self.build, 'bench.registry')}
        text = sides.output_of(os.path.join(self.build, 'tests/bench/frame-times'),
                               self.frames(frames), width, height,
                               f'{settings} threads={self.threads}', env=env)
        return {'ms': median(json.loads(text)['ms'])}

    def streams(self, model, frames):
        """How many frames two streams do in the time in which one does one."""
        text = sides.output_of(os.path.join(self.build, 'tests/bench/stream-rates'), model,
                               self.frames(frames), self.threads, env=sides.NO_GPU)
        rates = json.loads(text)
        return {'ratio': rates['two'] / rates['one']}

    def two_threads(self, model, frames):
        """How many times as fast two threads are as one, where maps are 16x16 and larger."""
        one, two = (sum_large(self.ours(frames, model, *FP32, 'running', threads=n)['bench'])
                    for n in (1, 2))
        return {'ratio': one / two}


def sum_large(bench):
    """Milliseconds of the layers with maps of 16x16 and more; deeper ones wait for memory."""
    sizes = ((layer['ms'], re.search(r'-> \d+x(\d+)x(\d+)', layer['name']))
             for layer in bench['layers'])
    return sum(ms for ms, size in sizes if size and min(map(int, size.groups())) >= 16)


def rows_of(b):
    """
    Returns: name, the most that ours may take of theirs, ours, theirs. Where there is no theirs, ours
    tells a ratio itself, and the limit is the least.
    """
    unet, mixed = lambda: b.weights('unet_256', 64), b.path('unet_256-64-mix.safetensors')
    unet_onnx = lambda: b.onnx('unet_256', 64, 20)
    return [
        ('unet_256 ngf 64, fp32', 0.50,
         lambda: b.ours(20, unet(), *FP32, 'running'), unet_onnx),
        ('unet_256 ngf 64, fp32, statistics of the frame', 0.50,
         lambda: b.ours(20, unet(), *FP32, 'frame'), unet_onnx),
        ('unet_256 ngf 64, auto', 0.28,
         lambda: b.ours(20, mixed, '--precision', 'auto', '--dropout', 'off', '--norm-statistics',
                        'running'), unet_onnx),
        ('unet_256 ngf 32, auto, in the element', 0.50,
         lambda: b.element(f'model="{b.element_model}" precision=auto', 256, 256, 50),
         lambda: b.onnx('unet_256', 32, 50)),
        ('resnet_9blocks ngf 64, fp32', 0.50,
         lambda: b.ours(6, b.weights('resnet_9blocks', 64), *FP32, 'frame'),
         lambda: b.onnx('resnet_9blocks', 64, 6)),
        ('training step, ngf = ndf = 64', 0.40,
         lambda: b.ours(6, '--train', '--ngf', 64),
         lambda: b.torch(64, 6)),
        ('1280x720, unet_256 ngf 32, fp32, in the element', 0.50,
         lambda: b.element(f'model="{b.weights("unet_256", 32)}" fit=native precision=fp32 '
                           'dropout=off norm-statistics=running', 1280, 720, 10),
         lambda: b.onnx('unet_256', 32, 10, 1280, 768)),
        ('unet_256 ngf 64, fp32, AVX2 alone', 1.00,
         lambda: b.ours(20, unet(), *FP32, 'running', level='avx2'), unet_onnx),
        ('two streams against one, frames summed', 0.95, lambda: b.streams(unet(), 20), None),
        ('two threads against one, maps of 16x16 and more', 1.85,
         lambda: b.two_threads(unet(), 20), None),
    ]
