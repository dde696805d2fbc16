import { createHash, randomBytes } from 'node:crypto';
import { unlinkSync } from 'node:fs';
import { readdir, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isRunning, machine } from './running-process-node.js';

/** Bytes of the file's own name that a temporary name has: file systems take names of 255 bytes, and the rest needs up to 50. */
const MAX_NAME_BYTES = 200;

/** Temporary files of this process; what is still here when it ends is removed. */
const unfinished = new Set<string>();
let removesAtExit = false;

/** Removes a file when the process ends, unless {@link forget} comes before. */
export function removeAtExit(path: string): void {
  unfinished.add(path);
  if (removesAtExit) return;
  removesAtExit = true;
  process.on('exit', () => {
    for (const each of unfinished) {
      try {
        unlinkSync(each);
      } catch {
        // The process ends; there is nobody left to tell.
      }
    }
  });
}

/** @returns whether the file was to be removed. */
export function forget(path: string): boolean {
  return unfinished.delete(path);
}

/** Beginning of the names of a file's temporary files, hidden ones. */
function prefixOf(target: string): string {
  let name = basename(target);
  while (Buffer.byteLength(name) > MAX_NAME_BYTES) name = [...name].slice(0, -1).join('');
  return `.${name}.unfinished-`;
}

/** The machine in a name: 8 hexadecimal digits. */
function machineMark(): string {
  return createHash('sha256').update(machine()).digest('hex').slice(0, 8);
}

/**
 * A place beside a file for what will take its place: `.photo.lgi.unfinished-<process>-<machine>-<random>.tmp`, so that it can
 * be told what it is, and whether its writer lives.
 */
export function temporaryPath(target: string): string {
  // Unpredictable, so that nobody can put a link there first.
  const random = randomBytes(9).toString('base64url');
  return join(dirname(target), `${prefixOf(target)}${process.pid}-${machineMark()}-${random}.tmp`);
}

/** Removes temporary files of a file whose writers were killed on this machine; of others nobody knows whether they live. */
export async function removeAbandoned(target: string): Promise<void> {
  const folder = dirname(target);
  const prefix = prefixOf(target);
  const mark = machineMark();
  // What cannot be listed or removed does not keep anybody from writing.
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    if (!name.startsWith(prefix)) continue;
    const [, id, where] = /^(\d+)-([0-9a-f]{8})-[\w-]{12}\.tmp$/.exec(name.slice(prefix.length)) ?? [];
    if (where !== mark || isRunning(Number(id))) continue;
    await unlink(join(folder, name)).catch(() => undefined);
  }
}
