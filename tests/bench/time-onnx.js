// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Usage: node time-onnx.js PEERS MODEL.onnx WIDTH HEIGHT FRAMES THREADS
//
// Times a frame in ONNX Runtime on the CPU, from float32 to float32. PEERS: a folder in which npm has
// installed onnxruntime-node. Prints the milliseconds of each frame as JSON.
const WARM_UP = 3;

async function main(peers, model, width, height, frames, threads) {
  const ort = require(require.resolve('onnxruntime-node', {paths: [peers]}));
  const session = await ort.InferenceSession.create(
    model, {intraOpNumThreads: threads, graphOptimizationLevel: 'all'});
  const noise = new Float32Array(3 * height * width).map(() => Math.random() * 2 - 1);
  const x = new ort.Tensor('float32', noise, [1, 3, height, width]);
  const ms = [];
  for (let i = -WARM_UP; i < frames; i++) {
    const before = process.hrtime.bigint();
    await session.run({x});
    if (i >= 0)
      ms.push(Number(process.hrtime.bigint() - before) / 1e6);
  }
  console.log(JSON.stringify({ms}));
}

const [peers, model, ...numbers] = process.argv.slice(2);
if (numbers.length !== 4) {
  console.error('usage: node time-onnx.js PEERS MODEL.onnx WIDTH HEIGHT FRAMES THREADS');
  process.exit(2);
}
main(peers, model, ...numbers.map(Number)).catch(error => {
  console.error(error.message);
  process.exit(1);
});
