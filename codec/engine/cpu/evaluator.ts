import { placeTile } from '../../decode.js';
import type { Model } from '../../model.js';
import type { SampleArray, SampleFormat } from '../../signal.js';
import type { EvaluationTask, Evaluator, SampleTask } from '../engine.js';
import { axisRuns, claimsOf, splitTask, type Claim } from './evaluation-tasks.js';
import { WAVE_BYTES, wavesOf, type OutputFormat } from './evaluation-wave.js';
import { MemoryLayout } from './memory-layout.js';
import { nextInstance } from './instances.js';
import { MAX_PAGES, compileKernels, growMemory, instantiateKernels, sharedMemory } from './module.js';
import { latticePointBytes, Packing, writePlan } from './plan.js';
import type { ThreadPool } from './pool.js';
import { PLAN_BYTES } from './records.js';

/** Evaluation on the cpu engine (assembly/evaluate.ts). */
export class CpuEvaluator implements Evaluator {
  readonly #pool: ThreadPool;
  readonly #model: Model;
  readonly #memory: WebAssembly.Memory;
  readonly #local: Packing;
  readonly #instance = nextInstance();
  /** End of what stays from wave to wave: plan, global weights, scratch. */
  readonly #fixedBytes: number;
  #queue: Promise<unknown> = Promise.resolve();

  static async create(pool: ThreadPool, model: Model, global: Float32Array): Promise<CpuEvaluator> {
    const { module } = await compileKernels('evaluation');
    const layout = new MemoryLayout();
    const packing = Packing.global(model.architecture);
    const plan = layout.take(PLAN_BYTES);
    const globalWeights = layout.take(packing.packedLength * 4);
    const measuring = sharedMemory(1, 1);
    writePlan(new DataView(measuring.buffer), 1024, model, 0);
    const scratchBytes = instantiateKernels(module, measuring).scratchBytes(1024, 0, 1);
    const scratch = Array.from({ length: pool.size }, () => layout.take(scratchBytes));
    const memory = sharedMemory(layout.pages('decoding'), MAX_PAGES);
    writePlan(new DataView(memory.buffer), plan, model, globalWeights);
    packing.pack(global, new Float32Array(memory.buffer, globalWeights, packing.packedLength));
    const evaluator = new CpuEvaluator(pool, model, memory, layout.bytes);
    const instance = evaluator.#instance;
    await pool.run((thread) => ({
      kind: 'open',
      instance,
      module,
      memory,
      plan,
      scratch: scratch[thread],
      job: 0,
      points: 1,
    }));
    return evaluator;
  }

  private constructor(pool: ThreadPool, model: Model, memory: WebAssembly.Memory, fixedBytes: number) {
    this.#pool = pool;
    this.#model = model;
    this.#memory = memory;
    this.#fixedBytes = fixedBytes;
    this.#local = Packing.local(model.architecture);
  }

  async evaluate(tasks: readonly EvaluationTask[], signal?: AbortSignal): Promise<Float32Array[]> {
    const { outputs } = this.#model.architecture;
    const whole = tasks.map((task) => {
      const shape = task.positions.map(({ length }) => length);
      const data = new Float32Array(shape.reduce((product, count) => product * count, outputs));
      return { task: { ...task, target: { data, shape }, at: shape.map(() => 0) }, data };
    });
    await this.#enqueue(
      whole.map(({ task }) => task),
      'outputs',
      signal,
    );
    return whole.map(({ data }) => data);
  }

  decode(tasks: readonly SampleTask[], format: SampleFormat, signal?: AbortSignal): Promise<void> {
    return this.#enqueue(tasks, format, signal);
  }

  #enqueue(tasks: readonly SampleTask[], format: OutputFormat, signal?: AbortSignal): Promise<void> {
    // One memory serves all calls, so that they take turns.
    const result = this.#queue.then(() => this.#evaluate(tasks, format, signal));
    this.#queue = result.catch(() => undefined);
    return result;
  }

  async #evaluate(whole: readonly SampleTask[], format: OutputFormat, signal?: AbortSignal): Promise<void> {
    const mostPoints = WAVE_BYTES / latticePointBytes(this.#model.architecture);
    const tasks = whole.flatMap((task) => splitTask(task, this.#model, mostPoints));
    const setup = {
      model: this.#model,
      tasks,
      runs: axisRuns(this.#model, tasks),
      packing: this.#local,
      format,
      threads: this.#pool.size,
      fixedBytes: this.#fixedBytes,
    };
    signal?.throwIfAborted();
    for (const wave of wavesOf(setup, claimsOf(tasks))) {
      signal?.throwIfAborted();
      const placed = wave.place();
      growMemory(this.#memory, placed.pages);
      const { buffer } = this.#memory;
      placed.write(buffer);
      const { job, rows } = placed;
      await this.#pool.run((thread) => ({
        kind: 'evaluate',
        instance: this.#instance,
        job,
        rows: rows[thread],
      }));
      wave.claims.forEach((claim, i) => {
        const values = valuesAt(
          tasks[claim.task].target.data,
          buffer,
          placed.outputs[i],
          wave.valueCount(claim),
        );
        placeClaim(tasks[claim.task], claim, values, this.#model.architecture.outputs);
      });
    }
  }

  async dispose(): Promise<void> {
    // What is under way, and what waits behind it, needs the kernels.
    await this.#queue;
    await this.#pool.run(() => ({ kind: 'close', instance: this.#instance }));
  }
}

/** Values in memory, of the type of the array that they are meant for. */
function valuesAt(target: SampleArray, buffer: ArrayBufferLike, at: number, count: number): SampleArray {
  if (target instanceof Uint8Array) return new Uint8Array(buffer, at, count);
  if (target instanceof Uint16Array) return new Uint16Array(buffer, at, count);
  return new Float32Array(buffer, at, count);
}

function placeClaim(task: SampleTask, { from, to }: Claim, values: SampleArray, channels: number): void {
  const { at, target, positions } = task;
  const begin = at.map((first, axis) => (axis === 0 ? first + from : first));
  const end = at.map((first, axis) => first + (axis === 0 ? to : positions[axis].length));
  placeTile(values, { begin, end }, channels, target.data, target.shape);
}
