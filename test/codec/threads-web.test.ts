import { Worker as NodeWorker } from 'node:worker_threads';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Architecture } from '../../dist/codec/architecture.js';
import { siren } from '../../dist/codec/architecture.js';
import type { Engine, TrainingSetup } from '../../dist/codec/engine/engine.js';
import { createCpuEngine } from '../../dist/codec/engine/cpu/cpu-engine.js';
import { mostThreads, parallelism, spawnThread } from '../../dist/codec/engine/cpu/threads-web.js';
import { Grid, cutsByCell, spreadMap } from '../../dist/codec/grid.js';
import { initialWeights } from '../../dist/codec/initialise.js';
import { fullRangeMapping } from '../../dist/codec/signal.js';
import { totals } from './step-totals.js';

// The browser's threads in the place of Node's, as a bundler resolves `#threads` there.
vi.mock('#threads', () => import('../../dist/codec/engine/cpu/threads-web.js'));

afterEach(() => vi.unstubAllGlobals());

const architecture: Architecture = {
  inputs: 2,
  outputs: 1,
  levels: 2,
  localWidth: 5,
  globalWidth: 6,
  localCoordinates: 'cell',
  latticeStride: 4,
  merge: 'concat',
  activations: { local: siren(20, 20), global: siren(20, 20), merge: siren(20, 20) },
};
const grid = new Grid([cutsByCell(13, 6), cutsByCell(11, 6)]);
const setup: TrainingSetup = {
  model: { architecture, maps: [spreadMap(13), spreadMap(11)], nominalCell: [6, 6] },
  boxes: Array.from({ length: grid.count }, (_, ordinal) => grid.boxOf(ordinal)),
  format: { sampleType: 'uint8', channels: 1, layout: 'grey', mapping: fullRangeMapping('uint8') },
  samples: Uint8Array.from({ length: 13 * 11 }, (_, i) => (i * 37) % 256),
  weights: initialWeights(architecture, grid.count, { seed: 3 }),
  optimiser: { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
};

/** Weights after some steps, and what the first weights decode to. */
async function work(
  engine: Engine,
): Promise<{ losses: number[]; weights: unknown; outputs: Float32Array[] }> {
  const session = await engine.createTrainingSession(setup);
  const losses: number[] = [];
  for (let step = 0; step < 12; step++) {
    const step = { batches: 1, batch: 0, localRates: [2e-3], globalRate: 2e-3 };
    losses.push(totals(await session.step(step)).squaredError);
  }
  const weights = await session.weights();
  await session.dispose();
  const evaluator = await engine.createEvaluator(setup.model, setup.weights.global);
  const outputs = await evaluator.evaluate(
    setup.boxes.map((box, p) => ({
      box,
      weights: setup.weights.local[p],
      positions: box.begin.map((begin, axis) =>
        Float64Array.from({ length: box.end[axis] - begin }, (_, i) => begin + i + 0.5),
      ),
    })),
  );
  await evaluator.dispose();
  return { losses, weights, outputs };
}

/** What Node's own threads make of it, in a realm of modules where `#threads` are those. */
async function workInNode(threads: number): Promise<Awaited<ReturnType<typeof work>>> {
  vi.doUnmock('#threads');
  vi.resetModules();
  const { createCpuEngine: createInNode } = await import('../../dist/codec/engine/cpu/cpu-engine.js');
  const engine = createInNode(threads);
  expect(engine.threads).toBe(threads);
  const result = await work(engine);
  await engine.dispose();
  return result;
}

describe('where memory cannot be shared with workers', () => {
  test('there is one thread, however many are asked for', async () => {
    expect([parallelism(), mostThreads()]).toEqual([1, 1]);
    // A page that is not isolated has workers and cores, and may use neither.
    vi.stubGlobal('Worker', class {});
    vi.stubGlobal('navigator', { hardwareConcurrency: 8 });
    for (const isolated of [undefined, false]) {
      vi.stubGlobal('crossOriginIsolated', isolated);
      expect([parallelism(), mostThreads()]).toEqual([1, 1]);
    }
    for (const threads of [undefined, 1, 8]) {
      const engine = createCpuEngine(threads);
      expect(engine.threads).toBe(1);
      await engine.dispose();
    }
  });

  test("the caller's own thread trains and decodes, to the same bits as threads of Node", async () => {
    const noWorker = vi.fn(() => {
      throw new Error('a worker was started');
    });
    vi.stubGlobal('Worker', noWorker);
    const engine = createCpuEngine(8);
    // Two on one thread would wait for each other, and the test with them.
    expect(engine.threads).toBe(1);
    const inline = await work(engine);
    await engine.dispose();
    expect(noWorker).not.toHaveBeenCalled();
    expect(inline.losses[11]).toBeLessThan(inline.losses[0]);
    expect(inline).toEqual(await workInNode(2));
  });

  test('commands run in order, each in a task of its own, so that others get a turn', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 5 }),
        async (all) => {
          const thread = spawnThread();
          const seen: string[] = [];
          const done = new Promise<void>((resolve) => {
            thread.onMessage(({ error }) => {
              seen.push(error ?? 'done');
              // What a task leaves to be done at once is done before the next command.
              queueMicrotask(() => seen.push('turn'));
              if (seen.filter((entry) => entry !== 'turn').length === all.length) setTimeout(resolve);
            });
          });
          for (const instance of all) thread.post({ kind: 'train', instance });
          expect(seen).toEqual([]);
          await done;
          await thread.terminate();
          expect(seen).toEqual(
            all.flatMap((instance) => [`Error: no kernel instance ${instance} on this thread`, 'turn']),
          );
        },
      ),
      { numRuns: 10 },
    );
  });

  test('an engine that was disposed says so', async () => {
    const engine = createCpuEngine(1);
    await engine.dispose();
    await expect(engine.createEvaluator(setup.model, setup.weights.global)).rejects.toMatchObject({
      code: 'unavailable',
    });
  });
});

/** Module workers as browsers have them, on threads of Node: `self` for the module, events for its owner. */
class ModuleWorker {
  static readonly started: string[] = [];
  readonly #worker: NodeWorker;

  constructor(url: URL, options: { type: string }) {
    expect(options).toEqual({ type: 'module' });
    ModuleWorker.started.push(url.pathname);
    this.#worker = new NodeWorker(
      `const { parentPort } = require('node:worker_threads');
       const early = [];
       const keep = (data) => early.push(data);
       parentPort.on('message', keep);
       globalThis.self = {
         postMessage: (message) => parentPort.postMessage(message),
         addEventListener: (_, handler) => {
           parentPort.off('message', keep);
           parentPort.on('message', (data) => handler({ data }));
           for (const data of early) handler({ data });
         },
       };
       import(${JSON.stringify(url.href)});`,
      { eval: true },
    );
  }

  postMessage(message: unknown): void {
    this.#worker.postMessage(message);
  }

  addEventListener(
    kind: 'message' | 'error',
    handler: (event: { data?: unknown; message?: string }) => void,
  ): void {
    if (kind === 'message') this.#worker.on('message', (data: unknown) => handler({ data }));
    else this.#worker.on('error', (error: Error) => handler({ message: error.message }));
  }

  terminate(): void {
    void this.#worker.terminate();
  }
}

describe('in a page that is cross-origin isolated', () => {
  test('module workers share the work, to the same bits as threads of Node', async () => {
    vi.stubGlobal('crossOriginIsolated', true);
    vi.stubGlobal('Worker', ModuleWorker);
    vi.stubGlobal('navigator', { hardwareConcurrency: 3 });
    expect([parallelism(), mostThreads()]).toEqual([3, Infinity]);
    const engine = createCpuEngine();
    expect(engine.threads).toBe(3);
    const shared = await work(engine);
    await engine.dispose();
    expect(ModuleWorker.started).toHaveLength(3);
    for (const path of ModuleWorker.started) expect(path).toMatch(/\/cpu\/thread-web\.js$/);
    expect(shared).toEqual(await workInNode(2));
    expect(ModuleWorker.started).toHaveLength(3);
  });

  test('a worker that does not start ends the work with its reason', async () => {
    vi.stubGlobal('crossOriginIsolated', true);
    vi.stubGlobal(
      'Worker',
      class extends ModuleWorker {
        constructor(_: URL, options: { type: string }) {
          super(new URL('./no-such-module.js', import.meta.url), options);
        }
      },
    );
    const engine = createCpuEngine(2);
    await expect(engine.createEvaluator(setup.model, setup.weights.global)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('no-such-module'),
    });
    await engine.dispose();
  });
});
