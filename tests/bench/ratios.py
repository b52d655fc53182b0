# SPDX-License-Identifier: LGPL-2.1-or-later
"""A picture of ratios: a bar for each row, a dot for each round, a line where the limit is."""
from html import escape

WIDTH, LEFT, RIGHT, TOP, STEP, BAR = 860, 350, 60, 64, 34, 16

# The colours of the pages that pix2pix writes (train/html-parts.c, train/run-page.css).
STYLE = '''
:root { --ink: #1c1c1e; --dim: #6a6a70; --paper: #fbfaf8; --line: #dedcd6; --mark: #0b62d6;
  --limit: #d9480f }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ececee; --dim: #98989f; --paper: #161618; --line: #333338; --mark: #6ab0ff;
    --limit: #ff9248 } }
text { font: 13px system-ui, sans-serif; fill: var(--ink); font-variant-numeric: tabular-nums }
.dim { fill: var(--dim); font-size: 11px } .paper { fill: var(--paper) }
.grid { stroke: var(--line) } .bar { fill: var(--mark); opacity: .8 }
.dot { fill: var(--paper); stroke: var(--mark) } .limit { stroke: var(--limit); stroke-width: 2.5 }
'''


def text(x, y, words, more=''):
    return f'<text x="{x:.1f}" y="{y:.1f}" dy=".32em" {more}>{escape(words)}</text>'


def line(kind, x, y1, y2):
    return f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{y1:.1f}" y2="{y2:.1f}"/>'


def draw_row(row, x, y):
    parts = [f'<rect class="bar" x="{LEFT}" y="{y - BAR / 2}" width="{x(row["ratio"]) - LEFT:.1f}" '
             f'height="{BAR}" rx="2"/>']
    parts += [f'<circle class="dot" r="2.5" cx="{x(ratio):.1f}" cy="{y}"/>'
              for ratio in row['ratios']]
    end = max(row['ratios'] + [row['limit']])
    return parts + [line('limit', x(row['limit']), y - BAR * .8, y + BAR * .8),
                    text(LEFT - 10, y, row['name'], 'text-anchor="end"'),
                    text(x(end) + 8, y, f'{row["ratio"]:.2f}')]


def draw(rows, title):
    """@rows: dicts with name, ratio, ratios and limit.  Returns: an SVG file, on a scale from 0."""
    most = max([1.0] + [ratio for row in rows for ratio in row['ratios'] + [row['limit']]])
    x = lambda ratio: LEFT + ratio / most * (WIDTH - LEFT - RIGHT)
    bottom = TOP + STEP * len(rows)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 34}" '
             f'role="img" aria-label="{escape(title)}"><style>{STYLE}</style>',
             f'<rect class="paper" width="{WIDTH}" height="{bottom + 34}"/>',
             text(16, 20, title),
             text(16, 40, 'time of ours over theirs; dots: rounds; upright: the limit',
                  'class="dim"')]
    for tenths in range(0, int(most * 10) + 1, 2):
        parts += [line('grid', x(tenths / 10), TOP - 8, bottom),
                  text(x(tenths / 10), bottom + 16, f'{tenths / 10:.1f}',
                       'class="dim" text-anchor="middle"')]
    for i, row in enumerate(rows):
        parts += draw_row(row, x, TOP + STEP * i + STEP / 2)
    return '\n'.join(parts) + '\n</svg>\n'
