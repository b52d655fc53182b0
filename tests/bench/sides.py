# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the comparisons have in common: how both sides are run."""
import json
import os
import subprocess
import sys

here = os.path.dirname(os.path.abspath(__file__))
NO_GPU = {'CUDA_VISIBLE_DEVICES': '', 'PIX2PIX_DEVICE': 'cpu'}


class Failed(Exception):
    """A side that could not be measured; its text says why."""


class Lacking(Failed):
    """It cannot be measured here, and nothing is wrong."""


def output_of(*command, env=None):
    name = os.path.basename(str(command[0]))
    try:
        result = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True,
                                env={**os.environ, **(env or {})})
    except OSError as error:
        raise Failed(f'{name}: {error.strerror}') from error
    if result.returncode:
        lines = result.stderr.strip().splitlines() or [f'exit status {result.returncode}']
        raise Failed(f'{name}: {lines[-1][:300]}')
    return result.stdout


def torch(script, *arguments, env=None):
    """The objects that one of the scripts here prints."""
    text = output_of(sys.executable, os.path.join(here, script), *arguments, env=env)
    return [json.loads(line) for line in text.splitlines() if line.startswith('{')]


def ours(pix2pix, *arguments, env=None):
    return json.loads(output_of(pix2pix, 'bench', *arguments, '--json', env=env))
