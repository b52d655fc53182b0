#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Times a frame of unet_256 in PyTorch, from device memory to device memory: eager, as a CUDA graph and
compiled; float32 (without TF32 and with it) and float16. One JSON object a line, in milliseconds.
Usage: torch-infer.py NGF FRAMES CHECKPOINT   writes the network's weights to CHECKPOINT first
"""
import json
import os
import sys
import time

import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'golden'))
import networks as net

WARM_UP = 20


def timed(device, frames, run):
    """The median milliseconds of run()."""
    times = []
    for i in range(-WARM_UP, frames):
        if device == 'cuda':
            before, after = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            before.record()
            run()
            after.record()
            after.synchronize()
            ms = before.elapsed_time(after)
        else:
            start = time.perf_counter()
            run()
            ms = (time.perf_counter() - start) * 1e3
        if i >= 0:
            times.append(ms)
    return sorted(times)[frames // 2]


def graph_of(model, x):
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(5):
            model(x)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        model(x)
    return graph.replay


def ways(device, model, x):
    """How a frame can be run: name -> a function that makes the function to be timed."""
    yield 'eager', lambda: lambda: model(x)
    if device == 'cuda':
        yield 'graph', lambda: graph_of(model, x)
    if hasattr(torch, 'compile'):
        compiled = torch.compile(model, mode='max-autotune' if device == 'cuda' else 'default')
        yield 'compile', lambda: lambda: compiled(x)


def main(ngf, frames, checkpoint):
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    name = torch.cuda.get_device_name() if device == 'cuda' else 'cpu'
    torch.manual_seed(0)
    torch.backends.cudnn.benchmark = True
    plain = net.JunyanzUnet(8, ngf).eval()
    torch.save(plain.state_dict(), checkpoint)
    kinds = [('fp32', torch.float32, False)]
    if device == 'cuda':
        kinds += [('tf32', torch.float32, True), ('fp16', torch.float16, False)]
    for kind, dtype, tf32 in kinds:
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
        model = plain.to(device, dtype, memory_format=torch.channels_last)
        x = torch.rand(1, 3, 256, 256, device=device).to(dtype)
        x = x.to(memory_format=torch.channels_last)
        for way, make in ways(device, model, x):
            line = {'peer': f'torch {torch.__version__}', 'device': name, 'precision': kind,
                    'way': way}
            try:
                with torch.no_grad():
                    line['ms'] = timed(device, frames, make())
            except Exception as error:  # a compiler that is missing is no reason to stop
                line['error'] = str(error).splitlines()[0][:100]
            print(json.dumps(line), flush=True)


if __name__ == '__main__':
    if len(sys.argv) != 4:
        sys.exit(__doc__.strip())
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
