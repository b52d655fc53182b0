/* SPDX-License-Identifier: LGPL-2.1-or-later */
'use strict';
/* Draws the curves of a run and moves through its samples. All that it shows is in #data; what was
 * chosen is in the fragment of the address, which outlives a reload. */
const data = JSON.parse(document.getElementById('data').textContent);
const state = new URLSearchParams(location.hash.slice(1));
const charts = [];
let playing = 0;

const find = selector => document.querySelector(selector);
const at = (step, epoch) => (epoch ? `epoch ${epoch} \u00b7 ` : '') + `step ${step}`;

/* Few characters, whatever the number: 4970, 0.6931, 1e19, 2.5e-7. */
function round(value, digits = 4) {
  if (value == null)
    return '\u2013';
  const rounded = Number(value.toPrecision(digits)), size = Math.abs(rounded);
  return size == 0 || (size >= 1e-4 && size < 1e6) ? String(rounded) :
    rounded.toExponential().replace('+', '');
}

function remember(name, value) {
  if (value == null)
    state.delete(name);
  else
    state.set(name, value);
  history.replaceState(null, '', '#' + state);
}

function nearest(steps, step) {
  let best = 0;
  steps.forEach((s, i) => { if (Math.abs(s - step) < Math.abs(steps[best] - step)) best = i; });
  return best;
}

/* ---- samples ---- */

const {steps, epochs, pictures} = data.samples;
const outputs = [...document.querySelectorAll('figure.output img')];
const slider = find('#when');
const last = steps.length - 1;
let shown = last;

function show(index) {
  shown = Math.max(0, Math.min(last, index));
  outputs.forEach((image, i) => {
    const picture = pictures[shown][i];
    image.classList.toggle('none', !picture);
    if (picture)
      image.src = picture;
    else
      image.removeAttribute('src');
  });
  slider.value = shown;
  find('#label').textContent = at(steps[shown], epochs[shown]);
  charts.forEach(draw);
}

function choose(index) {
  show(index);
  remember('step', shown == last ? null : steps[shown]); /* the newest stays the newest */
}

function play(on) {
  clearInterval(playing);
  playing = 0;
  if (on) {
    choose(shown == last ? 0 : shown);
    playing = setInterval(() => {
      choose(shown + 1);
      if (shown == last)
        play(false);
    }, 400);
  }
  find('#play').textContent = on ? 'stop' : 'play';
}

function startSamples() {
  pictures[last] = outputs.map(image => image.getAttribute('src')); /* the page has them already */
  find('#time').hidden = last < 1;
  slider.max = last;
  slider.addEventListener('input', () => { play(false); choose(Number(slider.value)); });
  find('#play').addEventListener('click', () => play(!playing));
  document.addEventListener('keydown', event => {
    const way = {ArrowRight: 1, ArrowLeft: -1}[event.key];
    if (!way || event.target == slider || event.ctrlKey || event.altKey || event.metaKey)
      return;
    event.preventDefault();
    play(false);
    choose(shown + way);
  });
  document.querySelectorAll('.row').forEach(row => {
    const toggle = () => row.classList.toggle('large');
    row.addEventListener('click', toggle);
    row.addEventListener('keydown', event => { if (event.key == 'Enter') toggle(); });
  });
  if (state.has('step'))
    show(nearest(steps, Number(state.get('step'))));
}

/* ---- curves ---- */

const MARGIN = {left: 48, right: 10, top: 8, bottom: 25};
const CHARACTER = 6.5; /* pixels that one takes in a label, at most */

/* A moving average that weighs the past less and less; as long at the start as it can be. */
function smooth(values) {
  let sum = 0, weight = 0;
  return values.map(value => {
    if (value == null)
      return null;
    sum = sum * .92 + value;
    weight = weight * .92 + 1;
    return sum / weight;
  });
}

/* From the hundredth to the last but that: a few wild values must not flatten the rest. */
function range(lists, log) {
  const values = lists.flat().filter(v => v != null && (!log || v > 0)).sort((a, b) => a - b);
  const cut = values.length > 200 ? Math.floor(values.length / 100) : 0;
  let low = values[cut], high = values.at(-1 - cut);
  if (!values.length)
    return log ? [1, 10] : [0, 1];
  if (log)
    return low == high ? [low / 2, high * 2] : [low, high];
  const pad = (high - low) * .06 || Math.abs(high) * .1 || 1;
  if (low >= 0 && low < (high - low) / 2)
    low = pad; /* near zero: begin there */
  return [low - pad, high + pad];
}

/* At least @least apart; without the last digits of a sum, 40.300000000000004. */
function ticks(low, high, count, least = 0) {
  const rough = Math.max((high - low) / count, least), power = 10 ** Math.floor(Math.log10(rough));
  const size = [1, 2, 5, 10].find(n => n * power >= rough) * power, list = [];
  for (let i = Math.ceil(low / size); i * size <= high; i++)
    list.push(Number((i * size).toPrecision(12)));
  return list;
}

function logTicks(low, high, count) {
  const list = [], decades = Math.log10(high / low), every = Math.ceil(decades / count);
  const inner = decades * 2 < count ? [1, 2, 5] : [1];
  for (let power = Math.floor(Math.log10(low) / every) * every; 10 ** power <= high; power += every)
    list.push(...inner.map(n => n * 10 ** power));
  const inside = list.filter(v => v >= low && v <= high);
  return inside.length > 1 ? inside : ticks(low, high, 4);
}

/* What tells each from its neighbours. */
function labels(values) {
  const gap = Math.abs(values[1] - values[0]) || 1, most = Math.max(...values.map(Math.abs));
  return values.map(v => round(v, Math.min(12, Math.max(4, Math.ceil(Math.log10(most / gap)) + 2))));
}

const short = step => step >= 1e6 ? step / 1e6 + 'M' : step >= 1e3 ? step / 1e3 + 'k' : step;

function path(chart, values) {
  let line = '', pen = 'M';
  values.forEach((value, i) => {
    if (value == null || (chart.log && value <= 0)) {
      pen = 'M';
    } else {
      line += pen + chart.x(chart.step[i]).toFixed(1) + ' ' + chart.y(value).toFixed(1);
      pen = 'L';
    }
  });
  return line;
}

/* Points that no line leads to. */
function dots(chart, {values, colour}) {
  const there = i => values[i] != null && (!chart.log || values[i] > 0);
  return values.map((value, i) => !there(i) || there(i - 1) || there(i + 1) ? '' :
    `<circle class="alone" r="2.5" fill="var(${colour})" cx="${chart.x(chart.step[i]).toFixed(1)}"` +
    ` cy="${chart.y(value).toFixed(1)}"/>`).join('');
}

function scale(chart, width, height) {
  const {right, top, bottom} = MARGIN, single = chart.step.length == 1;
  const first = chart.step[0] - single, span = single ? 2 : chart.step.at(-1) - first || 1;
  const to = chart.log ? Math.log : Number;
  const lists = chart.curves.filter(c => !c.off).map(c => chart.smooth ? c.smoothed : c.values);
  const [low, high] = range(lists, chart.log);
  chart.yTicks = chart.log ? logTicks(low, high, Math.max(4, height / 45)) :
    ticks(low, high, Math.max(4, height / 45));
  chart.yLabels = labels(chart.yTicks);
  const longest = Math.max(0, ...chart.yLabels.map(label => label.length));
  const left = chart.left = Math.max(MARGIN.left, longest * CHARACTER + 9);
  chart.x = step => left + (step - first) / span * (width - left - right);
  chart.y = value => height - bottom -
    (to(value) - to(low)) / (to(high) - to(low)) * (height - top - bottom);
  chart.xTicks = single ? chart.step : ticks(first, first + span, (width - left - right) / 70, 1);
}

function axes(chart, width, height) {
  const {right, bottom} = MARGIN, {left} = chart;
  return chart.yTicks.map((v, i) => {
    const y = chart.y(v).toFixed(1);
    return `<line class="grid" x1="${left}" x2="${width - right}" y1="${y}" y2="${y}"/>` +
      `<text x="${left - 7}" y="${y}" dy=".32em" text-anchor="end">${chart.yLabels[i]}</text>`;
  }).join('') + chart.xTicks.map(v =>
    `<text x="${chart.x(v).toFixed(1)}" y="${height - bottom + 19}" text-anchor="middle">` +
    `${short(v)}</text>`).join('');
}

function draw(chart) {
  const width = chart.box.clientWidth, height = chart.box.clientHeight;
  const {right, top, bottom} = MARGIN, clip = 'clip' + charts.indexOf(chart);
  if (!width)
    return;
  scale(chart, width, height);
  const {left} = chart;
  const curves = chart.curves.filter(c => !c.off).map(c => {
    const colour = `stroke="var(${c.colour})"`;
    return (chart.smooth ? `<path class="raw" ${colour} d="${path(chart, c.values)}"/>` : '') +
      `<path ${colour} d="${path(chart, chart.smooth ? c.smoothed : c.values)}"/>` +
      dots(chart, c);
  });
  const now = last < 0 ? NaN : chart.x(steps[shown]);
  const [first] = chart.curves;
  const best = chart.best == null ? '' : `<circle r="4.5" fill="var(${first.colour})"` +
    ` cx="${chart.x(chart.step[chart.best])}" cy="${chart.y(first.values[chart.best])}"/>`;
  chart.svg.innerHTML = axes(chart, width, height) +
    `<clipPath id="${clip}"><rect x="${left}" y="${top - 4}" width="${width - left - right + 2}"` +
    ` height="${height - top - bottom + 8}"/></clipPath>` +
    (now >= left && now <= width ? `<line class="now" x1="${now}" x2="${now}" y1="${top}"` +
      ` y2="${height - bottom}"/>` : '') +
    `<g clip-path="url(#${clip})">${curves.join('')}</g>${best}`;
  chart.curves.filter(c => c.label).forEach(c => {
    c.label.textContent = `${c.name} ${round((chart.smooth ? c.smoothed : c.values).at(-1))}`;
  });
}

/* The values under the pointer. */
function point(chart, event) {
  const box = chart.box.getBoundingClientRect(), x = event.clientX - box.left;
  const i = nearest(chart.step.map(chart.x), x), left = chart.x(chart.step[i]);
  chart.svg.querySelectorAll('.cursor').forEach(e => e.remove());
  chart.svg.insertAdjacentHTML('beforeend', `<line class="cursor" x1="${left}" x2="${left}"` +
    ` y1="${MARGIN.top}" y2="${box.height - MARGIN.bottom}"/>`);
  chart.tip.replaceChildren(at(chart.step[i], chart.epoch[i]), ...chart.curves.filter(c => !c.off)
    .map(c => {
      const line = document.createElement('div'), name = document.createElement('span');
      const colour = document.createElement('i');
      colour.style.background = `var(${c.colour})`;
      name.append(colour, c.name);
      line.append(name, round(c.values[i]));
      return line;
    }));
  chart.tip.hidden = false;
  const tip = chart.tip.offsetWidth;
  const beside = left + 12 + tip > box.width ? left - 12 - tip : left + 12;
  chart.tip.style.left = Math.max(0, beside) + 'px';
}

function addChart(box, {step, epoch, curves}, options) {
  const chart = {box, step, epoch, curves, ...options};
  box.innerHTML = '<svg role="img"></svg><div class="tip" hidden></div>';
  [chart.svg, chart.tip] = box.children;
  chart.svg.setAttribute('aria-label', 'curves of ' + curves.map(c => c.name).join(', '));
  box.addEventListener('pointermove', event => point(chart, event));
  box.addEventListener('pointerleave', () => { chart.tip.hidden = true; draw(chart); });
  box.addEventListener('click', event => {
    const x = event.clientX - box.getBoundingClientRect().left;
    if (last >= 0)
      choose(nearest(steps.map(chart.x), x));
  });
  charts.push(chart);
  new ResizeObserver(() => draw(chart)).observe(box);
  return chart;
}

function addSwitch(chart, name, initial) {
  const box = find('#' + name);
  chart[name] = state.has(name) ? state.get(name) == 1 : initial;
  box.checked = chart[name];
  box.addEventListener('change', () => {
    chart[name] = box.checked;
    remember(name, Number(box.checked));
    draw(chart);
  });
}

function addLegend(chart) {
  const off = (state.get('off') || '').split(',');
  chart.curves.forEach(curve => {
    const button = document.createElement('button'), colour = document.createElement('i');
    curve.label = document.createElement('span');
    const toggle = hide => { curve.off = hide; button.setAttribute('aria-pressed', !hide); };
    colour.style.background = `var(${curve.colour})`;
    button.append(colour, curve.label);
    button.addEventListener('click', () => {
      toggle(!curve.off);
      remember('off', chart.curves.filter(c => c.off).map(c => c.name).join(',') || null);
      draw(chart);
    });
    toggle(off.includes(curve.name));
    find('#legend').append(button);
  });
}

function startLosses() {
  data.losses.curves.forEach((curve, i) => {
    curve.colour = `--c${i % 8}`;
    curve.smoothed = smooth(curve.values);
  });
  const chart = addChart(find('#losses'), data.losses, {});
  addSwitch(chart, 'smooth', data.losses.step.length > 60);
  addSwitch(chart, 'log', false);
  addLegend(chart);
}

function startValidation() {
  data.validation.curves.forEach((curve, i) => {
    curve.colour = `--c${i % 8}`;
    const {step, epoch} = data.validation;
    addChart(find('#validation-' + curve.name), {step, epoch, curves: [curve]}, {best: curve.best});
  });
}

if (data.losses.step.length)
  startLosses();
if (data.validation.step.length)
  startValidation();
if (last >= 0)
  startSamples();
document.querySelectorAll('.scripted').forEach(element => { element.hidden = false; });
charts.forEach(draw); // a page that is not seen yet has no frames, and so no observers
if (data.running) {
  setInterval(() => {
    if (!document.hidden && !playing && !find('.tip:not([hidden])'))
      location.reload();
  }, 30000);
}
