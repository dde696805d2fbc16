import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LgiError, OptionError } from '../../codec/errors.js';
import { fileError, folderError } from '../../src/io/file-error-node.js';
import { FileLock } from '../../src/io/file-lock-node.js';
import type { Outcome } from './experiment.js';
import { replaceFile } from './replace-file.js';

/** A run of a row by one seed. */
export interface Run extends Outcome {
  readonly row: string;
  readonly seed: number;
  /** Engine, threads and instructions that it ran on. */
  readonly engine: string;
}

/** What runs of one file have in common. */
export interface Conditions {
  /** Part of the paper's iterations. */
  readonly scale: number;
  /** Samples of a medium per axis for each that is trained on. */
  readonly shrink: number;
  /** SHA-256, in hex, of the file of trained weights of the network whose features harmonizers see; random ones without. */
  readonly resnet?: string;
}

/** What the file of an experiment holds. */
interface Contents extends Conditions {
  readonly experiment: string;
  readonly runs: readonly Run[];
}

/** Runs of an experiment that are done, in a JSON file that no other program changes meanwhile. */
export class Results {
  readonly #path: string;
  readonly #runs: Run[];
  readonly #head: Conditions & { readonly experiment: string };
  readonly #lock: FileLock;

  private constructor(
    path: string,
    lock: FileLock,
    head: Conditions & { experiment: string },
    runs: readonly Run[],
  ) {
    this.#path = path;
    this.#lock = lock;
    this.#head = head;
    this.#runs = [...runs];
  }

  /**
   * Takes what the file has; one that is not there has nothing.
   *
   * @throws OptionError for a file of runs under other conditions.
   * @throws LgiError `damaged` for a file that has none, `locked` while another program adds to it, `io` where it cannot be written.
   */
  static async open(path: string, head: Conditions & { experiment: string }): Promise<Results> {
    // One folder, not those above it: where they are missing, a name is wrong.
    const folder = dirname(path);
    await mkdir(folder).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'EEXIST') throw folderError(path, dirname(folder), cause);
    });
    const lock = await FileLock.take(path);
    try {
      return new Results(path, lock, head, await readRuns(path, head));
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Lets other programs add to the file. */
  close(): Promise<void> {
    return this.#lock.release();
  }

  get runs(): readonly Run[] {
    return this.#runs;
  }

  get conditions(): Conditions {
    return this.#head;
  }

  find(row: string, seed: number): Run | undefined {
    return this.#runs.find((run) => run.row === row && run.seed === seed);
  }

  /** Adds a run; once this resolves, it is on the disk. */
  async add(run: Run): Promise<void> {
    this.#runs.push(run);
    const lines = this.#runs.map((each) => `    ${JSON.stringify(each)}`);
    const head = JSON.stringify(this.#head).slice(1, -1);
    await replaceFile(this.#path, `{${head}, "runs": [\n${lines.join(',\n')}\n]}\n`);
  }
}

async function readRuns(path: string, head: Conditions): Promise<readonly Run[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw fileError('read', path, cause);
  }
  const { runs, ...others } = parsed(path, text);
  if (conditionsText(others) !== conditionsText(head)) {
    throw new OptionError(
      'out',
      `${path} has runs of ${conditionsText(others)}; give another folder for ${conditionsText(head)}`,
    );
  }
  return runs;
}

function conditionsText({ scale, shrink, resnet }: Conditions): string {
  const ofResnet = resnet === undefined ? '' : ` --resnet FILE of SHA-256 ${resnet.slice(0, 8)}`;
  return `--scale ${scale} --shrink ${shrink}${ofResnet}`;
}

function parsed(path: string, text: string): Contents {
  try {
    const contents = JSON.parse(text) as Contents;
    if (Array.isArray(contents.runs)) return contents;
  } catch {
    // Said below.
  }
  throw new LgiError('damaged', `${path} has no runs of an experiment; repair it or move it away`);
}
