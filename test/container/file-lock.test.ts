import { mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileSink } from '../../dist/src/io/file-sink-node.js';
import { FileTarget } from '../../dist/src/io/file-target-node.js';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lgi-lock-'));
  path = join(folder, 'a.lgi');
  await writeFile(path, 'what is there');
});
afterEach(() => rm(folder, { recursive: true }));

/** A process number that no process has. */
const NOBODY = 2 ** 22 + 12_345;

async function lockOf(holder: object, ageSeconds = 0): Promise<void> {
  await writeFile(`${path}.lock`, JSON.stringify({ token: 'theirs', ...holder }));
  const then = new Date(Date.now() - ageSeconds * 1000);
  await utimes(`${path}.lock`, then, then);
}

describe('a file that is changed in place', () => {
  it('has one writer at a time, by whatever name, and its lock goes with him', async () => {
    await symlink(path, join(folder, 'b.lgi'));
    const target = await FileTarget.open(path);
    const { host, process: id } = JSON.parse(await readFile(`${path}.lock`, 'utf8'));
    expect(host).toContain(hostname());
    expect(id).toBe(process.pid);
    for (const name of [path, join(folder, 'b.lgi')]) {
      await expect(FileTarget.open(name)).rejects.toMatchObject({
        code: 'locked',
        message: expect.stringMatching(/is being changed by process \d+ on .*; wait for it/),
      });
    }
    await target.close();
    await (await FileTarget.open(path)).close();
    expect(await readdir(folder)).toEqual(['a.lgi', 'b.lgi']);
  });

  it('is taken over from a process of this machine that is gone, by one of many who try', async () => {
    const own = await FileTarget.open(path);
    const { host } = JSON.parse(await readFile(`${path}.lock`, 'utf8'));
    await own.close();
    for (let round = 0; round < 20; round++) {
      await lockOf({ host, process: NOBODY });
      const tries = await Promise.allSettled(Array.from({ length: 8 }, () => FileTarget.open(path)));
      const targets = tries.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
      expect(targets).toHaveLength(1);
      await targets[0].confirmSoleWriter();
      await targets[0].close();
      expect(await readdir(folder)).toEqual(['a.lgi']);
    }
  });

  it('is taken over from another machine only once its heartbeat has stopped', async () => {
    await lockOf({ host: 'elsewhere', process: 1 }, 20);
    await expect(FileTarget.open(path)).rejects.toMatchObject({ code: 'locked' });
    await lockOf({ host: 'elsewhere', process: 1 }, 40);
    await (await FileTarget.open(path)).close();
    await writeFile(`${path}.lock`, 'no lock of ours');
    await expect(FileTarget.open(path)).rejects.toMatchObject({ code: 'locked' });
  });

  it('notices before anything counts that its lock was taken', async () => {
    const target = await FileTarget.open(path);
    await lockOf({ host: 'elsewhere', process: 1 });
    await expect(target.confirmSoleWriter()).rejects.toMatchObject({ code: 'locked' });
    await target.close();
    // What is another's stays.
    expect(await readFile(`${path}.lock`, 'utf8')).toContain('theirs');
  });

  it('is not replaced meanwhile, but by the process itself', async () => {
    const target = await FileTarget.open(path);
    for (const name of [path, relative('.', path)]) {
      const own = await FileSink.open(name);
      await own.write(0, Buffer.from('mine'));
      await own.close();
    }
    await target.close();
    const other = await FileSink.open(path);
    await lockOf({ host: 'elsewhere', process: 1 });
    await expect(FileSink.open(path)).rejects.toMatchObject({ code: 'locked' });
    await expect(other.close()).rejects.toMatchObject({ code: 'locked' });
    expect(await readFile(path, 'utf8')).toBe('mine');
    expect(await readdir(folder)).toEqual(['a.lgi', 'a.lgi.lock']);
  });

  it('reads, writes at any place, grows and is cut off', async () => {
    const target = await FileTarget.open(path);
    await target.write(15, Buffer.from('more'));
    expect(Buffer.from(await target.read(0, 100)).toString()).toBe('what is there\0\0more');
    await target.truncate(7);
    await target.truncate(30);
    await target.flush();
    expect(Buffer.from(await target.read(5, 100)).toString()).toBe('is');
    await target.close();
    await expect(FileTarget.open(folder)).rejects.toMatchObject({ code: 'io' });
    await expect(FileTarget.open(join(folder, 'none'))).rejects.toMatchObject({ code: 'io' });
    expect(await readdir(folder)).toEqual(['a.lgi']);
  });
});
