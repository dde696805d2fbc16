import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const REPORT_MEMORY = new URL('report-memory.js', import.meta.url).href;

/** What encoding came to. */
export interface Encoding {
  readonly psnr: number;
  readonly ssim?: number;
  readonly iou?: number;
  readonly seconds: number;
  readonly wallSeconds: number;
  /** The most that the process held. */
  readonly memoryBytes: number;
  readonly parameters: { readonly total: number };
}

/** Encodes by the command line, as a user does, in a process of its own; the file is `a.lgi` in the folder. */
export async function encodeByCommand(
  folder: string,
  path: string,
  options: readonly string[],
): Promise<Encoding> {
  const memory = join(folder, 'memory');
  const start = performance.now();
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', REPORT_MEMORY, MAIN, 'encode', path, '-o', join(folder, 'a.lgi'), '--json', ...options],
    { env: { ...process.env, LGI_BENCH_MEMORY: memory } },
  );
  const wallSeconds = (performance.now() - start) / 1e3;
  const report = JSON.parse(stdout) as Omit<Encoding, 'memoryBytes' | 'wallSeconds'>;
  return { ...report, wallSeconds, memoryBytes: Number(await readFile(memory, 'utf8')) };
}
