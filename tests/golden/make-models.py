#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Makes the small checkpoints of tests/golden/models and what PyTorch computes with them.

For every network there is a checkpoint, in the form in which its project saves it, and a file
NAME.io.safetensors with an input `x` and the outputs `y_eval` (running statistics) and `y_batch`
(statistics of the batch), dropout off, RGB whatever the network was trained on. Made with PyTorch
1.13; the files are committed, so that the tests need no PyTorch.
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
        data = np.ascontiguousarray(tensor.detach().numpy(), np.float32)
        header[name] = {'dtype': 'F32', 'shape': list(data.shape),
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
        elif isinstance(m, (nn.BatchNorm2d, nn.InstanceNorm2d)) and m.affine:
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


def turned(x):
    """RGB <-> BGR, in every three channels."""
    n, c, h, w = x.shape
    return x.reshape(n, c // 3, 3, h, w).flip(2).reshape(x.shape) if c % 3 == 0 else x


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


def make(io, model, x, bgr=False):
    """Gives @model weights, writes @io.io.safetensors, returns its state dict."""
    seen = turned(x) if bgr else x
    settle(model, seen)
    y = check(os.path.basename(io), model, seen)
    if bgr and y['eval'].shape[1] % 3 == 0:
        y = {mode: turned(value) for mode, value in y.items()}
    tensors = {'x': x, 'y_eval': y['eval'], 'y_batch': y['batch']}
    if not any(isinstance(m, nn.BatchNorm2d) for m in model.modules()):
        del tensors['y_eval']  # it is the same
    save_safetensors(io + '.io.safetensors', tensors)
    return model.state_dict()


def save_native(path, state, **settings):
    """As engine/io/checkpoint-format.md has it, at fp32."""
    words = {'in_channels': 3, 'out_channels': 3, 'norm': 'batch', 'affine': 'true',
             'running': 'true', 'bias': 'false', 'skips': 'true', 'inner_norm': 'false',
             'dropout': 'false', 'pad': 'zero', 'statistics': 'frame', 'width': 256,
             'height': 256, 'colours': 'rgb', 'precision': 'fp32', 'format': '1.0', **settings}
    if words['norm'] == 'instance':
        words.update(affine='false', running='false', bias='true')
    save_safetensors(path + '.safetensors',
                     {k: v for k, v in state.items() if 'num_batches_tracked' not in k},
                     {'pix2pix.' + k: str(v) for k, v in words.items()})


def make_native(at):
    state = make(at('unet32'), net.JunyanzUnet(5, 4), picture(1, 3, 32, 32))
    save_native(at('unet32'), state, architecture='unet', filters=4, depth=5, width=32, height=32,
                dropout='true')
    state = make(at('unet32_1to3'), net.JunyanzUnet(5, 1, cin=1), picture(1, 1, 32, 32))
    save_native(at('unet32_1to3'), state, architecture='unet', filters=1, depth=5, in_channels=1,
                width=32, height=32, dropout='true')
    state = make(at('resnet2'), net.JunyanzResnet(2, 4), picture(1, 3, 32, 32))
    save_native(at('resnet2'), state, architecture='resnet', filters=4, depth=2, norm='instance',
                pad='reflect')
    state = make(at('patchgan'), net.JunyanzPatchGAN(6, 2), picture(1, 6, 32, 32))
    save_native(at('patchgan'), state, architecture='patchgan', filters=2, depth=3, in_channels=6,
                out_channels=1)
    model = net.JunyanzResnet(1, 2, norm='batch', pad='replicate')
    state = make(at('resnet_replicate'), model, picture(2, 3, 12, 16))
    save_native(at('resnet_replicate'), state, architecture='resnet', filters=2, depth=1,
                pad='replicate')


def save_legacy(state, path):
    """As PyTorch 0.3 did: no counters either."""
    torch.save({k: v for k, v in state.items() if 'num_batches_tracked' not in k}, path,
               _use_new_zipfile_serialization=False)


def prefixed(prefix, state):
    return {prefix + key: value for key, value in state.items()}


def make_junyanz(at):
    def one(name, model, x, save=torch.save):
        save(make(at(name), model, x), at(name) + '.pth')

    one('unet_dropout', net.JunyanzUnet(6, 1, cin=1, cout=1), picture(1, 1, 64, 64),
        save_legacy)
    one('unet_batch_legacy', net.JunyanzUnet(3, 2), picture(2, 3, 16, 24), save_legacy)
    one('unet_instance', net.JunyanzUnet(3, 2, 'instance'), picture(2, 3, 16, 24))
    one('unet_old_instance', net.JunyanzUnet(3, 2, 'old instance'), picture(2, 3, 16, 24),
        save_legacy)
    one('unet_none', net.JunyanzUnet(3, 2, 'none', cin=4, cout=2),
        picture(2, 4, 16, 16))
    one('unet_module', net.JunyanzUnet(3, 2), picture(1, 3, 16, 16),
        lambda state, path: torch.save(prefixed('module.', state), path))
    one('unet_compiled', net.JunyanzUnet(3, 2), picture(1, 3, 16, 16),
        lambda state, path: torch.save({'module.' + k.replace('model.', 'model._orig_mod.', 1): v
                                        for k, v in state.items()}, path))
    one('encoder_decoder', net.JunyanzUnet(3, 2, skips=False), picture(2, 3, 16, 16))
    one('resnet_batch_dropout', net.JunyanzResnet(1, 2, 'batch', drop=True),
        picture(2, 3, 12, 16))
    one('resnet_instance', net.JunyanzResnet(3, 2), picture(1, 3, 16, 12))
    one('resnet_old_instance', net.JunyanzResnet(1, 2, 'old instance'), picture(1, 3, 16, 12),
        save_legacy)
    one('resnet_none', net.JunyanzResnet(1, 2, 'none'), picture(1, 3, 16, 12))
    one('resnet_noblocks', net.JunyanzResnet(0, 2, cin=1, cout=1), picture(1, 1, 16, 12))
    one('resnet_zero', net.JunyanzResnet(1, 2, 'batch', pad='zero'), picture(1, 3, 16, 12))
    one('resnet_zero_dropout', net.JunyanzResnet(1, 2, pad='zero', drop=True),
        picture(1, 3, 16, 12))
    one('patchgan_instance', net.JunyanzPatchGAN(3, 1, 4, 'instance'), picture(1, 3, 48, 48))
    one('patchgan_none', net.JunyanzPatchGAN(3, 2, 2, 'none'), picture(1, 3, 16, 16))
    one('patchgan_one', net.JunyanzPatchGAN(6, 2, 1), picture(2, 6, 16, 16))
    one('pixelgan_batch', net.JunyanzPixelGAN(6, 4), picture(2, 6, 8, 8))
    one('pixelgan_instance', net.JunyanzPixelGAN(3, 4, 'instance'), picture(1, 3, 8, 8))


def mm_file(networks, path):
    """@networks: 'generators.photo' -> state dict. As MMagic writes it, much shortened."""
    state = {}
    for prefix, weights in networks.items():
        state.update(prefixed(prefix + '.', weights))
    optimizer = {'generators': {'state': {0: {'step': 1, 'exp_avg': torch.zeros(2)}},
                                'param_groups': [{'lr': 2e-4, 'betas': (0.5, 0.999),
                                                  'params': [0]}]}}
    torch.save({'meta': {'epoch': 1, 'iter': np.int64(20), 'experiment_name': 'golden'},
                'message_hub': {'lr': np.ones(3)}, 'state_dict': state, 'optimizer': optimizer},
               path)


def make_mm(at):
    def one(name, model, x):
        return make(at(name), model, x, bgr=True)

    mm_file({'generators.photo': one('mm_pix2pix', net.MmUnet(3, 2), picture(1, 3, 16, 24)),
             'discriminators.photo': one('mm_pix2pix.discriminator', net.MmPatchGAN(6, 1),
                                         picture(1, 6, 32, 32))},
            at('mm_pix2pix') + '.pth')
    wide = picture(1, 3, 16, 12)
    mm_file({'generators.module.horse': one('mm_cyclegan.horse', net.MmResnet(2, 2), wide),
             'generators.module.zebra': one('mm_cyclegan.zebra', net.MmResnet(2, 2), wide),
             'discriminators.module.horse': one('mm_cyclegan.discriminator',
                                                net.MmPatchGAN(3, 2, 1, 'instance'), wide)},
            at('mm_cyclegan') + '.pth')
    mm_file({'generators.map': one('mm_resnet_dropout', net.MmResnet(1, 2, 'batch', drop=True),
                                   picture(2, 3, 16, 12))},
            at('mm_resnet_dropout') + '.pth')
    mm_file({'generators.photo': one('mm_unet_instance', net.MmUnet(3, 2, 'instance', cin=1),
                                     picture(2, 1, 16, 16))},
            at('mm_unet_instance') + '.pth')


def make_cryer(at):
    # It takes no smaller image than 256x256. To keep the files small it has one channel, `x` is to
    # be enlarged, and of the output only every eighth row is there.
    small = picture(1, 1, 64, 64)
    x = F.interpolate(small, scale_factor=4, mode='nearest')
    model = settle(net.CryerUnet(1, 1, 1), x)
    y = check('cryer', model, x)
    torch.save(model.state_dict(), at('cryer') + '.pth')
    save_safetensors(at('cryer') + '.io.safetensors',
                     {'x': small, 'y_batch': y['batch'][:, :, ::8]})
    torch.save(make(at('cryer_discriminator'), net.CryerPatchGAN(2), picture(1, 6, 32, 32)),
               at('cryer_discriminator') + '.pth')


def make_pict(at):
    model = net.Affinelayer(4, 2)
    names = sorted(model.variables)
    top = max(v.abs().max().item() for v in model.variables.values())
    centres = (np.arange(256) + 0.5) / 128 - 1
    codebook = np.float32(np.sign(centres) * (256 ** np.abs(centres) - 1) / 255 * top)
    codes = {}
    for name in names:
        values = model.variables[name].numpy()
        codes[name] = np.abs(values[..., None] - codebook).argmin(-1).astype(np.uint8)
        model.variables[name] = torch.from_numpy(codebook[codes[name]])
    shapes = json.dumps([{'name': n, 'shape': list(codes[n].shape)} for n in names]).encode()
    with open(at('affinelayer') + '.pict', 'wb') as file:
        for chunk in (shapes, codebook.tobytes(), b''.join(codes[n].tobytes() for n in names)):
            file.write(struct.pack('>I', len(chunk)) + chunk)
    x = picture(2, 3, 32, 16)
    save_safetensors(at('affinelayer') + '.io.safetensors', {'x': x, 'y_batch': model(x)})


def make_wrapped(at):
    """One small network in everything that people put around it."""
    state = make(at('wrapped'), net.JunyanzUnet(2, 2), picture(1, 3, 8, 8))
    other = {k: v + 1 if v.dtype.is_floating_point else v for k, v in state.items()}
    patchgan = net.JunyanzPatchGAN(3, 1, 1).state_dict()
    save_safetensors(at('wrapped') + '.safetensors',
                     {k: v for k, v in state.items() if 'num_batches' not in k})
    for key in 'state_dict', 'model_state_dict', 'generator', 'mine':
        torch.save({'epoch': 3, key: state}, at('wrapped_' + key) + '.pth')
    torch.save({'epoch': 3, 'G': state, 'D': patchgan, 'lr': torch.tensor(2e-4)},
               at('wrapped_pair') + '.pth')
    torch.save({'netG_A': state, 'netG_B': other}, at('wrapped_two') + '.pth')
    torch.save({'netG': state, 'average': {'netG': other}}, at('wrapped_average') + '.pth')
    torch.save({'state_dict': {**prefixed('netG.', state), **prefixed('netD.', patchgan)},
                'global_step': 7}, at('wrapped_lightning') + '.pth')
    torch.save({k: nn.Parameter(v) if v.dtype.is_floating_point else v for k, v in state.items()},
               at('wrapped_parameters') + '.pth')
    torch.save({k: v.to(memory_format=torch.channels_last) if v.dim() == 4 else v
                for k, v in state.items()}, at('wrapped_channels_last') + '.pth')


def make_affine_instance(at):
    """As some forks have it; two pictures, because with one it cannot be told from batch norm."""
    for name, model in (('unet_affine_instance', net.JunyanzUnet(3, 2, 'affine instance')),
                        ('resnet_affine_instance', net.JunyanzResnet(1, 2, 'affine instance'))):
        torch.save(make(at(name), model, picture(2, 3, 16, 24)), at(name) + '.pth')
    mm_file({'generators.photo': make(at('mm_affine_instance'), net.MmUnet(3, 2, 'affine instance'),
                                      picture(2, 3, 16, 24), bgr=True)},
            at('mm_affine_instance') + '.pth')


def make_prefixed(at):
    """The same small network as part of other modules, as people's programs name them."""
    state = torch.load(at('wrapped_mine') + '.pth')['mine']
    patchgan = net.JunyanzPatchGAN(3, 1, 1).state_dict()
    for name, prefix in (('net', 'net.'), ('gen_net', 'gen.net.'), ('model', 'model.'),
                         ('model_netg', 'model.netG.'), ('list', 'net.0.')):
        torch.save(prefixed(prefix, state), at('prefixed_' + name) + '.pth')
    torch.save({**prefixed('model.G.', state), **prefixed('model.D.', patchgan)},
               at('prefixed_pair') + '.pth')
    resnet = net.JunyanzResnet(0, 1, cin=1, cout=1).state_dict()
    torch.save({**prefixed('model.', resnet), **prefixed('model.D.', patchgan)},
               at('prefixed_resnet') + '.pth')


def make_not_tensors(at):
    """Something else where the weight of a network should be."""
    state = torch.load(at('wrapped_mine') + '.pth')['mine']
    key, arrays = 'model.model.1.model.1.weight', {k: v.numpy() for k, v in state.items()}
    others = {'numpy': arrays[key], 'none': None, 'list': state[key].tolist(), 'number': 1.5,
              'complex': state[key].to(torch.cfloat), 'sparse': state[key].to_sparse(),
              'expanded': torch.ones(1).expand(state[key].shape)}
    for name, value in others.items():
        torch.save({'module.' + k: value if k == key else v for k, v in state.items()},
                   at('not_a_tensor_' + name) + '.pth')
    torch.save({'module.' + k: arrays[k] if k == 'model.model.0.weight' else v
                for k, v in state.items()}, at('not_a_tensor_first') + '.pth')
    torch.save({'epoch': 3, 'state_dict': arrays}, at('not_a_tensor_all') + '.pth')


def main(folder):
    os.makedirs(folder, exist_ok=True)
    torch.set_num_threads(1)
    torch.manual_seed(1)
    for make_some in make_native, make_junyanz, make_mm, make_cryer, make_pict, make_wrapped, \
            make_affine_instance, make_prefixed, make_not_tensors:
        make_some(lambda name: os.path.join(folder, name))


if __name__ == '__main__':
    main(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), 'models'))
