import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll } from 'vitest';

const MAIN = resolve('dist/src/cli/main.js');
const COMMAND_LINE = pathToFileURL(resolve('dist/src/cli/command-line.js')).href;

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly folder: string;
  /** Arguments of node, before the program's. */
  readonly nodeArguments?: readonly string[];
  /** Called with the process once it runs. */
  readonly onStart?: (child: ChildProcess) => void;
}

/** Runs the program as a shell would. */
export function runLgi(argv: readonly string[], options: RunOptions): Promise<Ended> {
  return runNode([...(options.nodeArguments ?? []), MAIN, ...argv], options);
}

/** Runs many command lines one after the other in one process, which saves starting it for each. */
async function runMany(argvs: readonly (readonly string[])[], folder: string): Promise<Ended[]> {
  const program = `
    import { runCommandLine } from ${JSON.stringify(COMMAND_LINE)};
    const results = [];
    const streams = ['stdout', 'stderr'];
    const write = process.stdout.write.bind(process.stdout);
    for (const argv of ${JSON.stringify(argvs)}) {
      const result = { stdout: '', stderr: '' };
      for (const name of streams) process[name].write = (text) => ((result[name] += text), true);
      result.code = await runCommandLine(argv);
      results.push(result);
    }
    write(JSON.stringify(results));`;
  const { code, stdout, stderr } = await runNode(['--input-type=module', '--eval', program], { folder });
  if (code !== 0) throw new Error(`the process ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as Ended[];
}

function runNode(nodeArguments: readonly string[], options: RunOptions): Promise<Ended> {
  const child = spawn(process.execPath, nodeArguments, {
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

/** A folder of a test file's own, and the program run in it. */
export class Workplace {
  private constructor(readonly folder: string) {}

  /** Call at the top of a test file; the folder goes when its tests are done. */
  static async create(): Promise<Workplace> {
    const workplace = new Workplace(await mkdtemp(join(tmpdir(), 'lgi-cli-')));
    afterAll(() => rm(workplace.folder, { recursive: true }));
    return workplace;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Names of all files, hidden ones and temporary ones too. */
  async names(): Promise<string[]> {
    return (await readdir(this.folder)).sort();
  }

  lgi(argv: readonly string[], options: Omit<RunOptions, 'folder'> = {}): Promise<Ended> {
    return runLgi(argv, { ...options, folder: this.folder });
  }

  /** Several command lines, each as `lgi` runs it, in one process. */
  lgiEach(argvs: readonly (readonly string[])[]): Promise<Ended[]> {
    return runMany(argvs, this.folder);
  }

  /**
   * Runs a command that shall succeed with `--json`.
   *
   * @returns the object on stdout, which must be all that is there.
   */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- what a program gets from JSON.parse
  async json(...argv: string[]): Promise<any> {
    const { code, stdout, stderr } = await this.lgi([...argv, '--json']);
    if (code !== 0) throw new Error(`lgi ${argv.join(' ')}: exit code ${code}: ${stderr}`);
    return JSON.parse(stdout);
  }
}
