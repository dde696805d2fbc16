import { sha256 } from '@noble/hashes/sha2.js';
import { LgiError } from '../codec/errors.js';
import type { Weights } from '../codec/model.js';
import { stateFault, type SavedArray, type SavedState } from '../codec/saved-state.js';
import type { TrainingResult } from '../codec/train.js';
import type { EncodeIdentity } from './encode-identity.js';
import { WRITER_NAME } from './version.js';

/** Keeping what a long encode could go on from. */
export interface CheckpointOptions {
  /**
   * Seconds of training between two checkpoints; default 600, so that a kill loses ten minutes at most. A checkpoint takes 20 bytes
   * for each weight that is trained at a time, with SOAP 40, and 4 for each that is done: 8 MB and 35 ms for the default network of
   * 512x512.
   */
  readonly everySeconds?: number;
  /** Keeps a checkpoint in place of the one before; training waits for it. */
  readonly save?: (checkpoint: Uint8Array) => Promise<void>;
  /** A checkpoint of the same encode to go on from: the same media, options, engine and version of this program. */
  readonly resume?: Uint8Array;
}

/** A training that is done. */
export interface FinishedTraining extends TrainingResult {
  /** Relative squared error that it came to, `10^(-psnr / 10)`. */
  readonly error: number;
}

/** Where an encode stands. */
export interface EncodeState {
  /** Everything that decides how it goes on, but for the samples. */
  readonly identity: EncodeIdentity;
  /** SHA-256 of the samples read so far. */
  readonly samples: Uint8Array;
  /** Trainings that are done, in their order. */
  readonly finished: readonly FinishedTraining[];
  /** The one under way. */
  readonly current: SavedState;
}

/** Says what it is, and that text tools have not touched it. */
const MAGIC = Uint8Array.of(0x93, 0x4c, 0x43, 0x4b, 0x50, 0x0d, 0x0a, 0x1a);

const DIGEST_BYTES = 32;

/** Arrays begin at multiples of this, so that they are read in place. */
const ALIGNMENT = 8;

const ARRAYS = { u8: Uint8Array, u32: Uint32Array, f32: Float32Array, f64: Float64Array } as const;
type ArrayType = keyof typeof ARRAYS;

/** What stands before the arrays, as JSON. */
interface Contents {
  readonly writer: string;
  readonly identity: EncodeIdentity;
  readonly finished: readonly Omit<FinishedTraining, 'weights'>[];
  readonly arrays: readonly (readonly [name: string, type: ArrayType, length: number])[];
}

function typeOf(array: SavedArray): ArrayType {
  const names = Object.keys(ARRAYS) as ArrayType[];
  return names.find((name) => array.constructor === ARRAYS[name]) ?? 'u8';
}

function aligned(byteLength: number): number {
  return Math.ceil(byteLength / ALIGNMENT) * ALIGNMENT;
}

/** Bytes of a checkpoint: magic, length and text of the contents, arrays, SHA-256 of all before. */
export function encodeCheckpoint({ identity, samples, finished, current }: EncodeState): Uint8Array {
  const named: [string, SavedArray][] = [
    ['samples', samples],
    ...finished.flatMap(({ weights }, i): [string, SavedArray][] => [
      [`finished.${i}.global`, weights.global],
      [`finished.${i}.local`, joined(weights.local)],
      [`finished.${i}.lengths`, Uint32Array.from(weights.local, (local) => local.length)],
    ]),
    ...Object.entries(current).map(([name, array]): [string, SavedArray] => [`current.${name}`, array]),
  ];
  const contents: Contents = {
    writer: WRITER_NAME,
    identity,
    finished: finished.map(({ iterations, seconds, stoppedBy, error }) => ({
      iterations,
      seconds,
      stoppedBy,
      error,
    })),
    arrays: named.map(([name, array]) => [name, typeOf(array), array.length]),
  };
  const text = new TextEncoder().encode(JSON.stringify(contents));
  const begin = aligned(MAGIC.length + 8 + text.length);
  const bytes = new Uint8Array(
    begin + named.reduce((sum, [, array]) => sum + aligned(array.byteLength), 0) + DIGEST_BYTES,
  );
  bytes.set(MAGIC);
  new DataView(bytes.buffer).setUint32(MAGIC.length, text.length, true);
  bytes.set(text, MAGIC.length + 8);
  let at = begin;
  for (const [, array] of named) {
    bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at);
    at += aligned(array.byteLength);
  }
  bytes.set(sha256(bytes.subarray(0, at)), at);
  return bytes;
}

function joined(arrays: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const array of arrays) {
    all.set(array, at);
    at += array.length;
  }
  return all;
}

/**
 * The state in a checkpoint's bytes.
 *
 * @throws LgiError `damaged`, section `checkpoint`, for what is none, is cut off or changed; `unsupported` for another version's.
 */
export function decodeCheckpoint(bytes: Uint8Array): EncodeState {
  if (!MAGIC.every((byte, i) => bytes[i] === byte)) throw stateFault('is none, by its first bytes');
  const end = bytes.length - DIGEST_BYTES;
  const digest = end < 0 ? new Uint8Array(0) : sha256(bytes.subarray(0, end));
  if (end < MAGIC.length + 8 || !digest.every((byte, i) => byte === bytes[end + i])) {
    throw stateFault('is cut off or damaged');
  }
  // A copy of one's own is aligned.
  const body = bytes.slice(0, end);
  const length = new DataView(body.buffer).getUint32(MAGIC.length, true);
  const contents = parseContents(body.subarray(MAGIC.length + 8, MAGIC.length + 8 + length));
  const arrays = readArrays(body, aligned(MAGIC.length + 8 + length), contents.arrays);
  const get = <A extends SavedArray>(name: string, type: { new (length: number): A }): A => {
    const array = arrays.get(name);
    if (array instanceof type) return array;
    throw stateFault(`has no ${name}`);
  };
  const finished = contents.finished.map((result, i): FinishedTraining => {
    const lengths = get(`finished.${i}.lengths`, Uint32Array);
    const local = get(`finished.${i}.local`, Float32Array);
    let at = 0;
    const weights: Weights = {
      global: get(`finished.${i}.global`, Float32Array),
      local: Array.from(lengths, (count) => local.subarray(at, (at += count))),
    };
    return { ...result, weights };
  });
  const current = [...arrays]
    .filter(([name]) => name.startsWith('current.'))
    .map(([name, array]) => [name.slice('current.'.length), array] as const);
  return {
    identity: contents.identity,
    samples: get('samples', Uint8Array),
    finished,
    current: Object.fromEntries(current),
  };
}

/** @throws LgiError `damaged` for other text than this program writes; `unsupported` for another version's. */
function parseContents(utf8: Uint8Array): Contents {
  let contents: Partial<Contents> | null;
  try {
    contents = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(utf8)) as typeof contents;
  } catch {
    throw stateFault('is none of this program');
  }
  if (contents?.writer !== WRITER_NAME) {
    throw new LgiError(
      'unsupported',
      `the checkpoint is of ${String(contents?.writer)}, this is ${WRITER_NAME}; go on with that one, or encode anew`,
      { section: 'checkpoint' },
    );
  }
  const { identity, finished, arrays } = contents;
  const isSound =
    isRecord(identity) &&
    Object.values(identity).every((hash) => typeof hash === 'string') &&
    Array.isArray(finished) &&
    finished.every(isFinished) &&
    Array.isArray(arrays) &&
    arrays.every(isArrayEntry);
  if (!isSound) throw stateFault('has contents that this program does not write');
  return contents as Contents;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isFinished(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { iterations, seconds, stoppedBy, error } = value;
  return (
    Number.isSafeInteger(iterations) &&
    [iterations, seconds, error].every((number) => Number.isFinite(number) && Number(number) >= 0) &&
    ['iterations', 'seconds', 'psnr'].includes(String(stoppedBy))
  );
}

function isArrayEntry(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  const [name, type, length] = value as unknown[];
  return typeof name === 'string' && Object.hasOwn(ARRAYS, String(type)) && Number.isSafeInteger(length);
}

function readArrays(
  body: Uint8Array<ArrayBuffer>,
  begin: number,
  entries: Contents['arrays'],
): Map<string, SavedArray> {
  const arrays = new Map<string, SavedArray>();
  let at = begin;
  for (const [name, type, length] of entries) {
    const Type = ARRAYS[type];
    const byteLength = length * Type.BYTES_PER_ELEMENT;
    if (length < 0 || at + byteLength > body.length) {
      throw stateFault(`has ${length} numbers of ${name} at byte ${at}, and ends at ${body.length}`);
    }
    arrays.set(name, new Type(body.buffer, at, length));
    at += aligned(byteLength);
  }
  return arrays;
}
