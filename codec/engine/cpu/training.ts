import { boxSize } from '../../grid.js';
import type { Weights } from '../../model.js';
import { alphaChannel, peakOf } from '../../signal.js';
import type { Step, StepReport, TrainingSession, TrainingSetup } from '../engine.js';
import { refreshesBases } from '../../optimiser.js';
import { MemoryLayout } from './memory-layout.js';
import { compileKernels, instantiateKernels, sharedMemory } from './module.js';
import { Packing, TILE, patchBytes, patchPoints, writeBox, writePlan } from './plan.js';
import type { ThreadPool } from './pool.js';
import {
  ITEM_BOX,
  ITEM_BYTES,
  ITEM_COUNT,
  ITEM_ERROR,
  ITEM_FIRST,
  ITEM_GRADIENT,
  ITEM_ORDER,
  ITEM_PARTITION,
  ITEM_PATCH,
  ITEM_POWER1,
  ITEM_POWER2,
  ITEM_SAMPLES,
  ITEM_SECOND,
  ITEM_SHARE,
  ITEM_STATE,
  ITEM_TAKES_PART,
  ITEM_WEIGHT,
  ITEM_WEIGHTS,
  JOB_ALPHA,
  JOB_ALPHA_SCALE,
  JOB_BATCH,
  JOB_BATCHES,
  JOB_BETA1,
  JOB_BETA2,
  JOB_BLOCK_COUNT,
  JOB_BYTES,
  JOB_EPSILON,
  JOB_FACTOR_DECAY,
  JOB_GLOBAL_FIRST,
  JOB_GLOBAL_GRADIENT,
  JOB_GLOBAL_RATE,
  JOB_GLOBAL_REFRESHES,
  JOB_GLOBAL_ROOT,
  JOB_GLOBAL_SECOND,
  JOB_GLOBAL_STARTS,
  JOB_GLOBAL_STATE,
  JOB_GLOBAL_STRIDE,
  JOB_IS_SOAP,
  JOB_ITEMS,
  JOB_ITEM_COUNT,
  JOB_LATTICE_STALE,
  JOB_LOCAL_RATE,
  JOB_LOSS_SCALE,
  JOB_NEXT_BLOCK,
  JOB_NEXT_RANGE,
  JOB_PARTITIONS,
  JOB_REFRESH_STEPS,
  JOB_SAMPLE_OFFSET,
  JOB_SAMPLE_SCALE,
  JOB_SAMPLE_TYPE,
  JOB_SHARES,
  JOB_THREADS,
  JOB_TRAIN_GLOBAL,
  JOB_USE_ORDER,
  PLAN_BYTES,
} from './records.js';

/**
 * Blocks of work items, each with a global gradient of its own; fixed, so that sums do not depend on threads.
 *
 * 32 keep up to 16 threads busy, and their gradients (3 MB for the paper's network) cost 1 % of a step.
 */
const BLOCKS = 32;

const SAMPLE_TYPES = { uint8: 0, uint16: 1, float32: 2 } as const;

interface Regions {
  readonly plan: number;
  readonly job: number;
  readonly items: number;
  readonly globalWeights: number;
  readonly globalFirst: number;
  readonly globalSecond: number;
  readonly globalGradient: number;
  readonly globalStride: number;
  readonly localWeights: number;
  readonly localFirst: number;
  readonly localSecond: number;
  readonly localGradients: number;
  readonly localStride: number;
  readonly globalState: number;
  readonly localStates: number;
  readonly localStateBytes: number;
  readonly patches: readonly number[];
  readonly samples: number;
  readonly orders: ReadonlyMap<number, number>;
  readonly scratch: readonly number[];
}

let nextInstance = 0;

/** Training on the cpu engine; all state lives in one shared memory (assembly/train.ts says how a step runs). */
export class CpuTrainingSession implements TrainingSession {
  readonly #pool: ThreadPool;
  readonly #setup: TrainingSetup;
  readonly #memory: WebAssembly.Memory;
  readonly #view: DataView;
  readonly #at: Regions;
  readonly #local: Packing;
  readonly #global: Packing;
  readonly #instance = nextInstance++;
  readonly #sizes: readonly number[];
  readonly #blocks: number;
  readonly #shares: number;
  #orders: ReadonlyMap<number, Uint32Array> | undefined;
  #globalUpdates = 0;
  #latticeStale = true;

  static async create(pool: ThreadPool, setup: TrainingSetup): Promise<CpuTrainingSession> {
    const { module } = await compileKernels();
    const session = new CpuTrainingSession(pool, setup, module);
    await session.#open(module);
    return session;
  }

  private constructor(pool: ThreadPool, setup: TrainingSetup, module: WebAssembly.Module) {
    this.#pool = pool;
    this.#setup = setup;
    const { model, boxes, samples } = setup;
    const { architecture } = model;
    this.#local = Packing.local(architecture);
    this.#global = Packing.global(architecture);
    this.#sizes = boxes.map(boxSize);
    const channels = setup.format.channels;
    const total = this.#sizes.reduce((sum, size) => sum + size, 0) * channels;
    if (samples.length !== total) {
      throw new RangeError(`samples has ${samples.length} values, the boxes hold ${total}`);
    }
    const lattice = architecture.globalWidth > 0 && architecture.latticeStride > 0;
    const largest = this.#sizes.reduce((most, size) => Math.max(most, size), 0);
    // Few partitions: the samples of each are shared out too. A lattice patch belongs to a whole partition.
    this.#shares = lattice
      ? 1
      : Math.max(1, Math.min(Math.ceil(BLOCKS / boxes.length), Math.floor(largest / (4 * TILE))));
    this.#blocks = Math.min(BLOCKS, boxes.length * this.#shares);
    const points = lattice
      ? boxes.map(({ begin, end }) => patchPoints(begin, end, architecture.latticeStride))
      : boxes.map(() => 0);
    this.#points = points.reduce((most, count) => Math.max(most, count), 0);
    const { at, pages } = this.#layOut(module, points);
    this.#at = at;
    this.#memory = sharedMemory(pages, pages);
    this.#view = new DataView(this.#memory.buffer);
    this.#writeAll();
  }

  readonly #points: number;

  #layOut(module: WebAssembly.Module, points: readonly number[]): { at: Regions; pages: number } {
    const { model, boxes, samples } = this.#setup;
    const measuring = sharedMemory(1, 1);
    writePlan(new DataView(measuring.buffer), 1024, model, 0);
    const kernels = instantiateKernels(module, measuring);
    const scratchBytes = kernels.scratchBytes(1024, 1, this.#points);
    const isSoap = this.#setup.optimiser.kind === 'soap';
    const localStateBytes = isSoap ? kernels.localStateFloats() * 4 : 0;
    const layout = new MemoryLayout();
    const plan = layout.take(PLAN_BYTES);
    const job = layout.take(JOB_BYTES);
    const items = layout.take(boxes.length * this.#shares * ITEM_BYTES);
    // Gradient products write whole vectors of rows; up to three rows of zeros may land behind the last layer.
    const slack =
      4 * 4 * Math.ceil(Math.max(model.architecture.localWidth, model.architecture.outputs, 1) / 4) * 4;
    const globalBytes = this.#global.packedLength * 4;
    const globalStride = Math.ceil((globalBytes + slack) / 64) * 64;
    const localBytes = this.#local.packedLength * 4;
    const localStride = Math.ceil((localBytes + slack) / 64) * 64;
    const at: Regions = {
      plan,
      job,
      items,
      globalWeights: layout.take(globalBytes),
      globalFirst: layout.take(globalBytes),
      globalSecond: layout.take(globalBytes),
      globalGradient: layout.take(this.#blocks * globalStride),
      globalStride,
      localWeights: layout.take(boxes.length * localBytes),
      localFirst: layout.take(boxes.length * localBytes),
      localSecond: layout.take(boxes.length * localBytes),
      // A block works on one item at a time, so that one gradient serves all its items unless shares are summed later.
      localGradients: layout.take(
        (this.#shares > 1 ? boxes.length * this.#shares : this.#blocks) * localStride,
      ),
      localStride,
      globalState: layout.take(isSoap ? kernels.globalStateFloats() * 4 : 0),
      localStates: layout.take(boxes.length * localStateBytes),
      localStateBytes,
      patches: points.map((count) => layout.take(patchBytes(count, model.architecture))),
      samples: layout.take(samples.byteLength),
      orders: new Map([...new Set(this.#sizes)].map((size) => [size, layout.take(size * 4)])),
      scratch: [],
    };
    const scratch = Array.from({ length: this.#pool.size }, () => layout.take(scratchBytes));
    return { at: { ...at, scratch }, pages: layout.pages('training') };
  }

  #writeAll(): void {
    const { model, boxes, samples, format, weights, optimiser } = this.#setup;
    const at = this.#at;
    const view = this.#view;
    const bytes = new Uint8Array(this.#memory.buffer);
    writePlan(view, at.plan, model, at.globalWeights);
    bytes.set(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength), at.samples);
    this.#global.pack(weights.global, this.#floats(at.globalWeights, this.#global.packedLength));
    weights.local.forEach((local, p) => this.#local.pack(local, this.#localWeights(p)));
    const { job } = at;
    const words: [number, number][] = [
      [JOB_ITEMS, at.items],
      [JOB_ITEM_COUNT, boxes.length * this.#shares],
      [JOB_BLOCK_COUNT, this.#blocks],
      [JOB_PARTITIONS, boxes.length],
      [JOB_SHARES, this.#shares],
      [JOB_SAMPLE_TYPE, SAMPLE_TYPES[format.sampleType]],
      [JOB_ALPHA, alphaChannel(format)],
      [JOB_THREADS, this.#pool.size],
      [JOB_GLOBAL_FIRST, at.globalFirst],
      [JOB_GLOBAL_SECOND, at.globalSecond],
      [JOB_GLOBAL_GRADIENT, at.globalGradient],
      [JOB_GLOBAL_STRIDE, at.globalStride],
      [JOB_IS_SOAP, optimiser.kind === 'soap' ? 1 : 0],
      [JOB_GLOBAL_STATE, at.globalState],
    ];
    for (const [field, value] of words) view.setInt32(job + field, value, true);
    view.setFloat32(job + JOB_SAMPLE_SCALE, 1 / format.mapping.scale, true);
    view.setFloat32(job + JOB_SAMPLE_OFFSET, -format.mapping.offset / format.mapping.scale, true);
    view.setFloat32(job + JOB_ALPHA_SCALE, 1 / peakOf(format.sampleType), true);
    view.setFloat32(job + JOB_BETA1, optimiser.beta1, true);
    view.setFloat32(job + JOB_BETA2, optimiser.beta2, true);
    view.setFloat32(job + JOB_EPSILON, optimiser.epsilon, true);
    if (optimiser.kind === 'soap') {
      view.setInt32(job + JOB_REFRESH_STEPS, optimiser.refreshSteps, true);
      view.setFloat32(job + JOB_FACTOR_DECAY, optimiser.factorDecay, true);
    }
    this.#writeItems();
  }

  #writeItems(): void {
    const { boxes, format, samples } = this.#setup;
    const at = this.#at;
    const view = this.#view;
    const localBytes = this.#local.packedLength * 4;
    const count = boxes.length * this.#shares;
    let first = 0;
    boxes.forEach((box, p) => {
      for (let share = 0; share < this.#shares; share++) {
        const index = p * this.#shares + share;
        const item = at.items + index * ITEM_BYTES;
        // The inverse of the kernels' cut of items into blocks: block b holds [b n / blocks, (b + 1) n / blocks).
        const block = Math.floor(((index + 1) * this.#blocks - 1) / count);
        writeBox(view, item + ITEM_BOX, box);
        const words: [number, number][] = [
          [ITEM_PARTITION, p],
          [ITEM_SHARE, share],
          [ITEM_COUNT, this.#sizes[p]],
          [ITEM_SAMPLES, at.samples + first * format.channels * samples.BYTES_PER_ELEMENT],
          [ITEM_ORDER, at.orders.get(this.#sizes[p]) ?? 0],
          [ITEM_WEIGHTS, at.localWeights + p * localBytes],
          [ITEM_FIRST, at.localFirst + p * localBytes],
          [ITEM_SECOND, at.localSecond + p * localBytes],
          [ITEM_GRADIENT, at.localGradients + (this.#shares > 1 ? index : block) * at.localStride],
          [ITEM_PATCH, at.patches[p]],
          [ITEM_STATE, at.localStates + p * at.localStateBytes],
        ];
        for (const [field, value] of words) view.setUint32(item + field, value, true);
        view.setFloat64(item + ITEM_POWER1, 1, true);
        view.setFloat64(item + ITEM_POWER2, 1, true);
      }
      first += this.#sizes[p];
    });
  }

  async #open(module: WebAssembly.Module): Promise<void> {
    const { plan, job, scratch } = this.#at;
    await this.#pool.run((thread) => ({
      kind: 'open',
      instance: this.#instance,
      module,
      memory: this.#memory,
      plan,
      scratch: scratch[thread],
      job,
      points: this.#points,
    }));
  }

  #floats(byteOffset: number, length: number): Float32Array {
    return new Float32Array(this.#memory.buffer, byteOffset, length);
  }

  #localWeights(partition: number): Float32Array {
    const length = this.#local.packedLength;
    return this.#floats(this.#at.localWeights + partition * length * 4, length);
  }

  #writeOrders(orders: ReadonlyMap<number, Uint32Array>): void {
    if (orders === this.#orders) return;
    for (const [size, at] of this.#at.orders) {
      const order = orders.get(size);
      if (order?.length !== size) throw new RangeError(`orders: no permutation of ${size} samples`);
      new Uint32Array(this.#memory.buffer, at, size).set(order);
    }
    this.#orders = orders;
  }

  #writePartitions(partitions: Uint8Array | undefined): void {
    if (partitions !== undefined && partitions.length !== this.#sizes.length) {
      throw new RangeError(`partitions has ${partitions.length} entries, the session ${this.#sizes.length}`);
    }
    for (let p = 0; p < this.#sizes.length; p++) {
      for (let share = 0; share < this.#shares; share++) {
        const item = this.#at.items + (p * this.#shares + share) * ITEM_BYTES;
        this.#view.setInt32(item + ITEM_TAKES_PART, partitions?.[p] ?? 1, true);
      }
    }
  }

  async step(step: Step): Promise<StepReport> {
    const view = this.#view;
    const { job } = this.#at;
    const { optimiser, format } = this.#setup;
    const trainGlobal = step.globalRate > 0 && this.#global.packedLength > 0;
    if (step.orders !== undefined) this.#writeOrders(step.orders);
    if (trainGlobal) this.#globalUpdates++;
    const updates = Math.max(1, this.#globalUpdates);
    this.#writePartitions(step.partitions);
    const values = batchSamples(this.#sizes, step) * format.channels;
    view.setInt32(job + JOB_BATCH, step.batch, true);
    view.setInt32(job + JOB_BATCHES, step.batches, true);
    view.setInt32(job + JOB_USE_ORDER, step.orders === undefined ? 0 : 1, true);
    view.setInt32(job + JOB_TRAIN_GLOBAL, trainGlobal ? 1 : 0, true);
    view.setInt32(job + JOB_LATTICE_STALE, trainGlobal || this.#latticeStale ? 1 : 0, true);
    view.setFloat32(job + JOB_LOSS_SCALE, values === 0 ? 0 : 2 / values, true);
    // Partitions count their own updates and correct their rates themselves (assembly/train.ts).
    view.setFloat32(job + JOB_LOCAL_RATE, step.localRate, true);
    view.setFloat32(job + JOB_GLOBAL_RATE, step.globalRate / (1 - optimiser.beta1 ** updates), true);
    view.setFloat32(job + JOB_GLOBAL_ROOT, 1 / Math.sqrt(1 - optimiser.beta2 ** updates), true);
    if (optimiser.kind === 'soap') {
      view.setInt32(job + JOB_GLOBAL_STARTS, updates === 1 ? 1 : 0, true);
      view.setInt32(job + JOB_GLOBAL_REFRESHES, refreshesBases(updates, optimiser) ? 1 : 0, true);
    }
    for (const counter of [JOB_NEXT_BLOCK, JOB_NEXT_RANGE]) view.setInt32(job + counter, 0, true);
    await this.#pool.run(() => ({ kind: 'train', instance: this.#instance }));
    // A partition that takes no part keeps its old patch.
    this.#latticeStale = trainGlobal || (this.#latticeStale && step.partitions !== undefined);
    return this.#report();
  }

  #report(): StepReport {
    let squaredError = 0;
    let count = 0;
    const items = this.#setup.boxes.length * this.#shares;
    for (let index = 0; index < items; index++) {
      const item = this.#at.items + index * ITEM_BYTES;
      squaredError += this.#view.getFloat64(item + ITEM_ERROR, true);
      count += this.#view.getFloat64(item + ITEM_WEIGHT, true);
    }
    return { squaredError, count };
  }

  weights(): Promise<Weights> {
    const global = this.#global.unpack(this.#floats(this.#at.globalWeights, this.#global.packedLength));
    const local = this.#setup.boxes.map((_, p) => this.#local.unpack(this.#localWeights(p)));
    return Promise.resolve({ global, local });
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
