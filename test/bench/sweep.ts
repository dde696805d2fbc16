// npm run sweep -- --pictures FOLDER --out RESULTS.jsonl: encodes pictures by many configurations and compares them.
import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
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
import type { Row } from './sweep/table.js';
import { wrap } from '../../src/cli/wrap.js';
import { COLUMNS, experimentTables, terminalTable } from './sweep/table.js';

const USAGE = `npm run sweep -- --pictures FOLDER --out RESULTS.jsonl [options]

  --experiment a,b     some of them (default: all)
  --pictures-only a,b  some of the folder's pictures, by name without extension
                       (default: all)
  --seconds N          time of each run's training; or
  --iterations N       optimiser steps of each run; or
  --effort X           part of the recipe's steps that each run takes, which
                       keeps epochs equal (default: 1)
  --threads N          threads of the engine
  --list               what there is to run, and nothing else
  --help               this, and nothing else

The tables go beside the results, with the ending .md. A run that the results
have is not made again: end the sweep at any time and start it anew with the
same options.
`;

const OPTIONS = {
  pictures: { type: 'string' },
  out: { type: 'string' },
  experiment: { type: 'string' },
  'pictures-only': { type: 'string' },
  seconds: { type: 'string' },
  iterations: { type: 'string' },
  effort: { type: 'string' },
  threads: { type: 'string' },
  list: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

function parsed() {
  try {
    return parseArgs({ options: OPTIONS }).values;
  } catch (error) {
    return refuse((error as Error).message);
  }
}

const options = parsed();

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
function chosen<T>(
  all: readonly T[],
  nameOf: (item: T) => string,
  option: 'experiment' | 'pictures-only',
): T[] {
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
  const entries = await readdir(folder).catch((error: Error) =>
    refuse(`${folder} cannot be read: ${error.message}`),
  );
  const files = entries.filter((file) => /\.(png|jpe?g|webp)$/i.test(file)).sort();
  const all = files.map((file) => ({ name: basename(file, extname(file)), path: join(folder, file) }));
  return chosen(all, ({ name }) => name, 'pictures-only');
}

function picturesAsked(experiment: Experiment, pictures: readonly Picture[]): Picture[] {
  return pictures.filter(({ name }) => experiment.pictures?.test(name) ?? true);
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
    const sections = experiments.map((experiment) => {
      const names = picturesAsked(experiment, pictures).map((picture) => picture.name);
      const tables = experimentTables(this.#rows(experiment), names);
      return ['', `## ${experiment.name}`, '', experiment.question, '', ...tables];
    });
    return [...title, ...sections.flat(), ''].join('\n');
  }

  /** What a terminal has room for; the rest is in the Markdown. */
  text(experiments: readonly Experiment[]): string {
    const sections = experiments.map((experiment) => [
      '',
      ...wrap(`${experiment.name}: ${experiment.question}`, COLUMNS, 0),
      '',
      ...terminalTable(this.#rows(experiment)),
    ]);
    return `${sections.flat().join('\n')}\n`;
  }

  #rows({ name, configurations: [first, ...others] }: Experiment): [Row, ...Row[]] {
    const row = (configuration: Configuration): Row => ({
      name: configuration.name,
      runs: this.#row(name, configuration.name),
    });
    return [row(first), ...others.map(row)];
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

/** All media stay open: every configuration runs on all of them before the next. */
async function openAll(pictures: readonly Picture[]): Promise<Map<string, Media>> {
  const opened = new Map<string, Media>();
  for (const { name, path } of pictures) opened.set(name, await readImage(path));
  return opened;
}

async function sweep(folder: string, out: string): Promise<void> {
  const budget = chosenBudget();
  const experiments = chosen(EXPERIMENTS, ({ name }) => name, 'experiment');
  const pictures = await picturesOf(folder);
  if (pictures.length === 0) refuse(`${folder} has no PNG, JPEG or WebP`);
  const tables = out.endsWith('.jsonl') ? `${out.slice(0, -'.jsonl'.length)}.md` : `${out}.md`;
  await mkdir(dirname(out), { recursive: true });
  const runs = await RunFile.open(out);
  const media = await openAll(pictures);
  const engine = createEngine('auto', positive('threads'));
  const results = new Results();
  const asked = (['experiment', 'pictures-only', 'seconds', 'iterations', 'effort', 'threads'] as const)
    .filter((name) => options[name] !== undefined)
    .map((name) => ` --${name} ${options[name]}`);
  const title = [
    '# Sweep',
    '',
    `Made by \`npm run sweep -- --pictures FOLDER --out FILE${asked.join('')}\`, engine ${engine.name}, ${engine.threads} threads.`,
    'Means over pictures; gain: mean difference of PSNR to the first row, picture by picture, ± its standard deviation.',
  ];
  try {
    for (const experiment of experiments) {
      for (const configuration of experiment.configurations) {
        for (const { name: picture } of picturesAsked(experiment, pictures)) {
          const names = {
            picture,
            configuration: configuration.name,
            changes: configuration.changes,
            budget,
          };
          const medium = media.get(picture) as Media;
          const planned = plan(picture, medium, configuration, budget);
          if ('refusal' in planned) {
            results.add(experiment, configuration, { ...names, key: '', error: planned.refusal });
            continue;
          }
          const { key, settings } = planned;
          let run = runs.find(key);
          if (run === undefined) {
            run = await runOnce(medium, settings, engine, { ...names, key });
            await runs.add(run);
            process.stdout.write(`${experiment.name}, ${configuration.name}, ${picture}: ${describe(run)}\n`);
          }
          results.add(experiment, configuration, run);
        }
        await replaceFile(tables, results.markdown(experiments, pictures, title));
      }
    }
  } finally {
    await engine.dispose();
    media.forEach((medium) => medium.close?.());
  }
  process.stdout.write(results.text(experiments));
  process.stdout.write(
    `\nn: pictures in the means; gain: over the first row, ± its standard deviation.\n` +
      `runs: ${out}\ntables, also picture by picture: ${tables}\n`,
  );
}

if (options.help === true) {
  process.stdout.write(USAGE);
} else if (options.list === true) {
  for (const { name, question, configurations } of EXPERIMENTS) {
    const names = configurations.map((configuration) => configuration.name).join('; ');
    const [first, ...further] = wrap(`${name}: ${question}`, COLUMNS, 2);
    const lines = [first, ...[...further, ...wrap(names, COLUMNS - 2, 0)].map((line) => `  ${line}`)];
    process.stdout.write(`${lines.join('\n')}\n`);
  }
} else if (options.pictures === undefined || options.out === undefined) {
  refuse('a folder of pictures and a file for the results are needed');
} else {
  await sweep(options.pictures, options.out);
}
