#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Times a step of pix2pix training in PyTorch, eager: unet_256 and the 70x70 PatchGAN, D then G, Adam for
both, on random pairs. One JSON object, in milliseconds.
Usage: torch-train.py NGF STEPS [THREADS]
"""
import json
import os
import sys
import time

import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'golden'))
import networks as net

WARM_UP = 5


def judge(logits, real):
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(real)))


def make_step(device, ngf):
    g = net.JunyanzUnet(8, ngf).to(device).train()
    d = net.JunyanzPatchGAN(6, ngf).to(device).train()
    g_adam = torch.optim.Adam(g.parameters(), 2e-4, (0.5, 0.999))
    d_adam = torch.optim.Adam(d.parameters(), 2e-4, (0.5, 0.999))
    a, b = (torch.rand(1, 3, 256, 256, device=device) * 2 - 1 for _ in range(2))

    def step():
        fake = g(a)
        d.requires_grad_(True)
        d_adam.zero_grad()
        loss_d = (judge(d(torch.cat([a, fake.detach()], 1)), False) +
                  judge(d(torch.cat([a, b], 1)), True)) * 0.5
        loss_d.backward()
        d_adam.step()
        d.requires_grad_(False)
        g_adam.zero_grad()
        loss_g = judge(d(torch.cat([a, fake], 1)), True) + 100 * F.l1_loss(fake, b)
        loss_g.backward()
        g_adam.step()
        return loss_d.item() + loss_g.item()  # as every trainer shows them

    return step


def main(ngf, steps, threads=None):
    if threads:
        torch.set_num_threads(threads)
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    torch.manual_seed(0)
    torch.backends.cudnn.benchmark = True
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    step, times = make_step(device, ngf), []
    for i in range(-WARM_UP, steps):
        start = time.perf_counter()
        step()
        if i >= 0:
            times.append((time.perf_counter() - start) * 1e3)
    print(json.dumps({'peer': f'torch {torch.__version__}', 'precision': 'fp32', 'way': 'eager',
                      'device': torch.cuda.get_device_name() if device == 'cuda' else 'cpu',
                      'ms': sorted(times)[steps // 2]}))


if __name__ == '__main__':
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__.strip())
    main(*(int(word) for word in sys.argv[1:]))
