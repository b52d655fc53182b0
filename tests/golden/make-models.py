#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Makes the small checkpoints of tests/golden/models and what PyTorch computes with them.

For every NAME there is a checkpoint and NAME.io.safetensors with an input `x` and the outputs
`y_eval` (running statistics) and `y_batch` (statistics of the batch), dropout off. Made with
PyTorch 1.13; the files are committed, so that the tests need no PyTorch.
Usage: make-models.py [FOLDER]
"""
import copy
import json
import os
import struct
import sys

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

import networks as net

LIMIT = 5e-5  # of the largest output: what the engine is held to


def save_safetensors(path, tensors, metadata=None):
    header, blobs, at = {}, [], 0
    if metadata:
        header['__metadata__'] = dict(sorted(metadata.items()))
    for name, tensor in tensors.items():
        data = np.ascontiguousarray(tensor.detach().numpy())
        dtype = {'float32': 'F32', 'float16': 'F16'}[data.dtype.name]
        header[name] = {'dtype': dtype, 'shape': list(data.shape),
                        'data_offsets': [at, at + data.nbytes]}
        blobs.append(data.tobytes())
        at += data.nbytes
    text = json.dumps(header, separators=(',', ':')).encode()
    text += b' ' * (-len(text) % 8)
    with open(path, 'wb') as file:
        file.write(struct.pack('<Q', len(text)) + text + b''.join(blobs))


def picture(n, c, h, w):
    """Something like an image in [-1, 1]: low frequencies and a little noise."""
    low = F.interpolate(torch.rand(n, c, 6, 6), size=(h, w), mode='bicubic', align_corners=False)
    return (low * 1.6 - 0.8 + 0.2 * (torch.rand(n, c, h, w) - 0.5)).clamp(-1, 1)


def settle(model, sample):
    """Weights with which every layer matters at the output, and running statistics of @sample."""
    for m in model.modules():
        if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d)):
            taps = m.kernel_size[0] ** 2
            if isinstance(m, nn.ConvTranspose2d):
                taps /= m.stride[0] ** 2
            last = 0.35 if m.out_channels <= 3 else 1  # tanh shall not saturate
            nn.init.normal_(m.weight, 0, last * (2 / (m.in_channels * taps)) ** 0.5)
            if m.bias is not None:
                nn.init.normal_(m.bias, 0, 0.1)
        elif isinstance(m, nn.BatchNorm2d):
            nn.init.normal_(m.weight, 1, 0.1)
            nn.init.normal_(m.bias, 0, 0.1)
            m.momentum = 1.0
        elif isinstance(m, nn.Dropout):
            m.p = 0.0
    with torch.no_grad():
        model.train()(sample)
    return model


def outputs(model, x):
    """Both modes; what instance norms of old files tracked does not count."""
    model = copy.deepcopy(model)
    for m in model.modules():
        if isinstance(m, nn.InstanceNorm2d):
            m.track_running_stats, m.running_mean, m.running_var = False, None, None
    with torch.no_grad():
        return {'eval': model.eval()(x), 'batch': model.train()(x)}


def check(name, model, x):
    """float32 must be far inside LIMIT of float64, and no kernel may be without effect."""
    y = outputs(model, x)
    exact = outputs(copy.deepcopy(model).double(), x.double())
    for mode in y:
        top = y[mode].abs().max().item()
        noise = (exact[mode] - y[mode].double()).abs().max().item() / top
        least = 1.0
        for key, value in model.named_parameters():
            if value.dim() == 4:
                other = copy.deepcopy(model)
                dict(other.named_parameters())[key].data.zero_()
                effect = (outputs(other, x)[mode] - y[mode]).abs().max().item() / top
                least = min(least, effect)
        print(f'{name:28} {mode:5} noise {noise:.1e}  least effect {least:.1e}')
        assert noise < LIMIT / 4 and least > 20 * LIMIT, name
    return y


def make(folder, name, model, x, save):
    """One checkpoint, written by @save(path without extension, state dict), with its outputs."""
    settle(model, x)
    y = check(name, model, x)
    save(f'{folder}/{name}', model.state_dict())
    save_safetensors(f'{folder}/{name}.io.safetensors',
                     {'x': x, 'y_eval': y['eval'], 'y_batch': y['batch']})


def as_native(path, state):
    weights = {k: v for k, v in state.items() if 'num_batches_tracked' not in k}
    save_safetensors(path + '.safetensors', weights)


def make_native(folder):
    make(folder, 'unet32', net.JunyanzUnet(5, 4), picture(1, 3, 32, 32), as_native)
    make(folder, 'unet32_1to3', net.JunyanzUnet(5, 2, cin=1), picture(1, 1, 32, 32), as_native)
    make(folder, 'resnet2', net.JunyanzResnet(2, 4), picture(1, 3, 32, 32), as_native)
    make(folder, 'patchgan', net.JunyanzPatchGAN(6, 4), picture(1, 6, 32, 32), as_native)


def main(folder):
    os.makedirs(folder, exist_ok=True)
    torch.set_num_threads(1)
    torch.manual_seed(1)
    make_native(folder)


if __name__ == '__main__':
    main(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), 'models'))
