import type { LatentState } from '../../latent/session.js';
import {
  type LatentReport,
  type LatentSession,
  type LatentSetup,
  type LatentStep,
} from '../../latent/session.js';
import { packedPlaces, paddedPlaces } from './latent-packing.js';
import { writeLatentPlan } from './latent-plan.js';
import * as record from './latent-records.js';
import { MemoryLayout } from './memory-layout.js';
import {
  compileKernels,
  instantiateKernels,
  PAGE_BYTES,
  sharedMemory,
  type LatentKernels,
} from './module.js';
import { nextInstance } from './instances.js';
import type { ThreadPool } from './pool.js';

interface Item {
  readonly places: Int32Array;
  readonly floats: number;
  readonly latents: number;
  readonly first: number;
  readonly second: number;
  readonly target: number;
  readonly opacity: number;
}

/** Training of the latent family on the cpu engine (assembly/latent/train.ts says how a step runs). */
export class CpuLatentSession implements LatentSession {
  readonly #pool: ThreadPool;
  readonly #setup: LatentSetup;
  readonly #instance = nextInstance();
  readonly #places: Int32Array;
  readonly #items: readonly Item[];
  readonly #memory: WebAssembly.Memory;
  readonly #view: DataView;
  readonly #job: number;
  readonly #itemsAt: number;
  readonly #batchAt: number;
  readonly #weightsAt: number;
  /** Of the shared weights. */
  readonly #moments: { readonly first: number; readonly second: number; readonly bytes: number };
  #updates = 0;

  static async create(pool: ThreadPool, setup: LatentSetup): Promise<CpuLatentSession> {
    const { module } = await compileKernels('latents');
    const session = new CpuLatentSession(pool, setup, module);
    await pool.run((thread) => ({
      kind: 'open',
      instance: session.#instance,
      module,
      memory: session.#memory,
      plan: session.#plan,
      scratch: session.#scratch[thread],
      job: session.#job,
      points: 0,
    }));
    return session;
  }

  readonly #plan: number;
  readonly #scratch: readonly number[];

  private constructor(pool: ThreadPool, setup: LatentSetup, module: WebAssembly.Module) {
    this.#pool = pool;
    this.#setup = setup;
    const { architecture, partitions } = setup;
    this.#places = packedPlaces(architecture);
    const most = [0, 1].map((axis) => partitions.reduce((side, { shape }) => Math.max(side, shape[axis]), 0));
    // Sizes are the kernels' to tell, from a plan in a memory of their own.
    const trial = sharedMemory(1, 1);
    writeLatentPlan(new DataView(trial.buffer), 1024, architecture, { most, weights: 0 });
    const kernels = instantiateKernels<LatentKernels>(module, trial);
    const scratchBytes = kernels.scratchBytes(1024, 1, 0);
    const weightBytes = 4 * kernels.weightFloats(1024);
    const layout = new MemoryLayout();
    this.#plan = layout.take(record.LATENT_PLAN_BYTES);
    this.#job = layout.take(record.LATENT_JOB_BYTES);
    this.#itemsAt = layout.take(record.LATENT_ITEM_BYTES * partitions.length);
    this.#batchAt = layout.take(4 * partitions.length);
    this.#weightsAt = layout.take(weightBytes);
    const [first, second] = [layout.take(weightBytes), layout.take(weightBytes)];
    const stride = Math.ceil(weightBytes / 64) * 64;
    const gradients = layout.take(stride * partitions.length);
    this.#scratch = Array.from({ length: pool.size }, () => layout.take(scratchBytes));
    this.#items = partitions.map(({ shape, target, opacity }) => {
      const { places, floats } = paddedPlaces(architecture, shape);
      // Rows of targets are read in fours.
      return {
        places,
        floats,
        latents: layout.take(4 * floats),
        first: layout.take(4 * floats),
        second: layout.take(4 * floats),
        target: layout.take(4 * target.length + 128),
        opacity: opacity === undefined ? 0 : layout.take(4 * opacity.length + 128),
      };
    });
    const pages = layout.pages('training of latents');
    this.#memory = sharedMemory(pages, pages);
    if (this.#memory.buffer.byteLength !== pages * PAGE_BYTES) throw new Error('a memory of another size');
    this.#view = new DataView(this.#memory.buffer);
    writeLatentPlan(this.#view, this.#plan, architecture, { most, weights: this.#weightsAt });
    this.#writeJob({ gradients, stride, first, second });
    this.#moments = { first, second, bytes: weightBytes };
    this.#writeWeights(setup.weights);
    partitions.forEach((_, i) => this.#writeItem(i));
  }

  #writeJob(at: { gradients: number; stride: number; first: number; second: number }): void {
    const { architecture, latentAdam, sharedAdam } = this.#setup;
    const [view, job] = [this.#view, this.#job];
    const whole = (offset: number, value: number): void => view.setInt32(job + offset, value, true);
    const real = (offset: number, value: number): void => view.setFloat32(job + offset, value, true);
    whole(record.LATENT_JOB_ITEMS, this.#itemsAt);
    whole(record.LATENT_JOB_THREADS, this.#pool.size);
    whole(record.LATENT_JOB_GRADIENTS, at.gradients);
    whole(record.LATENT_JOB_STRIDE, at.stride);
    whole(record.LATENT_JOB_FIRST, at.first);
    whole(record.LATENT_JOB_SECOND, at.second);
    whole(record.LATENT_JOB_BATCH, this.#batchAt);
    [latentAdam.beta1, latentAdam.beta2, latentAdam.epsilon].forEach((value, i) =>
      real(record.LATENT_JOB_LATENT_ADAM + 4 * i, value),
    );
    [sharedAdam.beta1, sharedAdam.beta2, sharedAdam.epsilon].forEach((value, i) =>
      real(record.LATENT_JOB_SHARED_ADAM + 4 * i, value),
    );
    real(record.LATENT_JOB_ERROR_FACTOR, 1 / architecture.outputs);
  }

  #writeItem(i: number): void {
    const { shape, latents, target, opacity } = this.#setup.partitions[i];
    const item = this.#items[i];
    const at = this.#itemsAt + i * record.LATENT_ITEM_BYTES;
    const whole = (offset: number, value: number): void => this.#view.setInt32(at + offset, value, true);
    whole(record.LATENT_ITEM_HEIGHT, shape[0]);
    whole(record.LATENT_ITEM_WIDTH, shape[1]);
    whole(record.LATENT_ITEM_LATENTS, item.latents);
    whole(record.LATENT_ITEM_FIRST, item.first);
    whole(record.LATENT_ITEM_SECOND, item.second);
    whole(record.LATENT_ITEM_TARGET, item.target);
    whole(record.LATENT_ITEM_ALPHA, item.opacity);
    this.#beginItem(i, latents);
    this.#floats(item.target, target.length).set(target);
    if (opacity !== undefined) this.#floats(item.opacity, opacity.length).set(opacity);
  }

  /** Latents of an item, without moments. */
  #beginItem(i: number, latents: Float32Array): void {
    const { places, floats, first, second, latents: latentsAt } = this.#items[i];
    const at = this.#itemsAt + i * record.LATENT_ITEM_BYTES;
    this.#view.setFloat64(at + record.LATENT_ITEM_POWER1, 1, true);
    this.#view.setFloat64(at + record.LATENT_ITEM_POWER2, 1, true);
    for (const moments of [first, second]) this.#floats(moments, floats).fill(0);
    const padded = this.#floats(latentsAt, floats);
    latents.forEach((latent, k) => (padded[places[k]] = latent));
  }

  restore({ weights, latents }: LatentState): Promise<void> {
    this.#writeWeights(weights);
    const { first, second, bytes } = this.#moments;
    for (const moments of [first, second]) this.#floats(moments, bytes >> 2).fill(0);
    this.#updates = 0;
    latents.forEach((values, i) => this.#beginItem(i, values));
    return Promise.resolve();
  }

  #floats(at: number, length: number): Float32Array {
    return new Float32Array(this.#memory.buffer, at, length);
  }

  #writeWeights(weights: Float32Array): void {
    this.#places.forEach((place, i) => {
      if (place >= 0) this.#view.setFloat32(this.#weightsAt + 4 * place, weights[i], true);
    });
  }

  async step({
    bitFactor,
    batch,
    rounding,
    latentRate,
    sharedRate,
    tapFactor,
  }: LatentStep): Promise<LatentReport> {
    const { beta1, beta2 } = this.#setup.sharedAdam;
    const [view, job] = [this.#view, this.#job];
    const whole = (offset: number, value: number): void => view.setInt32(job + offset, value, true);
    const real = (offset: number, value: number): void => view.setFloat32(job + offset, value, true);
    batch.forEach((partition, i) => view.setInt32(this.#batchAt + 4 * i, partition, true));
    whole(record.LATENT_JOB_BATCH_COUNT, batch.length);
    whole(record.LATENT_JOB_IS_HARD, rounding === 'hard' ? 1 : 0);
    if (rounding !== 'hard') {
      real(record.LATENT_JOB_TEMPERATURE, rounding.temperature);
      real(record.LATENT_JOB_NOISE, rounding.noise);
      whole(record.LATENT_JOB_KEY, rounding.key);
    }
    if (sharedRate > 0) this.#updates++;
    const updates = Math.max(1, this.#updates);
    real(record.LATENT_JOB_BIT_FACTOR, bitFactor);
    real(record.LATENT_JOB_LATENT_RATE, latentRate);
    real(record.LATENT_JOB_SHARED_RATE, sharedRate / (1 - beta1 ** updates));
    real(record.LATENT_JOB_SHARED_ROOT, 1 / Math.sqrt(1 - beta2 ** updates));
    real(record.LATENT_JOB_TAP_FACTOR, tapFactor);
    whole(record.LATENT_JOB_NEXT, 0);
    await this.#pool.run(() => ({ kind: 'train', instance: this.#instance }));
    const itemAt = (partition: number): number => this.#itemsAt + partition * record.LATENT_ITEM_BYTES;
    return {
      squaredErrors: Float64Array.from(batch, (p) =>
        view.getFloat64(itemAt(p) + record.LATENT_ITEM_ERROR, true),
      ),
      bits: Float64Array.from(batch, (p) => view.getFloat64(itemAt(p) + record.LATENT_ITEM_BITS, true)),
    };
  }

  weights(): Promise<Float32Array> {
    const packed = this.#places.map((place) => 4 * place);
    return Promise.resolve(
      this.#setup.weights.map((initial, i) =>
        packed[i] < 0 ? initial : this.#view.getFloat32(this.#weightsAt + packed[i], true),
      ),
    );
  }

  latents(): Promise<Float32Array[]> {
    return Promise.resolve(
      this.#items.map(({ places, latents, floats }) => {
        const padded = this.#floats(latents, floats);
        return Float32Array.from(places, (place) => padded[place]);
      }),
    );
  }

  async dispose(): Promise<void> {
    await this.#pool.run(() => ({ kind: 'close', instance: this.#instance }));
  }
}
