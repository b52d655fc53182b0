# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Which precisions `auto` is measured with. An error says something only of real weights and pictures, and
a time nothing of either: the mix is chosen for trained models and timed on random weights, too.
"""
import glob
import json
import os
import shlex
import shutil
import sys

import sides

FACADES = os.path.join(sides.here, '../../models/facades.safetensors')


def pictures(b):
    """What follows --calibrate: a folder of label maps, and options."""
    if os.environ.get('CALIBRATE'):
        return shlex.split(os.environ['CALIBRATE'])
    if not b.quick:
        raise sides.Lacking('no pictures to choose precisions by: name them in CALIBRATE')
    os.makedirs(b.path('labels'), exist_ok=True)
    for path in glob.glob(os.path.join(sides.here, '../../examples/facades/[0-9]*.png')):
        shutil.copy(path, b.path('labels'))
    return [b.path('labels')]


def mix_of(b, model, words):
    """Writes @model with a mix.  Returns: what its file says of it, and how long a frame takes."""
    print(f'measuring which precisions keep {os.path.basename(model)} on {words[0]}',
          file=sys.stderr)
    file = b.path(os.path.splitext(os.path.basename(model))[0] + '-mix.safetensors')
    sides.output_of(b.pix2pix, 'convert', model, file, '--threads', b.threads, '--precision',
                    'auto', '--calibrate', *words, env=sides.NO_GPU)
    info = json.loads(sides.output_of(b.pix2pix, 'info', '--json', file))
    if not info.get('mix'):
        raise sides.Lacking(f'no mix of precisions is faster and close enough for {model}')
    return {'model': model, 'file': file, 'ms': b.ours(20, file, '--precision', 'auto')['ms'],
            **{key: info[key] for key in ('mix', 'mix_psnr', 'mix_pictures')}}


def choose(b, plain, out):
    """
    Writes @plain, of random weights, as @out with the mix of the shipped model, or of one that
    CALIBRATE_MODELS names, which is slowest.  Returns: all of them, that one first.
    """
    words = pictures(b)
    models = [FACADES] + shlex.split(os.environ.get('CALIBRATE_MODELS', ''))
    mixes = sorted((mix_of(b, model, words) for model in models), key=lambda mix: -mix['ms'])
    native = out + '.part'
    sides.output_of(b.pix2pix, 'convert', plain, native)
    sides.output_of(sys.executable, os.path.join(sides.here, 'take-mix.py'), mixes[0]['file'],
                    native, out)
    os.remove(native)
    return {'pictures': words, 'mixes': mixes}


def describe(auto):
    """Lines of text."""
    for mix in auto['mixes']:
        taken = ', the slowest: taken' if len(auto['mixes']) > 1 and mix is auto['mixes'][0] else ''
        yield (f'auto of {os.path.basename(mix["model"])}: {mix["mix_psnr"]:.1f} dB on the worst of '
               f'{mix["mix_pictures"]} pictures of {" ".join(auto["pictures"])}, '
               f'{mix["ms"]:.2f} ms{taken}')
