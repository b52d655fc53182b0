#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Writes a network of random weights for both sides: FOLDER/NETWORK-NGF.pth and, with statistics of a
random picture in its norms, FOLDER/NETWORK-NGF-WIDTHxHEIGHT.onnx. Needs PyTorch and its ONNX exporter.
Usage: export-onnx.py FOLDER unet_256|resnet_9blocks NGF WIDTH HEIGHT
"""
import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'golden'))
import networks as net


def make(network, ngf, x):
    """Norms learn their running statistics from @x, so that values neither grow nor fade."""
    g = net.JunyanzUnet(8, ngf, drop=False) if network == 'unet_256' else net.JunyanzResnet(9, ngf)
    for module in g.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1
    with torch.no_grad():
        g.train()(x)
    return g.eval()


def write(path, save):
    """Whole, or not at all."""
    save(path + '.part')
    os.replace(path + '.part', path)


def main(folder, network, ngf, width, height):
    torch.manual_seed(0)
    small = torch.rand(1, 3, 256, 256) * 2 - 1
    x = torch.rand(1, 3, height, width) * 2 - 1
    g = make(network, ngf, small)
    name = os.path.join(folder, f'{network}-{ngf}')
    write(f'{name}.pth', lambda path: torch.save(g.state_dict(), path))
    write(f'{name}-{width}x{height}.onnx', lambda path: torch.onnx.export(
        g, x, path, opset_version=14, input_names=['x'], output_names=['y']))


if __name__ == '__main__':
    if len(sys.argv) != 6 or sys.argv[2] not in ('unet_256', 'resnet_9blocks'):
        sys.exit(__doc__.strip())
    main(*sys.argv[1:3], *(int(word) for word in sys.argv[3:]))
