// Makes the built-in weights of the latent family: `node scripts/train-latent-defaults.mjs rgb-1 PICTURE...`, or `grey-1`, trains them
// on pictures, those of set 1 on the two DIV2K pictures of the paper (0055 and 0882, 1,209 partitions); without arguments, what is in
// spec/latent-defaults is written into the code again.
import { readFileSync, writeFileSync } from 'node:fs';
import { createCpuEngine } from '../dist/codec/engine/cpu/cpu-engine.js';
import { makeGrid } from '../dist/codec/grid.js';
import { encodePartitions } from '../dist/codec/latent/encode-partitions.js';
import { encodeShared } from '../dist/codec/latent/shared-weights.js';
import { LATENT_RECIPE } from '../dist/codec/latent/train-latents.js';
import { latentTarget, partitionShape } from '../dist/src/latent-targets.js';
import { readImage } from '../dist/src/node.js';

/** Samples of a partition per axis. */
const CELL = 64;

/** Steps of 16 partitions. */
const STEPS = 30_000;

/** About 0.25 bits a sample: weights that begin with these do as well from 0.1 to 0.5, and no worse at 2. */
const AMPLITUDE = Math.fround(0.27);

const FOLDER = new URL('../spec/latent-defaults/', import.meta.url);
const CODE = new URL('../codec/latent/default-weights.generated.ts', import.meta.url);

const SETS = [
  { name: 'rgb-1', finestLevels: [0, 1, 1] },
  { name: 'grey-1', finestLevels: [0] },
];

/** The whole partitions of a picture; of one plane, the brightness of BT.601. */
async function partitionsOf(path, isGrey) {
  const media = await readImage(path);
  const { grid } = makeGrid(media.shape, { cell: [CELL, CELL] });
  const partitions = [];
  for (let ordinal = 0; ordinal < grid.count; ordinal++) {
    const samples = await media.read(grid.boxOf(ordinal));
    const shape = partitionShape(grid, ordinal);
    if (Math.min(...shape) < CELL) continue;
    if (!isGrey) {
      partitions.push(latentTarget(samples, shape, media.format, AMPLITUDE));
      continue;
    }
    const grey = Uint8Array.from({ length: shape[0] * shape[1] }, (_, i) =>
      Math.round(0.299 * samples[3 * i] + 0.587 * samples[3 * i + 1] + 0.114 * samples[3 * i + 2]),
    );
    const format = { ...media.format, channels: 1, layout: 'grey' };
    partitions.push(latentTarget(grey, shape, format, AMPLITUDE));
  }
  return partitions;
}

const [wanted, ...paths] = process.argv.slice(2);
const engine = createCpuEngine();
for (const { name, finestLevels } of SETS.filter((set) => set.name === wanted)) {
  const outputs = finestLevels.length;
  const architecture = { levels: 7, finestLevels, hiddenWidth: 32, outputs, amplitude: AMPLITUDE };
  const targets = (await Promise.all(paths.map((path) => partitionsOf(path, outputs === 1)))).flat();
  const { stored } = await encodePartitions(engine, architecture, targets, {
    recipe: { ...LATENT_RECIPE, batchSamples: 2 * LATENT_RECIPE.batchSamples },
    steps: STEPS,
    seed: 0,
    onProgress: ({ step, squaredError, bits }) => {
      if (step % 1000 === 0)
        console.log(name, step, 'error', squaredError.toFixed(4), 'bits', bits.toFixed(4));
    },
  });
  writeFileSync(new URL(`${name}.bin`, FOLDER), encodeShared(architecture, stored));
}
await engine.dispose();

const constants = SETS.map(({ name }) => {
  const text = readFileSync(new URL(`${name}.bin`, FOLDER)).toString('base64');
  return `export const ${name.toUpperCase().replace('-', '_')} =\n  '${text}';\n`;
});
writeFileSync(
  CODE,
  `// Written by scripts/train-latent-defaults.mjs out of spec/latent-defaults.\n${constants.join('')}`,
);
