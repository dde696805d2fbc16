import type { Model } from '../../model.js';
import type { EvaluationTask, Evaluator } from '../engine.js';
import { MemoryLayout } from './memory-layout.js';
import { MAX_PAGES, PAGE_BYTES, compileKernels, instantiateKernels, sharedMemory } from './module.js';
import { Packing, patchBytes, patchPoints, writeBox, writePlan } from './plan.js';
import type { ThreadPool } from './pool.js';
import {
  EVALUATION_BYTES,
  EVALUATION_NEXT,
  EVALUATION_TASKS,
  EVALUATION_TASK_COUNT,
  MAX_AXES,
  PLAN_BYTES,
  TASK_BOX,
  TASK_BYTES,
  TASK_COUNTS,
  TASK_OUTPUT,
  TASK_POSITIONS,
  TASK_WEIGHTS,
} from './records.js';

/** Outputs of one claim: small enough to share a partition among threads, large enough that lattice borders are rare. */
const CLAIM_POSITIONS = 16384;

/** Bytes of memory that one wave of tasks may take; more tasks mean more waves, not more memory. */
const WAVE_BYTES = 64 << 20;

/** Part of a task, cut along its first axis. */
interface Claim {
  readonly task: number;
  readonly from: number;
  readonly to: number;
}

let nextInstance = 1 << 30;

/** Evaluation on the cpu engine (assembly/evaluate.ts). */
export class CpuEvaluator implements Evaluator {
  readonly #pool: ThreadPool;
  readonly #model: Model;
  readonly #memory: WebAssembly.Memory;
  readonly #local: Packing;
  readonly #instance = nextInstance++;
  /** End of what stays from wave to wave: plan, global weights, scratch. */
  readonly #fixedBytes: number;
  #queue: Promise<unknown> = Promise.resolve();

  static async create(pool: ThreadPool, model: Model, global: Float32Array): Promise<CpuEvaluator> {
    const { module } = await compileKernels();
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

  evaluate(tasks: readonly EvaluationTask[], signal?: AbortSignal): Promise<Float32Array[]> {
    // One memory serves all calls, so that they take turns.
    const result = this.#queue.then(() => this.#evaluate(tasks, signal));
    this.#queue = result.catch(() => undefined);
    return result;
  }

  async #evaluate(tasks: readonly EvaluationTask[], signal?: AbortSignal): Promise<Float32Array[]> {
    const channels = this.#model.architecture.outputs;
    const results = tasks.map(
      ({ positions }) =>
        new Float32Array(positions.reduce((product, axis) => product * axis.length, channels)),
    );
    let wave: Claim[] = [];
    let bytes = 0;
    for (const claim of claimsOf(tasks)) {
      const claimBytes = this.#claimBytes(tasks[claim.task], claim);
      if (wave.length > 0 && bytes + claimBytes > WAVE_BYTES) {
        signal?.throwIfAborted();
        await this.#runWave(tasks, wave, results);
        wave = [];
        bytes = 0;
      }
      wave.push(claim);
      bytes += claimBytes;
    }
    signal?.throwIfAborted();
    if (wave.length > 0) await this.#runWave(tasks, wave, results);
    return results;
  }

  #outputs({ positions }: EvaluationTask, { from, to }: Claim): number {
    const perStep = positions.slice(1).reduce((product, axis) => product * axis.length, 1);
    return (to - from) * perStep * this.#model.architecture.outputs;
  }

  #claimBytes(task: EvaluationTask, claim: Claim): number {
    const positions = task.positions.reduce((sum, axis) => sum + axis.length, 0);
    return TASK_BYTES + this.#local.packedLength * 4 + positions * 8 + this.#outputs(task, claim) * 4 + 256;
  }

  #patchBytes(task: EvaluationTask, { from, to }: Claim): number {
    const { architecture } = this.#model;
    if (architecture.globalWidth === 0 || architecture.latticeStride === 0) return 0;
    const begin = task.positions.map((axis, i) => (i === 0 ? axis[from] : axis[0]));
    const end = task.positions.map((axis, i) => (i === 0 ? axis[to - 1] : axis[axis.length - 1]));
    // One more point per axis than the box rule gives, since a last position may lie on a lattice point.
    const stride = architecture.latticeStride;
    return patchBytes(
      patchPoints(
        begin,
        end.map((last) => last + stride),
        stride,
      ),
      architecture,
    );
  }

  async #runWave(
    tasks: readonly EvaluationTask[],
    wave: readonly Claim[],
    results: Float32Array[],
  ): Promise<void> {
    const layout = new MemoryLayout();
    layout.take(this.#fixedBytes);
    const job = layout.take(EVALUATION_BYTES);
    const table = layout.take(wave.length * TASK_BYTES);
    const patch = wave.reduce((most, claim) => Math.max(most, this.#patchBytes(tasks[claim.task], claim)), 0);
    const patches = Array.from({ length: this.#pool.size }, () => layout.take(patch));
    const weightsAt = new Map<number, number>();
    const places = wave.map((claim) => {
      const task = tasks[claim.task];
      let weights = weightsAt.get(claim.task);
      if (weights === undefined) {
        weights = layout.take(this.#local.packedLength * 4);
        weightsAt.set(claim.task, weights);
      }
      const positions = task.positions.map((axis, i) =>
        layout.take((i === 0 ? claim.to - claim.from : axis.length) * 8),
      );
      return { weights, positions, output: layout.take(this.#outputs(task, claim) * 4) };
    });
    const missing = layout.pages('decoding') - this.#memory.buffer.byteLength / PAGE_BYTES;
    if (missing > 0) this.#memory.grow(missing);
    const buffer = this.#memory.buffer;
    const view = new DataView(buffer);
    view.setInt32(job + EVALUATION_NEXT, 0, true);
    view.setInt32(job + EVALUATION_TASK_COUNT, wave.length, true);
    view.setUint32(job + EVALUATION_TASKS, table, true);
    for (const [task, at] of weightsAt) {
      const packed = new Float32Array(buffer, at, this.#local.packedLength).fill(0);
      this.#local.pack(tasks[task].weights, packed);
    }
    wave.forEach((claim, index) => {
      const task = tasks[claim.task];
      const { weights, positions, output } = places[index];
      const at = table + index * TASK_BYTES;
      writeBox(view, at + TASK_BOX, task.box);
      for (let axis = 0; axis < MAX_AXES; axis++) {
        const all = task.positions[axis];
        if (all === undefined) continue;
        const part = axis === 0 ? all.subarray(claim.from, claim.to) : all;
        new Float64Array(buffer, positions[axis], part.length).set(part);
        view.setUint32(at + TASK_POSITIONS + 4 * axis, positions[axis], true);
        view.setInt32(at + TASK_COUNTS + 4 * axis, part.length, true);
      }
      view.setUint32(at + TASK_WEIGHTS, weights, true);
      view.setUint32(at + TASK_OUTPUT, output, true);
    });
    await this.#pool.run((thread) => ({
      kind: 'evaluate',
      instance: this.#instance,
      job,
      patch: patches[thread],
    }));
    wave.forEach((claim, index) => {
      const count = this.#outputs(tasks[claim.task], claim);
      const perStep = count / (claim.to - claim.from);
      results[claim.task].set(new Float32Array(buffer, places[index].output, count), claim.from * perStep);
    });
  }

  async dispose(): Promise<void> {
    await this.#pool.run(() => ({ kind: 'close', instance: this.#instance }));
  }
}

function* claimsOf(tasks: readonly EvaluationTask[]): Generator<Claim> {
  for (let task = 0; task < tasks.length; task++) {
    const [first, ...others] = tasks[task].positions;
    const perStep = others.reduce((product, axis) => product * axis.length, 1);
    if (first.length * perStep === 0) continue;
    const steps = Math.max(1, Math.floor(CLAIM_POSITIONS / perStep));
    for (let from = 0; from < first.length; from += steps) {
      yield { task, from, to: Math.min(first.length, from + steps) };
    }
  }
}
