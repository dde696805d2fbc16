import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { EFFORTS, type Effort } from '../../src/latent-effort.js';
import { readImage } from '../../src/media/read-image.js';
import { measureOther, otherCodecs } from './rate/other-codecs.js';
import { latentPlans, measureOwn, sinePlans, TARGETS } from './rate/own-points.js';
import { PointFile } from './rate/point.js';
import { rateChart, rateReport } from './rate/report.js';

const USAGE = `npm run bench -- rate --pictures FOLDER --out FOLDER [options]

  --pictures-only a,b  some of the folder's pictures, by name without extension
                       (default: all)
  --effort a,b         efforts of latents: quick, normal, thorough
                       (default: quick,normal)
  --bpp a,b            bits a sample that latents are asked for
                       (default: 0.2,0.4,0.8,1.4)

Writes rate.jsonl, rate.md and rate.svg. A point that rate.jsonl has is not
measured again: end this at any time and start it anew.
`;

function parsed(args: string[]) {
  const options = {
    pictures: { type: 'string' },
    out: { type: 'string' },
    'pictures-only': { type: 'string' },
    effort: { type: 'string', default: 'quick,normal' },
    bpp: { type: 'string', default: TARGETS.join() },
    help: { type: 'boolean' },
  } as const;
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    return refuse((error as Error).message);
  }
}

function refuse(message: string): never {
  process.stderr.write(`${message}\n\n${USAGE}`);
  process.exit(2);
}

/** Rate-distortion curves of pictures, ours beside other codecs'. @param args of the command line. */
export async function rate(args: string[]): Promise<void> {
  const options = parsed(args);
  if (options.help === true) {
    process.stdout.write(USAGE);
    return;
  }
  const { pictures: folder, out } = options;
  if (folder === undefined || out === undefined) refuse('give --pictures and --out');
  const isEffort = (name: string): name is Effort => (EFFORTS as readonly string[]).includes(name);
  const efforts = options.effort
    .split(',')
    .map((name) => (isEffort(name) ? name : refuse(`--effort: '${name}' is none`)));
  const targets = options.bpp.split(',').map(Number);
  if (!targets.every((bpp) => bpp > 0)) refuse(`--bpp: '${options.bpp}' are no numbers above 0`);
  const only = options['pictures-only']?.split(',');

  await mkdir(out, { recursive: true });
  const points = await PointFile.open(join(out, 'rate.jsonl'));
  const files = (await readdir(folder)).sort().filter((name) => {
    const isWanted = only === undefined || only.includes(basename(name, extname(name)));
    return isWanted && /\.(png|jpe?g|webp)$/i.test(name);
  });
  if (files.length === 0) refuse(`--pictures: ${folder} has none of them`);
  const others = otherCodecs();
  for (const name of files) {
    const picture = basename(name, extname(name));
    const media = await readImage(join(folder, name));
    for (const codec of others) {
      for (const setting of codec.settings) {
        if (points.has({ picture, codec: codec.name, setting })) continue;
        await points.add(await measureOther(media, picture, codec, setting));
      }
    }
  }
  // The shorter efforts of all pictures before the longer ones of any.
  for (const plansOf of [sinePlans, ...efforts.map((effort) => () => latentPlans(effort, targets))]) {
    for (const name of files) {
      const picture = basename(name, extname(name));
      const media = await readImage(join(folder, name));
      for (const plan of plansOf(media)) {
        if (points.has({ picture, codec: plan.codec, setting: plan.setting })) continue;
        const point = await measureOwn(media, picture, plan);
        await points.add(point);
        const { bytes, psnr } = point;
        process.stderr.write(
          `${picture}, ${plan.codec}, ${plan.setting}: ${bytes} bytes, ${psnr.toFixed(2)} dB\n`,
        );
      }
    }
  }
  const all = points.all.filter(({ picture }) =>
    files.some((name) => basename(name, extname(name)) === picture),
  );
  const report = rateReport(all);
  await writeFile(join(out, 'rate.md'), report);
  await writeFile(join(out, 'rate.svg'), rateChart(all));
  process.stdout.write(report);
}
