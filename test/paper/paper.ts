// npm run paper -- EXPERIMENT --data FOLDER: runs a table or figure of the paper, and shows its figures beside ours.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createEngine, type EngineName } from '../../codec/engine/choose.js';
import { hasRelaxedSimd } from '../../codec/engine/cpu/module.js';
import type { Engine } from '../../codec/engine/engine.js';
import { LgiError, OptionError } from '../../codec/errors.js';
import { curves } from './curves.js';
import type { Experiment, Row } from './experiment.js';
import { EXPERIMENTS } from './experiments.js';
import { Laboratory } from './laboratory.js';
import { replaceFile } from './replace-file.js';
import { report } from './report.js';
import { Results } from './results.js';
import { readSafetensors } from './safetensors.js';

const USAGE = `npm run paper -- EXPERIMENT --data FOLDER [options]

  --scale X       part of the paper's iterations, at most 1 (default: 1)
  --shrink N      pictures N times smaller on each axis (default: 1)
  --seeds N       runs of each row, by seeds from 1 (default: 1)
  --rows NAME     the row of this name, or rows whose names begin so (default:
                  all); more by giving it more than once
  --out FOLDER    where results go (default: paper-output)
  --resnet FILE   trained weights of a torchvision resnet34, as safetensors, for
                  what INCODE's harmonizer sees (default: random ones)
  --engine NAME   cpu (default), tensorflow or auto
  --threads N     threads of the engine
  --list          what there is to run, and nothing else

Results are EXPERIMENT.json, .md and, with curves, .svg. A run that the
results have is not made again, and one that was interrupted goes on: end
the program by Ctrl-C and start it anew with the same options. Where it is
killed otherwise, the last minute is lost.
`;

const OPTIONS = {
  data: { type: 'string' },
  scale: { type: 'string', default: '1' },
  shrink: { type: 'string', default: '1' },
  seeds: { type: 'string', default: '1' },
  rows: { type: 'string', multiple: true },
  out: { type: 'string', default: 'paper-output' },
  engine: { type: 'string', default: 'cpu' },
  threads: { type: 'string' },
  resnet: { type: 'string' },
  list: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

/** Ends the program for what was typed wrong. */
function refuse(message: string): never {
  process.stderr.write(`paper: ${message}\n'npm run paper -- --help' says what there is\n`);
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
const [wanted, ...others] = positionals;
if (others.length > 0) refuse(`one experiment at a time: '${others[0]}' is one more`);
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
const rows = options.rows === undefined ? experiment.rows : chosenRows(experiment.rows, options.rows);

function chosenRows(all: readonly Row[], names: readonly string[]): readonly Row[] {
  const chosen = names.flatMap((text) => {
    const exact = all.filter(({ name }) => name === text);
    const found = exact.length > 0 ? exact : all.filter(({ name }) => name.startsWith(text));
    if (found.length > 0) return found;
    return refuse(
      `--rows: none is or begins with '${text}'; there are ${all.map(({ name }) => `'${name}'`).join(', ')}`,
    );
  });
  return all.filter((row) => chosen.includes(row));
}

if (options.resnet !== undefined && experiment.harmonizes !== true) {
  refuse(`--resnet: nothing of ${experiment.name} sees a ResNet; leave it out`);
}

const stopping = new AbortController();
process.once('SIGINT', () => {
  process.stderr.write('paper: stopping once this is kept; Ctrl-C again stops at once\n');
  stopping.abort();
});

try {
  await run(experiment);
} catch (error) {
  if (stopping.signal.aborted && error === stopping.signal.reason) {
    process.stderr.write('paper: stopped; the same command goes on\n');
    process.exit(130);
  }
  // What was asked for, or what a medium is.
  if (error instanceof OptionError) refuse(`--${error.message}`);
  if (!(error instanceof LgiError)) throw error;
  process.stderr.write(`paper: ${error.message}\n`);
  process.exitCode = 1;
}

/** What runs on an engine depend on, beside their seed. */
function nameOf({ name, threads: count }: Engine): string {
  const instructions = name === 'cpu' && hasRelaxedSimd() ? ', relaxed SIMD' : '';
  return `${name}, ${count} threads${instructions}`;
}

async function run(chosen: Experiment): Promise<void> {
  const engine = createEngine(options.engine as EngineName, threads);
  const path = (extension: string): string => join(options.out, `${chosen.name}.${extension}`);
  let results: Results | undefined;
  try {
    const resnet = options.resnet === undefined ? undefined : await readSafetensors(options.resnet);
    const conditions = { ...shortening, ...(resnet && { resnet: resnet.sha256 }) };
    results = await Results.open(path('json'), { experiment: chosen.name, ...conditions });
    const engineName = nameOf(engine);
    // Runs go on from nothing that was made under other conditions.
    const { scale, shrink } = shortening;
    const kept = [
      scale,
      shrink,
      engineName.replace(/[ ,]+/g, '-'),
      ...(resnet ? [resnet.sha256.slice(0, 8)] : []),
    ];
    const laboratory = new Laboratory({
      engine,
      ...(resnet && { resnet }),
      data,
      ...shortening,
      checkpoints: join(options.out, 'checkpoints', kept.join('-')),
      signal: stopping.signal,
      onProgress: (text) => process.stderr.write(`${text}\n`),
    });
    let made = 0;
    for (let seed = 1; seed <= seeds; seed++) {
      for (const row of rows) {
        if (results.find(row.name, seed) !== undefined) continue;
        const outcome = await row.run(laboratory, seed);
        await results.add({ row: row.name, seed, engine: engineName, ...outcome });
        await laboratory.forgetRun();
        await show(results);
        made++;
      }
    }
    if (made === 0) process.stderr.write(`paper: ${path('json')} has these runs; nothing was made\n`);
    process.stdout.write(await show(results));
  } finally {
    await results?.close();
    await engine.dispose();
  }

  /** Writes the page of what there is. */
  async function show({ runs, conditions }: Results): Promise<string> {
    const text = report(chosen, runs, conditions);
    await replaceFile(path('md'), text);
    const svg = curves(chosen, runs);
    if (svg !== undefined) await replaceFile(path('svg'), svg);
    return text;
  }
}
