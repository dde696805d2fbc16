import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { OptionError } from '../../codec/errors.js';
import type { Outcome } from './experiment.js';

/** A run of a row by one seed. */
export interface Run extends Outcome {
  readonly row: string;
  readonly seed: number;
  /** Engine and threads that it ran on. */
  readonly engine: string;
}

/** How far runs were shortened; runs of one file are all alike in it. */
export interface Shortening {
  readonly scale: number;
  readonly shrink: number;
}

/** What the file of an experiment holds. */
interface Contents extends Shortening {
  readonly experiment: string;
  readonly runs: readonly Run[];
}

/** Runs of an experiment that are done, in a JSON file. */
export class Results {
  readonly #path: string;
  readonly #runs: Run[];
  readonly #head: Shortening & { readonly experiment: string };

  private constructor(path: string, head: Shortening & { experiment: string }, runs: readonly Run[]) {
    this.#path = path;
    this.#head = head;
    this.#runs = [...runs];
  }

  /**
   * Takes what the file has; one that is not there has nothing.
   *
   * @throws OptionError for a file of runs that were shortened otherwise.
   */
  static async open(path: string, head: Shortening & { experiment: string }): Promise<Results> {
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return new Results(path, head, []);
    }
    const { runs, scale, shrink } = JSON.parse(text) as Contents;
    if (scale !== head.scale || shrink !== head.shrink) {
      throw new OptionError(
        'out',
        `${path} has runs of --scale ${scale} --shrink ${shrink}; give another folder for others`,
      );
    }
    return new Results(path, head, runs);
  }

  get runs(): readonly Run[] {
    return this.#runs;
  }

  find(row: string, seed: number): Run | undefined {
    return this.#runs.find((run) => run.row === row && run.seed === seed);
  }

  /** Adds a run; once this resolves, it is on the disk. */
  async add(run: Run): Promise<void> {
    this.#runs.push(run);
    const lines = this.#runs.map((each) => `    ${JSON.stringify(each)}`);
    const head = JSON.stringify(this.#head).slice(1, -1);
    await mkdir(dirname(this.#path), { recursive: true });
    await writeFile(`${this.#path}.new`, `{${head}, "runs": [\n${lines.join(',\n')}\n]}\n`);
    await rename(`${this.#path}.new`, this.#path);
  }
}
