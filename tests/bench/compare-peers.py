#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Runs pix2pix and its peers on the CPU in turn, and prints how they compare.
Usage: compare-peers.py BUILD PEERS ROUNDS THREADS QUICK RESULT   see tests/bench-peers.sh
BUILD: a build folder.  PEERS: where onnxruntime-node and the models are.  QUICK: 1: only that it works.
Writes RESULT.json and RESULT.svg.
"""
import json
import os
import platform
import sys
from statistics import median

import mixes
import peer_rows
import ratios
import sides


def measure(row, ours, theirs):
    """One round; what is known before a side fails is kept."""
    mine = ours()
    if 'ms' in mine:
        row['ours_ms'].append(mine['ms'])
    row['bench'] = mine.get('bench')  # with every layer
    if theirs:
        other = theirs()
        row['theirs_ms'].append(other['ms'])
    row['ratios'].append(mine['ms'] / other['ms'] if theirs else mine['ratio'])
    row['ratio'] = median(row['ratios'])


def measure_all(rows, left_out, done):
    """A round: ours, theirs, ours, theirs. @left_out: why, by name; failures join it. @done: by name."""
    for name, limit, ours, theirs in rows:
        if name in left_out:
            continue
        row = done.setdefault(name, {'name': name, 'limit': limit, 'peer': theirs is not None,
                                     'ours_ms': [], 'theirs_ms': [], 'ratios': []})
        try:
            measure(row, ours, theirs)
        except sides.Failed as failure:
            left_out[name] = failure


def first_line(*command):
    try:
        return sides.output_of(*command).splitlines()[0]
    except (sides.Failed, IndexError):
        return None


def versions(b):
    runtime = b.path('node_modules/onnxruntime-node/package.json')
    return {'pix2pix': first_line('git', '-C', sides.here, 'describe', '--always', '--dirty'),
            'ONNX Runtime': first_line('node', '-p', 'require(process.argv[1]).version', runtime),
            'node': first_line('node', '--version'),
            'PyTorch': first_line(sys.executable, '-c', 'import torch; print(torch.__version__)')}


def machine(b):
    devices = json.loads(sides.output_of(b.pix2pix, 'devices', '--json', env=sides.NO_GPU))
    return {'processor': devices['devices'][0]['name'],
            'processors': len(os.sched_getaffinity(0)), 'system': platform.platform()}


# ---- telling ----

def numbers_of(row):
    if not row['peer']:
        return f'{"":21} {row["ratio"]:7.2f} {">=":>2}{row["limit"]:5.2f}'
    return (f'{median(row["theirs_ms"]):10.2f} {median(row["ours_ms"]):10.2f} {row["ratio"]:7.2f} '
            f'{"<=":>2}{row["limit"]:5.2f}')


def print_table(rows, left_out, title):
    print(title)
    width = max(len(name) for name in list(rows) + list(left_out))
    print(f'{"":{width}} {"theirs ms":>10} {"ours ms":>10} {"ratio":>7} {"limit":>7} {"rounds":>12}')
    for name, row in rows.items():
        if name not in left_out:
            print(f'{name:{width}} {numbers_of(row)} {min(row["ratios"]):7.2f}-'
                  f'{max(row["ratios"]):.2f}')
    for name, reason in left_out.items():
        ours = rows.get(name, {}).get('ours_ms')
        took = f'; ours took {median(ours):.2f} ms' if ours else ''
        print(f'{name:{width}} left out: {reason}{took}')


def write(path, told, rows, left_out, title):
    """Whole, or not at all: this is done after each round, and the last may be the one interrupted."""
    told = {**told, 'rows': list(rows.values()),
            'left_out': {name: str(reason) for name, reason in left_out.items()}}
    drawn = [row for name, row in rows.items() if row['peer'] and name not in left_out]
    for file, text in ((path + '.json', json.dumps(told, indent=1)),
                       (path + '.svg', ratios.draw(drawn, title))):
        with open(file + '.part', 'w') as written:
            written.write(text)
        os.replace(file + '.part', file)


def main(build, peers, rounds, threads, quick, result):
    b = peer_rows.Bench(build, peers, threads, quick == '1')
    rows, left_out, auto, done = peer_rows.rows_of(b), {}, {}, {}
    try:
        auto = mixes.choose(b, b.weights('unet_256', 64), b.path('unet_256-64-mix.safetensors'))
        b.element_model = auto['mixes'][0]['file']
    except sides.Failed as failure:
        left_out = {row[0]: failure for row in rows if ', auto' in row[0]}
    command = f'sh tests/bench-peers.sh {"--quick " if b.quick else ""}{rounds} {threads}'
    told = {'command': command, 'machine': machine(b), 'versions': versions(b),
            'threads': int(threads), 'quick': b.quick, 'auto': auto}
    for i in range(int(rounds)):
        print(f'round {i + 1} of {rounds}', file=sys.stderr)
        measure_all(rows, left_out, done)
        title = (f'{told["machine"]["processor"]}, {threads} threads: medians of {i + 1} '
                 f'round{"s" if i else ""} of both in turn')
        write(result, {**told, 'rounds': i + 1}, done, left_out, title)
    print_table(done, left_out, title)
    if auto:
        print('\n'.join(mixes.describe(auto)))
    print(f'{result}.json: every round and layer; {result}.svg: the ratios drawn')
    return any(not isinstance(reason, sides.Lacking) for reason in left_out.values())


if __name__ == '__main__':
    if len(sys.argv) != 7:
        sys.exit(__doc__.strip())
    try:
        sys.exit(main(*sys.argv[1:]))
    except sides.Failed as reason:
        sys.exit(f'compare-peers: {reason}')
