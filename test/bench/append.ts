// npm run append-curve -- --pictures FOLDER --out RESULTS.md: what appended halves of pictures come to, by steps.
import { readdir, writeFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { createEngine } from '../../codec/engine/choose.js';
import { compareSamples } from '../../codec/metrics.js';
import { append, appendAnew } from '../../src/append.js';
import { encode, type EncodeReport } from '../../src/encode.js';
import { MemorySink } from '../../src/io/memory.js';
import { MemoryTarget } from '../../src/io/memory-target.js';
import { memoryMedia, type Media } from '../../src/media/media.js';
import { readImage } from '../../src/media/read-image.js';
import { open } from '../../src/open.js';

const USAGE =
  'npm run append-curve -- --pictures FOLDER --out RESULTS.md [--pictures-only a,b] [--iterations 100,300]\n';

/** Steps of a `fast` encode, after which most is won, and two points on the way. */
const DEFAULT_ITERATIONS = '100,300,1000,1984';

/** Cells of the default grid. */
const CELL = 32;

const { values } = parseArgs({
  options: {
    pictures: { type: 'string' },
    out: { type: 'string' },
    'pictures-only': { type: 'string' },
    iterations: { type: 'string', default: DEFAULT_ITERATIONS },
  },
});
const { pictures: folder, out } = values;
if (folder === undefined || out === undefined) {
  process.stderr.write(USAGE);
  process.exit(2);
}
const only = values['pictures-only']?.split(',');
const steps = values.iterations.split(',').map(Number);
const engine = createEngine('auto');

/** The columns from one to another of a picture. */
async function columns(media: Media, from: number, to: number): Promise<Media> {
  const [height] = media.shape;
  const data = await media.read({ begin: [0, from], end: [height, to] });
  return memoryMedia({ data, shape: [height, to - from], layout: media.format.layout });
}

async function encoded(
  media: Media,
  iterations?: number,
): Promise<{ bytes: Uint8Array; report: EncodeReport }> {
  const sink = new MemorySink();
  const report = await encode(media, sink, { engine, ...(iterations !== undefined && { iterations }) });
  return { bytes: sink.bytes(), report };
}

/** PSNR of a whole file against a medium. */
async function psnrOf(bytes: Uint8Array, media: Media): Promise<number> {
  const file = await open(bytes, { engine });
  const { data, format } = await file.signals[0].decode();
  await file.dispose();
  const source = await media.read({ begin: media.shape.map(() => 0), end: media.shape });
  return compareSamples(source, data, format).psnr;
}

const lines = [
  '# Appended halves',
  '',
  `Made by \`npm run append-curve -- --pictures FOLDER --out FILE${only === undefined ? '' : ` --pictures-only ${only.join(',')}`}\`, engine ${engine.name}, ${engine.threads} threads.`,
  'The left half of each picture is encoded by `fast` as it is; then, in so many steps, its right half alone (a file of its own),',
  'appended with everything else as it was, and the whole: as a new file, by `--finetune`, and by `--finetune --source` with the left',
  'half, so that old partitions learn from what they were made from. PSNR in dB against the picture,',
  'seconds of training.',
  '',
  '| picture | steps | half alone | appended | gain | seconds alone | appended | whole, new | fine-tuned | gain | with --source | gain |',
  '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
];
const names = (await readdir(folder)).filter((name) => extname(name) === '.png').sort();
for (const name of names.filter((each) => only?.includes(basename(each, '.png')) ?? true)) {
  const picture = await readImage(join(folder, name));
  const half = CELL * Math.floor(picture.shape[1] / (2 * CELL));
  const [left, right] = [await columns(picture, 0, half), await columns(picture, half, 2 * half)];
  const whole = await columns(picture, 0, 2 * half);
  const old = await encoded(left);
  for (const iterations of steps) {
    const alone = await encoded(right, iterations);
    const target = new MemoryTarget(old.bytes);
    const appended = await append(target, right, { side: 'right', iterations, engine });
    const fresh = await encoded(whole, iterations);
    const tuned = new MemorySink();
    await appendAnew(old.bytes, right, tuned, { side: 'right', iterations, engine, finetune: true });
    const tunedPsnr = await psnrOf(tuned.bytes(), whole);
    const sourced = new MemorySink();
    const sourceOptions = { finetune: true, source: left } as const;
    await appendAnew(old.bytes, right, sourced, { side: 'right', iterations, engine, ...sourceOptions });
    const sourcedPsnr = await psnrOf(sourced.bytes(), whole);
    const row = [
      basename(name, '.png'),
      String(iterations),
      alone.report.psnr.toFixed(2),
      appended.psnr.toFixed(2),
      (appended.psnr - alone.report.psnr).toFixed(2),
      alone.report.seconds.toFixed(1),
      appended.seconds.toFixed(1),
      fresh.report.psnr.toFixed(2),
      tunedPsnr.toFixed(2),
      (tunedPsnr - fresh.report.psnr).toFixed(2),
      sourcedPsnr.toFixed(2),
      (sourcedPsnr - fresh.report.psnr).toFixed(2),
    ];
    lines.push(`| ${row.join(' | ')} |`);
    process.stderr.write(`${row.join('  ')}\n`);
    await writeFile(out, `${lines.join('\n')}\n`);
  }
}
await engine.dispose();
