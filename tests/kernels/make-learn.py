#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Writes learn-torch.h: what PyTorch 1.13 computes with Adam, losses and running statistics, for
test-learn.c. The header is committed, so that the tests need no PyTorch.
Usage: make-learn.py > learn-torch.h
"""
import sys

import torch
import torch.nn.functional as F

STEPS, WEIGHTS = 5, 24
SHAPE = (2, 3, 3, 5)


def array(name, tensor):
    """A declaration, wrapped at 100 columns."""
    values = ['%.9g' % v for v in tensor.detach().reshape(-1).tolist()]
    values = [v + ('f' if '.' in v or 'e' in v else '.f') for v in values]
    out, line = ['static const float %s[] = {' % name], '   '
    for v in values:
        if len(line) + len(v) + 2 > 100:
            out.append(line)
            line = '   '
        line += ' ' + v + ','
    print('\n'.join(out + [line, '};']))


def adam():
    w = torch.nn.Parameter(torch.randn(WEIGHTS) * 0.02)
    optimiser = torch.optim.Adam([w], lr=2e-4, betas=(0.5, 0.999))
    gradients = torch.randn(STEPS, WEIGHTS) * 0.1
    gradients[:, 0] = 0  # never changes
    gradients[1:, 1] = 0  # changes once, then by what is remembered
    gradients[:, 2] *= 1e-6  # epsilon counts
    array('adam_start', w)
    array('adam_gradients', gradients)
    after = []
    for g in gradients:
        w.grad = g.clone()
        optimiser.step()
        after.append(w.detach().clone())
    array('adam_weights', torch.stack(after))
    array('adam_m', optimiser.state[w]['exp_avg'])
    array('adam_v', optimiser.state[w]['exp_avg_sq'])


def losses():
    x, target = torch.randn(SHAPE) * 2, torch.rand(SHAPE)
    target.view(-1)[::7] = x.view(-1)[::7].clamp(0, 1)
    x.view(-1)[::7] = target.view(-1)[::7]  # where the gradient of L1 is 0
    x[0, 0, 0, 1], x[1, 2, 1, 1] = 90., -90.  # where a plain sigmoid's logarithm is infinite
    array('loss_x', x)
    array('loss_target', target)
    functions = {
        'l1': F.l1_loss,
        'squared': F.mse_loss,
        'bce': F.binary_cross_entropy_with_logits,
    }
    values = []
    for name, function in functions.items():
        for what, t in (('', target), ('_ones', torch.ones_like(x))):
            leaf = x.clone().requires_grad_()
            value = function(leaf, t)
            value.backward()
            values.append(value.detach())
            array('loss_%s%s' % (name, what), leaf.grad)
    array('loss_values', torch.stack(values))


def statistics():
    norm = torch.nn.BatchNorm2d(SHAPE[1], momentum=0.1)
    with torch.no_grad():
        norm.running_mean.uniform_(-1, 1)
        norm.running_var.uniform_(0.5, 2)
    x = torch.randn(2, *SHAPE) * 3 + 1
    array('norm_x', x)
    array('norm_mean_before', norm.running_mean)
    array('norm_variance_before', norm.running_var)
    norm(x[0])
    norm(x[1])
    array('norm_mean_after', norm.running_mean)
    array('norm_variance_after', norm.running_var)


torch.manual_seed(7)
print('/* SPDX-License-Identifier: LGPL-2.1-or-later */\n')
print('/* Made by make-learn.py with PyTorch %s. */' % torch.__version__.split('a')[0])
print('#ifndef LEARN_TORCH_H\n#define LEARN_TORCH_H\n')
print('enum { ADAM_STEPS = %d, ADAM_WEIGHTS = %d };' % (STEPS, WEIGHTS))
print('#define TORCH_SHAPE (PixShape){%d, %d, %d, %d}' % SHAPE)
adam()
losses()
statistics()
print('\n#endif')
