#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes trace/: two pairs of pictures, start weights of a generator and a discriminator in PyTorch's
format, and the losses of the first steps of pix2pix from there, computed by PyTorch in float64.
Usage: make-trace.py (with python3-torch, python3-numpy and python3-pil)
"""
import os

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from PIL import Image

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'trace')
SIDE, NGF, NDF, STEPS = 32, 2, 2, 6


class Block(nn.Module):
    """One level of the U-Net of junyanz/pytorch-CycleGAN-and-pix2pix, with its names."""

    def __init__(self, outer, inner, sub=None, outermost=False):
        super().__init__()
        channels = 3 if outermost else outer
        down = nn.Conv2d(channels, inner, 4, 2, 1, bias=False)
        width = inner * (2 if sub else 1)
        up = nn.ConvTranspose2d(width, channels, 4, 2, 1, bias=outermost)
        leaky, relu = nn.LeakyReLU(0.2), nn.ReLU()
        if outermost:
            layers = [down, sub, relu, up, nn.Tanh()]
        elif sub:
            layers = [leaky, down, nn.BatchNorm2d(inner), sub, relu, up, nn.BatchNorm2d(outer)]
        else:
            layers = [leaky, down, relu, up, nn.BatchNorm2d(outer)]
        self.model, self.outermost = nn.Sequential(*layers), outermost

    def forward(self, x):
        y = self.model(x)
        return y if self.outermost else torch.cat([x, y], 1)


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        block = Block(NGF * 8, NGF * 8)
        for outer, inner in ((4, 8), (2, 4), (1, 2)):
            block = Block(NGF * outer, NGF * inner, block)
        self.model = Block(3, NGF, block, outermost=True)

    def forward(self, x):
        return self.model(x)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        layers, width = [nn.Conv2d(6, NDF, 4, 2, 1), nn.LeakyReLU(0.2)], NDF
        for n in range(1, 4):
            wider = NDF * 2**n
            layers += [nn.Conv2d(width, wider, 4, 2 if n < 3 else 1, 1, bias=False),
                       nn.BatchNorm2d(wider), nn.LeakyReLU(0.2)]
            width = wider
        self.model = nn.Sequential(*layers, nn.Conv2d(width, 1, 4, 1, 1))

    def forward(self, x):
        return self.model(x)


def draw(net):
    """Weights under which every layer matters."""
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            fan = module.in_channels * (16 if isinstance(module, nn.Conv2d) else 4)
            nn.init.normal_(module.weight, 0, (2 / fan) ** 0.5)
            if module.bias is not None:
                nn.init.normal_(module.bias, 0, 0.1)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1, 0.1)
            nn.init.normal_(module.bias, 0, 0.1)
    return net


def picture():
    low = F.interpolate(torch.rand(1, 3, 6, 6), size=(SIDE, SIDE), mode='bicubic')
    noisy = (low + 0.1 * (torch.rand(1, 3, SIDE, SIDE) - 0.5)).clamp(0, 1)
    return np.rint(noisy[0].permute(1, 2, 0).numpy() * 255).astype(np.uint8)


def tensor(pictures):
    stack = torch.from_numpy(np.stack(pictures)).double().permute(0, 3, 1, 2)
    return stack / 127.5 - 1


def gan_loss(mode, logits, real):
    loss = {'vanilla': F.binary_cross_entropy_with_logits, 'lsgan': F.mse_loss}[mode]
    return loss(logits, torch.full_like(logits, float(real)))


def train(g, d, batches, mode):
    """The order of optimize_parameters() of the reference; yields the losses of each step."""
    adam_g = torch.optim.Adam(g.parameters(), 2e-4, (0.5, 0.999))
    adam_d = torch.optim.Adam(d.parameters(), 2e-4, (0.5, 0.999))
    for step in range(STEPS):
        a, b = batches[step % len(batches)]
        fake = g(a)
        d_fake = gan_loss(mode, d(torch.cat([a, fake.detach()], 1)), False)
        d_real = gan_loss(mode, d(torch.cat([a, b], 1)), True)
        adam_d.zero_grad()
        (0.5 * (d_fake + d_real)).backward()
        adam_d.step()
        g_gan, g_l1 = gan_loss(mode, d(torch.cat([a, fake], 1)), True), F.l1_loss(fake, b)
        adam_g.zero_grad()
        (g_gan + 100 * g_l1).backward()
        adam_g.step()
        yield [loss.item() for loss in (d_fake, d_real, g_gan, g_l1)]


def main():
    os.makedirs(f'{FOLDER}/train', exist_ok=True)
    torch.manual_seed(3)
    pairs = [(picture(), picture()) for _ in range(2)]
    for i, pair in enumerate(pairs):
        Image.fromarray(np.concatenate(pair, 1)).save(f'{FOLDER}/train/{i}.png')
    g, d = draw(Generator()), draw(Discriminator())
    torch.save(g.state_dict(), f'{FOLDER}/g.pth')
    torch.save(d.state_dict(), f'{FOLDER}/d.pth')
    with open(f'{FOLDER}/losses.txt', 'w', encoding='ascii') as out:
        for mode, size in (('vanilla', 1), ('lsgan', 2)):
            g.load_state_dict(torch.load(f'{FOLDER}/g.pth'))
            d.load_state_dict(torch.load(f'{FOLDER}/d.pth'))
            each = [pairs[i:i + size] for i in range(0, len(pairs), size)]
            batches = [(tensor([p[0] for p in e]), tensor([p[1] for p in e])) for e in each]
            for losses in train(g.double().train(), d.double().train(), batches, mode):
                print(mode, size, *(f'{loss:.9f}' for loss in losses), file=out)


if __name__ == '__main__':
    main()
