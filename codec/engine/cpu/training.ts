import { boxSize } from '../../grid.js';
import type { Weights } from '../../model.js';
import { alphaChannel, peakOf } from '../../signal.js';
import type { Step, StepReport, TrainingSession, TrainingSetup } from '../engine.js';
import { refreshesBases } from '../../optimiser.js';
import { MemoryLayout } from './memory-layout.js';
import { compileKernels, instantiateKernels, sharedMemory } from './module.js';
import { PLAN_BYTES, Packing, TILE, patchBytes, patchPoints, writeBox, writePlan } from './plan.js';
import type { ThreadPool } from './pool.js';

const JOB_BYTES = 192;
const ITEM_BYTES = 128;

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
      [0, at.items],
      [4, boxes.length * this.#shares],
      [8, this.#blocks],
      [12, boxes.length],
      [16, this.#shares],
      [20, SAMPLE_TYPES[format.sampleType]],
      [24, alphaChannel(format)],
      [28, this.#pool.size],
      [32, at.globalFirst],
      [36, at.globalSecond],
      [40, at.globalGradient],
      [44, at.globalStride],
      [60, optimiser.kind === 'soap' ? 1 : 0],
      [144, at.globalState],
    ];
    for (const [field, value] of words) view.setInt32(job + field, value, true);
    view.setFloat32(job + 48, 1 / format.mapping.scale, true);
    view.setFloat32(job + 52, -format.mapping.offset / format.mapping.scale, true);
    view.setFloat32(job + 56, 1 / peakOf(format.sampleType), true);
    view.setFloat32(job + 88, optimiser.beta1, true);
    view.setFloat32(job + 92, optimiser.beta2, true);
    view.setFloat32(job + 96, optimiser.epsilon, true);
    if (optimiser.kind === 'soap') {
      view.setInt32(job + 148, optimiser.refreshSteps, true);
      view.setFloat32(job + 164, optimiser.factorDecay, true);
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
        writeBox(view, item, box);
        const words: [number, number][] = [
          [32, p],
          [36, share],
          [40, this.#sizes[p]],
          [44, at.samples + first * format.channels * samples.BYTES_PER_ELEMENT],
          [48, at.orders.get(this.#sizes[p]) ?? 0],
          [52, at.localWeights + p * localBytes],
          [56, at.localFirst + p * localBytes],
          [60, at.localSecond + p * localBytes],
          [64, at.localGradients + (this.#shares > 1 ? index : block) * at.localStride],
          [68, at.patches[p]],
          [88, at.localStates + p * at.localStateBytes],
        ];
        for (const [field, value] of words) view.setUint32(item + field, value, true);
        view.setFloat64(item + 104, 1, true);
        view.setFloat64(item + 112, 1, true);
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
        this.#view.setInt32(item + 92, partitions?.[p] ?? 1, true);
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
    view.setInt32(job + 64, step.batch, true);
    view.setInt32(job + 68, step.batches, true);
    view.setInt32(job + 72, step.orders === undefined ? 0 : 1, true);
    view.setInt32(job + 76, trainGlobal ? 1 : 0, true);
    view.setInt32(job + 80, trainGlobal || this.#latticeStale ? 1 : 0, true);
    view.setFloat32(job + 84, values === 0 ? 0 : 2 / values, true);
    // Partitions count their own updates and correct their rates themselves (assembly/train.ts).
    view.setFloat32(job + 100, step.localRate, true);
    view.setFloat32(job + 108, step.globalRate / (1 - optimiser.beta1 ** updates), true);
    view.setFloat32(job + 112, 1 / Math.sqrt(1 - optimiser.beta2 ** updates), true);
    if (optimiser.kind === 'soap') {
      view.setInt32(job + 156, updates === 1 ? 1 : 0, true);
      view.setInt32(job + 160, refreshesBases(updates, optimiser) ? 1 : 0, true);
    }
    for (const counter of [128, 132]) view.setInt32(job + counter, 0, true);
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
      squaredError += this.#view.getFloat64(item + 72, true);
      count += this.#view.getFloat64(item + 80, true);
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
