import { parseArgs } from 'node:util';
import { PICTURE_PSNR, pictureRows } from './small/picture.js';
import { shapeRows } from './small/shape.js';
import { SOUND_PSNR, soundRows } from './small/sound.js';
import type { SmallRow } from './small/row.js';

const USAGE = `npm run bench -- small [--picture FILE] [--sound FILE] [--shape FILE]

Files of preset small beside others that hold about the same: a picture at
${PICTURE_PSNR} dB, a sound at ${SOUND_PSNR} dB, a shape on 256 voxels per axis.
`;

const TABLES: Readonly<Record<'picture' | 'sound' | 'shape', (path: string) => Promise<SmallRow[]>>> = {
  picture: pictureRows,
  sound: soundRows,
  shape: shapeRows,
};

/** Sizes of small files beside others'. @param args of the command line. */
export async function small(args: string[]): Promise<void> {
  const file = { type: 'string' } as const;
  let values: { readonly picture?: string; readonly sound?: string; readonly shape?: string };
  try {
    ({ values } = parseArgs({ args, options: { picture: file, sound: file, shape: file } }));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(2);
  }
  for (const kind of ['picture', 'sound', 'shape'] as const) {
    const path = values[kind];
    if (path === undefined) continue;
    process.stdout.write(`\n| ${kind} | bytes | quality | encode |\n|---|---|---|---|\n`);
    for (const { codec, bytes, quality, seconds } of await TABLES[kind](path)) {
      const time = seconds === undefined ? '' : `${seconds.toFixed(0)} s`;
      process.stdout.write(`| ${codec} | ${bytes.toLocaleString('en-US')} | ${quality} | ${time} |\n`);
    }
  }
}
