#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Makes the training traces of tests/golden/training: what PyTorch computes in float64 for a few steps
of pix2pix training on one batch. Seeds are tried until PyTorch's own float32 stays close to float64,
with and without oneDNN: kinks of ReLU and L1 and Adam's first steps make others meaningless.
Made with PyTorch 1.13; the files are committed, so that the tests need no PyTorch.
Usage: make-traces.py [FOLDER]
"""
import copy
import importlib
import os
import sys

import torch
import torch.nn as nn
import torch.nn.functional as F

import networks as net

models = importlib.import_module('make-models')

STEPS = 3


def he_init(network):
    """Weights that let every layer matter at the output."""
    for m in network.modules():
        if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d)):
            taps = m.kernel_size[0] * m.kernel_size[1]
            if isinstance(m, nn.ConvTranspose2d):
                taps /= m.stride[0] ** 2
            gain = 0.35 if m.out_channels <= 4 else 1
            nn.init.normal_(m.weight, 0, gain * (2 / (m.in_channels * taps)) ** 0.5)
            if m.bias is not None:
                nn.init.normal_(m.bias, 0, 0.1)
        elif isinstance(m, nn.BatchNorm2d):
            nn.init.normal_(m.weight, 1, 0.1)
            nn.init.normal_(m.bias, 0, 0.1)
    return network.train()


def picture(n, c, h, w):
    low = F.interpolate(torch.rand(n, c, 8, 8), size=(h, w), mode='bicubic', align_corners=False)
    return (low * 1.6 - 0.8 + 0.2 * (torch.rand(n, c, h, w) - 0.5)).clamp(-1, 1)


def gan_loss(mode, x, side):
    accept = side != 'fake'
    if mode == 'vanilla':
        return F.binary_cross_entropy_with_logits(x, torch.full_like(x, float(accept)))
    if mode == 'lsgan':
        return F.mse_loss(x, torch.full_like(x, float(accept)))
    if mode == 'hinge' and side != 'generator':
        return F.relu(1 - x if accept else 1 + x).mean()
    return -x.mean() if accept else x.mean()


def train(g, d, a, b, mode, conditional):
    """D, then G, as published. Returns what is compared."""
    optimisers = [torch.optim.Adam(m.parameters(), 2e-4, (0.5, 0.999)) for m in (g, d)]
    join = (lambda x: torch.cat([a, x], 1)) if conditional else (lambda x: x)
    trace = {}
    for step in range(1, STEPS + 1):
        fake = g(a)
        optimisers[1].zero_grad()
        losses = [gan_loss(mode, d(join(fake.detach())), 'fake'), gan_loss(mode, d(join(b)), 'real')]
        (0.5 * sum(losses)).backward()
        if step == 1:
            trace.update({f'gradD1.{k}': p.grad.clone() for k, p in d.named_parameters()})
        optimisers[1].step()
        optimisers[0].zero_grad()
        losses += [gan_loss(mode, d(join(fake)), 'generator'), F.l1_loss(fake, b)]
        (losses[2] + 100 * losses[3]).backward()
        if step == 1:
            trace.update({f'gradG1.{k}': p.grad.clone() for k, p in g.named_parameters()})
        optimisers[0].step()
        trace[f'loss{step}'] = torch.stack(losses).detach()
    for tag, network in ((f'G{STEPS}', g), (f'D{STEPS}', d)):
        trace.update({f'{tag}.{k}': v for k, v in network.state_dict().items()
                      if 'num_batches' not in k})
    return trace


def distance(u, v):
    return ((u.double() - v).norm() / (v.norm() + 1e-12)).item()


def moved(trace, exact, start, tag):
    """
    How far training has moved the weights, as one vector; without biases before a norm, which have
    no gradient but rounding, out of which Adam makes steps of full length.
    """
    return torch.cat([(trace[f'{tag}{STEPS}.{k}'].double() - p.double()).flatten()
                      for k, p in start.named_parameters()
                      if exact[f'grad{tag}1.{k}'].norm() > 1e-9])


def is_clean(trace, exact, g, d):
    gradients = max(distance(trace[k], exact[k]) for k in exact
                    if k.startswith('grad') and exact[k].norm() > 1e-9)
    updates = max(distance(moved(trace, exact, m, tag), moved(exact, exact, m, tag))
                  for tag, m in (('G', g), ('D', d)))
    losses = max(((trace[k] - exact[k]).abs() / exact[k].abs()).max().item() for k in exact
                 if k.startswith('loss'))
    return gradients < 3e-5 and updates < 3e-3 and losses < 2e-5


def make(folder, name, make_g, make_d, n, c, oc, h, w, mode, conditional, settings):
    for seed in range(1, 200):
        torch.manual_seed(seed)
        g, d = he_init(make_g()), he_init(make_d())
        if mode == 'hinge':  # logits on both sides of the hinge, else a bias has no gradient at all
            list(d.parameters())[-2].data.mul_(8)
        a, b = picture(n, c, h, w), picture(n, oc, h, w)
        runs = []
        for dtype, onednn in ((torch.float64, True), (torch.float32, True), (torch.float32, False)):
            with torch.backends.mkldnn.flags(enabled=onednn):
                runs.append(train(copy.deepcopy(g).to(dtype), copy.deepcopy(d).to(dtype),
                                  a.to(dtype), b.to(dtype), mode, conditional))
        if all(is_clean(run, runs[0], g, d) for run in runs[1:]):
            break
    else:
        sys.exit(f'{name}: no clean seed')
    tensors = {'a': a, 'b': b}
    for tag, network in (('G0', g), ('D0', d)):
        tensors.update({f'{tag}.{k}': v for k, v in network.state_dict().items()
                        if 'num_batches' not in k})
    tensors.update(runs[0])
    metadata = {'gan_mode': mode, 'conditional': str(int(conditional)), 'seed': str(seed), **settings}
    models.save_safetensors(f'{folder}/train_pix2pix_{name}.safetensors', tensors, metadata)
    print(f'{name}: seed {seed}', flush=True)


def make_penalty(folder, name, make_d, n, c, h, w, settings):
    """The gradient penalty of WGAN-GP at x, and its gradient, by differentiating twice."""
    torch.manual_seed(1)
    d = he_init(make_d()).double()
    start = {f'D0.{k}': v.clone() for k, v in d.state_dict().items() if 'num_batches' not in k}
    x = picture(n, c, h, w).double().requires_grad_()
    gradient, = torch.autograd.grad(d(x).sum(), x, create_graph=True)
    penalty = ((gradient.flatten(1) + 1e-16).norm(2, 1) - 1).square().mean()
    parameters = dict(d.named_parameters())
    gradients = torch.autograd.grad(penalty, parameters.values(), allow_unused=True)
    trace = {f'gradD1.{k}': torch.zeros_like(p) if g is None else g
             for (k, p), g in zip(parameters.items(), gradients)}
    models.save_safetensors(f'{folder}/penalty_{name}.safetensors',
                            {'x': x, 'value': penalty[None], **start, **trace}, settings)
    print(f'penalty {name}: {penalty.item():.4g}', flush=True)


def main(folder):
    torch.set_num_threads(1)
    unet = lambda c=3, oc=3, norm='batch': (lambda: net.JunyanzUnet(5, 2, norm, c, oc, drop=False))
    patch = lambda c, layers=3, norm='batch': (lambda: net.JunyanzPatchGAN(c, 2, layers, norm))
    make(folder, 'vanilla', unet(), patch(6), 1, 3, 3, 64, 64, 'vanilla', True,
         {'net_g': 'unet_32'})
    make(folder, 'hinge_1to4', unet(1, 4), patch(5, 2), 3, 1, 4, 32, 64, 'hinge', True,
         {'net_g': 'unet_32', 'net_d': 'patchgan_2'})
    make(folder, 'wgangp_unconditional', unet(), lambda: net.JunyanzPixelGAN(3, 4), 2, 3, 3, 32, 32,
         'wgangp', False, {'net_g': 'unet_32', 'net_d': 'pixelgan'})
    make(folder, 'lsgan_resnet_instance', lambda: net.JunyanzResnet(2, 2), patch(6, 2, 'instance'),
         2, 3, 3, 32, 48, 'lsgan', True,
         {'net_g': 'resnet_2blocks', 'net_d': 'patchgan_2', 'norm': 'instance'})
    for norm in ('batch', 'instance', 'none'):
        make_penalty(folder, f'patchgan_{norm}', patch(4, 2, norm), 2, 4, 24, 20,
                     {'net_d': 'patchgan_2', 'norm': norm})
    make_penalty(folder, 'pixelgan', lambda: net.JunyanzPixelGAN(3, 4), 3, 3, 9, 7,
                 {'net_d': 'pixelgan', 'norm': 'batch'})


if __name__ == '__main__':
    main(sys.argv[1] if len(sys.argv) > 1 else
         os.path.join(os.path.dirname(os.path.abspath(__file__)), 'training'))
