# SPDX-License-Identifier: LGPL-2.1-or-later
"""
The networks whose checkpoints people have, with the module names that those checkpoints use.

Junyanz: pytorch-CycleGAN-and-pix2pix.  Mm: MMGeneration and MMagic.  Cryer: cryer/pix2pix.
Affinelayer: the TensorFlow port, in TensorFlow's own arrangement of kernels.
Nothing here is tuned for use; it only has to compute what the published networks compute.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F


def norm_of(kind, channels):
    return {'batch': nn.BatchNorm2d, 'instance': nn.InstanceNorm2d,
            'old instance': lambda c: nn.InstanceNorm2d(c, track_running_stats=True),
            'affine instance': lambda c: nn.InstanceNorm2d(c, affine=True),
            'none': lambda c: nn.Identity()}[kind](channels)


def has_bias(kind):
    return 'instance' in kind


def widths(downs, ngf):
    """Output channels of every down convolution of a U-Net."""
    return [ngf * min(2 ** i, 8) for i in range(downs)]


class JunyanzBlock(nn.Module):
    def __init__(self, outer, inner, norm, skips, cin=None, sub=None, drop=False):
        super().__init__()
        self.outermost, self.skips = cin is not None, skips
        down = nn.Conv2d(cin or outer, inner, 4, 2, 1, bias=has_bias(norm))
        wide = inner * 2 if sub and skips else inner
        up = nn.ConvTranspose2d(wide, outer, 4, 2, 1, bias=has_bias(norm) or self.outermost)
        if self.outermost:
            layers = [down, sub, nn.ReLU(True), up, nn.Tanh()]
        elif sub is None:
            layers = [nn.LeakyReLU(0.2, True), down, nn.ReLU(True), up, norm_of(norm, outer)]
        else:
            layers = [nn.LeakyReLU(0.2, True), down, norm_of(norm, inner), sub,
                      nn.ReLU(True), up, norm_of(norm, outer)] + [nn.Dropout(0.5)] * drop
        self.model = nn.Sequential(*layers)

    def forward(self, x):
        # The first module of a block works in place, so that the skip carries what it leaves.
        y = self.model(x)
        return y if self.outermost or not self.skips else torch.cat([x, y], 1)


class JunyanzUnet(nn.Module):
    def __init__(self, downs, ngf, norm='batch', cin=3, cout=3, drop=True, skips=True):
        super().__init__()
        c = widths(downs, ngf)
        block = JunyanzBlock(c[-2], c[-1], norm, skips)
        for level in range(downs - 2, 0, -1):
            middle = drop and 4 <= level
            block = JunyanzBlock(c[level - 1], c[level], norm, skips, sub=block, drop=middle)
        self.model = JunyanzBlock(cout, c[0], norm, skips, cin=cin, sub=block)

    def forward(self, x):
        return self.model(x)


def pad_of(mode):
    return {'reflect': [nn.ReflectionPad2d(1)], 'replicate': [nn.ReplicationPad2d(1)],
            'zero': []}[mode]


class JunyanzResidual(nn.Module):
    def __init__(self, c, norm, pad, drop):
        super().__init__()
        zero = int(pad == 'zero')
        half = lambda: pad_of(pad) + [nn.Conv2d(c, c, 3, 1, zero, bias=has_bias(norm)),
                                      norm_of(norm, c)]
        self.conv_block = nn.Sequential(*half(), nn.ReLU(True), *[nn.Dropout(0.5)] * drop, *half())

    def forward(self, x):
        return x + self.conv_block(x)


class JunyanzResnet(nn.Module):
    def __init__(self, blocks, ngf, norm='instance', cin=3, cout=3, drop=False, pad='reflect'):
        super().__init__()
        b = has_bias(norm)
        layers = [nn.ReflectionPad2d(3), nn.Conv2d(cin, ngf, 7, bias=b), norm_of(norm, ngf),
                  nn.ReLU(True)]
        for c in ngf, ngf * 2:
            layers += [nn.Conv2d(c, c * 2, 3, 2, 1, bias=b), norm_of(norm, c * 2), nn.ReLU(True)]
        layers += [JunyanzResidual(ngf * 4, norm, pad, drop) for _ in range(blocks)]
        for c in ngf * 4, ngf * 2:
            layers += [nn.ConvTranspose2d(c, c // 2, 3, 2, 1, 1, bias=b), norm_of(norm, c // 2),
                       nn.ReLU(True)]
        layers += [nn.ReflectionPad2d(3), nn.Conv2d(ngf, cout, 7), nn.Tanh()]
        self.model = nn.Sequential(*layers)

    def forward(self, x):
        return self.model(x)


class JunyanzPatchGAN(nn.Module):
    def __init__(self, cin, ndf, layers=3, norm='batch'):
        super().__init__()
        modules, c = [nn.Conv2d(cin, ndf, 4, 2, 1), nn.LeakyReLU(0.2, True)], ndf
        for i in range(1, layers + 1):
            wide = ndf * min(2 ** i, 8)
            modules += [nn.Conv2d(c, wide, 4, 2 if i < layers else 1, 1, bias=has_bias(norm)),
                        norm_of(norm, wide), nn.LeakyReLU(0.2, True)]
            c = wide
        self.model = nn.Sequential(*modules, nn.Conv2d(c, 1, 4, 1, 1))

    def forward(self, x):
        return self.model(x)


class JunyanzPixelGAN(nn.Module):
    def __init__(self, cin, ndf, norm='batch'):
        super().__init__()
        b = has_bias(norm)
        self.net = nn.Sequential(
            nn.Conv2d(cin, ndf, 1), nn.LeakyReLU(0.2, True), nn.Conv2d(ndf, ndf * 2, 1, bias=b),
            norm_of(norm, ndf * 2), nn.LeakyReLU(0.2, True), nn.Conv2d(ndf * 2, 1, 1, bias=b))

    def forward(self, x):
        return self.net(x)


class MmConv(nn.Module):
    """A convolution with its norm and activation: `conv`, `bn`. @before: activation comes first."""

    def __init__(self, conv, norm=None, act=None, before=False, pad=None):
        super().__init__()
        self.conv, self.act, self.before, self.pad = conv, act, before, pad
        if norm == 'batch':
            self.bn = nn.BatchNorm2d(conv.out_channels)
        if norm == 'affine instance':
            self.add_module('in', nn.InstanceNorm2d(conv.out_channels, affine=True))
        self.instance = norm == 'instance'

    def forward(self, x):
        if self.before:
            x = self.act(x)
        if self.pad:
            x = F.pad(x, [self.pad] * 4, 'reflect')
        x = self.conv(x)
        norm = getattr(self, 'bn', getattr(self, 'in', None))
        x = norm(x) if norm else F.instance_norm(x) if self.instance else x
        return x if self.before or self.act is None else self.act(x)


class MmBlock(nn.Module):
    def __init__(self, outer, inner, norm, cin=None, sub=None):
        super().__init__()
        self.outermost, b = cin is not None, has_bias(norm)
        down = nn.Conv2d(cin or outer, inner, 4, 2, 1, bias=b)
        up = nn.ConvTranspose2d(inner * (2 if sub else 1), outer, 4, 2, 1, bias=b or self.outermost)
        relu, leaky = nn.ReLU(), nn.LeakyReLU(0.2)
        if self.outermost:
            layers = [MmConv(down), sub, MmConv(up, act=relu, before=True), nn.Tanh()]
        elif sub is None:
            layers = [MmConv(down, act=leaky, before=True), MmConv(up, norm, relu, True)]
        else:
            layers = [MmConv(down, norm, leaky, True), sub, MmConv(up, norm, relu, True)]
        self.model = nn.Sequential(*layers)

    def forward(self, x):
        return self.model(x) if self.outermost else torch.cat([x, self.model(x)], 1)


class MmUnet(nn.Module):
    def __init__(self, downs, ngf, norm='batch', cin=3, cout=3):
        super().__init__()
        c = widths(downs, ngf)
        block = MmBlock(c[-2], c[-1], norm)
        for level in range(downs - 2, 0, -1):
            block = MmBlock(c[level - 1], c[level], norm, sub=block)
        self.model = MmBlock(cout, c[0], norm, cin=cin, sub=block)

    def forward(self, x):
        return self.model(x)


class MmResidual(nn.Module):
    def __init__(self, c, norm, drop):
        super().__init__()
        conv = lambda: nn.Conv2d(c, c, 3, bias=has_bias(norm))
        self.block = nn.Sequential(MmConv(conv(), norm, nn.ReLU(), pad=1),
                                   *[nn.Dropout(0.5)] * drop, MmConv(conv(), norm, pad=1))

    def forward(self, x):
        return x + self.block(x)


class MmResnet(nn.Module):
    def __init__(self, blocks, ngf, norm='instance', cin=3, cout=3, drop=False):
        super().__init__()
        b, relu = has_bias(norm), nn.ReLU()
        layers = [MmConv(nn.Conv2d(cin, ngf, 7, bias=b), norm, relu, pad=3)]
        layers += [MmConv(nn.Conv2d(c, c * 2, 3, 2, 1, bias=b), norm, relu)
                   for c in (ngf, ngf * 2)]
        layers += [MmResidual(ngf * 4, norm, drop) for _ in range(blocks)]
        layers += [MmConv(nn.ConvTranspose2d(c, c // 2, 3, 2, 1, 1, bias=b), norm, relu)
                   for c in (ngf * 4, ngf * 2)]
        layers += [MmConv(nn.Conv2d(ngf, cout, 7), act=nn.Tanh(), pad=3)]
        self.model = nn.Sequential(*layers)

    def forward(self, x):
        return self.model(x)


class MmPatchGAN(nn.Module):
    def __init__(self, cin, ndf, layers=3, norm='batch'):
        super().__init__()
        leaky, c = nn.LeakyReLU(0.2), ndf
        modules = [MmConv(nn.Conv2d(cin, ndf, 4, 2, 1), act=leaky)]
        for i in range(1, layers + 1):
            wide = ndf * min(2 ** i, 8)
            conv = nn.Conv2d(c, wide, 4, 2 if i < layers else 1, 1, bias=has_bias(norm))
            modules, c = modules + [MmConv(conv, norm, leaky)], wide
        self.model = nn.Sequential(*modules, nn.Conv2d(c, 1, 4, 1, 1))

    def forward(self, x):
        return self.model(x)


class CryerDown(nn.Module):
    def __init__(self, c, oc, norm):
        super().__init__()
        self.model = nn.Sequential(nn.Conv2d(c, oc, 4, 2, 1, bias=False),
                                   *[nn.InstanceNorm2d(oc)] * norm, nn.LeakyReLU(0.2))

    def forward(self, x):
        return self.model(x)


class CryerUp(nn.Module):
    def __init__(self, c, oc, drop):
        super().__init__()
        self.model = nn.Sequential(nn.ConvTranspose2d(c, oc, 4, 2, 1, bias=False),
                                   nn.InstanceNorm2d(oc), nn.ReLU(), *[nn.Dropout(0.5)] * drop)

    def forward(self, x, skip):
        return torch.cat([self.model(x), skip], 1)


class CryerUnet(nn.Module):
    def __init__(self, ngf, cin=3, cout=3):
        super().__init__()
        c = widths(8, ngf)
        for k in range(8):
            setattr(self, f'downsample{k + 1}',
                    CryerDown(c[k - 1] if k else cin, c[k], norm=0 < k < 7))
        for k in range(7):
            into = c[7] if k == 0 else c[7 - k] * 2
            setattr(self, f'upsample{k + 1}', CryerUp(into, c[6 - k], drop=k < 4))
        self.final = nn.Sequential(nn.Upsample(scale_factor=2), nn.ZeroPad2d((1, 0, 1, 0)),
                                   nn.Conv2d(ngf * 2, cout, 4, padding=1), nn.Tanh())

    def forward(self, x):
        skips = []
        for k in range(8):
            x = getattr(self, f'downsample{k + 1}')(x)
            skips.append(x)
        for k in range(7):
            x = getattr(self, f'upsample{k + 1}')(x, skips[6 - k])
        return self.final(x)


class CryerPatchGAN(nn.Module):
    def __init__(self, ndf, cin=6):
        super().__init__()
        layers, c = [nn.Conv2d(cin, ndf, 4, 2, 1), nn.LeakyReLU(0.2)], ndf
        for _ in range(3):
            layers += [nn.Conv2d(c, c * 2, 4, 2, 1), nn.InstanceNorm2d(c * 2), nn.LeakyReLU(0.2)]
            c *= 2
        self.model = nn.Sequential(*layers, nn.ZeroPad2d((1, 0, 1, 0)),
                                   nn.Conv2d(c, 1, 4, padding=1, bias=False))

    def forward(self, x):
        return self.model(x)


class Affinelayer:
    """The port's generator as functions on its variables. @variables: name -> TensorFlow array."""

    def __init__(self, downs, ngf, cin=3, cout=3):
        c, self.downs, self.variables = widths(downs, ngf), downs, {}
        for k in range(1, downs + 1):
            self.layer(f'encoder_{k}/conv2d', (4, 4, c[k - 2] if k > 1 else cin, c[k - 1]),
                       norm=k > 1)
        for k in range(downs, 0, -1):
            into = c[k - 1] * (1 if k == downs else 2)
            self.layer(f'decoder_{k}/conv2d_transpose', (4, 4, c[k - 2] if k > 1 else cout, into),
                       norm=k > 1)

    def layer(self, name, shape, norm):
        transposed = 'transpose' in name
        oc, c = shape[2:] if transposed else shape[:1:-1]
        scope = 'generator/' + name.split('/')[0]
        scale = (2 / (c * (4 if transposed else 16))) ** 0.5
        self.variables[f'generator/{name}/kernel'] = torch.randn(shape) * scale
        self.variables[f'generator/{name}/bias'] = torch.randn(oc) * 0.1
        if norm:
            self.variables[f'{scope}/batch_normalization/gamma'] = 1 + 0.1 * torch.randn(oc)
            self.variables[f'{scope}/batch_normalization/beta'] = 0.1 * torch.randn(oc)

    def norm(self, x, scope):
        v = self.variables
        return F.batch_norm(x, None, None, v[f'{scope}/batch_normalization/gamma'],
                            v[f'{scope}/batch_normalization/beta'], training=True, eps=1e-5)

    def __call__(self, x):
        v, skips = self.variables, []
        for k in range(1, self.downs + 1):
            scope = f'generator/encoder_{k}'
            kernel = v[f'{scope}/conv2d/kernel'].permute(3, 2, 0, 1)
            x = F.conv2d(F.leaky_relu(x, 0.2) if k > 1 else x, kernel, v[f'{scope}/conv2d/bias'],
                         2, 1)
            x = self.norm(x, scope) if k > 1 else x
            skips.append(x)
        for k in range(self.downs, 0, -1):
            scope = f'generator/decoder_{k}'
            x = x if k == self.downs else torch.cat([x, skips[k - 1]], 1)
            kernel = v[f'{scope}/conv2d_transpose/kernel'].permute(3, 2, 0, 1)
            x = F.conv_transpose2d(F.relu(x), kernel, v[f'{scope}/conv2d_transpose/bias'], 2, 1)
            x = self.norm(x, scope) if k > 1 else torch.tanh(x)
        return x
