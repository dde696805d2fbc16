import type { Weights } from '../../model.js';
import { refreshesBases } from '../../optimiser.js';
import type { Step, StepReport, TrainingSession, TrainingSetup } from '../engine.js';
import { compileKernels } from './module.js';
import type { ThreadPool } from './pool.js';
import * as record from './records.js';
import { TrainingMemory } from './training-memory.js';

let nextInstance = 0;

/** Training on the cpu engine; all state lives in one shared memory (assembly/train.ts says how a step runs). */
export class CpuTrainingSession implements TrainingSession {
  readonly #pool: ThreadPool;
  readonly #setup: TrainingSetup;
  readonly #memory: TrainingMemory;
  readonly #instance = nextInstance++;
  #orders: ReadonlyMap<number, Uint32Array> | undefined;
  #globalUpdates = 0;
  #latticeStale = true;

  static async create(pool: ThreadPool, setup: TrainingSetup): Promise<CpuTrainingSession> {
    const { module } = await compileKernels();
    const memory = new TrainingMemory(setup, module, pool.size);
    const session = new CpuTrainingSession(pool, setup, memory);
    await pool.run((thread) => ({
      kind: 'open',
      instance: session.#instance,
      module,
      memory: memory.memory,
      plan: memory.plan,
      scratch: memory.scratch(thread),
      job: memory.job,
      points: memory.points,
    }));
    return session;
  }

  private constructor(pool: ThreadPool, setup: TrainingSetup, memory: TrainingMemory) {
    this.#pool = pool;
    this.#setup = setup;
    this.#memory = memory;
  }

  async step(step: Step): Promise<StepReport> {
    const trainGlobal = step.globalRate > 0 && this.#memory.hasGlobal;
    if (trainGlobal) this.#globalUpdates++;
    if (step.orders !== undefined && step.orders !== this.#orders) {
      this.#memory.writeOrders(step.orders);
      this.#orders = step.orders;
    }
    this.#writePartitions(step.partitions);
    this.#writeStep(step, trainGlobal);
    await this.#pool.run(() => ({ kind: 'train', instance: this.#instance }));
    // A partition that takes no part keeps its old patch.
    this.#latticeStale = trainGlobal || (this.#latticeStale && step.partitions !== undefined);
    return this.#report();
  }

  #writePartitions(partitions: Uint8Array | undefined): void {
    const { sizes, view, itemCount } = this.#memory;
    if (partitions !== undefined && partitions.length !== sizes.length) {
      throw new RangeError(`partitions has ${partitions.length} entries, the session ${sizes.length}`);
    }
    for (let index = 0; index < itemCount; index++) {
      const takesPart = partitions?.[this.#memory.partitionOfItem(index)] ?? 1;
      view.setInt32(this.#memory.item(index) + record.ITEM_TAKES_PART, takesPart, true);
    }
  }

  #writeStep(step: Step, trainGlobal: boolean): void {
    const { job, view, sizes } = this.#memory;
    const { optimiser, format } = this.#setup;
    const updates = Math.max(1, this.#globalUpdates);
    const values = batchSamples(sizes, step) * format.channels;
    view.setInt32(job + record.JOB_BATCH, step.batch, true);
    view.setInt32(job + record.JOB_BATCHES, step.batches, true);
    view.setInt32(job + record.JOB_USE_ORDER, step.orders === undefined ? 0 : 1, true);
    view.setInt32(job + record.JOB_TRAIN_GLOBAL, trainGlobal ? 1 : 0, true);
    view.setInt32(job + record.JOB_LATTICE_STALE, trainGlobal || this.#latticeStale ? 1 : 0, true);
    view.setFloat32(job + record.JOB_LOSS_SCALE, values === 0 ? 0 : 2 / values, true);
    // Partitions count their own updates and correct their rates themselves (assembly/train.ts).
    view.setFloat32(job + record.JOB_LOCAL_RATE, step.localRate, true);
    view.setFloat32(job + record.JOB_GLOBAL_RATE, step.globalRate / (1 - optimiser.beta1 ** updates), true);
    view.setFloat32(job + record.JOB_GLOBAL_ROOT, 1 / Math.sqrt(1 - optimiser.beta2 ** updates), true);
    if (optimiser.kind === 'soap') {
      view.setInt32(job + record.JOB_GLOBAL_STARTS, updates === 1 ? 1 : 0, true);
      view.setInt32(job + record.JOB_GLOBAL_REFRESHES, refreshesBases(updates, optimiser) ? 1 : 0, true);
    }
    for (const counter of [record.JOB_NEXT_BLOCK, record.JOB_NEXT_RANGE]) {
      view.setInt32(job + counter, 0, true);
    }
  }

  #report(): StepReport {
    const { view, itemCount } = this.#memory;
    let squaredError = 0;
    let count = 0;
    for (let index = 0; index < itemCount; index++) {
      const item = this.#memory.item(index);
      squaredError += view.getFloat64(item + record.ITEM_ERROR, true);
      count += view.getFloat64(item + record.ITEM_WEIGHT, true);
    }
    return { squaredError, count };
  }

  weights(): Promise<Weights> {
    return Promise.resolve(this.#memory.weights());
  }

  async dispose(): Promise<void> {
    await this.#pool.run(() => ({ kind: 'close', instance: this.#instance }));
  }
}

/** Samples of a step's batch, over all partitions that take part (engine.ts, `Step.batch`). */
function batchSamples(sizes: readonly number[], { batch, batches, partitions }: Step): number {
  return sizes.reduce((sum, size, p) => {
    if (partitions?.[p] === 0) return sum;
    const slice = (batch + p) % batches;
    return sum + Math.floor(((slice + 1) * size) / batches) - Math.floor((slice * size) / batches);
  }, 0);
}
