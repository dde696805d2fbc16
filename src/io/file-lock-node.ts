import { randomBytes } from 'node:crypto';
import { unlinkSync } from 'node:fs';
import { link, open, readFile, realpath, stat, unlink, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { LgiError } from '../../codec/errors.js';
import { fileError, folderError } from './file-error-node.js';
import { isRunning, machine } from './running-process-node.js';

/** How often a holder shows that it lives. */
const HEARTBEAT_MS = 2_000;

/**
 * Age of a heartbeat from which on a holder of another machine, whose process cannot be looked up, counts as dead: many
 * beats, so that neither a busy machine nor clocks that differ a little make one.
 */
const STALE_MS = 30_000;

/** What stands in a lock file. */
interface Holder {
  readonly host: string;
  readonly process: number;
  /** Told apart from every other lock. */
  readonly token: string;
}

/** Lock files of this process; what is still here when it ends is removed. */
const held = new Map<string, string>();
let removesAtExit = false;

function removeAtExit(): void {
  if (removesAtExit) return;
  removesAtExit = true;
  process.on('exit', () => {
    for (const path of held.keys()) {
      try {
        unlinkSync(path);
      } catch {
        // The process ends; whoever comes next finds that it is gone.
      }
    }
  });
}

/**
 * The right to change a file: `<path>.lock` beside it, with host, process and a heartbeat, its time of change.
 *
 * The lock of a process that is gone is taken over: at once where it ran on this machine, after 30 s without a heartbeat
 * where it ran on another.
 */
export class FileLock {
  /** The file that may be changed, by its real name. */
  readonly path: string;
  readonly #file: string;
  readonly #token: string;
  readonly #heartbeat: NodeJS.Timeout;

  private constructor(path: string, file: string, token: string) {
    this.path = path;
    this.#file = file;
    this.#token = token;
    held.set(file, token);
    removeAtExit();
    this.#heartbeat = setInterval(() => {
      const now = new Date();
      // Where the lock is gone, confirm() says so.
      utimes(file, now, now).catch(() => undefined);
    }, HEARTBEAT_MS);
    this.#heartbeat.unref();
  }

  /**
   * @param name of the file itself, any that it has; where there is no file yet, the folder must exist.
   * @throws LgiError `locked` while another process, or another part of this one, changes the file; `io`.
   */
  static async take(name: string): Promise<FileLock> {
    const path = await realName(name);
    const file = `${path}.lock`;
    const token = randomBytes(12).toString('base64url');
    // Twice: once more after a dead holder's lock was put away.
    for (let attempt = 0; attempt < 2; attempt++) {
      if (await create(path, file, token)) return new FileLock(path, file, token);
      const holder = await readHolder(file);
      if (holder !== null && !(await isDead(file, holder))) throw locked(path, holder);
      if (holder !== null) await putAway(file, holder);
    }
    throw locked(path, await readHolder(file));
  }

  /**
   * Checks that a file may be replaced: that nobody changes it in place, but for this process itself.
   *
   * @throws LgiError `locked` while another process does; `io`.
   */
  static async refuseOthers(name: string): Promise<void> {
    const path = await realName(name);
    const file = `${path}.lock`;
    const holder = await readHolder(file);
    if (holder === null || held.get(file) === holder.token || (await isDead(file, holder))) return;
    throw locked(path, holder);
  }

  /** @throws LgiError `locked` where the lock is no longer ours, as after a sleep of the machine longer than the heartbeat allows. */
  async confirm(): Promise<void> {
    const holder = await readHolder(this.#file);
    if (holder?.token === this.#token) return;
    throw new LgiError(
      'locked',
      `${this.path}: the lock was taken over while this program wrote; nothing of it counts, try again`,
    );
  }

  async release(): Promise<void> {
    clearInterval(this.#heartbeat);
    if (!held.delete(this.#file)) return;
    const holder = await readHolder(this.#file);
    if (holder?.token === this.#token) await unlink(this.#file).catch(() => undefined);
  }
}

/** What all names of a file have in common, so that they have one lock. */
async function realName(name: string): Promise<string> {
  try {
    return await realpath(name);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw fileError('write', name, cause);
  }
  try {
    return join(await realpath(dirname(name)), basename(name));
  } catch (cause) {
    throw folderError(name, dirname(name), cause);
  }
}

function locked(path: string, holder: Holder | null): LgiError {
  const who = holder === null ? 'another program' : `process ${holder.process} on ${holder.host}`;
  return new LgiError(
    'locked',
    `${path} is being changed by ${who}; wait for it, or, if it is gone, remove ${path}.lock`,
  );
}

/** @returns false where a lock file is there already */
async function create(path: string, file: string, token: string): Promise<boolean> {
  const holder: Holder = { host: machine(), process: process.pid, token };
  // Written under another name first, so that nobody ever reads half a lock.
  const temporary = `${file}.${token}`;
  try {
    const handle = await open(temporary, 'wx');
    try {
      await handle.writeFile(JSON.stringify(holder));
    } finally {
      await handle.close();
    }
    await link(temporary, file);
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw folderError(path, dirname(path), cause, 'its lock');
  } finally {
    await unlink(temporary).catch(() => undefined);
  }
}

/** Who holds a lock; null where there is none any more. What is no lock of ours counts as one of a machine unknown. */
async function readHolder(file: string): Promise<Holder | null> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    // Where the name is too long for a lock, nobody can have made one.
    if (code === 'ENOENT' || code === 'ENAMETOOLONG') return null;
    throw fileError('read', file, cause);
  }
  try {
    const { host, process: id, token } = JSON.parse(text) as Partial<Holder>;
    if (typeof host === 'string' && typeof id === 'number' && typeof token === 'string') {
      return { host, process: id, token };
    }
  } catch {
    // Falls through: as good as one of an unknown machine.
  }
  return { host: 'an unknown machine', process: 0, token: text };
}

async function isDead(file: string, holder: Holder): Promise<boolean> {
  if (held.get(file) === holder.token) return false;
  if (holder.host === machine()) {
    // Another part of this process may hold it, a worker with modules of its own: by its heartbeat, as from afar.
    if (holder.process !== process.pid) return !isRunning(holder.process);
  }
  const status = await stat(file).catch(() => null);
  return status === null || Date.now() - status.mtimeMs > STALE_MS;
}

/**
 * Takes a dead holder's lock away. Of several who try, one makes the claim to this very lock, and nobody without it removes
 * one: a lock that somebody has put in its place meanwhile stays.
 */
async function putAway(file: string, dead: Holder): Promise<void> {
  const claim = `${file}.${Buffer.from(dead.token).toString('hex').slice(0, 48)}`;
  const status = await stat(claim).catch(() => null);
  // Of a claimant who is gone himself.
  if (status !== null && Date.now() - status.mtimeMs > STALE_MS) await unlink(claim).catch(() => undefined);
  try {
    await (await open(claim, 'wx')).close();
  } catch {
    // Somebody else was faster.
    return;
  }
  try {
    const holder = await readHolder(file);
    if (holder?.token === dead.token) await unlink(file);
  } finally {
    await unlink(claim).catch(() => undefined);
  }
}
