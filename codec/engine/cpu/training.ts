import { activationGradients, type ActivationGradients } from '../../activation-gradients.js';
import type { Architecture } from '../../architecture.js';
import type { Model, Weights } from '../../model.js';
import { refreshesBases } from '../../optimiser.js';
import { checkedPartOf, COUNT, type SavedState } from '../../saved-state.js';
import { sampleCentres } from '../../grid.js';
import { lossOf, type OutputLoss } from '../../output-loss.js';
import { checkStep } from '../check-step.js';
import type { Snapshot, Step, StepReport, TrainingSession, TrainingSetup } from '../engine.js';
import { CpuEvaluator } from './evaluator.js';
import { nextInstance } from './instances.js';
import { compileKernels } from './module.js';
import type { ThreadPool } from './pool.js';
import * as record from './records.js';
import type { SpareMemory } from './spare-memory.js';
import { MAX_STEPS, TrainingMemory } from './training-memory.js';

/** Training on the cpu engine; all state lives in one shared memory (assembly/train.ts says how a step runs). */
export class CpuTrainingSession implements TrainingSession {
  readonly #pool: ThreadPool;
  readonly #setup: TrainingSetup;
  readonly #memory: TrainingMemory;
  readonly #spare: SpareMemory;
  #isDisposed = false;
  readonly #instance = nextInstance();
  #orders: ReadonlyMap<number, Uint32Array> | undefined;
  #globalUpdates = 0;
  /** With the activations of the next step. */
  #model: Model;
  /** Of the global weights; items start with 0, so that all their patches are stale. */
  #version = 1;

  static async create(
    pool: ThreadPool,
    setup: TrainingSetup,
    spare: SpareMemory,
  ): Promise<CpuTrainingSession> {
    const { module } = await compileKernels();
    const memory = new TrainingMemory(setup, module, pool.size, (pages) => spare.take(pages));
    const session = new CpuTrainingSession(pool, setup, memory, spare);
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

  private constructor(pool: ThreadPool, setup: TrainingSetup, memory: TrainingMemory, spare: SpareMemory) {
    this.#spare = spare;
    this.#pool = pool;
    this.#setup = setup;
    this.#memory = memory;
    this.#model = setup.model;
  }

  async step(step: Step): Promise<StepReport> {
    const { sizes } = this.#memory;
    checkStep(step, this.#setup);
    this.#writeRateFactors(step.rateFactors);
    if (this.#setup.outputLoss !== undefined) return this.#stepByLoss(step, this.#setup.outputLoss);
    const report = { squaredErrors: new Float64Array(sizes.length), counts: new Float64Array(sizes.length) };
    const before = this.#learnsBy(step) ? this.#memory.weights() : undefined;
    if (step.orders !== undefined && step.orders !== this.#orders) {
      this.#memory.writeOrders(step.orders);
      this.#orders = step.orders;
    }
    // Gradients of items that share a partition are summed behind a barrier, so that their steps come one by one.
    const most = this.#memory.sharesPartitions ? 1 : MAX_STEPS;
    for (let from = 0; from < step.localRates.length; from += most) {
      await this.#call(step, from, step.localRates.slice(from, from + most));
      this.#addTo(report);
    }
    return { ...report, ...(before && { activationGradients: this.#activationGradients(before) }) };
  }

  /** Whether a step's report has gradients of activations. */
  #learnsBy({ globalRate }: Step): boolean {
    return this.#setup.learnsActivations === true && globalRate > 0;
  }

  #activationGradients(before: Weights): ActivationGradients {
    return activationGradients(this.#model.architecture, before, this.#memory.gradients());
  }

  /**
   * A step by a loss of all outputs `y`, whose gradient `dy` the kernels are given as samples: those for which the gradient of the mean
   * squared error over `n` values, `2 (y - t) / n`, is `dy`.
   */
  async #stepByLoss(step: Step, outputLoss: OutputLoss): Promise<StepReport> {
    const outputs = await this.#outputs();
    const { loss, gradient } = lossOf(outputLoss, outputs);
    const { scale, offset } = this.#setup.format.mapping;
    this.#memory.writeSamples(
      outputs.map((output, i) => (output - (gradient[i] * outputs.length) / 2) * scale + offset),
    );
    const before = this.#learnsBy(step) ? this.#memory.weights() : undefined;
    await this.#call(step, 0, step.localRates);
    const none = new Float64Array(this.#memory.sizes.length);
    return {
      squaredErrors: none,
      counts: none.slice(),
      loss,
      ...(before && { activationGradients: this.#activationGradients(before) }),
    };
  }

  /** f32, partition-major, what the present weights give at every sample. */
  async #outputs(): Promise<Float32Array> {
    const { boxes, format } = this.#setup;
    const { global, local } = this.#memory.weights();
    const evaluator = await CpuEvaluator.create(this.#pool, this.#model, global);
    try {
      const tasks = boxes.map((box, p) => ({
        box,
        weights: local[p],
        positions: sampleCentres(box),
      }));
      const values = this.#memory.sizes.reduce((sum, size) => sum + size, 0) * format.channels;
      const outputs = new Float32Array(values);
      let at = 0;
      for (const part of await evaluator.evaluate(tasks)) {
        outputs.set(part, at);
        at += part.length;
      }
      return outputs;
    } finally {
      await evaluator.dispose();
    }
  }

  async #call(step: Step, from: number, rates: readonly number[]): Promise<void> {
    const trainGlobal = step.globalRate > 0 && this.#memory.hasGlobal;
    if (trainGlobal) this.#globalUpdates++;
    this.#writeCall(step, from, rates, trainGlobal);
    await this.#pool.run(() => ({ kind: 'train', instance: this.#instance }));
    if (trainGlobal) this.#version++;
  }

  #writeRateFactors(factors: Float32Array | undefined): void {
    const { view, itemCount } = this.#memory;
    for (let index = 0; index < itemCount; index++) {
      const factor = factors?.[this.#memory.partitionOfItem(index)] ?? 1;
      view.setFloat32(this.#memory.item(index) + record.ITEM_RATE_FACTOR, factor, true);
    }
  }

  #writeCall(step: Step, from: number, rates: readonly number[], trainGlobal: boolean): void {
    const { job, view, sizes } = this.#memory;
    const { optimiser, format } = this.#setup;
    const updates = Math.max(1, this.#globalUpdates);
    const values = step.globalRate > 0 ? batchSamples(sizes, step) * format.channels : 0;
    // The kernels reduce it by the number of batches; here it must not leave 32 bits.
    view.setInt32(job + record.JOB_BATCH, (step.batch + from) % step.batches, true);
    view.setInt32(job + record.JOB_BATCHES, step.batches, true);
    view.setInt32(job + record.JOB_STEPS, rates.length, true);
    view.setInt32(job + record.JOB_USE_ORDER, step.orders === undefined ? 0 : 1, true);
    view.setInt32(job + record.JOB_TRAIN_GLOBAL, trainGlobal ? 1 : 0, true);
    view.setInt32(job + record.JOB_VERSION, this.#version, true);
    view.setFloat32(job + record.JOB_LOSS_SCALE, values === 0 ? 0 : 2 / values, true);
    // Partitions count their own updates and correct their rates themselves (assembly/train.ts).
    this.#memory.writeRates(rates);
    view.setFloat32(job + record.JOB_OUTPUT_RATE_FACTOR, step.outputRateFactor ?? 1, true);
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

  #addTo({ squaredErrors, counts }: StepReport): void {
    const { view, itemCount } = this.#memory;
    for (let index = 0; index < itemCount; index++) {
      const item = this.#memory.item(index);
      const partition = this.#memory.partitionOfItem(index);
      squaredErrors[partition] += view.getFloat64(item + record.ITEM_ERROR, true);
      counts[partition] += view.getFloat64(item + record.ITEM_WEIGHT, true);
    }
  }

  setActivations(activations: Architecture['activations']): Promise<void> {
    this.#model = { ...this.#model, architecture: { ...this.#model.architecture, activations } };
    this.#memory.writeModel(this.#model);
    // Lattice patches are of the activations before.
    this.#version++;
    return Promise.resolve();
  }

  snapshot(): Promise<Snapshot> {
    return Promise.resolve(this.#memory.snapshot());
  }

  restore({ global, local }: Snapshot, partitions?: readonly number[]): Promise<void> {
    for (const p of partitions ?? local.keys()) this.#memory.restoreLocal(p, local[p]);
    if (partitions === undefined && this.#memory.hasGlobal) {
      this.#memory.restoreGlobal(global);
      this.#globalUpdates = 0;
      this.#version++;
    }
    return Promise.resolve();
  }

  weights(): Promise<Weights> {
    return Promise.resolve(this.#memory.weights());
  }

  saveState(): Promise<SavedState> {
    const globalUpdates = Float64Array.of(this.#globalUpdates);
    return Promise.resolve({ ...this.#memory.saveState(), globalUpdates });
  }

  async loadState(state: SavedState): Promise<void> {
    this.#memory.loadState(state);
    [this.#globalUpdates] = checkedPartOf(state, 'globalUpdates', new Float64Array(1), [COUNT]);
    // Lattice patches are made anew of the global weights.
    this.#version++;
  }

  async dispose(): Promise<void> {
    // Given back twice, the memory would be another session's.
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    await this.#pool.run(() => ({ kind: 'close', instance: this.#instance }));
    this.#spare.give(this.#memory.memory);
  }
}

/** Samples of a step's batch, over all partitions that take part (engine.ts, `Step.batch`). */
function batchSamples(sizes: readonly number[], { batch, batches, rateFactors }: Step): number {
  return sizes.reduce((sum, size, p) => {
    if (rateFactors?.[p] === 0) return sum;
    const slice = (batch + p) % batches;
    return sum + Math.floor(((slice + 1) * size) / batches) - Math.floor((slice * size) / batches);
  }, 0);
}
