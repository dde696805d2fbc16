import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encode,
  LgiError,
  MemorySink,
  memoryMedia,
  type EncodeOptions,
  type Media,
} from '../../dist/src/index.js';
import { decodeCheckpoint, encodeCheckpoint } from '../../dist/src/checkpoint.js';
import { encodeBySettings } from '../../dist/src/encode.js';
import { resolveSettings } from '../../dist/src/encode-settings.js';

const [HEIGHT, WIDTH] = [40, 48];

function picture(): Media {
  const data = Uint8Array.from({ length: HEIGHT * WIDTH * 3 }, (_, i) => {
    const [y, x, c] = [Math.floor(i / 3 / WIDTH), Math.floor(i / 3) % WIDTH, i % 3];
    return 128 + 90 * Math.sin(x / (3 + c)) * Math.cos(y / 5);
  });
  return memoryMedia({ data, shape: [HEIGHT, WIDTH] });
}

function sound(): Media {
  const data = Float32Array.from({ length: 3000 }, (_, i) => 0.5 * Math.sin(i / 7));
  return memoryMedia({ kind: 'audio', data, shape: [3000], rate: { numerator: 8000, denominator: 1 } });
}

/** A ball in a box of 24, kept as it is told: a shape of zeros and ones, or a clip or volume with shades. */
function ball(kind: 'shape' | 'video' | 'volume'): Media {
  const side = 24;
  const data = Uint8Array.from({ length: side ** 3 }, (_, i) => {
    const place = [i % side, Math.floor(i / side) % side, Math.floor(i / side / side)];
    const radius = Math.hypot(...place.map((at) => at - 11.5));
    if (kind === 'shape') return radius < 8 ? 1 : 0;
    return 128 + 100 * Math.cos(radius / 3);
  });
  const rate = { numerator: 25, denominator: 1 };
  return memoryMedia({ kind, data, shape: [side, side, side], ...(kind === 'video' && { rate }) });
}

type Run = (sink: MemorySink, checkpoint: EncodeOptions['checkpoint']) => Promise<unknown>;

/** The file of a whole run, and every checkpoint that it kept. */
async function whole(run: Run): Promise<{ bytes: Uint8Array; checkpoints: Uint8Array[] }> {
  const checkpoints: Uint8Array[] = [];
  const sink = new MemorySink();
  await run(sink, {
    everySeconds: 0,
    save: (bytes) => {
      checkpoints.push(bytes.slice());
      return Promise.resolve();
    },
  });
  return { bytes: sink.bytes().slice(), checkpoints };
}

const small = { cell: [16, 16], localWidth: 8, globalWidth: 6 };

const cases: [string, Run][] = [
  [
    'the joint and local phases of fast',
    (sink, checkpoint) => encode(picture(), sink, { ...small, iterations: 150, threads: 1, checkpoint }),
  ],
  [
    'fast on two threads, where weights go into the file as floats under DEFLATE',
    (sink, checkpoint) =>
      encode(picture(), sink, {
        ...small,
        iterations: 90,
        threads: 2,
        weights: 'float32',
        coder: 'deflate',
        checkpoint,
      }),
  ],
  [
    'the full batches of paper',
    (sink, checkpoint) =>
      encode(picture(), sink, { ...small, preset: 'paper', iterations: 12, threads: 2, checkpoint }),
  ],
  [
    'a PSNR to stop at',
    (sink, checkpoint) => encode(picture(), sink, { ...small, psnr: 30, threads: 1, checkpoint }),
  ],
  [
    'several signals',
    (sink, checkpoint) =>
      encode([sound(), sound()], sink, { cell: [500], iterations: 70, threads: 1, checkpoint }),
  ],
  ...(['shape', 'video', 'volume'] as const).map((kind): [string, Run] => [
    `a ${kind}`,
    (sink, checkpoint) =>
      encode(ball(kind), sink, {
        cell: [12, 12, 12],
        localWidth: 6,
        iterations: 500,
        threads: 1,
        checkpoint,
      }),
  ]),
  [
    'groups of partitions',
    (sink, checkpoint) => {
      const media = picture();
      const settings = resolveSettings(media, { ...small, iterations: 100 });
      const groups = { ...settings.groups, partitions: 4 };
      return encodeBySettings([{ media, settings: { ...settings, groups } }], sink, {
        threads: 1,
        checkpoint,
      });
    },
  ],
];

describe('an encode that goes on from a checkpoint', () => {
  it.each(cases)('ends with the same bytes: %s', async (_, run) => {
    const { bytes, checkpoints } = await whole(run);
    expect(checkpoints.length).toBeGreaterThanOrEqual(4);
    const places = [0, 1, Math.floor(checkpoints.length / 2), checkpoints.length - 2, checkpoints.length - 1];
    for (const place of new Set(places)) {
      const sink = new MemorySink();
      await run(sink, { resume: checkpoints[place] });
      expect(sink.bytes(), `checkpoint ${place} of ${checkpoints.length}`).toEqual(bytes);
    }
  });

  it('keeps checkpoints of its own, of the same bytes', async () => {
    const [, run] = cases[0];
    const first = await whole(run);
    const later: Uint8Array[] = [];
    await run(new MemorySink(), {
      resume: first.checkpoints[2],
      everySeconds: 0,
      save: (bytes) => {
        later.push(bytes.slice());
        return Promise.resolve();
      },
    });
    expect(later.length).toBe(first.checkpoints.length - 3);
  });

  it('asks for a checkpoint no more often than wanted', async () => {
    let saved = 0;
    const save = (): Promise<void> => Promise.resolve(void saved++);
    await encode(picture(), new MemorySink(), { ...small, iterations: 100, checkpoint: { save } });
    expect(saved).toBe(0);
  });
});

describe('a checkpoint', async () => {
  const options = { ...small, iterations: 100, threads: 1 };
  const [, run] = cases[0];
  const { checkpoints } = await whole(run);
  const resume = checkpoints[3];

  it.each([
    ['of other options', { ...options, iterations: 151 }, resume, 'conflict', /differs in what ends it/],
    [
      'of another seed and precision',
      { ...options, iterations: 150, seed: 1, weights: 'int8' },
      resume,
      'conflict',
      /differs in its weights \(`weights`\), the seed/,
    ],
    [
      'that is none',
      options,
      new TextEncoder().encode('not a checkpoint at all, only text'),
      'damaged',
      /is none/,
    ],
    ['that is empty', options, new Uint8Array(0), 'damaged', /is none/],
    ['that is cut off', options, resume.subarray(0, resume.length - 9), 'damaged', /cut off/],
    [
      'with a bit changed',
      options,
      resume.map((byte, i) => (i === 5000 ? byte ^ 1 : byte)),
      'damaged',
      /damaged/,
    ],
  ] as const)('%s is refused', async (_, rest, bytes, code, message) => {
    const error: unknown = await encode(picture(), new MemorySink(), {
      ...rest,
      checkpoint: { resume: bytes },
    }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(LgiError);
    expect((error as LgiError).code).toBe(code);
    expect((error as LgiError).message).toMatch(message);
  });

  it('of other samples is refused', async () => {
    const other = picture();
    const data = (await other.read({ begin: [0, 0], end: [HEIGHT, WIDTH] })) as Uint8Array;
    const changed = memoryMedia({
      data: data.map((value, i) => (i === 7 ? value ^ 1 : value)),
      shape: [HEIGHT, WIDTH],
    });
    const sink = new MemorySink();
    await expect(
      encode(changed, sink, { ...options, iterations: 150, checkpoint: { resume } }),
    ).rejects.toThrow(/its samples are others/);
  });

  it('with any number or length changed, its checksum made right, ends in a result or says that it is damaged', async () => {
    const several = cases.find(([name]) => name === 'several signals')?.[1] ?? run;
    const sources = [
      { run, bytes: resume },
      { run: several, bytes: (await whole(several)).checkpoints.at(-1) ?? resume },
    ];
    const values = fc.constantFrom(-1e9, -1, 0.5, 3, 99, 1e5, 2 ** 33, 1e300, NaN, Infinity);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...sources),
        fc.nat(),
        fc.nat(),
        fc.option(values),
        async ({ run: again, bytes }, which, index, value) => {
          const state = decodeCheckpoint(bytes);
          const names = Object.keys(state.current);
          const name = names[which % names.length];
          const array = state.current[name].slice();
          if (array.length > 0 && value !== null) array[index % array.length] = value;
          const changed = value === null ? array.subarray(0, array.length - 1) : array;
          const forged = encodeCheckpoint({ ...state, current: { ...state.current, [name]: changed } });
          const error: unknown = await again(new MemorySink(), { resume: forged }).then(
            () => undefined,
            (reason: unknown) => reason,
          );
          if (error === undefined) return;
          expect(error, `${name}[${index % array.length}] = ${value}`).toBeInstanceOf(LgiError);
          expect(['damaged', 'diverged']).toContain((error as LgiError).code);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('with other contents, its checksum made right, says that it is damaged', async () => {
    const state = decodeCheckpoint(resume);
    const [finished] = decodeCheckpoint((await whole(cases[4][1])).checkpoints.at(-1) ?? resume).finished;
    const forgeries = [
      { ...state, finished: [finished] },
      { ...state, finished: [{ ...finished, iterations: -1 }] },
      { ...state, finished: [{ ...finished, seconds: NaN }] },
      { ...state, finished: [{ ...finished, error: Infinity }] },
      { ...state, finished: [{ ...finished, stoppedBy: 'luck' as never }] },
      { ...state, samples: state.samples.subarray(1) },
      { ...state, current: {} },
      { ...state, current: { ...state.current, run: Uint8Array.of(1) } },
    ];
    for (const forgery of forgeries) {
      const error: unknown = await run(new MemorySink(), { resume: encodeCheckpoint(forgery) }).catch(
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(LgiError);
    }
  });
});
