// npm run paper -- EXPERIMENT --data FOLDER: runs a table or figure of the paper, and shows its figures beside ours.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createEngine, type EngineName } from '../../codec/engine/choose.js';
import { LgiError, OptionError } from '../../codec/errors.js';
import { curves } from './curves.js';
import type { Experiment } from './experiment.js';
import { EXPERIMENTS } from './experiments.js';
import { Laboratory } from './laboratory.js';
import { report } from './report.js';
import { Results } from './results.js';
import { readSafetensors } from './safetensors.js';

const USAGE = `npm run paper -- EXPERIMENT --data FOLDER [options]

  --scale X       part of the paper's iterations, 0 to 1 (default: 1)
  --shrink N      pictures N times smaller on each axis (default: 1)
  --seeds N       runs of each row, by seeds from 1 (default: 1)
  --rows a,b      some of the rows, by what their names begin with
  --out FOLDER    where results go (default: paper-output)
  --resnet FILE   trained weights of a torchvision resnet34, as safetensors, for
                  what INCODE's harmonizer sees (default: random ones)
  --engine NAME   cpu (default) or tensorflow
  --threads N     threads of the engine
  --list          what there is to run, and nothing else

Results are EXPERIMENT.json, .md and, with curves, .svg. A run that the
results have is not made again, and one that was interrupted goes on: end
the program at any time and start it anew with the same options.
`;

const OPTIONS = {
  data: { type: 'string' },
  scale: { type: 'string', default: '1' },
  shrink: { type: 'string', default: '1' },
  seeds: { type: 'string', default: '1' },
  rows: { type: 'string' },
  out: { type: 'string', default: 'paper-output' },
  engine: { type: 'string', default: 'cpu' },
  threads: { type: 'string' },
  resnet: { type: 'string' },
  list: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

/** Ends the program for what was typed wrong. */
function refuse(message: string): never {
  process.stderr.write(`paper: ${message}\n\n${USAGE}`);
  process.exit(2);
}

function parsed() {
  try {
    return parseArgs({ options: OPTIONS, allowPositionals: true });
  } catch (error) {
    return refuse((error as Error).message);
  }
}

const { values: options, positionals } = parsed();

function number(name: 'scale' | 'shrink' | 'seeds' | 'threads', least: number, most: number): number {
  const value = Number(options[name]);
  const isWhole = name === 'scale' || Number.isInteger(value);
  if (!(value >= least && value <= most && isWhole)) {
    refuse(
      `--${name}: '${options[name]}' is no ${name === 'scale' ? 'part' : 'whole number'} from ${least} to ${most}`,
    );
  }
  return value;
}

if (options.help === true) {
  process.stdout.write(USAGE);
  process.exit(0);
}
if (options.list === true) {
  const width = Math.max(...EXPERIMENTS.map(({ name }) => name.length));
  for (const { name, title } of EXPERIMENTS) process.stdout.write(`${name.padEnd(width)}  ${title}\n`);
  process.exit(0);
}
const [wanted] = positionals;
const experiment = EXPERIMENTS.find(({ name }) => name === wanted);
if (experiment === undefined) {
  refuse(
    `${wanted === undefined ? 'no experiment was named' : `there is no '${wanted}'`}; there are ${EXPERIMENTS.map(({ name }) => name).join(', ')}`,
  );
}
const data = options.data ?? refuse('--data FOLDER is missing: where the media are');
const shortening = { scale: number('scale', 1e-4, 1), shrink: number('shrink', 1, 16) };
const seeds = number('seeds', 1, 1000);
const threads = options.threads === undefined ? undefined : number('threads', 1, 64);
const beginnings = options.rows?.split(',');
const rows = experiment.rows.filter(({ name }) => beginnings?.some((part) => name.startsWith(part)) ?? true);
if (rows.length === 0) {
  refuse(`--rows: none begins so; there are ${experiment.rows.map(({ name }) => `'${name}'`).join(', ')}`);
}

try {
  await run(experiment);
} catch (error) {
  // What was asked for, or what a medium is.
  if (error instanceof OptionError) refuse(`--${error.message}`);
  if (!(error instanceof LgiError)) throw error;
  process.stderr.write(`paper: ${error.message}\n`);
  process.exitCode = 1;
}

async function run(chosen: Experiment): Promise<void> {
  const engine = createEngine(options.engine as EngineName, threads);
  const path = (extension: string): string => join(options.out, `${chosen.name}.${extension}`);
  try {
    const results = await Results.open(path('json'), { experiment: chosen.name, ...shortening });
    const laboratory = new Laboratory({
      engine,
      ...(options.resnet !== undefined && { resnet: await readSafetensors(options.resnet) }),
      data,
      ...shortening,
      // Of runs that were shortened otherwise nothing is gone on from.
      checkpoints: join(options.out, 'checkpoints', `${shortening.scale}-${shortening.shrink}`),
      onProgress: (text) => process.stderr.write(`${text}\n`),
    });
    for (let seed = 1; seed <= seeds; seed++) {
      for (const row of rows) {
        if (results.find(row.name, seed) !== undefined) continue;
        const outcome = await row.run(laboratory, seed);
        const ranOn = `${engine.name}, ${engine.threads} threads`;
        await results.add({ row: row.name, seed, engine: ranOn, ...outcome });
        await writeFile(path('md'), report(chosen, results.runs, shortening));
        const svg = curves(chosen, results.runs);
        if (svg !== undefined) await writeFile(path('svg'), svg);
      }
    }
    process.stdout.write(report(chosen, results.runs, shortening));
  } finally {
    await engine.dispose();
  }
}
