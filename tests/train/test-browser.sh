#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The page of a run in a browser: Chromium, where it is installed. REQUIRE_BROWSER makes its absence
# a failure.
. "${0%/*}/tap.sh"

browser=$(command -v chromium || command -v chromium-browser) || browser=
if [ -z "$browser" ] && [ -z "${REQUIRE_BROWSER-}" ]; then
    skip 'the page in a browser' 'there is no Chromium'
    finish
fi

mkdir run
"$RUN_PAGE" --make "$scratch/run"
result $? 'a run and its page'

# What the page has become once it is loaded, as lines at its end.
cat run/index.html - >probe.html <<'END'
<script>
function tell(name, value) {
  const line = document.createElement('pre');
  line.textContent = `probe ${name}: ${value}`;
  document.body.append(line);
}
function key(name) {
  document.dispatchEvent(new KeyboardEvent('keydown', {key: name, bubbles: true}));
}
const label = () => document.querySelector('#label').textContent;
const curves = box => [...document.querySelectorAll(`${box} path:not(.raw)`)];
const fit = path => path.getBBox().height < path.ownerSVGElement.clientHeight;
function value(image) {
  const canvas = document.createElement('canvas').getContext('2d');
  canvas.drawImage(image, 0, 0);
  return canvas.getImageData(0, 0, 1, 1).data[0];
}
addEventListener('error', event => tell('error', event.message));
addEventListener('unhandledrejection', event => tell('error', event.reason));
addEventListener('load', () => setTimeout(async () => {
  const images = [...document.images];
  tell('pictures', images.filter(i => i.naturalWidth == 24).length + ' of ' + images.length);
  tell('losses', curves('#losses').filter(p => p.getTotalLength() > 500 && fit(p)).length);
  tell('validation', curves('[id^=validation-]').filter(p => p.getTotalLength() > 50).length);
  tell('best', document.querySelectorAll('[id^=validation-] circle').length);
  tell('legend', [...document.querySelectorAll('#legend button')].map(b => b.innerText).join('|'));
  document.querySelector('#smooth').click();
  tell('raw legend', document.querySelector('#legend').innerText.replace(/\s+/g, ' '));
  tell('start', label());
  key('ArrowLeft');
  tell('left', label() + ' ' + location.hash);
  await new Promise(done => setTimeout(done, 300));
  tell('left pictures', images.filter(i => i.naturalWidth == 24).length);
  tell('left output', value(document.querySelector('figure.output img')));
  key('ArrowRight');
  tell('right', label() + ' ' + location.hash);
  document.querySelector('#legend button').click();
  tell('hidden', curves('#losses').length + ' ' + location.hash);
  document.querySelector('#log').click();
  tell('log', curves('#losses').length + ' ' + location.hash);
  const box = document.querySelector('#losses'), place = box.getBoundingClientRect();
  box.dispatchEvent(new PointerEvent('pointermove', {clientX: place.right - 11}));
  tell('tip', document.querySelector('.tip').innerText.replace(/\s+/g, ' '));
  tell('end', 'yes');
}, 200));
</script>
END

# What holds for short runs: nothing is cut off, covered or invisible.
for points in 1 2 3 1200; do
    mkdir "short-$points"
    "$RUN_PAGE" --make-short "$scratch/short-$points" $points
    cat "short-$points/index.html" - >"short-$points.html" <<'END'
<script>
function tell(name, value) {
  const line = document.createElement('pre');
  line.textContent = `probe ${name}: ${value}`;
  document.body.append(line);
}
const apart = (a, b) => a.right < b.left || b.right < a.left || a.bottom <= b.top || b.bottom <= a.top;
function look(name) {
  const card = document.querySelector('#losses').closest('.card').getBoundingClientRect();
  const texts = [...document.querySelectorAll('#losses text')];
  const boxes = texts.map(text => text.getBoundingClientRect());
  const inside = boxes.filter(b => b.left >= card.left && b.right <= card.right);
  const free = boxes.filter(a => boxes.every(b => a == b || apart(a, b)));
  tell(name + ' labels', texts.length > 2 && inside.length == texts.length &&
    free.length == texts.length && texts.every(text => text.textContent.length < 8) ? 'fine' :
    texts.map(text => text.textContent).join(' '));
}
addEventListener('error', event => tell('error', event.message));
addEventListener('load', () => setTimeout(() => {
  tell('dots', document.querySelectorAll('#losses circle.alone').length);
  tell('legend', [...document.querySelectorAll('#legend button')].map(b => b.innerText).join('|'));
  look('linear');
  document.querySelector('#log').click();
  look('log');
  document.querySelectorAll('#legend button')[1].click();
  look('one curve');
  tell('end', 'yes');
}, 200));
</script>
END
done

# open_page FRAGMENT [FILE]: what the probe tells of it is in .stdout.
open_page() {
    HOME=$scratch timeout 100 "$browser" --headless --no-sandbox --disable-gpu \
        --user-data-dir="$scratch/profile" --window-size=1300,2000 --virtual-time-budget=3000 \
        --dump-dom "file://$scratch/${2:-probe.html}$1" 2>/dev/null |
        sed -n 's/<pre>/\n/g; s/<\/pre>/\n/gp' | grep '^probe ' >"$scratch/.stdout"
}

open_page ''
says 'probe end: yes'
says 'probe pictures: 6 of 6'
says 'probe losses: 3'
says 'probe validation: 4'
says 'probe best: 4'
says 'probe legend: D 4970|G &lt;/script&gt; '
says 'probe raw legend: D 4999 G &lt;/script&gt; '
says 'probe start: epoch 5 · step 5000'
says 'probe left: epoch 5 · step 4900 #smooth=0&amp;step=4900'
says 'probe left pictures: 6'
says 'probe left output: 80'
says 'probe right: epoch 5 · step 5000 #smooth=0'
says 'probe hidden: 2 #smooth=0&amp;off=D'
says 'probe log: 2 #smooth=0&amp;off=D&amp;log=1'
says 'probe tip: epoch 5 · step 49'
! grep -q 'probe error' "$scratch/.stdout"
result $? 'no error'

open_page '#step=1400&log=1&off=late'
says 'probe start: epoch 2 · step 1400'
says 'probe losses: 2'
says 'probe left: epoch 2 · step 1200 #step=1200&amp;log=1&amp;off=late&amp;smooth='

for points in 1 2 3 1200; do
    open_page '' "short-$points.html"
    says 'probe end: yes'
    says 'probe linear labels: fine'
    says 'probe log labels: fine'
    says 'probe one curve labels: fine'
    ! grep -q 'probe error' "$scratch/.stdout"
    result $? "no error with $points records"
    case $points in
    1) says 'probe dots: 2' ;;
    2) says 'probe dots: 1' ;;
    3) says 'probe dots: 2' ;;
    esac
    [ $points -gt 2 ] || says "probe legend: wild $([ $points = 1 ] && echo 1.063e19 || echo 2.125e19)|"
done
finish
