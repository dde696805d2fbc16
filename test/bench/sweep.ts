// npm run sweep -- FOLDER [options]: encodes the pictures of a folder by many configurations and compares them.
import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { createEngine } from '../../codec/engine/choose.js';
import { OptionError } from '../../codec/errors.js';
import type { EncodeSettings } from '../../src/encode-settings.js';
import type { Media } from '../../src/media/media.js';
import { readImage } from '../../src/media/read-image.js';
import { settingsOf } from './sweep/configuration.js';
import type { Configuration, RunBudget } from './sweep/configuration.js';
import { EXPERIMENTS } from './sweep/experiments.js';
import type { Experiment } from './sweep/experiments.js';
import { runOnce } from './sweep/run-once.js';
import { RunFile, runKey } from './sweep/runs.js';
import type { FailedRun, Run } from './sweep/runs.js';
import { experimentTables } from './sweep/table.js';

const USAGE = `npm run sweep -- FOLDER [options]

  --experiments a,b   some of them (default: all)
  --pictures a,b      some of the folder's pictures, by name without extension (default: all)
  --seconds N         time of each run's training; or
  --iterations N      optimiser steps of each run; or
  --effort X          part of the recipe's epochs that each run takes (default: 1)
  --threads N         threads of the engine
  --to FOLDER         where runs.jsonl and table.md go (default: sweep-output)
  --list              what there is to run, and nothing else

A run that runs.jsonl has is not made again; it can be ended at any time and started anew with the same options.
`;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    experiments: { type: 'string' },
    pictures: { type: 'string' },
    seconds: { type: 'string' },
    iterations: { type: 'string' },
    effort: { type: 'string' },
    threads: { type: 'string' },
    to: { type: 'string', default: 'sweep-output' },
    list: { type: 'boolean' },
  },
});

/** Ends the program for what was typed wrong. */
function refuse(message: string): never {
  process.stderr.write(`sweep: ${message}\n\n${USAGE}`);
  process.exit(2);
}

function positive(name: 'seconds' | 'iterations' | 'effort' | 'threads'): number | undefined {
  const text = options[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(value > 0 && value < Infinity)) refuse(`--${name}: '${text}' is no positive number`);
  return value;
}

function chosenBudget(): RunBudget {
  const [seconds, iterations, effort] = [positive('seconds'), positive('iterations'), positive('effort')];
  if ([seconds, iterations, effort].filter((value) => value !== undefined).length > 1) {
    refuse('--seconds, --iterations and --effort are given together; give one');
  }
  return {
    ...(seconds !== undefined && { seconds }),
    ...(iterations !== undefined && { iterations }),
    ...(effort !== undefined && { effort }),
  };
}

/** Those of the names that were asked for, in their own order; all without a request. */
function chosen<T>(all: readonly T[], nameOf: (item: T) => string, option: 'experiments' | 'pictures'): T[] {
  const names = options[option]?.split(',');
  if (names === undefined) return [...all];
  const unknown = names.find((name) => !all.some((item) => nameOf(item) === name));
  if (unknown !== undefined) {
    refuse(`--${option}: there is no '${unknown}'; there are ${all.map(nameOf).join(', ')}`);
  }
  return all.filter((item) => names.includes(nameOf(item)));
}

interface Picture {
  readonly name: string;
  readonly path: string;
}

async function picturesOf(folder: string): Promise<Picture[]> {
  const files = (await readdir(folder)).filter((file) => /\.(png|jpe?g|webp)$/i.test(file)).sort();
  const all = files.map((file) => ({ name: basename(file, extname(file)), path: join(folder, file) }));
  return chosen(all, ({ name }) => name, 'pictures');
}

/** Settings of a run, or why a picture cannot be encoded that way, which needs no run to be known. */
type Planned = { readonly key: string; readonly settings: EncodeSettings } | { readonly refusal: string };

function plan(picture: string, media: Media, { changes }: Configuration, budget: RunBudget): Planned {
  try {
    const settings = settingsOf(changes, media, budget);
    return { key: runKey(picture, settings), settings };
  } catch (error) {
    if (error instanceof OptionError) return { refusal: error.message };
    throw error;
  }
}

/** What has been found so far; by experiment, configuration and picture. */
class Results {
  readonly #found = new Map<string, Map<string, Run | FailedRun>>();

  add({ name }: Experiment, configuration: Configuration, run: Run | FailedRun): void {
    const row = this.#row(name, configuration.name);
    row.set(run.picture, run);
  }

  markdown(
    experiments: readonly Experiment[],
    pictures: readonly Picture[],
    title: readonly string[],
  ): string {
    const names = pictures.map(({ name }) => name);
    const sections = experiments.map(({ name, question, configurations: [first, ...others] }) => {
      const row = (configuration: Configuration) => ({
        name: configuration.name,
        runs: this.#row(name, configuration.name),
      });
      return [
        '',
        `## ${name}`,
        '',
        question,
        '',
        ...experimentTables([row(first), ...others.map(row)], names),
      ];
    });
    return [...title, ...sections.flat(), ''].join('\n');
  }

  #row(experiment: string, configuration: string): Map<string, Run | FailedRun> {
    const key = `${experiment}/${configuration}`;
    const row = this.#found.get(key) ?? new Map<string, Run | FailedRun>();
    this.#found.set(key, row);
    return row;
  }
}

function describe(run: Run | FailedRun): string {
  if ('error' in run) return run.error;
  const seam = run.seam === undefined ? '' : `, seam ${run.seam.toFixed(2)}`;
  return `${run.psnr.toFixed(2)} dB${seam}, ${run.seconds.toFixed(1)} s`;
}

async function replaceFile(path: string, text: string): Promise<void> {
  await writeFile(`${path}.tmp`, text);
  await rename(`${path}.tmp`, path);
}

async function sweep(folder: string): Promise<void> {
  const budget = chosenBudget();
  const experiments = chosen(EXPERIMENTS, ({ name }) => name, 'experiments');
  const pictures = await picturesOf(folder);
  if (pictures.length === 0) refuse(`${folder} has no PNG, JPEG or WebP`);
  await mkdir(options.to, { recursive: true });
  const runs = await RunFile.open(join(options.to, 'runs.jsonl'));
  const engine = createEngine('auto', positive('threads'));
  const results = new Results();
  const asked = (['experiments', 'pictures', 'seconds', 'iterations', 'effort', 'threads'] as const)
    .filter((name) => options[name] !== undefined)
    .map((name) => ` --${name} ${options[name]}`);
  const title = [
    '# Sweep',
    '',
    `Made by \`npm run sweep -- FOLDER${asked.join('')}\`, engine ${engine.name}, ${engine.threads} threads.`,
    'Means over pictures; gain: mean difference of PSNR to the first row, picture by picture, ± its standard deviation.',
  ];
  try {
    // Pictures outside: as soon as the first is done, every experiment can be read, and each further one makes all of them
    // surer, since differences are taken picture by picture.
    for (const { name: picture, path } of pictures) {
      const media = await readImage(path);
      for (const experiment of experiments) {
        for (const configuration of experiment.configurations) {
          const names = { picture, configuration: configuration.name };
          const planned = plan(picture, media, configuration, budget);
          if ('refusal' in planned) {
            results.add(experiment, configuration, { ...names, key: '', error: planned.refusal });
            continue;
          }
          const { key, settings } = planned;
          let run = runs.find(key);
          if (run === undefined) {
            run = await runOnce(media, settings, engine, { ...names, key });
            await runs.add(run);
            process.stdout.write(`${picture}, ${experiment.name}: ${configuration.name}: ${describe(run)}\n`);
          }
          results.add(experiment, configuration, run);
        }
        await replaceFile(join(options.to, 'table.md'), results.markdown(experiments, pictures, title));
      }
      media.close?.();
    }
  } finally {
    await engine.dispose();
  }
  process.stdout.write(`\n${results.markdown(experiments, pictures, title)}`);
}

if (options.list === true) {
  for (const { name, question, configurations } of EXPERIMENTS) {
    process.stdout.write(`${name}: ${question}\n  ${configurations.map((c) => c.name).join('; ')}\n`);
  }
} else if (positionals.length !== 1) {
  refuse('one folder of pictures is needed');
} else {
  await sweep(positionals[0]);
}
