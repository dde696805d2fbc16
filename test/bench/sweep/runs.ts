import { createHash } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import type { EncodeSettings } from '../../../src/encode-settings.js';
import type { Changes, RunBudget } from './configuration.js';

/** Which run a line of the file is of. */
export interface RunNames {
  /** Of {@link runKey}. */
  readonly key: string;
  readonly picture: string;
  /** The configuration's name when it ran; names may change, the key tells runs apart. */
  readonly configuration: string;
  /** What the configuration changes, and what it may take. */
  readonly changes: Changes;
  readonly budget: RunBudget;
}

/** What a run achieved; a line of the file. */
export interface Run extends RunNames {
  readonly psnr: number;
  readonly ssim: number;
  /** Absent where the grid has no borders. */
  readonly seam?: number;
  /** Training alone. */
  readonly seconds: number;
  readonly iterations: number;
  readonly parameters: number;
  readonly bytes: number;
  readonly grid: readonly number[];
  readonly localWidth: number;
  readonly globalWidth: number;
  readonly threads: number;
}

/** A run that ended in an error which another try would end in as well. */
export interface FailedRun extends RunNames {
  readonly error: string;
}

/** Tells runs apart by all that decides their result but engine and machine. */
export function runKey(
  picture: string,
  { preset, grid, model, budget, seed, precision }: EncodeSettings,
): string {
  const all = JSON.stringify({
    picture,
    recipe: preset.recipe,
    axes: grid.axes,
    model,
    budget,
    seed,
    precision,
  });
  return createHash('sha256').update(all).digest('hex').slice(0, 16);
}

function parseLine(line: string): Run | FailedRun | undefined {
  try {
    const value = JSON.parse(line) as Run | FailedRun | null;
    return typeof value?.key === 'string' && ('error' in value || typeof value.psnr === 'number')
      ? value
      : undefined;
  } catch {
    return undefined;
  }
}

/** Runs that are done, in a file of one JSON object a line. */
export class RunFile {
  readonly #path: string;
  readonly #runs: Map<string, Run | FailedRun>;
  #endsInLine: boolean;

  private constructor(path: string, text: string) {
    this.#path = path;
    this.#endsInLine = text === '' || text.endsWith('\n');
    // What a kill has cut short is no line that parses; the run is then made again.
    const lines = text.split('\n').map(parseLine);
    this.#runs = new Map(lines.flatMap((run) => (run === undefined ? [] : [[run.key, run]])));
  }

  /** Takes what the file has; one that is not there has nothing. */
  static async open(path: string): Promise<RunFile> {
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    });
    return new RunFile(path, text);
  }

  find(key: string): Run | FailedRun | undefined {
    return this.#runs.get(key);
  }

  /** Appends a line; once this resolves, the run is on the disk. */
  async add(run: Run | FailedRun): Promise<void> {
    const file = await open(this.#path, 'a');
    try {
      await file.writeFile(`${this.#endsInLine ? '' : '\n'}${JSON.stringify(run)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    this.#endsInLine = true;
    this.#runs.set(run.key, run);
  }
}
