import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { BlobSource } from '../../dist/src/io/blob.js';
import { FileSink } from '../../dist/src/io/file-sink-node.js';
import { FileSource } from '../../dist/src/io/file-source-node.js';
import { FileTarget } from '../../dist/src/io/file-target-node.js';
import { MemorySink } from '../../dist/src/io/memory.js';
import { writeContainer } from '../../dist/src/container/writer.js';
import { openContainer } from '../../dist/src/container/reader.js';
import { crop } from '../../dist/src/crop.js';
import { payloadsOf, sampleContent, sampleFile } from './sample-container.js';

const root = mkdtempSync(join(tmpdir(), 'lgi-test-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A process number that no process has. */
const NO_PROCESS = 2 ** 22 + 12_345;

/** As a user without rights of its own, where the tests run as root, who has all. */
async function asNobody(work: () => Promise<void>): Promise<void> {
  const isRoot = process.geteuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  try {
    await work();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

function newFolder(name: string): string {
  const folder = join(root, name);
  mkdirSync(folder);
  return folder;
}

describe('a file sink', () => {
  it('writes what memory holds, and nothing appears under the name before it is closed', async () => {
    const folder = newFolder('write');
    const path = join(folder, 'a.lgi');
    const sink = await FileSink.open(path);
    await sink.write(1000, Uint8Array.of(1));
    expect(existsSync(path)).toBe(false);
    expect(readdirSync(folder)).toHaveLength(1);
    await sink.abort();
    expect(readdirSync(folder)).toEqual([]);

    await writeContainer(await FileSink.open(path), sampleContent());
    expect(readdirSync(folder)).toEqual(['a.lgi']);
    expect(Uint8Array.from(readFileSync(path))).toEqual(await sampleFile());
  });

  it('leaves an existing file as it was until the new one is whole, and keeps its permissions', async () => {
    const path = join(newFolder('replace'), 'a.lgi');
    writeFileSync(path, 'before');
    chmodSync(path, 0o640);
    const failing = await FileSink.open(path);
    await failing.write(0, new Uint8Array(10));
    await failing.abort();
    expect(readFileSync(path, 'utf8')).toBe('before');
    const sink = await FileSink.open(path);
    await sink.write(0, new TextEncoder().encode('after'));
    await sink.close();
    expect(readFileSync(path, 'utf8')).toBe('after');
    expect(statSync(path).mode & 0o777).toBe(0o640);
  });

  it('replaces what a symbolic link points to, not the link', async () => {
    const folder = newFolder('link');
    writeFileSync(join(folder, 'real'), 'before');
    symlinkSync(join(folder, 'real'), join(folder, 'link'));
    const sink = await FileSink.open(join(folder, 'link'));
    await sink.write(0, new TextEncoder().encode('after'));
    await sink.close();
    expect(readFileSync(join(folder, 'real'), 'utf8')).toBe('after');
    expect(readdirSync(folder).sort()).toEqual(['link', 'real']);
  });

  it('crops from file to file, also onto itself', async () => {
    const path = join(newFolder('crop'), 'a.lgi');
    await writeContainer(await FileSink.open(path), sampleContent());
    const source = await FileSource.open(path);
    await crop(source, await FileSink.open(path), { region: { begin: [0, 0], end: [4, 8] } });
    await source.close();
    const cropped = await FileSource.open(path);
    expect((await payloadsOf(await openContainer(cropped))).size).toBe(2);
    await cropped.close();
  });

  it('says which file, why and what to do', async () => {
    const folder = newFolder('errors');
    const refusal = (work: Promise<unknown>) =>
      work.then(
        () => null,
        (error) => error,
      );
    const missing = await refusal(FileSink.open(join(folder, 'none', 'a.lgi')));
    expect(missing).toMatchObject({ name: 'LgiError', code: 'io' });
    expect(missing.message).toMatch(/cannot write .*none\/a\.lgi: there is no folder .*none; make it first/);
    expect(await refusal(FileSink.open(folder))).toMatchObject({
      code: 'io',
      message: /it is a folder; name a file/,
    });
    expect(await refusal(FileSource.open(folder))).toMatchObject({
      code: 'io',
      message: expect.stringMatching('it is a folder'),
    });
    expect(await refusal(FileSource.open(join(folder, 'x')))).toMatchObject({
      code: 'io',
      message: /no such file/,
    });
    execFileSync('mkfifo', [join(root, 'pipe')]);
    expect(await refusal(FileSink.open(join(root, 'pipe')))).toMatchObject({
      code: 'io',
      message: expect.stringMatching('it is a pipe'),
    });
    expect(await refusal(FileSource.open(join(root, 'pipe')))).toMatchObject({
      code: 'io',
      message: expect.stringMatching('it is a pipe'),
    });
    const inFile = join(folder, 'file');
    writeFileSync(inFile, '');
    expect(await refusal(FileSink.open(join(inFile, 'a.lgi')))).toMatchObject({ code: 'io' });
    expect(readdirSync(folder)).toEqual(['file']);
  });

  it.runIf(existsSync('/dev/full'))('reports a full device, and does not replace it by a file', async () => {
    const error = await writeContainer(await FileSink.open('/dev/full'), sampleContent()).catch(
      (reason) => reason,
    );
    expect(error).toMatchObject({
      code: 'io',
      message: expect.stringMatching(/no space left.*free some space/),
    });
    expect(statSync('/dev/full').isCharacterDevice()).toBe(true);
  });

  it('refuses files and folders without permission, by name', async () => {
    const folder = newFolder('permissions');
    const [path, open] = [join(folder, 'a.lgi'), join(folder, 'open.lgi')];
    for (const file of [path, open]) writeFileSync(file, 'kept');
    chmodSync(path, 0o444);
    chmodSync(open, 0o666);
    chmodSync(folder, 0o555);
    chmodSync(root, 0o755);
    await asNobody(async () => {
      // The file itself may be written; beside it nothing may, neither what takes its place nor a lock.
      const works = [
        () => FileSink.open(join(folder, 'new.lgi')),
        () => FileSink.open(open),
        () => FileTarget.open(open),
      ];
      for (const work of works) {
        const error: unknown = await work().catch((reason: unknown) => reason);
        expect(error).toMatchObject({ name: 'LgiError', code: 'io' });
        expect((error as Error).message).toMatch(
          /^cannot write .*\.lgi: the folder .*\/permissions may not be written in(, where its lock has to be made)?; change its permissions, or/,
        );
      }
    });
    // Permissions of a file are asked for by the real user, whom root stays.
    if (process.getuid?.() !== 0) {
      await expect(FileSink.open(path)).rejects.toMatchObject({
        code: 'io',
        message: expect.stringMatching('permission is denied; change the permissions'),
      });
    }
    chmodSync(folder, 0o755);
  });

  it('removes what killed writers to the same place have left, and nothing of others', async () => {
    const folder = newFolder('abandoned');
    const path = join(folder, 'a.lgi');
    const sink = await FileSink.open(path);
    const [own] = readdirSync(folder);
    const dead = own.replace(/-\d+-/, `-${NO_PROCESS}-`);
    expect(dead).not.toBe(own);
    const others = [
      own.replace(/-(\d+)-[0-9a-f]{8}-/, `-${NO_PROCESS}-00000000-`),
      dead.replace('a.lgi', 'b.lgi'),
      dead.replace('a.lgi', 'a.lgi.more'),
      `${dead}.txt`,
      dead.slice(1),
    ];
    for (const name of [dead, ...others]) writeFileSync(join(folder, name), 'some bytes');
    const second = await FileSink.open(path);
    const names = readdirSync(folder);
    expect(names).not.toContain(dead);
    expect(names).toHaveLength(others.length + 2);
    for (const name of [own, ...others]) expect(names).toContain(name);
    await sink.abort();
    await second.close();
    expect(readdirSync(folder).sort()).toEqual(['a.lgi', ...others].sort());
  });

  it('takes names as long as the file system does', async () => {
    const folder = newFolder('long');
    for (const name of ['x'.repeat(255), 'ü'.repeat(127), '画'.repeat(85)]) {
      const sink = await FileSink.open(join(folder, name));
      await sink.close();
      expect(readdirSync(folder)).toContain(name);
    }
  });
});

describe('sources', () => {
  it('all give the same ranges, and fewer bytes only beyond the end', async () => {
    const bytes = await sampleFile();
    const path = join(newFolder('sources'), 'a.lgi');
    writeFileSync(path, bytes);
    const file = await FileSource.open(path);
    for (const source of [file, new BlobSource(new Blob([bytes.slice()]))]) {
      for (const [at, length] of [
        [0, 10],
        [5, 0],
        [bytes.length - 3, 10],
        [bytes.length, 10],
        [2 ** 40, 2 ** 31],
        [7, 2 ** 50],
      ]) {
        expect(Uint8Array.from(await source.read(at, length))).toEqual(bytes.slice(at, at + length));
      }
      await expect(source.read(0, 1, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
    }
    // A file that is appended to shows its new end.
    writeFileSync(path, 'more', { flag: 'a' });
    expect(Buffer.from(await file.read(bytes.length, 10)).toString()).toBe('more');
    await file.close();
  });

  it('in memory hold what was written in any order, with zeros between', async () => {
    const sink = new MemorySink();
    await sink.write(5, Uint8Array.of(1, 2));
    await sink.write(0, Uint8Array.of(3));
    await sink.close();
    expect([...sink.bytes()]).toEqual([3, 0, 0, 0, 0, 1, 2]);
    await expect(sink.write(0, Uint8Array.of(1))).rejects.toThrow('closed');
  });
});
