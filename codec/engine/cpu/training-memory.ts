import type { Box } from '../../grid.js';
import { boxSize } from '../../grid.js';
import type { Model, Weights } from '../../model.js';
import { alphaChannel, peakOf, type SampleArray } from '../../signal.js';
import type { TrainingSetup } from '../engine.js';
import { checkedPartOf, COUNT, FRACTION, partOf, type SavedState } from '../../saved-state.js';
import { MemoryLayout } from './memory-layout.js';
import { instantiateKernels, sharedMemory } from './module.js';
import { Packing, TILE, patchBytes, patchPoints, writeBox, writePlan } from './plan.js';
import * as record from './records.js';

/**
 * Blocks of work items, each with a global gradient of its own; fixed, so that sums do not depend on threads.
 *
 * 32 keep up to 16 threads busy, and their gradients (3 MB for the paper's network) cost 1 % of a step.
 */
const BLOCKS = 32;

/** Steps that one call of the kernels can take; 1 KB of rates. */
export const MAX_STEPS = 256;

/** Updates are counted in 32 bits. */
const UPDATES = { ...COUNT, most: 2 ** 31 - 1 };

const SAMPLE_TYPES = { uint8: 0, uint16: 1, float32: 2 } as const;

/** Where everything lies, in bytes. */
interface Regions {
  readonly plan: number;
  readonly job: number;
  readonly items: number;
  readonly rates: number;
  /** 0 where local weights are not bounded. */
  readonly localBounds: number;
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
  /** By the size of partitions, or by partition. */
  readonly orders: ReadonlyMap<number, number>;
  readonly scratch: readonly number[];
}

/** The memory of one training session: laid out for its setup, filled with it, shared by the threads. */
export class TrainingMemory {
  readonly memory: WebAssembly.Memory;
  readonly view: DataView;
  /** Lattice points of the largest patch. */
  readonly points: number;
  /** Samples of each partition. */
  readonly sizes: readonly number[];
  readonly #setup: TrainingSetup;
  readonly #threads: number;
  readonly #at: Regions;
  readonly #local: Packing;
  readonly #global: Packing;
  readonly #blocks: number;
  readonly #shares: number;

  /**
   * @param allocate gives a memory of at least so many pages, all of them zero.
   * @throws RangeError when the samples are not as many as the boxes hold.
   * @throws LgiError `limit` beyond 4 GiB.
   */
  constructor(
    setup: TrainingSetup,
    module: WebAssembly.Module,
    threads: number,
    allocate = (pages: number): WebAssembly.Memory => sharedMemory(pages, pages),
  ) {
    this.#setup = setup;
    this.#threads = threads;
    const { model, boxes, samples, format } = setup;
    const { architecture } = model;
    this.#local = Packing.local(architecture);
    this.#global = Packing.global(architecture);
    this.sizes = boxes.map(boxSize);
    const total = this.sizes.reduce((sum, size) => sum + size, 0) * format.channels;
    if (samples.length !== total) {
      throw new RangeError(`samples has ${samples.length} values, the boxes hold ${total}`);
    }
    const lattice = architecture.globalWidth > 0 && architecture.latticeStride > 0;
    const largest = this.sizes.reduce((most, size) => Math.max(most, size), 0);
    // Few partitions: the samples of each are shared out too. A lattice patch belongs to a whole partition.
    this.#shares = lattice
      ? 1
      : Math.max(1, Math.min(Math.ceil(BLOCKS / boxes.length), Math.floor(largest / (4 * TILE))));
    this.#blocks = Math.min(BLOCKS, boxes.length * this.#shares);
    const pointsOf = ({ begin, end }: Box): number => patchPoints(begin, end, architecture.latticeStride);
    const points = boxes.map((box) => (lattice ? pointsOf(box) : 0));
    this.points = points.reduce((most, count) => Math.max(most, count), 0);
    const { at, pages } = this.#layOut(module, points);
    this.#at = at;
    this.memory = allocate(pages);
    this.view = new DataView(this.memory.buffer);
    this.#writeAll();
  }

  get plan(): number {
    return this.#at.plan;
  }

  get job(): number {
    return this.#at.job;
  }

  /** Scratch memory of a thread. */
  scratch(thread: number): number {
    return this.#at.scratch[thread];
  }

  /** Work items: partitions times their shares. */
  get itemCount(): number {
    return this.sizes.length * this.#shares;
  }

  item(index: number): number {
    return this.#at.items + index * record.ITEM_BYTES;
  }

  partitionOfItem(index: number): number {
    return Math.floor(index / this.#shares);
  }

  get hasGlobal(): boolean {
    return this.#global.packedLength > 0;
  }

  /** Whether the samples of a partition are shared out among several items. */
  get sharesPartitions(): boolean {
    return this.#shares > 1;
  }

  /** A copy of the present weights. */
  weights(): Weights {
    return {
      global: this.#global.unpack(this.#floats(this.#at.globalWeights, this.#global.packedLength)),
      local: this.sizes.map((_, p) => this.#local.unpack(this.#localWeights(p))),
    };
  }

  /** The gradients of the last step, where the setup needs them; of all weights, before any optimiser. */
  gradients(): Weights {
    const { globalGradient, localGradients, localStride } = this.#at;
    const ofPartition = (p: number): number => localGradients + p * this.#shares * localStride;
    return {
      global: this.#global.unpack(this.#floats(globalGradient, this.#global.packedLength)),
      local: this.sizes.map((_, p) =>
        this.#local.unpack(this.#floats(ofPartition(p), this.#local.packedLength)),
      ),
    };
  }

  /** What the kernels know of the network. */
  writeModel(model: Model): void {
    writePlan(this.view, this.#at.plan, model, this.#at.globalWeights);
  }

  /** Samples in place of those of the setup, as many of the same type. */
  writeSamples(samples: SampleArray): void {
    const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
    new Uint8Array(this.memory.buffer).set(bytes, this.#at.samples);
  }

  /** Whether each item has a gradient of its own, which is there when the step is done. */
  get #keepsGradients(): boolean {
    return this.#shares > 1 || this.#setup.learnsActivations === true;
  }

  /** A copy of the present weights as they are packed. */
  snapshot(): { global: Float32Array; local: Float32Array[] } {
    return {
      global: this.#floats(this.#at.globalWeights, this.#global.packedLength).slice(),
      local: this.sizes.map((_, p) => this.#localWeights(p).slice()),
    };
  }

  /** Writes packed weights of a partition and starts its moments anew; SOAP's state starts with the first update. */
  restoreLocal(partition: number, packed: ArrayLike<number>): void {
    const { localFirst, localSecond } = this.#at;
    const length = this.#local.packedLength;
    this.#localWeights(partition).set(packed);
    for (const moments of [localFirst, localSecond]) {
      this.#floats(moments + partition * length * 4, length).fill(0);
    }
    for (let share = 0; share < this.#shares; share++) {
      this.#startItem(this.item(partition * this.#shares + share));
    }
  }

  /** The same for the global weights. */
  restoreGlobal(packed: ArrayLike<number>): void {
    const { globalWeights, globalFirst, globalSecond } = this.#at;
    const length = this.#global.packedLength;
    this.#floats(globalWeights, length).set(packed);
    for (const moments of [globalFirst, globalSecond]) this.#floats(moments, length).fill(0);
  }

  /** Copies of all regions that steps change and later steps need. */
  saveState(): SavedState {
    const counters = new Float64Array(3 * this.itemCount);
    for (let index = 0; index < this.itemCount; index++) {
      const item = this.item(index);
      counters[3 * index] = this.view.getInt32(item + record.ITEM_UPDATES, true);
      counters[3 * index + 1] = this.view.getFloat64(item + record.ITEM_POWER1, true);
      counters[3 * index + 2] = this.view.getFloat64(item + record.ITEM_POWER2, true);
    }
    const regions = this.#changing().map(([name, floats]) => [name, floats.slice()] as const);
    return { ...Object.fromEntries(regions), counters };
  }

  /** @throws LgiError `damaged` for a state of another setup. */
  loadState(state: SavedState): void {
    const rules = [UPDATES, FRACTION, FRACTION];
    const counters = checkedPartOf(state, 'counters', new Float64Array(3 * this.itemCount), rules);
    for (const [name, floats] of this.#changing()) floats.set(partOf(state, name, floats));
    for (let index = 0; index < this.itemCount; index++) {
      const item = this.item(index);
      this.view.setInt32(item + record.ITEM_UPDATES, counters[3 * index], true);
      this.view.setFloat64(item + record.ITEM_POWER1, counters[3 * index + 1], true);
      this.view.setFloat64(item + record.ITEM_POWER2, counters[3 * index + 2], true);
    }
  }

  #changing(): (readonly [name: string, floats: Float32Array])[] {
    const at = this.#at;
    const partitions = this.sizes.length;
    const [global, local] = [this.#global.packedLength, partitions * this.#local.packedLength];
    const globalStateFloats = (at.localStates - at.globalState) / 4;
    return [
      ['globalWeights', this.#floats(at.globalWeights, global)],
      ['globalFirst', this.#floats(at.globalFirst, global)],
      ['globalSecond', this.#floats(at.globalSecond, global)],
      ['globalState', this.#floats(at.globalState, globalStateFloats)],
      ['localWeights', this.#floats(at.localWeights, local)],
      ['localFirst', this.#floats(at.localFirst, local)],
      ['localSecond', this.#floats(at.localSecond, local)],
      ['localStates', this.#floats(at.localStates, (partitions * at.localStateBytes) / 4)],
    ];
  }

  /** Writes the local rates of a call's steps, at most {@link MAX_STEPS}. */
  writeRates(rates: readonly number[]): void {
    this.#floats(this.#at.rates, rates.length).set(rates);
  }

  /** No updates so far. */
  #startItem(item: number): void {
    this.view.setInt32(item + record.ITEM_UPDATES, 0, true);
    this.view.setFloat64(item + record.ITEM_POWER1, 1, true);
    this.view.setFloat64(item + record.ITEM_POWER2, 1, true);
  }

  /**
   * Writes the orders of samples that partitions go through.
   *
   * @throws RangeError when a partition has none of its size.
   */
  writeOrders(orders: ReadonlyMap<number, Uint32Array>): void {
    for (const [key, at] of this.#at.orders) {
      const size = this.#setup.hasOwnOrders === true ? this.sizes[key] : key;
      const order = orders.get(key);
      if (order?.length !== size) throw new RangeError(`orders: no order of ${size} samples`);
      new Uint32Array(this.memory.buffer, at, size).set(order);
    }
  }

  #layOut(module: WebAssembly.Module, points: readonly number[]): { at: Regions; pages: number } {
    const { model, boxes, samples } = this.#setup;
    const measuring = sharedMemory(1, 1);
    writePlan(new DataView(measuring.buffer), 1024, model, 0);
    const kernels = instantiateKernels(module, measuring);
    const scratchBytes = kernels.scratchBytes(1024, 1, this.points);
    const isSoap = this.#setup.optimiser.kind === 'soap';
    const localStateBytes = isSoap ? kernels.localStateFloats() * 4 : 0;
    const layout = new MemoryLayout();
    const plan = layout.take(record.PLAN_BYTES);
    const job = layout.take(record.JOB_BYTES);
    const items = layout.take(boxes.length * this.#shares * record.ITEM_BYTES);
    const rates = layout.take(MAX_STEPS * 4);
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
      rates,
      localBounds: this.#setup.localBounds === undefined ? 0 : layout.take(localBytes),
      globalWeights: layout.take(globalBytes),
      globalFirst: layout.take(globalBytes),
      globalSecond: layout.take(globalBytes),
      globalGradient: layout.take(this.#blocks * globalStride),
      globalStride,
      localWeights: layout.take(boxes.length * localBytes),
      localFirst: layout.take(boxes.length * localBytes),
      localSecond: layout.take(boxes.length * localBytes),
      // A block works on one item at a time, so that one gradient serves all its items unless they are needed later.
      localGradients: layout.take(
        (this.#keepsGradients ? boxes.length * this.#shares : this.#blocks) * localStride,
      ),
      localStride,
      globalState: layout.take(isSoap ? kernels.globalStateFloats() * 4 : 0),
      localStates: layout.take(boxes.length * localStateBytes),
      localStateBytes,
      patches: points.map((count) => layout.take(patchBytes(count, model.architecture))),
      samples: layout.take(samples.byteLength),
      orders:
        this.#setup.hasOwnOrders === true
          ? new Map(this.sizes.map((size, p) => [p, layout.take(size * 4)]))
          : new Map([...new Set(this.sizes)].map((size) => [size, layout.take(size * 4)])),
      scratch: [],
    };
    const scratch = Array.from({ length: this.#threads }, () => layout.take(scratchBytes));
    return { at: { ...at, scratch }, pages: layout.pages('training') };
  }

  #writeAll(): void {
    const { model, boxes, samples, format, weights, optimiser, localBounds } = this.#setup;
    const at = this.#at;
    const view = this.view;
    this.writeModel(model);
    this.writeSamples(samples);
    this.#global.pack(weights.global, this.#floats(at.globalWeights, this.#global.packedLength));
    weights.local.forEach((local, p) => this.#local.pack(local, this.#localWeights(p)));
    if (localBounds !== undefined) {
      this.#local.pack(localBounds, this.#floats(at.localBounds, this.#local.packedLength));
    }
    const { job } = at;
    const words: [number, number][] = [
      [record.JOB_ITEMS, at.items],
      [record.JOB_LOCAL_RATES, at.rates],
      [record.JOB_LOCAL_BOUNDS, at.localBounds],
      [record.JOB_ITEM_COUNT, boxes.length * this.#shares],
      [record.JOB_BLOCK_COUNT, this.#blocks],
      [record.JOB_PARTITIONS, boxes.length],
      [record.JOB_SHARES, this.#shares],
      [record.JOB_SAMPLE_TYPE, SAMPLE_TYPES[format.sampleType]],
      [record.JOB_ALPHA, alphaChannel(format)],
      [record.JOB_THREADS, this.#threads],
      [record.JOB_GLOBAL_FIRST, at.globalFirst],
      [record.JOB_GLOBAL_SECOND, at.globalSecond],
      [record.JOB_GLOBAL_GRADIENT, at.globalGradient],
      [record.JOB_GLOBAL_STRIDE, at.globalStride],
      [record.JOB_IS_SOAP, optimiser.kind === 'soap' ? 1 : 0],
      [record.JOB_GLOBAL_STATE, at.globalState],
    ];
    for (const [field, value] of words) view.setInt32(job + field, value, true);
    view.setFloat32(job + record.JOB_SAMPLE_SCALE, 1 / format.mapping.scale, true);
    view.setFloat32(job + record.JOB_SAMPLE_OFFSET, -format.mapping.offset / format.mapping.scale, true);
    view.setFloat32(job + record.JOB_ALPHA_SCALE, 1 / peakOf(format.sampleType), true);
    view.setFloat32(job + record.JOB_BETA1, optimiser.beta1, true);
    view.setFloat32(job + record.JOB_BETA2, optimiser.beta2, true);
    view.setFloat32(job + record.JOB_EPSILON, optimiser.epsilon, true);
    if (optimiser.kind === 'soap') {
      view.setInt32(job + record.JOB_REFRESH_STEPS, optimiser.refreshSteps, true);
      view.setFloat32(job + record.JOB_FACTOR_DECAY, optimiser.factorDecay, true);
    }
    this.#writeItems();
  }

  #writeItems(): void {
    const { boxes, format, samples } = this.#setup;
    const at = this.#at;
    const view = this.view;
    const localBytes = this.#local.packedLength * 4;
    const count = boxes.length * this.#shares;
    let first = 0;
    boxes.forEach((box, p) => {
      for (let share = 0; share < this.#shares; share++) {
        const index = p * this.#shares + share;
        const item = this.item(index);
        // The inverse of the kernels' cut of items into blocks: block b holds [b n / blocks, (b + 1) n / blocks).
        const block = Math.floor(((index + 1) * this.#blocks - 1) / count);
        writeBox(view, item + record.ITEM_BOX, box);
        const words: [number, number][] = [
          [record.ITEM_PARTITION, p],
          [record.ITEM_SHARE, share],
          [record.ITEM_COUNT, this.sizes[p]],
          [record.ITEM_SAMPLES, at.samples + first * format.channels * samples.BYTES_PER_ELEMENT],
          [record.ITEM_ORDER, at.orders.get(this.#setup.hasOwnOrders === true ? p : this.sizes[p]) ?? 0],
          [record.ITEM_WEIGHTS, at.localWeights + p * localBytes],
          [record.ITEM_FIRST, at.localFirst + p * localBytes],
          [record.ITEM_SECOND, at.localSecond + p * localBytes],
          [record.ITEM_GRADIENT, at.localGradients + (this.#keepsGradients ? index : block) * at.localStride],
          [record.ITEM_PATCH, at.patches[p]],
          [record.ITEM_STATE, at.localStates + p * at.localStateBytes],
        ];
        for (const [field, value] of words) view.setUint32(item + field, value, true);
        this.#startItem(item);
      }
      first += this.sizes[p];
    });
  }

  #floats(byteOffset: number, length: number): Float32Array {
    return new Float32Array(this.memory.buffer, byteOffset, length);
  }

  #localWeights(partition: number): Float32Array {
    const length = this.#local.packedLength;
    return this.#floats(this.#at.localWeights + partition * length * 4, length);
  }
}
