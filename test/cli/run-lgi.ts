import { fork, spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll } from 'vitest';

export const MAIN = resolve('dist/src/cli/main.js');
const COMMAND_LINE = pathToFileURL(resolve('dist/src/cli/command-line.js')).href;

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What the commands print with `--json`, each some of it. */
export interface Report {
  readonly psnr: number | string;
  readonly ssim: number;
  readonly ssimVariant: string;
  readonly seam?: number;
  readonly mse: number;
  readonly maxError: number;
  readonly parameters: { readonly total: number; readonly local: number; readonly global: number };
  readonly ok: boolean;
  readonly kept: number;
  readonly stoppedBy: string;
  readonly notices: readonly string[];
  readonly partitionsDecoded: number;
  readonly missing: readonly unknown[];
  readonly seconds: Readonly<Record<string, number>>;
  readonly bytes: Readonly<Record<string, number>>;
  readonly fileId: string;
  readonly familyId: string;
  readonly signals: readonly {
    readonly weights: string;
    readonly architecture: Readonly<Record<string, unknown>>;
    readonly partitions: Readonly<Record<string, number>>;
  }[];
}

export interface RunOptions {
  readonly folder: string;
  /** Arguments of node, before the program's. */
  readonly nodeArguments?: readonly string[];
  /** Called with the process once it runs. */
  readonly onStart?: (child: ChildProcess) => void;
}

/** Runs the program as a shell would. */
function runLgi(argv: readonly string[], options: RunOptions): Promise<Ended> {
  const child = spawn(process.execPath, [...(options.nodeArguments ?? []), MAIN, ...argv], {
    cwd: options.folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  options.onStart?.(child);
  return new Promise((fulfil, reject) => {
    child.on('error', reject);
    child.on('close', (code) => fulfil({ code, stdout, stderr }));
  });
}

/** A process that runs command lines one after the other, which saves starting one for each. */
class Driver {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { fulfil: (ended: Ended) => void; reject: (reason: Error) => void }>();
  #count = 0;

  constructor(folder: string) {
    this.#child = fork(resolve('test/cli/driver.mjs'), [COMMAND_LINE], { cwd: folder, stdio: 'inherit' });
    this.#child.on('message', ({ id, ended }: { id: number; ended: Ended }) => {
      this.#waiting.get(id)?.fulfil(ended);
      this.#waiting.delete(id);
    });
    this.#child.on('exit', (code) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`the process ended with ${code}`));
    });
  }

  run(argv: readonly string[]): Promise<Ended> {
    return new Promise((fulfil, reject) => {
      const id = this.#count++;
      this.#waiting.set(id, { fulfil, reject });
      this.#child.send({ id, argv });
    });
  }

  end(): void {
    this.#child.disconnect();
  }
}

/** A folder of a test file's own, and the program run in it. */
export class Workplace {
  readonly #driver: Driver;

  private constructor(readonly folder: string) {
    this.#driver = new Driver(folder);
  }

  /** Call at the top of a test file; the folder goes when its tests are done. */
  static async create(): Promise<Workplace> {
    const workplace = new Workplace(await mkdtemp(join(tmpdir(), 'lgi-cli-')));
    afterAll(async () => {
      workplace.#driver.end();
      await rm(workplace.folder, { recursive: true });
    });
    return workplace;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Names of all files, hidden ones and temporary ones too. */
  async names(): Promise<string[]> {
    return (await readdir(this.folder)).sort();
  }

  /** Runs the program in a process of its own. */
  lgi(argv: readonly string[], options: Omit<RunOptions, 'folder'> = {}): Promise<Ended> {
    return runLgi(argv, { ...options, folder: this.folder });
  }

  /** Runs what the program runs, in a process that goes on to the next one; the quick way for many. */
  runInside(argv: readonly string[]): Promise<Ended> {
    return this.#driver.run(argv);
  }

  /**
   * Runs a command that shall succeed with `--json`.
   *
   * @returns the object on stdout, which must be all that is there.
   */
  async json(...argv: string[]): Promise<Report> {
    const { code, stdout, stderr } = await this.runInside([...argv, '--json']);
    if (code !== 0) throw new Error(`lgi ${argv.join(' ')}: exit code ${code}: ${stderr}`);
    return JSON.parse(stdout) as Report;
  }
}
