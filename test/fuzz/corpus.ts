import { readdirSync, readFileSync } from 'node:fs';
import { FIRST_READ_BYTES } from '../../src/container/limits.js';
import { crop } from '../../src/crop.js';
import { MemorySink, MemorySource } from '../../src/io/memory.js';
import { Choices } from './choices.js';
import { randomFile, type SignalWish } from './random-file.js';

/** A file that mutations start from. */
export interface Original {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** From dist/test/fuzz/. */
const VECTORS = new URL('../../../spec/vectors/', import.meta.url);

/** The corpus is the same for all seeds, so that a case number says everything. */
const CORPUS_SEED = 20_241_014;

/** Files beyond this take long to read and say no more than small ones. */
const LARGEST_VECTOR_BYTES = 1 << 14;

async function crops({ name, bytes }: Original): Promise<Original[]> {
  const made: Original[] = [];
  for (const [what, options] of [
    ['window', { region: { begin: [1, 1], end: [4, 5] } }],
    ['hole', { drop: [[0, 1]] }],
  ] as const) {
    const sink = new MemorySink();
    await crop(new MemorySource(bytes), sink, options);
    made.push({ name: `${what} of ${name}`, bytes: sink.bytes().slice() });
  }
  return made;
}

/** The conformance vectors. */
export function readVectors(): Original[] {
  return readdirSync(VECTORS)
    .filter((name) => name.endsWith('.lgi'))
    .sort()
    .map((name) => ({ name, bytes: Uint8Array.from(readFileSync(new URL(name, VECTORS))) }));
}

/** The conformance vectors, files of every weight format, coder and kind, crops of some, and files of several signals. */
export async function makeCorpus(): Promise<Original[]> {
  const vectors = readVectors().filter(({ bytes }) => bytes.length <= LARGEST_VECTOR_BYTES);
  const wishes: SignalWish[][] = [];
  for (const weights of ['float32', 'float16', 'integer'] as const) {
    for (const coder of ['none', 'deflate'] as const) wishes.push([{ kind: 'image', weights, coder }]);
    if (weights === 'integer') wishes.push([{ kind: 'image', weights, coder: 'range' }]);
  }
  for (const kind of ['audio', 'video', 'volume', 'shape'] as const) wishes.push([{ kind }]);
  wishes.push(
    [{ kind: 'image' }, { kind: 'audio' }],
    [{ kind: 'image' }, { kind: 'image' }, { kind: 'video' }],
  );
  const made: Original[] = [];
  for (const [i, list] of wishes.entries()) {
    made.push({
      name: list
        .map(({ kind, weights, coder }) => [kind, weights, coder].filter(Boolean).join(' '))
        .join(', '),
      bytes: await randomFile(list, new Choices(CORPUS_SEED, i)),
    });
  }
  made.push({
    name: 'chunks beyond the first read',
    bytes: await randomFile([{ kind: 'image' }], new Choices(CORPUS_SEED, wishes.length), FIRST_READ_BYTES),
  });
  const croppable = vectors.filter(({ name }) => /^(rgba8-deflate|grey16-float16)\.lgi$/.test(name));
  const cropped = (await Promise.all(croppable.map(crops))).flat();
  return [...vectors, ...made, ...cropped];
}
